"""Lists registrations for a script."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from credmgr.credentials.application_filters import ALL, DELETED
from credmgr.credentials.lifecycle import STATUSES, counted
from credmgr.credentials.queries import ApplicationRow, export_rows
from credmgr.registrations.act_command import ActCommand, add_directory_argument, directory_for, iso
from credmgr.registrations.places import authority_of, place_words


class Command(ActCommand):
    """list_apps [--search TEXT] [--status STATUS] [--deleted] [--directory DIRECTORY] [--json]."""

    help = "List the registrations of a directory with their credential status."

    def add_arguments(self, parser: CommandParser) -> None:
        """The same choices as on the page."""
        super().add_arguments(parser)
        parser.add_argument(
            "--search", default="", help="part of a name, any GUID, a thumbprint or a secret's hint"
        )
        parser.add_argument(
            "--status", default="", choices=["", *STATUSES], help="only this credential status"
        )
        parser.add_argument("--deleted", action="store_true", help="deleted ones that can still be restored")
        add_directory_argument(parser)

    def act(self, options: dict[str, Any]) -> list[dict[str, Any]]:
        """One object per registration, by name."""
        rows = export_rows(
            directory_for(options["directory"]),
            tab=DELETED if options["deleted"] else ALL,
            search=options["search"],
            status=options["status"],
            user=None,
            now=timezone.now(),
        )
        return [_facts(row) for row in rows]

    def say(self, answer: Any) -> str:
        """One line per registration."""
        lines = [f"{each['appId']}  {each['displayName']}  {each['credentials']}" for each in answer]
        return "\n".join([*lines, f"{counted(len(lines), 'registration')}."])


def _facts(row: ApplicationRow) -> dict[str, Any]:
    application = row.application
    return {
        "appId": application.shown_client_id,
        "id": str(application.pk),
        "displayName": application.display_name,
        "livesAt": place_words(application),
        "authority": authority_of(application),
        "createdDateTime": iso(application.created_at),
        "deletedDateTime": iso(application.deleted_at) if application.deleted_at else None,
        "isDisabled": application.is_disabled,
        "status": row.status.kind,
        "credentials": row.status.words,
        "nearestEndDateTime": iso(row.status.nearest_end) if row.status.nearest_end else None,
        "secrets": row.secrets,
        "certificates": row.certificates,
        "owners": row.owners,
    }
