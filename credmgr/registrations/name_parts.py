"""Registrations by a part of their name, without comparing every name: SQLite's index of three letters each,
which triggers keep. PostgreSQL's needs neither triggers nor a question of its own.
"""

from typing import Any

from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import CharField, Lookup, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from credmgr.registrations.models import Application, NameKey, NamePart
from credmgr.triggers import Trigger, TriggerSet

# The index knows no shorter parts.
_LETTERS_LEAST = 3
_APPLICATIONS, _NAMES, _KEYS = (model._meta.db_table for model in (Application, NamePart, NameKey))
# Names of tables, here and below.
_KEY_OF_NEW, _KEY_OF_OLD = (
    f"(SELECT id FROM {_KEYS} WHERE application_id = {row}.id)"  # noqa: S608
    for row in ("NEW", "OLD")
)
_ADD = (
    f"INSERT INTO {_KEYS} (application_id) VALUES (NEW.id); "  # noqa: S608
    f"INSERT INTO {_NAMES} (rowid, name) VALUES ({_KEY_OF_NEW}, NEW.display_name)"
)
_CHANGE = f"UPDATE {_NAMES} SET name = NEW.display_name WHERE rowid = {_KEY_OF_NEW}"  # noqa: S608
_REMOVE = (
    f"DELETE FROM {_NAMES} WHERE rowid = {_KEY_OF_OLD}; "  # noqa: S608
    f"DELETE FROM {_KEYS} WHERE application_id = OLD.id"
)


@CharField.register_lookup
class _Has(Lookup):
    """A phrase of the index, in quotation marks. https://sqlite.org/fts5.html#full_text_query_syntax."""

    lookup_name = "has_phrase"

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        """As Django's own lookups do."""
        left, left_values = self.process_lhs(compiler, connection)
        right, right_values = self.process_rhs(compiler, connection)
        return f"{left} MATCH {right}", (*left_values, *right_values)


def names_with(part: str, *, at_most: int) -> int | None:
    """How many registrations, of any directory, have this part in their name, in any spelling of its letters;
    one more than so many stands for all that are more. None where this database cannot say so. Raises
    django.db.Error.
    """
    if connection.vendor != "sqlite" or len(part) < _LETTERS_LEAST:
        return None
    try:
        return _names(part)[: at_most + 1].count()
    except OperationalError:  # a SQLite without FTS5
        return None


def keys_by_name(part: str) -> QuerySet[NameKey, Any]:
    """Their keys, as a query to be asked within another: handed over one by one they cost more than to be
    looked up. Only where names_with knows.
    """
    return NameKey.objects.filter(pk__in=_names(part)).values("application_id")


def _names(part: str) -> QuerySet[NamePart]:
    quoted = part.replace('"', '""')
    return NamePart.objects.filter(name__has_phrase=f'"{quoted}"')


def _fill(cursor: CursorWrapper) -> None:
    if cursor.db.vendor != "sqlite":
        return
    cursor.execute(f"DELETE FROM {_NAMES}")  # noqa: S608
    cursor.execute(f"DELETE FROM {_KEYS}")  # noqa: S608
    cursor.execute(f'INSERT INTO {_KEYS} (application_id) SELECT id FROM "{_APPLICATIONS}"')  # noqa: S608
    cursor.execute(
        f"INSERT INTO {_NAMES} (rowid, name) SELECT k.id, a.display_name "  # noqa: S608
        f'FROM {_KEYS} k JOIN "{_APPLICATIONS}" a ON a.id = k.application_id'
    )


TRIGGERS = TriggerSet(
    sqlite={
        "application_name_added": Trigger(_APPLICATIONS, "AFTER INSERT", _ADD),
        "application_name_changed": Trigger(
            _APPLICATIONS, "AFTER UPDATE OF display_name", _CHANGE, "OLD.display_name <> NEW.display_name"
        ),
        "application_name_gone": Trigger(_APPLICATIONS, "AFTER DELETE", _REMOVE),
    },
    needs={_NAMES: (), _KEYS: ()},
    fill=_fill,
)
