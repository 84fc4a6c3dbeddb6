"""Reads the sign-in log by time, newest first: pages of it, what its filters offer, what an export holds."""

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import dropwhile, islice
from typing import Any, TypeVar

from django.db.models import Q

from credmgr.audit import summed_hours
from credmgr.audit.models import SignIn
from credmgr.audit.sign_in_questions import FAILURE, Listed, Question, Reach, reach

# What filters offer is of so many of the newest rows, and of so many of the newest refusals.
_CHOICES_OF = 500
_CODES_OF = 5_000
_EXPORT_STEP = 500
_LAST_SEQUENCE = 2**63 - 1
_MOMENT = timedelta(microseconds=1)

Value = TypeVar("Value")


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


def newest_page(reached: Reach, size: int) -> LogPage:
    """The newest rows."""
    return _older_rows(reached, size)


def older_page(asked: Question, size: int, before: Cursor) -> LogPage:
    """The rows older than a place, nearest to it."""
    if asked.end is not None and before.at >= asked.end:
        return newest_page(reach(asked), size)
    # The place's own moment belongs to it: other rows may have it.
    page = _older_rows(reach(asked.between(asked.start, before.at + _MOMENT)), size, before)
    first = _place(page.rows[0]) if page.rows else Cursor(before.at, before.sequence - 1)
    return replace(page, newer=first)


def newer_page(asked: Question, size: int, after: Cursor) -> LogPage:
    """The rows newer than a place, nearest to it."""
    ahead = asked.between(max(asked.start, after.at), asked.end)
    reached = reach(ahead)
    limit = None if reached.is_known else ahead.limit(newest_first=False)
    upto = ahead if limit is None else ahead.between(ahead.start, limit + _MOMENT)
    found = _rows(replace(reached, part=upto), size + 1, after, newest_first=False)
    shown = found[:size][::-1]
    newer: Cursor | None = None
    if len(found) > size:
        newer = _place(shown[0])
    elif limit is not None:
        newer = Cursor(limit, _LAST_SEQUENCE)
    older = _place(shown[-1]) if shown else Cursor(after.at, after.sequence + 1)
    return LogPage(shown, newer=newer, older=older)


def choices(reached: Reach) -> Choices:
    """What filters can offer, in few statements. reached: without filters."""
    columns = ("application_id", "resource", "address")
    newest = list(_newest(reached, _CHOICES_OF, columns))
    return Choices(
        applications=_by_frequency(row[0] for row in newest if row[0] is not None),
        resources=_by_frequency(row[1] for row in newest if row[1]),
        addresses=_by_frequency(row[2] for row in newest if row[2]),
        codes=refused_codes(reached),
    )


def refused_codes(reached: Reach) -> list[int]:
    """The AADSTS numbers of refusals, most frequent first: of all in the hours of that time where the sums
    know them, else of the newest.
    """
    refused = replace(reached.part, result=FAILURE)
    if reached.hours is not None:
        return summed_hours.codes(refused.summed())
    return _by_frequency(refused.rows().values_list("error_code", flat=True)[:_CODES_OF])


def sequences(reached: Reach, most: int) -> list[int]:
    """Numbers of the rows, newest first, so many at most: what an export will hold."""
    if reached.listed is not None:
        return [row.sequence for row in reached.listed[:most]]
    return [number for (number,) in _newest(reached, most, ("sequence",))]


def in_steps(numbers: Sequence[int]) -> Iterator[list[SignIn]]:
    """The rows of these numbers in their order, some hundreds at a time, without those purged meanwhile."""
    for start in range(0, len(numbers), _EXPORT_STEP):
        step = numbers[start : start + _EXPORT_STEP]
        found = SignIn.objects.in_bulk(step)
        yield [found[number] for number in step if number in found]


def _rows(
    reached: Reach, most: int, beyond: Cursor | None = None, *, newest_first: bool = True
) -> list[SignIn]:
    """The first rows from one end, or from a place on, so many at most."""
    if reached.listed is not None:
        listed: Iterable[Listed] = reached.listed if newest_first else reversed(reached.listed)
        if beyond is not None:
            listed = dropwhile(partial(_is_before, (beyond.at, beyond.sequence), newest_first), listed)
        return [row for step in in_steps([each.sequence for each in islice(listed, most)]) for row in step]
    but = Q()
    if beyond is not None:
        side = {"sequence__gte" if newest_first else "sequence__lte": beyond.sequence}
        but = Q(at=beyond.at, **side)
    found: list[SignIn] = []
    for rows in reached.stretches(newest_first=newest_first):
        found += (rows.exclude(but) if but else rows)[: most - len(found)]
        if len(found) == most:
            break
    return found


def _is_before(place: tuple[datetime, int], newest_first: bool, row: Listed) -> bool:
    """Whether a walk meets the row before that place, or there."""
    return row.place >= place if newest_first else row.place <= place


def _older_rows(reached: Reach, size: int, before: Cursor | None = None) -> LogPage:
    found = _rows(reached, size + 1, before)
    shown = found[:size]
    if len(found) > size:
        return LogPage(shown, older=_place(shown[-1]))
    if reached.looked_back_to is not None:
        return LogPage(shown, older=Cursor(reached.looked_back_to, 0), looked_back_to=reached.looked_back_to)
    return LogPage(shown)


def _newest(reached: Reach, most: int, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Columns of the newest rows, so many at most."""
    found = (row for rows in reached.stretches() for row in rows.values_list(*columns)[:most])
    return islice(found, most)


def _place(row: SignIn) -> Cursor:
    return Cursor(row.at, row.sequence)


def _by_frequency(values: Iterable[Value]) -> list[Value]:
    return [value for value, _ in Counter(values).most_common()]
