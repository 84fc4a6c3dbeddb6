"""How many live registrations each directory has: kept beside it by triggers, in the transaction of whatever
changes it, because counting a hundred thousand takes longer than showing a page of them.
"""

import uuid
from collections.abc import Collection
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from credmgr import triggers
from credmgr.registrations.models import Application, DirectorySize

_APPLICATIONS, _SIZES = Application._meta.db_table, DirectorySize._meta.db_table
_ADD = (
    f'INSERT INTO "{_SIZES}" (tenant_id, live) VALUES (NEW.tenant_id, 1) '  # noqa: S608 - the models' names
    f'ON CONFLICT (tenant_id) DO UPDATE SET live = "{_SIZES}".live + 1'
)
_TAKE = f'UPDATE "{_SIZES}" SET live = live - 1 WHERE tenant_id = OLD.tenant_id'  # noqa: S608 - the same
_WAS, _IS = "OLD.deleted_at IS NULL", "NEW.deleted_at IS NULL"
_MOVES = f"(({_WAS}) <> ({_IS}) OR OLD.tenant_id <> NEW.tenant_id)"
_UPDATE = f'UPDATE OF deleted_at, tenant_id ON "{_APPLICATIONS}"'
# By name: when, on which rows, and what is done. Also the names of PostgreSQL's functions.
_TRIGGERS = {
    "directory_size_added": (f'INSERT ON "{_APPLICATIONS}"', _IS, _ADD),
    "directory_size_removed": (f'DELETE ON "{_APPLICATIONS}"', _WAS, _TAKE),
    "directory_size_left": (_UPDATE, f"{_MOVES} AND {_WAS}", _TAKE),
    "directory_size_joined": (_UPDATE, f"{_MOVES} AND {_IS}", _ADD),
}


def live_registrations(tenant_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How many registrations each of these directories has, deleted ones aside."""
    kept = dict(DirectorySize.objects.filter(pk__in=tenant_ids).values_list("pk", "live"))
    return {tenant_id: kept.get(tenant_id, 0) for tenant_id in tenant_ids}


def set_triggers(connection: BaseDatabaseWrapper) -> None:
    """Make the triggers, anew where they are there, and count once."""
    remove_triggers(connection)
    with connection.cursor() as cursor:
        for name, (when, which, what) in _TRIGGERS.items():
            if connection.vendor == "sqlite":
                cursor.execute(f"CREATE TRIGGER {name} AFTER {when} WHEN {which} BEGIN {what}; END")
                continue
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"{what}; RETURN NULL; END $$"
            )
            cursor.execute(
                f"CREATE TRIGGER {name} AFTER {when} FOR EACH ROW WHEN ({which}) EXECUTE FUNCTION {name}()"
            )
        cursor.execute(f'DELETE FROM "{_SIZES}"')  # noqa: S608 - the model's own name
        cursor.execute(
            f'INSERT INTO "{_SIZES}" (tenant_id, live) SELECT tenant_id, COUNT(*) '  # noqa: S608 - the same
            f'FROM "{_APPLICATIONS}" WHERE deleted_at IS NULL GROUP BY tenant_id'
        )


def remove_triggers(connection: BaseDatabaseWrapper) -> None:
    """Take them away; the next `migrate` brings them back and counts."""
    with connection.cursor() as cursor:
        for name in _TRIGGERS:
            on = f' ON "{_APPLICATIONS}"' if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def missing_triggers(connection: BaseDatabaseWrapper) -> list[str]:
    """Names of triggers that should be there and are not."""
    return triggers.missing(connection, dict.fromkeys(_TRIGGERS, _APPLICATIONS))


def remove_before_migrating(using: str, **_: Any) -> None:
    """What Django's signal pre_migrate calls: SQLite renames no table that a trigger speaks of."""
    if _APPLICATIONS in connections[using].introspection.table_names():
        remove_triggers(connections[using])


def set_after_migrating(using: str, **_: Any) -> None:
    """What Django's signal post_migrate calls; nothing where one has migrated back to before the table."""
    if {_APPLICATIONS, _SIZES} <= set(connections[using].introspection.table_names()):
        set_triggers(connections[using])
