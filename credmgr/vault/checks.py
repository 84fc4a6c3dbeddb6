"""System checks: the server does not start without the keys that its data needs (K-2, K-3, K-5)."""

from pathlib import Path
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from credmgr.vault.errors import KeyRingError
from credmgr.vault.inventory import rows_per_key, take_inventory
from credmgr.vault.source import default_key_ring_file, key_ring_is_configured, load_key_ring

_HINT = (
    "Nothing stored was changed. Where the key ring is looked for is in docs/operations.md under Key ring."
)


@register("vault")
def key_ring_can_be_used(**_: Any) -> list[CheckMessage]:
    """vault.E001: missing, unreadable, readable by others, two sources, or malformed."""
    try:
        if _is_before_the_first_start():
            return []
        load_key_ring()
    except KeyRingError as error:
        return [Error(str(error), hint=_HINT, id="vault.E001")]
    return []


@register(Tags.database)
def keys_in_use_are_in_the_ring(*, databases: Any = None, **_: Any) -> list[CheckMessage]:
    """vault.E002: rows name a key that the ring does not hold. One message per key."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    try:
        known = set(load_key_ring().key_ids())
    except KeyRingError:
        return []  # E001 has said it
    uses = take_inventory()
    missing = {key_id: rows for key_id, rows in rows_per_key(uses).items() if key_id not in known}
    return [
        Error(
            f"The key {key_id.hex()} is not in the key ring, but {rows} stored values "
            f"name it, in {', '.join(sorted({use.table for use in uses if use.key_id == key_id}))}.",
            hint="Put the key back into the ring, as a line after the first, from your backup of the keys. "
            "Nothing stored was changed.",
            id="vault.E002",
        )
        for key_id, rows in missing.items()
    ]


def _is_before_the_first_start() -> bool:
    """No key ring and no database yet: `serve` makes both. Raises KeyRingError for two sources."""
    if key_ring_is_configured() or default_key_ring_file().exists():
        return False
    database = connections.databases[DEFAULT_DB_ALIAS]
    if database["ENGINE"].endswith("sqlite3") and not Path(database["NAME"]).is_file():
        return True  # asking it would make the file
    try:
        return not connections[DEFAULT_DB_ALIAS].introspection.table_names()
    except DatabaseError:
        return False
