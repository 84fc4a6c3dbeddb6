"""Reads the sign-in log by time, newest first. The log may hold millions of rows: every question walks one
index, and none looks at more than EXAMINED_ROWS rows; where that cuts it off, the answer says so.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from django.db.models import Q, QuerySet

from credmgr.audit.models import SignIn

# About a quarter of a second of walking on an ordinary machine.
EXAMINED_ROWS = 1_000_000
# What filters offer is of so many of the newest rows, and of so many of the newest refusals.
_CHOICES_OF = 2_000
_CODES_OF = 5_000
_EXPORT_STEP = 500
_LAST_SEQUENCE = 2**63 - 1

SUCCESS = "success"
FAILURE = "failure"

Value = TypeVar("Value")


@dataclass(frozen=True)
class Question:
    """Which sign-ins: of one directory, at or after `start` and before `end` (None: no end), times in UTC.

    result: SUCCESS, FAILURE or "" for both. code: an AADSTS number, 0 for success. matching: whatever else,
    which no index knows.
    """

    tenant_id: uuid.UUID
    start: datetime
    end: datetime | None = None
    application_id: uuid.UUID | None = None
    result: str = ""
    code: int | None = None
    matching: Q = field(default_factory=Q)

    def at_any_time(self) -> QuerySet[SignIn]:
        """Those that match, in no order. Bound their time: the log is long."""
        rows = self._walked().filter(self.matching, tenant_id=self.tenant_id)
        if self.result == SUCCESS:
            rows = rows.filter(error_code=0)
        return rows if self.code is None else rows.filter(error_code=self.code)

    def rows(self) -> QuerySet[SignIn]:
        """Those that match, newest first."""
        return self._in_time(self.at_any_time())

    def between(self, start: datetime, end: datetime | None) -> "Question":
        """The same within another time."""
        return replace(self, start=start, end=end)

    def of_any_kind(self) -> "Question":
        """The same time and application, without the filters."""
        return Question(self.tenant_id, self.start, self.end, self.application_id)

    def limit(self, *, newest_first: bool = True) -> datetime | None:
        """The time of the row at which a walk from the newest or the oldest end stops. None: it meets all."""
        rows = self._in_time(self._walked())
        if not newest_first:
            rows = rows.order_by("at", "sequence")
        return rows.values_list("at", flat=True)[EXAMINED_ROWS : EXAMINED_ROWS + 1].first()

    def _walked(self) -> QuerySet[SignIn]:
        """The rows of the one index that a walk follows, those that do not match included."""
        rows = SignIn.objects.all()
        if self.application_id is not None:
            rows = rows.filter(application_id=self.application_id)
        if self.result == FAILURE or self.code:
            # The condition of the refusals' index, to the letter.
            rows = rows.filter(tenant_id=self.tenant_id, error_code__gt=0)
        return rows

    def _in_time(self, rows: QuerySet[SignIn]) -> QuerySet[SignIn]:
        rows = rows.filter(at__gte=self.start).order_by("-at", "-sequence")
        return rows if self.end is None else rows.filter(at__lt=self.end)


@dataclass(frozen=True)
class Reach:
    """The part of a question that is looked at. looked_back_to: its beginning where that is not all of it."""

    part: Question
    looked_back_to: datetime | None = None


@dataclass(frozen=True)
class Cursor:
    """A row's place in the log. A page before it is older, one after it newer."""

    at: datetime
    sequence: int


@dataclass(frozen=True)
class LogPage:
    """Rows newest first. newer, older: where the next pages begin, None at the ends of the time.

    looked_back_to: set where the rows end because EXAMINED_ROWS were looked at; older ones may match.
    """

    rows: list[SignIn]
    newer: Cursor | None = None
    older: Cursor | None = None
    looked_back_to: datetime | None = None


@dataclass(frozen=True)
class Choices:
    """What the newest rows have in common columns, most frequent first."""

    applications: list[uuid.UUID]
    resources: list[str]
    addresses: list[str]
    codes: list[int]


def sign_in_of(tenant_id: uuid.UUID, sequence: int) -> SignIn | None:
    """One sign-in of the directory."""
    return SignIn.objects.filter(tenant_id=tenant_id, sequence=sequence).first()


def reach(asked: Question) -> Reach:
    """What a walk from the newest row meets, in one statement."""
    limit = asked.limit()
    return Reach(asked) if limit is None else Reach(asked.between(limit, asked.end), limit)


def newest_page(reached: Reach, size: int) -> LogPage:
    """The newest rows."""
    return _older_rows(reached, reached.part.rows(), size)


def older_page(asked: Question, size: int, before: Cursor) -> LogPage:
    """The rows older than a place, nearest to it."""
    if asked.end is not None and before.at >= asked.end:
        return newest_page(reach(asked), size)
    reached = reach(asked.between(asked.start, before.at))
    # One upper bound alone: of two the database may walk from the later one.
    rows = reached.part.between(reached.part.start, None).rows().filter(at__lte=before.at)
    page = _older_rows(reached, rows.exclude(at=before.at, sequence__gte=before.sequence), size)
    first = _place(page.rows[0]) if page.rows else Cursor(before.at, before.sequence - 1)
    return replace(page, newer=first)


def newer_page(asked: Question, size: int, after: Cursor) -> LogPage:
    """The rows newer than a place, nearest to it."""
    ahead = asked.between(max(asked.start, after.at), asked.end)
    limit = ahead.limit(newest_first=False)
    rows = ahead.rows().order_by("at", "sequence").exclude(at=after.at, sequence__lte=after.sequence)
    if limit is not None:
        rows = rows.filter(at__lte=limit)
    found = list(rows[: size + 1])
    shown = found[:size][::-1]
    newer: Cursor | None = None
    if len(found) > size:
        newer = _place(shown[0])
    elif limit is not None:
        newer = Cursor(limit, _LAST_SEQUENCE)
    older = _place(shown[-1]) if shown else Cursor(after.at, after.sequence + 1)
    return LogPage(shown, newer=newer, older=older)


def choices(reached: Reach) -> Choices:
    """What filters can offer, in two statements. reached: without filters."""
    whole = reached.part
    columns = ("application_id", "resource", "address")
    newest = list(whole.rows().values_list(*columns)[:_CHOICES_OF])
    return Choices(
        applications=_by_frequency(row[0] for row in newest if row[0] is not None),
        resources=_by_frequency(row[1] for row in newest if row[1]),
        addresses=_by_frequency(row[2] for row in newest if row[2]),
        codes=refused_codes(whole),
    )


def refused_codes(asked: Question) -> list[int]:
    """The AADSTS numbers of the newest refusals, most frequent first."""
    refused = replace(asked, result=FAILURE).rows().values_list("error_code", flat=True)
    return _by_frequency(refused[:_CODES_OF])


def sequences(reached: Reach, most: int) -> list[int]:
    """Numbers of the rows, newest first, so many at most: what an export will hold."""
    return list(reached.part.rows().values_list("sequence", flat=True)[:most])


def in_steps(numbers: Sequence[int]) -> Iterator[list[SignIn]]:
    """The rows of these numbers in their order, some hundreds at a time, without those purged meanwhile."""
    for start in range(0, len(numbers), _EXPORT_STEP):
        step = numbers[start : start + _EXPORT_STEP]
        found = SignIn.objects.in_bulk(step)
        yield [found[number] for number in step if number in found]


def _older_rows(reached: Reach, rows: QuerySet[SignIn], size: int) -> LogPage:
    found = list(rows[: size + 1])
    shown = found[:size]
    if len(found) > size:
        return LogPage(shown, older=_place(shown[-1]))
    if reached.looked_back_to is not None:
        return LogPage(shown, older=Cursor(reached.looked_back_to, 0), looked_back_to=reached.looked_back_to)
    return LogPage(shown)


def _place(row: SignIn) -> Cursor:
    return Cursor(row.at, row.sequence)


def _by_frequency(values: Iterable[Value]) -> list[Value]:
    return [value for value, _ in Counter(values).most_common()]
