"""Imports a registration from a sealed file."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from credmgr.audit.recording import Actor
from credmgr.registrations.act_command import (
    ActCommand,
    add_directory_argument,
    add_passphrase_argument,
    directory_for,
    read_file,
    read_passphrase,
)
from credmgr.registrations.places import authority_of
from credmgr.transfer.document import FILE_BYTES_MAX
from credmgr.transfer.importing import import_registration, read_export


class Command(ActCommand):
    """import_app FILE --passphrase-file FILE [--directory D] [--keep-client-id] [--json]."""

    help = "Register what FILE holds, written by export_app here or at another installation."

    def add_arguments(self, parser: CommandParser) -> None:
        """What, where to, and what of it."""
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE", help="the sealed file")
        add_passphrase_argument(parser, required=True, what="that the file was sealed under")
        add_directory_argument(parser)
        parser.add_argument(
            "--keep-client-id",
            action="store_true",
            help="keep the application (client) ID, if it is free here",
        )
        parser.add_argument(
            "--without-identifier-uri", action="store_true", help="leave the Application ID URI out"
        )

    @sensitive_variables("passphrase", "document")
    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """Import it, whole or not at all."""
        tenant = directory_for(options["directory"])
        document = read_export(
            read_file(options["file"], FILE_BYTES_MAX), read_passphrase(options["passphrase_file"])
        )
        done = import_registration(
            document,
            tenant=tenant,
            keep_client_id=options["keep_client_id"],
            without_identifier_uri=options["without_identifier_uri"],
            actor=Actor.command(),
            now=timezone.now(),
        )
        application = done.application
        return {
            "appId": application.shown_client_id,
            "id": str(application.pk),
            "displayName": application.display_name,
            "tenantId": str(application.tenant_id),
            "authority": authority_of(application),
            "leftOut": done.left_out,
        }

    def say(self, answer: Any) -> str:
        """The IDs, and what did not come along."""
        lines = [
            f"Imported {answer['displayName']}.",
            f"Application (client) ID: {answer['appId']}",
            f"Directory (tenant) ID:   {answer['tenantId']}",
            f"Object ID:               {answer['id']}",
            f"Authority:               {answer['authority']}",
            *(f"Left out: {each}" for each in answer["leftOut"]),
        ]
        return "\n".join(lines)
