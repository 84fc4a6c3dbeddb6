"""Brings an installation into being, or up to date: everything that must exist before the first request."""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from credmgr.audit.chain import adopt_older_rows, log_heads
from credmgr.audit.recording import Actor
from credmgr.authority.key_rolling import roll_if_due
from credmgr.authority.signing_keys import current_signing_key, ensure_signing_key
from credmgr.localca.authority import ensure_local_tls
from credmgr.ops.data_folder import ensure_data_folder, ensure_key_ring, ensure_secret_key, has_secret_key
from credmgr.ops.lost_triggers import restore_lost_triggers
from credmgr.ops.machine_lock import one_machine_at_a_time
from credmgr.registrations.directories import ensure_default_tenant

Report = Callable[[str], None]
# Who acts where nobody asked for it.
SERVER = Actor(name="Credential Manager")


def prepare_files() -> None:
    """Data folder, signing key of sessions, key ring. Raises DataFolderError, KeyRingError."""
    os.umask(0o077)  # whatever this process or a child of it writes is the user's own
    ensure_data_folder()
    ensure_secret_key()
    ensure_key_ring(database_is_new=database_is_new())


def prepare_database(report: Report) -> None:
    """Tables, default directory, signing key, local CA and leaf; each step leaves alone what is there.

    Several machines may start at once on one database: they do it one after the other.
    """
    with one_machine_at_a_time():
        # Not before: by an earlier time, the signing key that another machine just made would not sign yet.
        now = timezone.now()
        if has_pending_migrations():
            report("Preparing the database ...")
            call_command("migrate", interactive=False, verbosity=0)
        restore_lost_triggers(actor=SERVER, now=now)
        adopt_older_rows(now)
        ensure_default_tenant(now)
        ensure_signing_key(timezone.now)
    log_heads()
    look_after(now)


def look_after(now: datetime) -> bool:
    """What must be right before the first request and stay so: the signing key, and this machine's
    certificate. All else that is due again and again is a job of maintenance.

    Returns whether the https listener must load its certificate again.
    """
    with one_machine_at_a_time():
        roll_if_due(actor=SERVER, now=now)
        return not settings.TLS_CERTIFICATE_FILE and ensure_local_tls(now)


def look_after_signing_key() -> None:
    """See that a key signs, whatever the clock did: one query where it does. Raises django.db.Error,
    VaultError.
    """
    if current_signing_key(timezone.now()) is not None:
        return
    with one_machine_at_a_time():
        ensure_signing_key(timezone.now, actor=SERVER)


def database_is_new() -> bool:
    """Whether nothing was ever stored: no file, or no table in the database."""
    default = connections.databases[DEFAULT_DB_ALIAS]
    if default["ENGINE"].endswith("sqlite3"):
        file = Path(default["NAME"])
        if not file.is_file() or file.stat().st_size == 0:
            return True
    return not connection.introspection.table_names()


def has_pending_migrations() -> bool:
    """Whether the program is newer than the database's tables."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def is_prepared() -> bool:
    """Whether `serve` or `prepare` has been run here and the tables are up to date."""
    if not has_secret_key() or database_is_new():
        return False
    return not has_pending_migrations()
