"""Reads the sums of the sign-in log (`sign_in_sums`), and with them the rows that came since: together they
say of every row what it counts, once.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models

from credmgr.audit.models import BusyApplication, HourOfSignIns, SignIn, SummedSignIns
from credmgr.audit.sign_in_sums import HOUR, hour_of, hour_sql
from credmgr.audit.token_database import to_time

# With more rows that are not summed yet, nobody reads them for a page: an upgrade was just made.
UNSUMMED_ROWS = 50_000
CODE_MOST = 2**31 - 1
_FAR = 2**62  # beyond whatever number a row may get

_LOG, _HOURS, _MARK = (model._meta.db_table for model in (SignIn, HourOfSignIns, SummedSignIns))
_SEEN = f'COALESCE((SELECT MAX(seen) FROM "{_MARK}"), 0)'  # noqa: S608 - the model's own name


@dataclass(frozen=True)
class Tally:
    """So many rows, and how many requests they stand for."""

    rows: int = 0
    succeeded: int = 0
    refused: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        """Both."""
        return Tally(self.rows + other.rows, self.succeeded + other.succeeded, self.refused + other.refused)


@dataclass(frozen=True)
class Part:
    """Of one directory, or of a busy application in it, with codes from `least` to `most` (0: success), in
    the hours that a time touches (UTC; end None: no end).
    """

    tenant_id: uuid.UUID
    start: datetime
    end: datetime | None
    least: int = 0
    most: int = CODE_MOST
    application_id: uuid.UUID | None = None

    def conditions(self, time: str) -> tuple[str, list[Any]]:
        """What holds in either table, whose column `time` is, and its values."""
        to_database, to_key = (kind().get_db_prep_value for kind in (models.DateTimeField, models.UUIDField))
        text = f"tenant_id = %s AND error_code >= %s AND error_code <= %s AND {time} >= %s"
        values: list[Any] = [to_key(self.tenant_id, connection), self.least, self.most]
        values.append(to_database(hour_of(self.start), connection))
        if self.end is not None:
            text += f" AND {time} < %s"
            values.append(to_database(_ceiling(self.end), connection))
        if self.application_id is not None or time == "hour":
            text += " AND application_id = %s"
            values.append(to_key(self.application_id or uuid.UUID(int=0), connection))
        return text, values


def are_known(application_id: uuid.UUID | None) -> bool:
    """Whether there are sums of it, None for all applications, and nearly all rows are in them, so that the
    rest can be read beside them.
    """
    if application_id and not BusyApplication.objects.filter(pk=application_id).exists():
        return False
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT COALESCE((SELECT MAX(sequence) FROM "{_LOG}"), 0) - {_SEEN}')  # noqa: S608 - names of the models
        waiting: int = cursor.fetchone()[0]
    return waiting <= UNSUMMED_ROWS


def tallies(part: Part) -> dict[datetime, Tally]:
    """{beginning of the hour: what is in it} of hours that have any, the first and the last as a whole.

    One statement, so that no row is added to the sums between two looks.
    """
    found: dict[datetime, Tally] = {}
    for moment, *counts in _rows(
        f"SELECT hour, {_sums('row_count', 'request_count')} FROM {{summed}} GROUP BY hour "  # noqa: S608 - names of the models
        f"UNION ALL SELECT {hour_sql('at')}, {_sums('1', 'count')} FROM {{since}} GROUP BY 1",
        part,
    ):
        hour = to_time(moment)
        found[hour] = found.get(hour, Tally()) + Tally(*counts)
    return {hour: tally for hour, tally in found.items() if tally.rows}


def codes(part: Part) -> list[int]:
    """The codes that there are, most frequent first."""
    found = _rows(
        "SELECT error_code, SUM(part_rows) FROM ("
        "SELECT error_code, SUM(row_count) AS part_rows FROM {summed} GROUP BY error_code "
        "UNION ALL SELECT error_code, COUNT(*) FROM {since} GROUP BY error_code) AS parts "
        "GROUP BY error_code ORDER BY 2 DESC, 1",
        part,
    )
    return [code for code, number in found if number]


def _sums(rows: str, requests: str) -> str:
    succeeded, refused = (
        f"SUM(CASE WHEN error_code {sign} 0 THEN {requests} ELSE 0 END)" for sign in ("=", ">")
    )
    # Of sums of large numbers PostgreSQL makes decimal ones.
    return ", ".join(f"CAST({each} AS bigint)" for each in (f"SUM({rows})", succeeded, refused))


def _rows(statement: str, part: Part) -> list[Any]:
    """Of a statement with {summed} and {since}, in this order: what the sums hold of the part, and what the
    log does since.
    """
    summed, values = part.conditions("hour")
    since, more = part.conditions("at")
    # An index of times would lead through rows that are summed. PostgreSQL takes two bounds for few rows, and
    # one alone for a third of all.
    by_number = " NOT INDEXED" if connection.vendor == "sqlite" else ""
    text = statement.format(
        # Without the mark nobody knows what the sums hold.
        summed=f'"{_HOURS}" WHERE {summed} AND EXISTS (SELECT 1 FROM "{_MARK}")',  # noqa: S608 - as above
        since=f'"{_LOG}"{by_number} WHERE sequence > {_SEEN} AND sequence <= {_SEEN} + {_FAR} AND {since}',
    )
    with connection.cursor() as cursor:
        cursor.execute(text, values + more)
        return list(cursor.fetchall())


def _ceiling(moment: datetime) -> datetime:
    """The end of the hour that the time before this moment touches."""
    return hour_of(moment - timedelta(microseconds=1)) + HOUR
