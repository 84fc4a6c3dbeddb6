"""The token endpoint's way to the database: few statements, prepared once, on a connection of its own.

Its commits survive the death of any process, and may lose their last moments at a power cut; what a person
was shown goes through the default connection.
"""

import re
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

_PLACE = re.compile(r"%\((\w+)\)s")
_UTC_OFFSET = len("+00:00")


class Statement:
    """One SQL statement with named places, %(name)s, written in the two ways that databases take it."""

    def __init__(self, text: str) -> None:
        self._named = text
        self._names = _PLACE.findall(text)
        self._marked = _PLACE.sub("?", text)
        # In the order of the places. Of a single name it would give the bare value.
        self._pick = itemgetter(*self._names) if len(self._names) > 1 else None

    def run(self, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run it, in a transaction of its own unless one is open; its rows. Raises django.db.Error.

        values: text, numbers, bytes, UUIDs and aware times by name.
        """
        picked = self._pick(values) if self._pick else [values[name] for name in self._names]
        return self.run_in_order(picked)

    def run_in_order(self, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """As run, with a value for each place in the order of the text.

        On SQLite past Django's cursor, which rewrites the text at every call and costs as much as the
        statement; not where someone watches the cursor.
        """
        connection = token_connection()
        if connection.vendor != "sqlite" or connection.execute_wrappers or connection.force_debug_cursor:
            return self._through_django(connection, values)
        try:
            return self.run_raw(open_connection(connection), values).fetchall()
        except sqlite3.Error:
            with connection.wrap_database_errors:
                raise

    def run_raw(self, connection: sqlite3.Connection, values: Sequence[Any]) -> sqlite3.Cursor:
        """The same on SQLite's own connection, whose errors it leaves as they are."""
        texts = [_AS_TEXT[type(value)](value) if type(value) in _AS_TEXT else value for value in values]
        return connection.execute(self._marked, texts)

    def run_for_each(self, connection: BaseDatabaseWrapper, rows: Iterable[Sequence[Any]]) -> None:
        """Once for each row of values, in the transaction that is open on that connection. Raises
        django.db.Error.
        """
        if connection.vendor != "sqlite":
            with connection.cursor() as cursor:
                cursor.executemany(self._named, [dict(zip(self._names, row, strict=True)) for row in rows])
            return
        texts = (
            [_AS_TEXT[type(value)](value) if type(value) in _AS_TEXT else value for value in row]
            for row in rows
        )
        with connection.wrap_database_errors:
            open_connection(connection).executemany(self._marked, texts)

    def _through_django(
        self, connection: BaseDatabaseWrapper, values: Sequence[Any]
    ) -> list[tuple[Any, ...]]:
        if connection.vendor == "sqlite":
            values = [_AS_TEXT[type(value)](value) if type(value) in _AS_TEXT else value for value in values]
        with connection.cursor() as cursor:
            cursor.execute(self._named, dict(zip(self._names, values, strict=True)))
            return cursor.fetchall() if cursor.description else []


class _OfThread(threading.local):
    """known: by name, what Django's register would look up anew each time, at the price of a small statement.
    lent: a connection of the process that is this thread's at the moment; beside it the thread's own.
    """

    def __init__(self) -> None:
        self.known: dict[str, BaseDatabaseWrapper] = {}
        self.lent: tuple[BaseDatabaseWrapper, BaseDatabaseWrapper] | None = None


_of_thread = _OfThread()


def token_connection() -> BaseDatabaseWrapper:
    """The connection of this thread, or the one that it was lent; never that within a transaction.atomic."""
    if _of_thread.lent is None:
        return _own_connection()
    lent, own = _of_thread.lent
    return own if own.in_atomic_block else lent


def _own_connection() -> BaseDatabaseWrapper:
    alias = settings.TOKENS_DATABASE
    own = _of_thread.known.get(alias)
    if own is None:
        own = _of_thread.known[alias] = connections[alias]
    return own


def open_connection(connection: BaseDatabaseWrapper) -> sqlite3.Connection:
    """SQLite's own connection, opened where it is not. Raises django.db.Error."""
    if connection.connection is None:
        connection.ensure_connection()
    opened: sqlite3.Connection = connection.connection
    return opened


def lend(connection: BaseDatabaseWrapper | None) -> None:
    """Give this thread that connection for its statements, or take it back with None."""
    _of_thread.lent = None if connection is None else (connection, _own_connection())


def to_uuid(value: Any) -> uuid.UUID:
    """SQLite gives text, PostgreSQL a UUID."""
    return value if isinstance(value, uuid.UUID) else _uuid_of(value)


# The same ids come with every token, and making one from its text costs as much as finding its row.
_uuid_of = lru_cache(maxsize=4096)(uuid.UUID)


@lru_cache(maxsize=4096)
def guid_text(guid: uuid.UUID) -> str:
    """The canonical form. Remembered: ask for ids of rows, not for random ones."""
    return str(guid)


def to_time(value: Any) -> datetime:
    """SQLite gives naive UTC, PostgreSQL an aware time."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# As Django stores them where the database has no such type: 32 hex digits, naive UTC.
_AS_TEXT: dict[type, Callable[[Any], str]] = {
    uuid.UUID: lambda value: value.hex,
    datetime: lambda value: value.astimezone(UTC).isoformat(" ")[:-_UTC_OFFSET],
}
