"""Triggers that mark a registration's stored status as out of date when one of its credentials comes, goes or
gets other dates, whoever does it, on both databases. `stored_status` works it out again.
"""

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from credmgr import triggers
from credmgr.credentials.models import Certificate, ClientSecret, FederatedCredential
from credmgr.registrations.models import LONG_AGO, Application

_APPLICATIONS = Application._meta.db_table
_DATES = "start_at, end_at, application_id"
_COLUMNS = {
    ClientSecret._meta.db_table: _DATES,
    Certificate._meta.db_table: _DATES,
    FederatedCredential._meta.db_table: "application_id",
}
_EVENTS = {
    "added": ("INSERT", ("NEW",)),
    "deleted": ("DELETE", ("OLD",)),
    "changed": ("UPDATE", ("OLD", "NEW")),
}
# As both databases read it; strftime writes no leading zeros of a year.
_PAST = LONG_AGO.replace(tzinfo=None).isoformat(" ")
_FUNCTION = "credential_status_outdated"


def set_triggers(connection: BaseDatabaseWrapper) -> None:
    """Make the triggers, anew where they are there."""
    remove_triggers(connection)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name, table, event in _triggers():
                marks = "; ".join(_mark(which) for which in _EVENTS[event][1])
                cursor.execute(
                    f'CREATE TRIGGER {name} AFTER {_when(event, table)} ON "{table}" BEGIN {marks}; END'
                )
            return
        cursor.execute(
            f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF TG_OP <> 'INSERT' THEN {_mark('OLD')}; END IF; "
            f"IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND NEW.application_id <> OLD.application_id) "
            f"THEN {_mark('NEW')}; END IF; RETURN NULL; END $$"
        )
        for name, table, event in _triggers():
            cursor.execute(
                f'CREATE TRIGGER {name} AFTER {_when(event, table)} ON "{table}" '
                f"FOR EACH ROW EXECUTE FUNCTION {_FUNCTION}()"
            )


def remove_triggers(connection: BaseDatabaseWrapper) -> None:
    """Take them away; the next `migrate` brings them back."""
    tables = connection.introspection.table_names()
    with connection.cursor() as cursor:
        for name, table, _ in _triggers():
            if table in tables:
                on = f' ON "{table}"' if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def missing_triggers(connection: BaseDatabaseWrapper) -> list[str]:
    """Names of triggers that should be there and are not."""
    return triggers.missing(connection, {name: table for name, table, _ in _triggers()})


def remove_before_migrating(using: str, **_: Any) -> None:
    """What Django's signal pre_migrate calls: SQLite renames no table that a trigger speaks of."""
    remove_triggers(connections[using])


def set_after_migrating(using: str, **_: Any) -> None:
    """What Django's signal post_migrate calls; nothing where one has migrated back to before the columns."""
    connection = connections[using]
    if not {_APPLICATIONS, *_COLUMNS} <= set(connection.introspection.table_names()):
        return
    with connection.cursor() as cursor:
        columns = connection.introspection.get_table_description(cursor, _APPLICATIONS)
    if "credential_state_until" in {column.name for column in columns}:
        set_triggers(connection)


def _triggers() -> list[tuple[str, str, str]]:
    """Name, table and event of each."""
    return [(f"{table}_{event}", table, event) for table in _COLUMNS for event in _EVENTS]


def _when(event: str, table: str) -> str:
    verb = _EVENTS[event][0]
    return f"{verb} OF {_COLUMNS[table]}" if verb == "UPDATE" else verb


def _mark(which: str) -> str:
    return (
        f'UPDATE "{_APPLICATIONS}" '  # noqa: S608 - the model's own name
        f"SET credential_state_until = '{_PAST}' WHERE id = {which}.application_id"
    )
