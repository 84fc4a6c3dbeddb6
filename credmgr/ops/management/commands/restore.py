"""Restores a backup into an empty installation."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from credmgr.audit.recording import Actor
from credmgr.errors import DomainError
from credmgr.ops.backups.archive import Part
from credmgr.ops.backups.restoring import Restored, read_backup, restore_backup
from credmgr.ops.data_folder import ensure_data_folder
from credmgr.ops.lock import AlreadyServingError, InstallationLock
from credmgr.ops.starting import check_settings
from credmgr.registrations.act_command import add_passphrase_argument, read_passphrase
from credmgr.vault.errors import VaultError


class Command(BaseCommand):
    """restore FILE [--passphrase-file FILE] [--check] [--json]."""

    help = (
        "Restore FILE, written by `backup`, into an empty data folder (and an empty database). Everything is "
        "verified before anything is changed. Put the key ring there before, unless the backup holds it."
    )
    requires_system_checks = []  # there is nothing to check yet

    def add_arguments(self, parser: CommandParser) -> None:
        """From where."""
        parser.add_argument("file", metavar="FILE", help="the backup")
        parser.add_argument("--check", action="store_true", help="verify everything, change nothing")
        parser.add_argument("--json", action="store_true", help="answer as one JSON object")
        add_passphrase_argument(parser, required=False, what="of a backup with keys")

    @sensitive_variables("passphrase")
    def handle(self, *_args: Any, **options: Any) -> None:
        """Raises CommandError with a sentence; nothing was changed then."""
        check_settings(self.stderr.write)
        passphrase = read_passphrase(options["passphrase_file"]) if options["passphrase_file"] else None
        file = Path(options["file"])
        try:
            done = (
                read_backup(file, passphrase=passphrase) if options["check"] else self._fill(file, passphrase)
            )
        except (DomainError, VaultError, AlreadyServingError) as error:
            raise CommandError(str(error)) from None
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used: {error}. Nothing was restored.") from None
        except OSError as error:
            raise CommandError(f"Nothing was restored: {error.strerror}.") from None
        if options["json"]:
            self.stdout.write(json.dumps(_described(done, options["check"]), indent=2))
        else:
            self.stdout.write(_sentence(done, options["check"]))

    @sensitive_variables("passphrase")
    def _fill(self, file: Path, passphrase: str | None) -> Restored:
        InstallationLock(ensure_data_folder()).acquire()  # ends with this process
        return restore_backup(
            file, passphrase=passphrase, actor=Actor.command(), now=timezone.now(), report=self._show
        )

    def _show(self, part: Part) -> None:
        if part.rows:
            self.stderr.write(f"{part.table}: {part.rows:,} rows")


def _described(done: Restored, only_checked: bool) -> dict[str, Any]:
    manifest = done.manifest
    return {
        "createdAt": manifest.created_at,
        "rows": manifest.rows,
        "keys": done.key_source,
        "restored": not only_checked,
    }


def _sentence(done: Restored, only_checked: bool) -> str:
    manifest = done.manifest
    what = f"{manifest.rows:,} rows, as they were at {manifest.created_at}"
    if only_checked:
        return (
            f"The backup is whole: {what}. The key ring from {done.key_source} opens it. Nothing was changed."
        )
    return (
        f"Restored into {settings.DATA_DIR}: {what}. The keys come from {done.key_source}.\n"
        "What was deleted after that moment is back, and works: delete again what must not.\n"
        "Everybody signs in again. `manage.py check_vault` opens every sealed value, "
        "`manage.py verify_audit` checks the audit log; `make run` serves."
    )
