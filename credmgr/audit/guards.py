"""Triggers that refuse to change or remove sealed audit rows, whoever asks, on both databases.

Whoever may change the database's structure can remove them: they stop slips and careless scripts. What gets
past them shows in `verify_audit`.
"""

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from credmgr import triggers
from credmgr.audit.models import AuditChain, AuditEvent

_EVENTS = AuditEvent._meta.db_table
_CHAINS = AuditChain._meta.db_table
_SAYING = "audit rows are never changed or removed"
# Retention moves a chain's beginning, under a new seal; rows before the beginning may go.
_BEGINNING = f'SELECT first_position FROM "{_CHAINS}" WHERE id = OLD.chain'  # noqa: S608 - the model's own name
_SQLITE_KEPT = f"OLD.position >= COALESCE(({_BEGINNING}), 0)"
_MOVED = (
    "NEW.length < OLD.length OR NEW.first_position < OLD.first_position "
    "OR (NEW.first_position > OLD.first_position AND NEW.start_seal {same} OLD.start_seal)"
)
_SQLITE = {
    "audit_refuse_update": f'BEFORE UPDATE ON "{_EVENTS}" WHEN OLD.hash IS NOT NULL',
    "audit_refuse_delete": f'BEFORE DELETE ON "{_EVENTS}" WHEN OLD.hash IS NOT NULL AND {_SQLITE_KEPT}',
    "audit_refuse_shorter": f'BEFORE UPDATE ON "{_CHAINS}" WHEN {_MOVED.format(same="IS")}',
    "audit_refuse_end": f'BEFORE DELETE ON "{_CHAINS}"',
}
_POSTGRESQL = {
    "audit_refuse_update": f'BEFORE UPDATE ON "{_EVENTS}" FOR EACH ROW WHEN (OLD.hash IS NOT NULL)',
    "audit_refuse_delete": f'BEFORE DELETE ON "{_EVENTS}" FOR EACH ROW WHEN (OLD.hash IS NOT NULL)',
    "audit_refuse_truncate": f'BEFORE TRUNCATE ON "{_EVENTS}" FOR EACH STATEMENT',
    "audit_refuse_shorter": f'BEFORE UPDATE ON "{_CHAINS}" FOR EACH ROW '
    f"WHEN ({_MOVED.format(same='IS NOT DISTINCT FROM')})",
    "audit_refuse_end": f'BEFORE DELETE ON "{_CHAINS}" FOR EACH ROW',
}
_TABLE_OF = {
    "audit_refuse_update": _EVENTS,
    "audit_refuse_delete": _EVENTS,
    "audit_refuse_truncate": _EVENTS,
    "audit_refuse_shorter": _CHAINS,
    "audit_refuse_end": _CHAINS,
}


def set_guards(connection: BaseDatabaseWrapper) -> None:
    """Make the triggers, anew where they are there: SQLite loses them when a migration rebuilds a table."""
    remove_guards(connection)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name, what in _SQLITE.items():
                cursor.execute(f"CREATE TRIGGER {name} {what} BEGIN SELECT RAISE(ABORT, '{_SAYING}'); END")
            return
        cursor.execute(
            "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            # In one function, so that the triggers need not know which of them this is about.
            f"IF TG_NAME = 'audit_refuse_delete' THEN IF OLD.position < ({_BEGINNING}) THEN "
            "RETURN OLD; END IF; END IF; "
            f"RAISE EXCEPTION '{_SAYING}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        for name, what in _POSTGRESQL.items():
            cursor.execute(f"CREATE TRIGGER {name} {what} EXECUTE FUNCTION audit_refuse()")


def remove_guards(connection: BaseDatabaseWrapper) -> None:
    """Take them away; the next `migrate` brings them back. For emptying a database of tests."""
    with connection.cursor() as cursor:
        for name, table in _TABLE_OF.items():
            on = f' ON "{table}"' if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def missing_guards(connection: BaseDatabaseWrapper) -> list[str]:
    """Names of triggers that should be there and are not."""
    wanted = _SQLITE if connection.vendor == "sqlite" else _POSTGRESQL
    return triggers.missing(connection, {name: _TABLE_OF[name] for name in wanted})


def remove_guards_before_migrating(using: str, **_: Any) -> None:
    """What Django's signal pre_migrate calls: SQLite renames no table that a trigger speaks of."""
    connection = connections[using]
    tables = connection.introspection.table_names()
    if _EVENTS in tables and _CHAINS in tables:
        remove_guards(connection)


def set_guards_after_migrating(using: str, **_: Any) -> None:
    """What Django's signal post_migrate calls."""
    connection = connections[using]
    if _CHAINS in connection.introspection.table_names():
        set_guards(connection)
