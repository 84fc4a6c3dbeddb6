"""How many live registrations each directory has: kept beside it by triggers, in the transaction of whatever
changes it, because counting a hundred thousand takes longer than showing a page of them.
"""

import uuid
from collections.abc import Collection

from django.db.backends.utils import CursorWrapper

from credmgr.registrations.models import Application, DirectorySize
from credmgr.triggers import Trigger, TriggerSet

_APPLICATIONS, _SIZES = Application._meta.db_table, DirectorySize._meta.db_table
_ADD = (
    f'INSERT INTO "{_SIZES}" (tenant_id, live) VALUES (NEW.tenant_id, 1) '  # noqa: S608 - the models' names
    f'ON CONFLICT (tenant_id) DO UPDATE SET live = "{_SIZES}".live + 1'
)
_TAKE = f'UPDATE "{_SIZES}" SET live = live - 1 WHERE tenant_id = OLD.tenant_id'  # noqa: S608 - the same
_WAS, _IS = "OLD.deleted_at IS NULL", "NEW.deleted_at IS NULL"
_MOVES = f"(({_WAS}) <> ({_IS}) OR OLD.tenant_id <> NEW.tenant_id)"
_UPDATE = "AFTER UPDATE OF deleted_at, tenant_id"
# By name: when, of which rows, and what is done.
_RULES = {
    "directory_size_added": ("AFTER INSERT", _IS, _ADD),
    "directory_size_removed": ("AFTER DELETE", _WAS, _TAKE),
    "directory_size_left": (_UPDATE, f"{_MOVES} AND {_WAS}", _TAKE),
    "directory_size_joined": (_UPDATE, f"{_MOVES} AND {_IS}", _ADD),
}


def live_registrations(tenant_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How many registrations each of these directories has, deleted ones aside."""
    kept = dict(DirectorySize.objects.filter(pk__in=tenant_ids).values_list("pk", "live"))
    return {tenant_id: kept.get(tenant_id, 0) for tenant_id in tenant_ids}


def _count(cursor: CursorWrapper) -> None:
    cursor.execute(f'DELETE FROM "{_SIZES}"')  # noqa: S608 - the model's own name
    cursor.execute(
        f'INSERT INTO "{_SIZES}" (tenant_id, live) SELECT tenant_id, COUNT(*) '  # noqa: S608 - the same
        f'FROM "{_APPLICATIONS}" WHERE deleted_at IS NULL GROUP BY tenant_id'
    )


TRIGGERS = TriggerSet(
    sqlite={name: Trigger(_APPLICATIONS, when, do, which) for name, (when, which, do) in _RULES.items()},
    postgresql={name: Trigger(_APPLICATIONS, when, name, which) for name, (when, which, _) in _RULES.items()},
    functions={name: f"BEGIN {do}; RETURN NULL; END" for name, (_, _, do) in _RULES.items()},
    needs={_SIZES: ()},
    fill=_count,
)
