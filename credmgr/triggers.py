"""Triggers that packages keep in the database: made after every migration, taken away before it, and looked
for, because whoever may change the database's structure can take them away.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models.signals import post_migrate, pre_migrate


@dataclass(frozen=True)
class Trigger:
    """event: as in "AFTER UPDATE OF count". does: SQLite's statements, without the last semicolon, or
    PostgreSQL's function by its name. when: a condition.
    """

    table: str
    event: str
    does: str
    when: str = ""
    each: str = "ROW"


@dataclass(frozen=True)
class TriggerSet:
    """Those of one purpose, by name. functions: PostgreSQL's, by name, in PL/pgSQL.

    needs: {table: columns} without which there can be none. fill: works out what they keep true; it is called
    when they are there, so that no change falls between.
    """

    sqlite: Mapping[str, Trigger]
    postgresql: Mapping[str, Trigger] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)
    needs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    fill: Callable[[CursorWrapper], None] = lambda _: None

    def make(self, connection: BaseDatabaseWrapper) -> None:
        """Make them, anew where they are there: SQLite loses them when a migration rebuilds a table. Raises
        django.db.Error.
        """
        self.remove(connection)
        with connection.cursor() as cursor:
            if connection.vendor != "sqlite":
                for name, body in self.functions.items():
                    begin = f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql"
                    cursor.execute(f"{begin} AS $$ {body} $$")
            for name, trigger in self._wanted(connection).items():
                cursor.execute(_creation(name, trigger, connection.vendor))
            self.fill(cursor)

    def remove(self, connection: BaseDatabaseWrapper) -> None:
        """Take them away; the next `migrate` brings them back. Raises django.db.Error."""
        tables = set(connection.introspection.table_names())
        with connection.cursor() as cursor:
            for name, trigger in self._wanted(connection).items():
                if trigger.table in tables:
                    on = f' ON "{trigger.table}"' if connection.vendor == "postgresql" else ""
                    cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")

    def missing(self, connection: BaseDatabaseWrapper) -> list[str]:
        """Names of those that should be there and are not, or not in force. Raises django.db.Error."""
        found = (
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            if connection.vendor == "sqlite"
            else "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'"
        )
        with connection.cursor() as cursor:
            cursor.execute(found)
            there = {name for (name,) in cursor.fetchall()}
        lost = [name for name in self._wanted(connection) if name not in there]
        return lost if lost and self._can_be(connection) else []

    def follow_migrations(self, sender: AppConfig, name: str) -> None:
        """Go before each migration, for SQLite renames no table that a trigger speaks of, and come after it.
        name: of this set among all.
        """

        def remove(using: str, **_: Any) -> None:
            self.remove(connections[using])

        def make(using: str, **_: Any) -> None:
            if self._can_be(connections[using]):  # not where one has migrated back to before them
                self.make(connections[using])

        pre_migrate.connect(remove, sender=sender, weak=False, dispatch_uid=f"no {name}")
        post_migrate.connect(make, sender=sender, weak=False, dispatch_uid=name)

    def _wanted(self, connection: BaseDatabaseWrapper) -> Mapping[str, Trigger]:
        return self.sqlite if connection.vendor == "sqlite" else self.postgresql

    def _can_be(self, connection: BaseDatabaseWrapper) -> bool:
        tables = set(connection.introspection.table_names())
        if not {*self.needs, *(each.table for each in self._wanted(connection).values())} <= tables:
            return False
        with connection.cursor() as cursor:
            for table, columns in self.needs.items():
                described = connection.introspection.get_table_description(cursor, table) if columns else []
                if not {*columns} <= {column.name for column in described}:
                    return False
        return True


def _creation(name: str, trigger: Trigger, vendor: str) -> str:
    condition = f" WHEN ({trigger.when})" if trigger.when else ""
    begin = f'CREATE TRIGGER {name} {trigger.event} ON "{trigger.table}" FOR EACH {trigger.each}{condition}'
    if vendor == "sqlite":
        return f"{begin} BEGIN {trigger.does}; END"
    return f"{begin} EXECUTE FUNCTION {trigger.does}()"
