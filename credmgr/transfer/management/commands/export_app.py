"""Exports a registration to a sealed file."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from credmgr.audit.recording import Actor
from credmgr.registrations.act_command import (
    ActCommand,
    add_passphrase_argument,
    application_for,
    read_passphrase,
)
from credmgr.transfer.exporting import export_registration


class Command(ActCommand):
    """export_app APP_ID FILE --passphrase-file FILE [--json]."""

    help = "Write a registration with its credentials to FILE, sealed under a passphrase, for import_app."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which, and where to."""
        super().add_arguments(parser)
        parser.add_argument("app_id", metavar="APP_ID", help="application (client) ID or object ID")
        parser.add_argument("file", metavar="FILE", help="the file to make, mode 0600; it must not exist")
        add_passphrase_argument(parser, required=True, what="that seals the file, at least 12 characters")

    @sensitive_variables("passphrase", "content")
    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """Export it. Nothing is exported when the file cannot be made."""
        application = application_for(options["app_id"])
        passphrase = read_passphrase(options["passphrase_file"])
        file = Path(options["file"])
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise CommandError(f"The file {file} was not made: {error.strerror}.") from None
        try:
            with os.fdopen(descriptor, "wb") as stream:
                content = export_registration(
                    application, passphrase=passphrase, actor=Actor.command(), now=timezone.now()
                )
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        except BaseException:
            file.unlink(missing_ok=True)
            raise
        return {"file": str(file), "appId": application.shown_client_id, "bytes": len(content)}

    def say(self, answer: Any) -> str:
        """Where it is, and how it is guarded."""
        return (
            f"Exported to {answer['file']}. Whoever has this file and the passphrase has the application's "
            "secrets and kept keys: send them by different ways, and delete the file when it was imported."
        )
