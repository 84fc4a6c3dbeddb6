"""A table's rows as lines of JSON, the same on every database: the first line names the columns."""

import base64
import json
import uuid
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, models

from credmgr.ops.backups.errors import BackupError

_ROWS_AT_ONCE = 500


def columns_of(model: type[models.Model]) -> list[Any]:
    """The fields that have a column, in the model's order."""
    return list(model._meta.local_concrete_fields)


def lines_of(model: type[models.Model]) -> Iterator[bytes]:
    """The line of columns, then a line for each row, in the order of their keys."""
    fields = columns_of(model)
    names = [field.attname for field in fields]
    yield _line(names)
    rows = model._base_manager.order_by("pk").values_list(*names)
    for row in rows.iterator(chunk_size=_ROWS_AT_ONCE):
        yield _line([_encoded(field, value) for field, value in zip(fields, row, strict=True)])


def load_lines(model: type[models.Model], lines: Iterable[bytes]) -> int:
    """Insert the rows of such lines as they are; how many there were. Raises BackupError.

    model: of the moment of the backup, which may be older than the program.
    """
    stream = iter(lines)
    by_name = {field.attname: field for field in columns_of(model)}
    names = _parsed(next(stream, b""))
    if sorted(names) != sorted(by_name):
        raise BackupError(
            "table_form", f"The table {model._meta.db_table} does not have the columns expected."
        )
    fields = [by_name[name] for name in names]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    statement = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({places})"  # noqa: S608 - names of our own tables
    number, waiting = 0, []
    with connection.cursor() as cursor:
        for line in stream:
            waiting.append(_decoded_row(fields, _parsed(line)))
            number += 1
            if len(waiting) == _ROWS_AT_ONCE:
                cursor.executemany(statement, waiting)
                waiting = []
        if waiting:
            cursor.executemany(statement, waiting)
    return number


def _line(values: list[Any]) -> bytes:
    return (
        json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n"
    )


def _parsed(line: bytes) -> list[Any]:
    try:
        found = json.loads(line.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list):
        raise BackupError("row_form", "The backup holds a row that cannot be read.")
    return found


def _encoded(field: Any, value: Any) -> Any:
    """As JSON has it. What has no form that is known to come back unchanged is an error, not a guess."""
    if isinstance(field, models.JSONField) or value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode("ascii")
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, uuid.UUID | Decimal):
        return str(value)
    raise TypeError(f"{field} holds a {type(value).__name__}, which a backup cannot hold yet.")


def _decoded_row(fields: list[Any], values: list[Any]) -> list[Any]:
    if len(values) != len(fields):
        raise BackupError("row_form", "The backup holds a row that cannot be read.")
    return [
        field.get_db_prep_save(_decoded(field, value), connection)
        for field, value in zip(fields, values, strict=True)
    ]


def _decoded(field: Any, value: Any) -> Any:
    if value is None or isinstance(field, models.JSONField):
        return value
    return bytes(found) if isinstance(found := field.to_python(value), memoryview) else found
