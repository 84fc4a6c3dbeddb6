"""What `serve` and `prepare` share: checks, preparation, and errors told in sentences."""

from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.core import checks
from django.core.management.base import CommandError
from django.db import DEFAULT_DB_ALIAS, DatabaseError

from credmgr.ops.checks import CONFIGURATION
from credmgr.ops.data_folder import DataFolderError
from credmgr.ops.installation import Report, prepare_database, prepare_files
from credmgr.vault.checks import keys_in_use_are_in_the_ring
from credmgr.vault.errors import VaultError


def check_settings(report: Report) -> None:
    """Raise CommandError for nonsense in the settings: nothing may be made in a place that was not meant."""
    require(checks.run_checks(tags=[CONFIGURATION]), report)


def prepare(report: Report) -> Path:
    """Prepare everything and check the result, settings apart; returns the data folder.

    Raises CommandError with sentences; nothing that was there before is changed then.
    """
    shown = checks.run_checks(tags=[CONFIGURATION])
    try:
        prepare_files()
        # Before anything is opened: this message says which key is missing and how much needs it.
        require(keys_in_use_are_in_the_ring(databases=[DEFAULT_DB_ALIAS]), report)
        prepare_database(report)
    except (DataFolderError, VaultError) as error:
        raise CommandError(str(error)) from None
    except DatabaseError as error:
        raise CommandError(f"The database cannot be used: {error}.") from None
    require([each for each in checks.run_checks(databases=["default"]) if each not in shown], report)
    return Path(settings.DATA_DIR)


def require(messages: Iterable[checks.CheckMessage], report: Report) -> None:
    """Report warnings; raise CommandError when there is an error among the messages."""
    errors = []
    for message in messages:
        if message.is_silenced():
            continue
        if message.is_serious():
            errors.append(message)
        elif message.level >= checks.WARNING:
            report(_sentence("Warning", message))
    if errors:
        raise CommandError(
            "\n".join(["The server was not started.", *(_sentence("Error", e) for e in errors)])
        )


def _sentence(word: str, message: checks.CheckMessage) -> str:
    hint = f"\n    {message.hint}" if message.hint else ""
    return f"{word} {message.id}: {message.msg}{hint}"
