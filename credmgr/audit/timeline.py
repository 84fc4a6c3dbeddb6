"""Sign-ins over time: how many succeeded and how many were refused in each of a few equal spans."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db import connection, models

from credmgr.audit.models import SignIn
from credmgr.audit.sign_in_log import refused_codes
from credmgr.audit.sign_in_questions import Listed, Question, Reach, reach
from credmgr.audit.sign_in_sums import HOUR, hour_as_stored
from credmgr.audit.summed_hours import Tally
from credmgr.audit.token_database import to_time

# The first of these that gives no more bars than a chart has room for.
_STEPS = (
    *(timedelta(minutes=number) for number in (1, 2, 5, 10, 15, 30)),
    *(timedelta(hours=number) for number in (1, 2, 3, 6, 12)),
    *(timedelta(days=number) for number in (1, 2, 4, 7, 14, 28, 91, 182, 364, 728, 3640)),
)
_MOST_BARS = 31
_EPOCH = datetime(1970, 1, 5, tzinfo=UTC)  # a Monday: weeks begin with one


@dataclass(frozen=True)
class Span:
    """Sign-ins at or after `start` and before `end` (UTC)."""

    start: datetime
    end: datetime
    succeeded: int = 0
    refused: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.succeeded + self.refused


@dataclass(frozen=True)
class Timeline:
    """Spans of one length, oldest first; the first and the last may lie partly outside of what was asked.

    counted_from: where counting began when the log had too many rows; None when all are counted. codes:
    AADSTS numbers of refusals, most frequent first, where they were asked for.
    """

    spans: list[Span]
    step: timedelta
    counted_from: datetime | None = None
    codes: Sequence[int] = ()

    @property
    def succeeded(self) -> int:
        """Tokens issued."""
        return sum(span.succeeded for span in self.spans)

    @property
    def refused(self) -> int:
        """Requests refused."""
        return sum(span.refused for span in self.spans)

    @property
    def total(self) -> int:
        """Both."""
        return self.succeeded + self.refused


def timeline(reached: Reach, start: datetime, end: datetime) -> Timeline:
    """Counts of what is reached. start, end: of the whole chart.

    Where the hours are known, only rows of those are counted that the time cuts in two; bars shorter than an
    hour are counted like anything else, within what is looked at.
    """
    if reached.listed is not None:
        return _of_listed(reached.listed, start, end)
    step, spans = _spans(start, end)
    if reached.hours is not None and step >= HOUR:
        return Timeline(_filled(spans, _of_hours(reached.part, reached.hours, spans)), step)
    part, looked_back_to = reached.part, reached.looked_back_to
    if reached.hours is not None and (limit := part.limit()) is not None:
        part, looked_back_to = part.between(limit, part.end), limit
    return Timeline(_filled(spans, _counts(part, spans)), step, looked_back_to)


def timeline_of(rows: Iterable[SignIn], start: datetime, end: datetime) -> Timeline:
    """The same of rows that are at hand, without asking the database."""
    return _timeline_of(((row.at, row.error_code, row.count) for row in rows), start, end)


def _of_listed(rows: Sequence[Listed], start: datetime, end: datetime) -> Timeline:
    """Hour by hour where that is enough: a time is not read for each of thousands of rows."""
    if _spans(start, end)[0] < HOUR:
        return _timeline_of(((to_time(row.at), row.error_code, row.requests) for row in rows), start, end)
    hours: Counter[tuple[Any, int]] = Counter()
    for row in rows:
        hours[hour_as_stored(row.at), row.error_code] += row.requests
    return _timeline_of(((to_time(hour), code, count) for (hour, code), count in hours.items()), start, end)


def _timeline_of(rows: Iterable[tuple[datetime, int, int]], start: datetime, end: datetime) -> Timeline:
    """rows: time, code, requests."""
    step, spans = _spans(start, end)
    first = spans[0].start
    found = {False: Counter[int](), True: Counter[int]()}
    for at, code, requests in rows:
        found[code > 0][(at - first) // step] += requests
    counts = {number: (found[False][number], found[True][number]) for number in range(len(spans))}
    return Timeline(_filled(spans, counts), step)


def last_day(asked: Question, now: datetime) -> Timeline:
    """The last 24 hours by the hour, with the codes of refusals. asked: its times do not matter."""
    start = now - timedelta(hours=24)
    reached = reach(asked.between(start, None))
    counted = timeline(reached, start, now)
    codes = refused_codes(reached) if counted.refused else []
    return Timeline(counted.spans, counted.step, counted.counted_from, codes)


def _spans(start: datetime, end: datetime) -> tuple[timedelta, list[Span]]:
    """The length of the spans, and the empty ones, from whole minutes, hours, days or weeks on."""
    step = next((each for each in _STEPS if (end - start) / each <= _MOST_BARS - 1), _STEPS[-1])
    edges = [_EPOCH + (start - _EPOCH) // step * step]
    while edges[-1] < end or len(edges) < 2:
        edges.append(edges[-1] + step)
    return step, [Span(left, right) for left, right in pairwise(edges)]


def _filled(spans: Sequence[Span], counts: Mapping[int, tuple[int, int]]) -> list[Span]:
    return [Span(span.start, span.end, *counts.get(number, (0, 0))) for number, span in enumerate(spans)]


def _of_hours(
    part: Question, hours: Mapping[datetime, Tally], spans: Sequence[Span]
) -> dict[int, tuple[int, int]]:
    """As `_counts`, from what is known of whole hours."""
    cut = [each for each in hours if each < part.start or (part.end is not None and each + HOUR > part.end)]
    counted = _counts(part, [Span(each, each + HOUR) for each in cut])
    inside = {each: counted.get(number, (0, 0)) for number, each in enumerate(cut)}
    first, step = spans[0].start, spans[0].end - spans[0].start
    found: dict[int, tuple[int, int]] = {}
    for hour, tally in hours.items():
        number = (hour - first) // step
        succeeded, refused = inside.get(hour, (tally.succeeded, tally.refused))
        before = found.get(number, (0, 0))
        found[number] = (before[0] + succeeded, before[1] + refused)
    return found


def _counts(part: Question, spans: Sequence[Span]) -> dict[int, tuple[int, int]]:
    """{number of the span: (succeeded, refused)}: a sum per span, each over its own stretch of the index.

    Grouping would sort every row first. By hand because the ORM takes a while to write so many sums; the
    condition is its own, names come from the model, values are bound.
    """
    query = part.at_any_time().query
    where, values = query.where.as_sql(query.get_compiler(connection=connection), connection)
    table = connection.ops.quote_name(SignIn._meta.db_table)
    one = (
        "SELECT %s, COALESCE(SUM(CASE WHEN error_code = 0 THEN count ELSE 0 END), 0), "  # noqa: S608 - see above
        f"COALESCE(SUM(CASE WHEN error_code = 0 THEN 0 ELSE count END), 0) FROM {table} "
        f"WHERE {where} AND at >= %s AND at < %s"
    )
    to_database = models.DateTimeField().get_db_prep_value
    asked: list[Any] = []
    parts = 0
    for number, span in enumerate(spans):
        start = max(span.start, part.start)
        end = span.end if part.end is None else min(span.end, part.end)
        if start < end:
            parts += 1
            asked += [number, *values, to_database(start, connection), to_database(end, connection)]
    if not parts:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([one] * parts), asked)
        return {number: (succeeded, refused) for number, succeeded, refused in cursor.fetchall()}
