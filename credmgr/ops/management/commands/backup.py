"""Writes a backup of the installation to one file."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from credmgr.audit.recording import Actor
from credmgr.ops.backups.archive import Part
from credmgr.ops.backups.making import make_backup
from credmgr.registrations.act_command import ActCommand, add_passphrase_argument, read_passphrase


class Command(ActCommand):
    """backup FILE [--with-keys --passphrase-file FILE] [--force] [--json]."""

    help = (
        "Write the database and the local CA's files to FILE, of one moment, while the server runs. Without "
        "the key ring, unless --with-keys seals that under a passphrase."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to, and whether with the keys."""
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE", help="the file to write, mode 0600")
        parser.add_argument("--force", action="store_true", help="replace FILE if it exists")
        parser.add_argument(
            "--with-keys",
            action="store_true",
            help="hold the key ring too, sealed: whoever has the file and the passphrase has everything",
        )
        add_passphrase_argument(parser, required=False, what="for --with-keys, at least 12 characters")

    @sensitive_variables("passphrase")
    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """Make it. Progress is told on standard error."""
        if options["with_keys"] != bool(options["passphrase_file"]):
            raise CommandError("--with-keys and --passphrase-file go together.")
        passphrase = read_passphrase(options["passphrase_file"]) if options["with_keys"] else None
        file = Path(options["file"])
        made = make_backup(
            file,
            passphrase=passphrase,
            force=options["force"],
            actor=Actor.command(),
            now=timezone.now(),
            report=self._show,
        )
        return {
            "file": str(file),
            "bytes": file.stat().st_size,
            "createdAt": made.created_at,
            "tables": {part.table: part.rows for part in made.parts if part.table},
            "keyIds": made.key_ids,
            "withKeys": made.has_keys,
        }

    def say(self, answer: Any) -> str:
        """What is in it, and what it needs besides."""
        needs = (
            "It holds the key ring, sealed under the passphrase: keep the passphrase elsewhere."
            if answer["withKeys"]
            else f"It does not hold the key ring. To be restored it needs {_keys(answer['keyIds'])} of it."
        )
        return (
            f"Backup written: {answer['file']}, {answer['bytes']:,} bytes, "
            f"{sum(answer['tables'].values()):,} rows in {len(answer['tables'])} tables.\n{needs}"
        )

    def _show(self, part: Part) -> None:
        if part.rows:
            self.stderr.write(f"{part.table}: {part.rows:,} rows")


def _keys(key_ids: list[str]) -> str:
    return f"the key{'' if len(key_ids) == 1 else 's'} {', '.join(key_ids)}"
