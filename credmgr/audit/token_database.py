"""The token endpoint's way to the database: few statements, prepared once, on a connection of its own.

Its commits survive the death of any process, and may lose their last moments at a power cut; what a person
was shown goes through the default connection.
"""

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

_PLACE = re.compile(r"%\((\w+)\)s")


class Statement:
    """One SQL statement with named places, %(name)s, written in the two ways that databases take it."""

    def __init__(self, text: str) -> None:
        self._named = text
        self._names = _PLACE.findall(text)
        self._marked = _PLACE.sub("?", text)

    def run(self, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run it, in a transaction of its own unless one is open; its rows. Raises django.db.Error.

        values: text, numbers, bytes, UUIDs and aware times. On SQLite past Django's cursor, which rewrites
        the text at every call and costs as much as the statement; not where someone watches the cursor.
        """
        connection = token_connection()
        if connection.vendor != "sqlite":
            return _through_django(connection, self._named, values)
        ordered = [_as_text(values[name]) for name in self._names]
        if connection.execute_wrappers or connection.queries_logged:
            return _through_django(connection, self._named, dict(zip(self._names, ordered, strict=True)))
        connection.ensure_connection()
        with connection.wrap_database_errors:
            cursor = connection.connection.execute(self._marked, ordered)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows


def _through_django(
    connection: BaseDatabaseWrapper, text: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        return cursor.fetchall() if cursor.description else []


def token_connection() -> BaseDatabaseWrapper:
    """The connection of this thread."""
    return connections[settings.TOKENS_DATABASE]


def to_uuid(value: Any) -> uuid.UUID:
    """SQLite gives text, PostgreSQL a UUID."""
    return value if isinstance(value, uuid.UUID) else uuid.UUID(hex=value)


def to_time(value: Any) -> datetime:
    """SQLite gives naive UTC, PostgreSQL an aware time."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _as_text(value: Any) -> Any:
    """As Django stores them where the database has no such type: 32 hex digits, naive UTC."""
    if isinstance(value, uuid.UUID):
        return value.hex
    return str(value.astimezone(UTC).replace(tzinfo=None)) if isinstance(value, datetime) else value
