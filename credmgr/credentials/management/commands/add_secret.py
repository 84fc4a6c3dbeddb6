"""Adds a client secret from a script.

Here the server makes the value, and it goes to standard output, once, and nowhere else. Of a registration
that lives elsewhere the value is read from a file or from standard input, never from the command line.
"""

import sys
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from credmgr.audit.recording import Actor
from credmgr.credentials.client_secrets import CHOICES, add_client_secret
from credmgr.credentials.existing_secrets import VALUE_LENGTH, add_existing_secret
from credmgr.credentials.secret_values import mask
from credmgr.registrations.act_command import ActCommand, application_for, iso, parse_moment, read_file
from credmgr.registrations.models import Application
from credmgr.registrations.places import place_words

_DAYS_MOST = 100_000


class Command(ActCommand):
    """add_secret APP_ID [--name N] [--days D | --start ISO --end ISO] [--verify-only] [--json].

    One that another authority made: add_secret APP_ID --value-file FILE, with the same dates and names.
    """

    help = (
        "Add a client secret to a registration and print its value once; with --value-file keep one that "
        "another authority made, for a registration that lives there."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Without dates it lasts 180 days from now; an existing one has no known end then."""
        super().add_arguments(parser)
        parser.add_argument("app_id", metavar="APP_ID", help="application (client) ID")
        parser.add_argument("--name", default="", help="description: say where the secret will be used")
        parser.add_argument("--days", type=int, help=f"lifetime in days from now, default {CHOICES[0]}")
        parser.add_argument(
            "--start", metavar="ISO", help="first moment of use, UTC unless it says otherwise"
        )
        parser.add_argument("--end", metavar="ISO", help="end of use; may lie in the past, for tests")
        parser.add_argument("--verify-only", action="store_true", help="keep only a digest of the value")
        parser.add_argument(
            "--value-file",
            metavar="FILE",
            help="an existing value, without its last line break; - reads it from standard input",
        )
        parser.add_argument(
            "--as-is", action="store_true", help="with --value-file: white space at its ends belongs to it"
        )

    @sensitive_variables("value", "answer")
    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """Add it. An end in the past is allowed here and said on standard error."""
        now = timezone.now()
        application = application_for(options["app_id"])
        if options["value_file"]:
            return self._add_existing(application, options, now)
        if application.is_external:
            raise CommandError(
                f"{application.display_name} lives at {place_words(application)}, where its secrets are "
                "made. Give the value of one with --value-file."
            )
        start_at, end_at = _period(options, now)
        secret, value = add_client_secret(
            application,
            description=options["name"],
            start_at=start_at,
            end_at=end_at,
            verify_only=options["verify_only"],
            allow_past_end=True,
            actor=Actor.command(),
            now=now,
        )
        self._warn(end_at, now)
        return {
            "keyId": str(secret.pk),
            "hint": secret.hint,
            "secretText": value,
            "startDateTime": iso(start_at),
            "endDateTime": iso(end_at),
        }

    def _warn(self, end_at: datetime | None, now: datetime) -> None:
        if end_at is not None and end_at <= now:
            self.stderr.write(f"This secret ended on {iso(end_at)}: every sign-in with it is refused.")

    @sensitive_variables("value")
    def _add_existing(
        self, application: Application, options: dict[str, Any], now: datetime
    ) -> dict[str, Any]:
        if options["verify_only"]:
            raise CommandError("--verify-only is for secrets that are made here: tests need the value.")
        start_at, end_at = _known_period(options, now)
        value = _read_value(options["value_file"])
        secret = add_existing_secret(
            application,
            value=value,
            as_is=options["as_is"],
            description=options["name"],
            start_at=start_at,
            end_at=end_at,
            allow_past_end=True,
            actor=Actor.command(),
            now=now,
        )
        self._warn(end_at, now)
        return {
            "keyId": str(secret.pk),
            "hint": secret.hint,
            "startDateTime": iso(secret.start_at),
            "endDateTime": iso(end_at) if end_at else None,
        }

    def say(self, answer: Any) -> str:
        """The value, and that this was the only time; nothing of one that was brought."""
        if "secretText" not in answer:
            end = f"Ends:      {answer['endDateTime'] or 'not known'}"
            return f"Kept, sealed: {mask(answer['hint'])}\nKey ID:    {answer['keyId']}\n{end}"
        return (
            f"Value:     {answer['secretText']}\n"
            "Store it now: it cannot be shown again.\n"
            f"Secret ID: {answer['keyId']}\n"
            f"Ends:      {answer['endDateTime']}"
        )


@sensitive_variables("raw")
def _read_value(file: str) -> str:
    """The file's text, or standard input, without the line break at its end. Raises CommandError."""
    most = VALUE_LENGTH[1] * 4
    raw = sys.stdin.buffer.read(most + 1) if file == "-" else read_file(file, most)
    try:
        return raw.decode("utf-8-sig").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise CommandError(f"The file {file} is not UTF-8 text.") from None


def _known_period(options: dict[str, Any], now: datetime) -> tuple[datetime | None, datetime | None]:
    """What was given of the dates; None for what was not."""
    if options["days"] is not None or (options["start"] and options["end"]):
        return _period(options, now)
    start, end = options["start"], options["end"]
    return parse_moment(start) if start else None, parse_moment(end) if end else None


def _period(options: dict[str, Any], now: datetime) -> tuple[datetime, datetime]:
    days: int | None = options["days"]
    if days is not None and (options["start"] or options["end"]):
        raise CommandError("Give either --days or --start and --end, not both.")
    if days is not None and not 1 <= days <= _DAYS_MOST:
        raise CommandError("--days must be 1 or more.")
    start_at = parse_moment(options["start"]) if options["start"] else now
    if options["end"]:
        return start_at, parse_moment(options["end"])
    try:
        return start_at, start_at + timedelta(days=days or CHOICES[0])
    except OverflowError:
        raise CommandError("The start lies too far ahead. Check the year.") from None
