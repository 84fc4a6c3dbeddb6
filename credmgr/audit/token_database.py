"""The token endpoint's way to the database: few statements, prepared once, on a connection of its own.

Its commits survive the death of any process, and may lose their last moments at a power cut; what a person
was shown goes through the default connection. Statements have named places: Django rewrites numbered ones
with a regular expression at every call, which costs as much as the statement.
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper


def token_connection() -> BaseDatabaseWrapper:
    """The connection of this thread."""
    return connections[settings.TOKENS_DATABASE]


def run(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run one statement, in a transaction of its own unless one is open; its rows. Raises django.db.Error.

    Values: text, numbers, bytes, UUIDs and aware times.
    """
    connection = token_connection()
    if not connection.features.has_native_uuid_field:
        values = {name: _as_text(value) for name, value in values.items()}
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


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
