"""Restores a backup into an empty installation: everything or nothing."""

import hmac
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import DEFAULT_DB_ALIAS, connection, connections, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.views.decorators.debug import sensitive_variables

from credmgr.audit.chain import adopt_older_rows
from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.ops.backups.archive import Archive, Manifest, Part, not_a_backup, open_archive, sync_folder
from credmgr.ops.backups.errors import BackupError
from credmgr.ops.backups.making import FILES, SEALED_KEYS, models_to_keep, signature_of
from credmgr.ops.backups.rows import load_lines
from credmgr.ops.data_folder import ensure_data_folder, ensure_secret_key, has_secret_key, secret_key_file
from credmgr.ops.installation import database_is_new
from credmgr.vault.errors import KeyRingError, UnknownKeyError
from credmgr.vault.keyring import KeyRing, parse_key_ring
from credmgr.vault.passphrase import Kind, open_with_passphrase
from credmgr.vault.ring_file import make_file
from credmgr.vault.source import (
    default_key_ring_file,
    forget_key_ring,
    key_ring_is_configured,
    load_key_ring,
    source_name,
)

_SEALED_KEYS_MAX = 200_000
_TLS_FILE_MAX = 1_000_000
_UNFINISHED = ".restoring-"


@dataclass(frozen=True)
class Restored:
    """What was (or, when only checked, would be) done. key_source: in words."""

    manifest: Manifest
    key_source: str


@dataclass(frozen=True)
class _Keys:
    """The key ring to use. lines: of a ring out of the backup that has to be written; else None."""

    ring: KeyRing
    source: str
    lines: str | None = None
    secret_key: str | None = None


@sensitive_variables("passphrase", "keys")
def restore_backup(
    file: Path,
    *,
    passphrase: str | None,
    actor: Actor,
    now: datetime,
    report: Callable[[Part], None] = lambda _: None,
) -> Restored:
    """Fill an empty installation from `file`. Call it while holding the data folder's lock.

    Everything is verified before the first change: the installation is empty, each part is as it was written,
    the key ring at hand (or the one sealed in the backup) made the backup and opens what is in it. The
    database appears as the last step, or (PostgreSQL) in one transaction: killed before, there is none, and
    the same command may be run again. Raises BackupError, KeyRingError, PassphraseError.
    """
    _require_empty()
    with open_archive(file) as archive:
        keys = _verified(archive, passphrase)
        manifest = archive.manifest
        os.umask(0o077)  # whatever is made here is the user's own
        ensure_data_folder()
        _put_keys(keys)
        with _place_of_work() as finish:
            _load(archive, report)
            call_command("migrate", interactive=False, verbosity=0)
            adopt_older_rows(now)  # before the first row of this program: see there
            record_event(
                EventTag.BACKUP_RESTORED,
                actor=actor,
                now=now,
                object_type="backup",
                object_name=file.name,
                changes={"madeAt": [None, manifest.created_at], "rows": [None, manifest.rows]},
            )
            _put_files(archive)
            finish()
    return Restored(manifest, keys.source)


@sensitive_variables("passphrase", "keys")
def read_backup(file: Path, *, passphrase: str | None) -> Restored:
    """Verify a backup against program and key ring at hand; changes nothing. Raises as restore_backup."""
    with open_archive(file) as archive:
        keys = _verified(archive, passphrase)
        return Restored(archive.manifest, keys.source)


@sensitive_variables("passphrase")
def _verified(archive: Archive, passphrase: str | None) -> "_Keys":
    """The keys for a backup that this program can restore and in which nothing was changed."""
    known = MigrationLoader(None).graph.nodes
    unknown = [key for key in archive.manifest.migrations if key not in known]
    if unknown:
        raise BackupError(
            "backup_newer",
            f"This backup was made by a newer program ({unknown[0][0]} {unknown[0][1]} is unknown here). "
            "Update the program first. Nothing was done.",
        )
    archive.verify()
    return _keys_for(archive, passphrase)


def _require_empty() -> None:
    """Looks without making anything."""
    if connection.vendor == "sqlite":
        file = Path(connections.databases[DEFAULT_DB_ALIAS]["NAME"])
        log = Path(f"{file}-wal")
        if (log.exists() and log.stat().st_size) if not file.exists() else not database_is_new():
            raise BackupError(
                "not_empty",
                f"This installation is not empty: {file if file.exists() else log} is there. Set "
                "CREDMGR_DATA_DIR to an empty folder, or move what is there away. Nothing was done.",
            )
    elif not database_is_new():
        raise BackupError(
            "not_empty",
            "This installation is not empty: its database has tables. Let DATABASE_URL name an empty one. "
            "Nothing was done.",
        )


# ---------------------------------------------------------------- keys
@sensitive_variables()
def _keys_for(archive: Archive, passphrase: str | None) -> _Keys:
    """The ring at hand; where there is none, the one in the backup. Raises when neither is the right one."""
    manifest = archive.manifest
    if key_ring_is_configured() or default_key_ring_file().exists():
        keys = _Keys(load_key_ring(), source_name())
    elif not manifest.has_keys:
        raise KeyRingError(
            "The key ring is missing, and this backup holds none: put it to "
            f"{default_key_ring_file()}, mode 0600, from your backup of the keys. Nothing was done."
        )
    elif passphrase is None:
        raise KeyRingError(
            "There is no key ring here. The backup holds one: name the passphrase with --passphrase-file. "
            "Nothing was done."
        )
    else:
        keys = _opened_keys(archive, passphrase)
    missing = [key_id for key_id in manifest.key_ids if bytes.fromhex(key_id) not in keys.ring.key_ids()]
    if missing:
        raise KeyRingError(
            f"The key ring from {keys.source} does not fit: it lacks the key {missing[0]}, which values in "
            "the backup need. Put the key ring of the backup's time there. Nothing was done."
        )
    _require_signature(archive, keys.ring)
    return keys


@sensitive_variables()
def _opened_keys(archive: Archive, passphrase: str) -> _Keys:
    sealed = archive.content(SEALED_KEYS, _SEALED_KEYS_MAX)
    try:
        given: dict[str, Any] = json.loads(open_with_passphrase(Kind.KEY_RING, passphrase, sealed))
        lines, secret_key = given["keyring"], given["secretKey"]
        return _Keys(parse_key_ring(lines), "the backup", lines.rstrip("\n"), secret_key)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise not_a_backup() from None


def _require_signature(archive: Archive, ring: KeyRing) -> None:
    try:
        key = ring.get(archive.signature[:8])
    except UnknownKeyError as error:
        raise KeyRingError(
            f"The key ring does not fit: this backup was made under another. {error}"
        ) from None
    if not hmac.compare_digest(archive.signature, signature_of(key, archive.manifest_bytes)):
        raise BackupError(
            "backup_changed",
            "The backup was changed after it was made: its signature does not fit the key ring. "
            "Nothing was done.",
        )


@sensitive_variables()
def _put_keys(keys: _Keys) -> None:
    """Before anything else: rows without their keys would be the worse half."""
    if keys.lines is not None:
        make_file(default_key_ring_file(), keys.lines)
        forget_key_ring()
    if keys.secret_key and not has_secret_key():
        make_file(secret_key_file(), keys.secret_key)
        settings.SECRET_KEY = keys.secret_key
    ensure_secret_key()


# ---------------------------------------------------------------- rows and files
@contextmanager
def _place_of_work() -> Iterator[Callable[[], None]]:
    """Where the database is built; what is given puts it in its place. Without that nothing is left."""
    if connection.vendor != "sqlite":
        yield lambda: None  # the rows came in one transaction
        return
    data = Path(settings.DATA_DIR)
    for old in data.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(old)  # of one that was killed; the lock is ours
    folder = Path(tempfile.mkdtemp(dir=data, prefix=_UNFINISHED))
    final = Path(connection.settings_dict["NAME"])
    building = folder / final.name

    def finish() -> None:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        with building.open("rb") as stream:
            os.fsync(stream.fileno())
        building.replace(final)
        sync_folder(final.parent)

    connection.close()
    connection.settings_dict["NAME"] = str(building)
    try:
        yield finish
    finally:
        connection.close()
        connection.settings_dict["NAME"] = str(final)
        shutil.rmtree(folder, ignore_errors=True)


def _load(archive: Archive, report: Callable[[Part], None]) -> None:
    """Tables as they were at the backup's time, then its rows in one transaction."""
    if connection.vendor == "sqlite":
        executor = _migrate_to(archive.manifest)
        with transaction.atomic():
            _fill(archive, executor, report)
        return
    with transaction.atomic():
        executor = _migrate_to(archive.manifest)
        _fill(archive, executor, report)


def _migrate_to(manifest: Manifest) -> MigrationExecutor:
    executor = MigrationExecutor(connection)
    executor.migrate(list(manifest.migrations))
    return MigrationExecutor(connection)


def _fill(archive: Archive, executor: MigrationExecutor, report: Callable[[Part], None]) -> None:
    state = executor.loader.project_state(list(archive.manifest.migrations))
    tables = {
        model._meta.db_table: model
        for model in models_to_keep(state.apps.get_models(include_auto_created=True))
    }
    parts = {part.table: part for part in archive.manifest.parts if part.table}
    if set(parts) != set(tables):
        odd = sorted(set(parts) ^ set(tables))
        raise BackupError("backup_tables", f"The backup and the program differ in the table {odd[0]}.")
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"DELETE FROM {quote(table)}")  # noqa: S608 - what migrations put there
    for table, part in parts.items():
        if load_lines(tables[table], archive.lines(part)) != part.rows:
            raise BackupError("backup_damaged", f"The table {table} did not come out whole.")
        report(part)
    connection.check_constraints()
    _continue_numbering(list(tables.values()))


def _continue_numbering(every: list[type[models.Model]]) -> None:
    """PostgreSQL counts row numbers apart from the rows."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), every):
            cursor.execute(statement)


def _put_files(archive: Archive) -> None:
    """The local CA's certificate and the listener's, which are good as long as they go with the database."""
    for part in archive.manifest.parts:
        if part.name not in FILES or settings.TLS_CERTIFICATE_FILE:
            continue
        place = Path(settings.DATA_DIR) / part.name
        place.parent.mkdir(mode=0o700, exist_ok=True)
        place.unlink(missing_ok=True)
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(archive.content(part.name, _TLS_FILE_MAX))
            os.fsync(stream.fileno())
