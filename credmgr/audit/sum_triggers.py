"""Triggers that keep the sums of sign-ins true when a row goes or counts another request, whoever does it, on
both databases. A row that comes fires none: `sign_in_sums` adds it later.
"""

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from credmgr import triggers
from credmgr.audit.models import HourOfSignIns, SignIn, SummedSignIns

_LOG, _HOURS, _MARK = (model._meta.db_table for model in (SignIn, HourOfSignIns, SummedSignIns))
_EVENTS = {"sign_in_gone": "DELETE", "sign_in_counted": "UPDATE OF count"}
_FUNCTION = "sign_in_sums_follow"
_LESS = "row_count = row_count - 1, request_count = request_count - OLD.count"
_MORE = "request_count = request_count + NEW.count - OLD.count"


def set_triggers(connection: BaseDatabaseWrapper) -> None:
    """Make the triggers, anew where they are there: SQLite loses them when a migration rebuilds a table."""
    remove_triggers(connection)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            summed = f'OLD.sequence <= (SELECT MAX(seen) FROM "{_MARK}")'  # noqa: S608 - the model's own name
            hour = "substr(OLD.at, 1, 13) || ':00:00'"
            for name, event in _EVENTS.items():
                change = _change(_LESS if event == "DELETE" else _MORE, hour)
                cursor.execute(
                    f'CREATE TRIGGER {name} AFTER {event} ON "{_LOG}" WHEN {summed} BEGIN {change}; END'
                )
            return
        # The lock of all who change sums, shared by those who change one of one row and then commit.
        hour = "date_trunc('hour', OLD.at, 'UTC')"
        cursor.execute(
            f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$ "  # noqa: S608 - names of the models
            "DECLARE summed bigint; BEGIN IF TG_OP = 'DELETE' THEN "
            f'SELECT seen INTO summed FROM "{_MARK}" FOR NO KEY UPDATE; '
            f"IF OLD.sequence <= summed THEN {_change(_LESS, hour)}; END IF; ELSE "
            f'SELECT seen INTO summed FROM "{_MARK}" FOR SHARE; '
            f"IF OLD.sequence <= summed THEN {_change(_MORE, hour)}; END IF; END IF; RETURN NULL; END $$"
        )
        for name, event in _EVENTS.items():
            cursor.execute(
                f'CREATE TRIGGER {name} AFTER {event} ON "{_LOG}" FOR EACH ROW EXECUTE FUNCTION {_FUNCTION}()'
            )


def remove_triggers(connection: BaseDatabaseWrapper) -> None:
    """Take them away; the next `migrate` brings them back."""
    if _LOG not in connection.introspection.table_names():
        return
    with connection.cursor() as cursor:
        for name in _EVENTS:
            on = f' ON "{_LOG}"' if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def missing_triggers(connection: BaseDatabaseWrapper) -> list[str]:
    """Names of triggers that should be there and are not."""
    return triggers.missing(connection, dict.fromkeys(_EVENTS, _LOG))


def remove_before_migrating(using: str, **_: Any) -> None:
    """What Django's signal pre_migrate calls: SQLite renames no table that a trigger speaks of."""
    remove_triggers(connections[using])


def set_after_migrating(using: str, **_: Any) -> None:
    """What Django's signal post_migrate calls; nothing where one has migrated back to before the sums."""
    if {_LOG, _HOURS, _MARK} <= set(connections[using].introspection.table_names()):
        set_triggers(connections[using])


def _change(what: str, hour: str) -> str:
    all_of_them = "'" + "0" * 32 + "'"  # the nil id, as both databases read it
    return (
        f'UPDATE "{_HOURS}" SET {what} '  # noqa: S608 - the model's own name
        f"WHERE tenant_id = OLD.tenant_id AND application_id IN ({all_of_them}, OLD.application_id) "
        f"AND hour = {hour} AND error_code = OLD.error_code"
    )
