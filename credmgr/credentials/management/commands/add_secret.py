"""Adds a client secret from a script. The value goes to standard output, once, and nowhere else."""

from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from credmgr.audit.recording import Actor
from credmgr.credentials.client_secrets import CHOICES, add_client_secret
from credmgr.registrations.act_command import ActCommand, application_for, iso, parse_moment

_DAYS_MOST = 100_000


class Command(ActCommand):
    """add_secret APP_ID [--name N] [--days D | --start ISO --end ISO] [--verify-only] [--json]."""

    help = "Add a client secret to a registration and print its value once."

    def add_arguments(self, parser: CommandParser) -> None:
        """Without dates it lasts 180 days from now."""
        super().add_arguments(parser)
        parser.add_argument("app_id", metavar="APP_ID", help="application (client) ID")
        parser.add_argument("--name", default="", help="description: say where the secret will be used")
        parser.add_argument("--days", type=int, help=f"lifetime in days from now, default {CHOICES[0]}")
        parser.add_argument(
            "--start", metavar="ISO", help="first moment of use, UTC unless it says otherwise"
        )
        parser.add_argument("--end", metavar="ISO", help="end of use; may lie in the past, for tests")
        parser.add_argument("--verify-only", action="store_true", help="keep only a digest of the value")

    @sensitive_variables("value", "answer")
    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """Add it. An end in the past is allowed here and said on standard error."""
        now = timezone.now()
        start_at, end_at = _period(options, now)
        secret, value = add_client_secret(
            application_for(options["app_id"]),
            description=options["name"],
            start_at=start_at,
            end_at=end_at,
            verify_only=options["verify_only"],
            allow_past_end=True,
            actor=Actor.command(),
            now=now,
        )
        if end_at <= now:
            self.stderr.write(f"This secret ended on {iso(end_at)}: every sign-in with it is refused.")
        return {
            "keyId": str(secret.pk),
            "hint": secret.hint,
            "secretText": value,
            "startDateTime": iso(start_at),
            "endDateTime": iso(end_at),
        }

    def say(self, answer: Any) -> str:
        """The value, and that this was the only time."""
        return (
            f"Value:     {answer['secretText']}\n"
            "Store it now: it cannot be shown again.\n"
            f"Secret ID: {answer['keyId']}\n"
            f"Ends:      {answer['endDateTime']}"
        )


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
