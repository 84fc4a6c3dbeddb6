"""What the management commands share: --json, refusals as one sentence on stderr with exit code 1."""

import json
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.views.decorators.debug import sensitive_variables

from credmgr.conflicts import repeated
from credmgr.errors import DomainError
from credmgr.registrations.errors import RegistrationError, RegistrationNotFoundError
from credmgr.registrations.models import BUILT_IN, Application, Tenant
from credmgr.registrations.queries import default_tenant, find_directory, parse_guid
from credmgr.vault.errors import VaultError

_PASSPHRASE_BYTES_MAX = 8192
Answer = dict[str, Any] | list[dict[str, Any]]


class ActCommand(BaseCommand):
    """A command that calls one act. A subclass says what to run and how a person is told."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Every such command can answer in JSON."""
        parser.add_argument(
            "--json", action="store_true", help="answer with one JSON document on standard output"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the act; raise CommandError with a sentence when it was refused."""
        try:
            answer = repeated(lambda: self.act(options))
        except (DomainError, VaultError) as error:
            raise CommandError(str(error)) from None
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used: {error}. Nothing was changed.") from None
        self.stdout.write(json.dumps(answer, indent=2) if options["json"] else self.say(answer))

    def act(self, options: dict[str, Any]) -> Any:
        """Do it and return what --json prints."""
        raise NotImplementedError

    def say(self, answer: Any) -> str:
        """The same for a person."""
        raise NotImplementedError


def add_directory_argument(parser: CommandParser) -> None:
    """--directory, for commands that work in one."""
    parser.add_argument(
        "--directory", default="", metavar="DIRECTORY", help="ID or domain; default: the default directory"
    )


def directory_for(text: str) -> Tenant:
    """The directory that --directory names, the default one without it. Raises RegistrationNotFoundError."""
    return find_directory(text) if text else default_tenant()


def application_for(text: str) -> Application:
    """The live registration with that client id or object id, in whatever directory.

    One that lives elsewhere goes by the client id there, if no other has the same. Raises
    RegistrationNotFoundError, RegistrationError when several have it.
    """
    application = find_application(text)
    if application.deleted_at is not None:
        raise RegistrationNotFoundError(
            "registration_deleted", f"{application.display_name} was deleted. Restore it first."
        )
    return application


def find_application(text: str) -> Application:
    """As application_for, deleted ones included."""
    text = text.strip()
    guid = parse_guid(text)
    application = (_by_own_id(guid) if guid else None) or _by_external_id(text)
    if application is None:
        raise RegistrationNotFoundError(
            "registration_unknown",
            f"There is no registration with the application (client) ID {text}. Run list_apps to see all.",
        )
    return application


def _by_own_id(guid: uuid.UUID) -> Application | None:
    rows = Application.objects.select_related("tenant")
    return rows.filter(client_id=guid, authority_kind=BUILT_IN).first() or rows.filter(pk=guid).first()


def _by_external_id(client_id: str) -> Application | None:
    """A live one before deleted ones. Raises RegistrationError."""
    rows = Application.objects.select_related("tenant").exclude(authority_kind=BUILT_IN)
    spellings = {client_id, client_id.lower()} if parse_guid(client_id) else {client_id}
    found = list(rows.filter(external_client_id__in=spellings).order_by("pk"))
    live = [each for each in found if each.deleted_at is None]
    if len(live) > 1:
        raise RegistrationError(
            "client_id_ambiguous",
            f"{len(live)} registrations have the client ID {client_id}, at different authorities or in "
            "different directories. Give the object ID of one: list_apps --json shows it as id.",
        )
    return next(iter([*live, *found]), None)


def iso(moment: datetime) -> str:
    """2026-11-23T14:52:06Z."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def parse_moment(text: str) -> datetime:
    """A date or a time in ISO 8601, UTC when no offset is given. Raises CommandError."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise CommandError(
            f"{text} is not a date or time. Write it like 2026-11-23 or 2026-11-23T14:52:00Z."
        ) from None


def read_file(name: str, most: int) -> bytes:
    """The content of a file, cut one byte above `most` so that a size limit can still be told.

    Raises CommandError.
    """
    try:
        with Path(name).open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        raise CommandError(f"The file {name} cannot be read: {error.strerror}.") from None


def add_passphrase_argument(parser: CommandParser, *, required: bool, what: str) -> None:
    """--passphrase-file. what: what the passphrase is for."""
    parser.add_argument(
        "--passphrase-file",
        required=required,
        metavar="FILE",
        help=f"file whose only line is the passphrase {what}; - reads standard input",
    )


@sensitive_variables("raw", "text")
def read_passphrase(file: str) -> str:
    """The file's one line without its end; spaces count. Raises CommandError."""
    raw = (
        sys.stdin.buffer.read(_PASSPHRASE_BYTES_MAX + 1)
        if file == "-"
        else read_file(file, _PASSPHRASE_BYTES_MAX)
    )
    try:
        text = raw.decode("utf-8-sig").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise CommandError(f"The passphrase file {file} is not UTF-8 text.") from None
    if len(raw) > _PASSPHRASE_BYTES_MAX or "\n" in text:
        raise CommandError(f"The passphrase file {file} holds more than one line. Check the path.")
    return text
