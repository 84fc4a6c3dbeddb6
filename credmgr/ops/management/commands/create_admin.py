"""Makes an administrator, and gives one who forgot the password a new one."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from credmgr.accounts.administrators import Outcome, set_administrator
from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.errors import DomainError
from credmgr.factors.changing import remove_all_factors
from credmgr.factors.queries import has_second_factor

PASSWORD_BYTES_MAX = 4096


class Command(BaseCommand):
    """The password comes from a file or from standard input: a command line can be read by everybody."""

    help = "Create an administrator, or reset the password of one (which ends that person's sessions)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Who, and where the password is."""
        parser.add_argument("username", help="the name to sign in with")
        parser.add_argument(
            "--password-file",
            required=True,
            metavar="FILE",
            help="file whose first line is the password; - reads standard input",
        )
        parser.add_argument(
            "--reset-second-factors",
            action="store_true",
            help="also remove authenticator app, passkeys and recovery codes of a person who lost them",
        )
        parser.add_argument("--json", action="store_true", help="answer as one JSON object")

    @sensitive_variables("password")
    def handle(self, *_args: Any, **options: Any) -> None:
        """Raises CommandError with the rules' own sentences when name or password is refused."""
        password = _read_password(options["password_file"])
        reset = False

        def record(outcome: Outcome) -> None:
            nonlocal reset
            _record(outcome)
            if options["reset_second_factors"]:
                reset = remove_all_factors(outcome.user, actor=Actor.command(), now=timezone.now())

        try:
            outcome = set_administrator(options["username"], password, now=timezone.now(), record=record)
        except DomainError as error:
            raise CommandError(error.message) from None
        has_factor = not reset and has_second_factor(outcome.user)
        if options["json"]:
            self.stdout.write(json.dumps(_described(outcome) | {"secondFactorsRemoved": reset}))
        else:
            self.stdout.write(f"{_sentence(outcome)}{_about_factors(reset, has_factor)}")


def _record(outcome: Outcome) -> None:
    user = outcome.user
    record_event(
        EventTag.ADMINISTRATOR_CREATED if outcome.created else EventTag.ADMINISTRATOR_RESET,
        actor=Actor.command(),
        now=timezone.now(),
        object_type="user",
        object_id=user.pk,
        object_name=user.username,
        changes={} if outcome.created else {"endedSessions": [0, outcome.ended_sessions]},
    )


def _described(outcome: Outcome) -> dict[str, object]:
    return {
        "id": str(outcome.user.pk),
        "username": outcome.user.username,
        "created": outcome.created,
        "endedSessions": outcome.ended_sessions,
    }


def _sentence(outcome: Outcome) -> str:
    name = outcome.user.username
    if outcome.created:
        return f"Administrator {name} was created."
    ended = outcome.ended_sessions
    return (
        f"{name} existed already: the password was reset, {ended} session{'' if ended == 1 else 's'} ended."
    )


def _about_factors(reset: bool, has_factor: bool) -> str:
    if reset:
        return " The second factors were removed."
    if has_factor:
        return " The second factors stay: --reset-second-factors removes them."
    return ""


@sensitive_variables("data", "lines")
def _read_password(name: str) -> str:
    """The first line, without its line end; spaces count."""
    try:
        if name == "-":
            data = sys.stdin.buffer.read(PASSWORD_BYTES_MAX + 1)
        else:
            with Path(name).open("rb") as stream:
                data = stream.read(PASSWORD_BYTES_MAX + 1)
    except OSError as error:
        raise CommandError(f"The password file {name} cannot be read: {error.strerror}.") from None
    if len(data) > PASSWORD_BYTES_MAX:
        raise CommandError(f"The password file holds more than {PASSWORD_BYTES_MAX} bytes. Check the path.")
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise CommandError("The password file is not text in UTF-8.") from None
    if not lines or not lines[0]:
        raise CommandError("The password file is empty. Its first line must be the password.")
    if any(line.strip() for line in lines[1:]):
        raise CommandError("The password file holds more than one line. Only the password may be in it.")
    return lines[0]
