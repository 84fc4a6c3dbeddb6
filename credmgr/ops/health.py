"""Whether this server can do its work. Nothing here tells names, versions or addresses: anybody may ask."""

from collections.abc import Callable
from pathlib import Path

from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone

from credmgr.authority.signing_keys import current_signing_key
from credmgr.ops.installation import has_pending_migrations
from credmgr.ops.read_only import is_stuck, takes_writes
from credmgr.vault.errors import VaultError
from credmgr.vault.sealing import open_from
from credmgr.vault.source import current_key_ring


def readiness() -> dict[str, bool]:
    """{"database", "writable", "migrations", "key_ring", "signing_key"}: True for each that is as it must
    be.
    """
    return {name: _holds(check) for name, check in _CHECKS.items()}


def _holds(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except (DatabaseError, VaultError, OSError):
        return False


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


def _writable() -> bool:
    """Whether what is done can be stored."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SHOW transaction_read_only")
            return bool(cursor.fetchone() == ("off",))
    return takes_writes(Path(connection.settings_dict["NAME"])) and not is_stuck()


def _migrations() -> bool:
    return not has_pending_migrations()


def _key_ring() -> bool:
    return bool(current_key_ring().key_ids())


def _signing_key() -> bool:
    """A key that may sign now, and that the vault opens."""
    key = current_signing_key(timezone.now())
    return key is not None and bool(open_from(key, "private_key"))


_CHECKS: dict[str, Callable[[], bool]] = {
    "database": _database,
    "writable": _writable,
    "migrations": _migrations,
    "key_ring": _key_ring,
    "signing_key": _signing_key,
}
