"""What is asked of the sign-in log. The log may hold millions of rows: every question walks one index. Where
the sums of hours know which hours have such rows, those alone are read, and all of them; of the rest no
question looks at more than EXAMINED_ROWS rows, and where that cuts it off, the answer says so.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet

from credmgr.audit import summed_hours
from credmgr.audit.models import SignIn
from credmgr.audit.sign_in_sums import HOUR, time_sql
from credmgr.audit.summed_hours import CODE_MOST, Part, Tally
from credmgr.audit.token_database import to_time

# Some hundredths of a second of walking; a page walks twice, for its rows and for its chart.
EXAMINED_ROWS = 100_000
# So many are listed one by one, of applications that are few among many.
_LISTED_ROWS = 20_000
# So few are walked at once, rather than hour by hour.
_FEW_ROWS = 20_000

SUCCESS = "success"
FAILURE = "failure"


@dataclass(frozen=True)
class Question:
    """Which sign-ins: of one directory, at or after `start` and before `end` (None: no end), times in UTC.

    result: SUCCESS, FAILURE or "" for both. code: an AADSTS number, 0 for success. applications: any of
    these, where some are named. matching: whatever else, which no index knows.
    """

    tenant_id: uuid.UUID
    start: datetime
    end: datetime | None = None
    application_id: uuid.UUID | None = None
    applications: tuple[uuid.UUID, ...] = ()
    address: str = ""
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

    def within(self, start: datetime, end: datetime) -> "Question":
        """The same in what this and another time have in common."""
        return self.between(max(self.start, start), end if self.end is None else min(self.end, end))

    def of_any_kind(self) -> "Question":
        """The same time and application, without the filters."""
        return Question(self.tenant_id, self.start, self.end, self.application_id)

    @property
    def is_summed(self) -> bool:
        """Whether sums of hours know all that is asked for; of an application if it is busy."""
        return not (self.matching or self.address or self.applications)

    def summed(self) -> Part:
        """The same as they are asked."""
        least, most = {SUCCESS: (0, 0), FAILURE: (1, CODE_MOST)}.get(self.result, (0, CODE_MOST))
        if self.code is not None:
            least, most = max(least, self.code), min(most, self.code)
        return Part(self.tenant_id, self.start, self.end, least, most, self.application_id)

    def limit(self, *, newest_first: bool = True, most: int | None = None) -> datetime | None:
        """The time of the row at which a walk from the newest or the oldest end stops. None: it meets all."""
        rows, most = self._in_time(self._walked()), EXAMINED_ROWS if most is None else most
        if not newest_first:
            rows = rows.order_by("at", "sequence")
        return rows.values_list("at", flat=True)[most : most + 1].first()

    def _walked(self) -> QuerySet[SignIn]:
        """The rows of the one index that a walk follows, those that do not match included."""
        rows = SignIn.objects.all()
        if self.application_id is not None:
            rows = rows.filter(application_id=self.application_id)
        if self.applications:
            rows = rows.filter(application_id__in=self.applications)
        if self.address:
            rows = rows.filter(address=self.address)
        if self.result == FAILURE or self.code:
            # The condition of the refusals' index, to the letter.
            rows = rows.filter(tenant_id=self.tenant_id, error_code__gt=0)
        return rows

    def _in_time(self, rows: QuerySet[SignIn]) -> QuerySet[SignIn]:
        rows = rows.filter(at__gte=self.start).order_by("-at", "-sequence")
        return rows if self.end is None else rows.filter(at__lt=self.end)


class Listed(NamedTuple):
    """What a chart needs of a row, and its place. at: as the database has it and in its order; to_time reads
    it. requests: how many it stands for.
    """

    at: Any
    sequence: int
    error_code: int
    requests: int

    @property
    def place(self) -> tuple[datetime, int]:
        """Its time and sequence."""
        return to_time(self.at), self.sequence


@dataclass(frozen=True)
class Reach:
    """The part of a question that is looked at. looked_back_to: its beginning where that is not all of it.

    hours: what matches in each hour that the time touches, where that is known; None where it is not.
    listed: all that match, newest first, where they are few and were found one by one.
    """

    part: Question
    looked_back_to: datetime | None = None
    hours: Mapping[datetime, Tally] | None = None
    listed: Sequence[Listed] | None = None

    @property
    def is_known(self) -> bool:
        """Whether all that matches is known to be reached."""
        return self.hours is not None or self.listed is not None

    def stretches(self, *, newest_first: bool = True) -> Iterator[QuerySet[SignIn]]:
        """All rows, from that end on, in questions one after the other: of hours that have some, where that
        is known. Whoever has enough asks no further.
        """
        order = ("-at", "-sequence") if newest_first else ("at", "sequence")
        for part in self._parts(newest_first=newest_first):
            yield part.rows().order_by(*order)

    def _parts(self, *, newest_first: bool) -> list[Question]:
        if self.hours is None:
            return [self.part]
        runs = _runs(sorted(self.hours))
        if len(runs) > 1 and self.part.limit(most=_FEW_ROWS) is None:
            runs = [(runs[0][0], runs[-1][1])]
        parts = [self.part.within(start, end) for start, end in runs]
        return parts[::-1] if newest_first else parts


def reach(asked: Question) -> Reach:
    """What a walk from the newest row meets; all of it where the hours are known that have such rows."""
    if asked.applications and (listed := _listed(asked)) is not None:
        return Reach(asked, listed=listed)
    if asked.is_summed and summed_hours.are_known(asked.application_id):
        return Reach(asked, hours=summed_hours.tallies(asked.summed()))
    limit = asked.limit()
    return Reach(asked) if limit is None else Reach(asked.between(limit, asked.end), limit)


def _listed(asked: Question) -> list[Listed] | None:
    """The rows of several applications, each found at its place in their index; None where they are many.

    In no order, which the database would find by walking all others. Codes are looked at afterwards, lest it
    takes the index of refusals.
    """
    query = replace(asked, result="", code=None).rows().order_by().query
    where, values = query.where.as_sql(query.get_compiler(connection=connection), connection)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {time_sql('at')}, sequence, error_code, count "  # noqa: S608 - the model's own name, the condition is the ORM's
            f'FROM "{SignIn._meta.db_table}" WHERE {where} LIMIT {_LISTED_ROWS + 1}',
            values,
        )
        found = cursor.fetchall()
    if len(found) > _LISTED_ROWS:
        return None
    part = asked.summed()
    if (part.least, part.most) != (0, CODE_MOST):
        found = [row for row in found if part.least <= row[2] <= part.most]
    return sorted(map(Listed._make, found), reverse=True)


def _runs(hours: Sequence[datetime]) -> list[tuple[datetime, datetime]]:
    """(start, end) of hours that follow each other; hours: in order."""
    found: list[tuple[datetime, datetime]] = []
    for hour in hours:
        if found and found[-1][1] == hour:
            found[-1] = (found[-1][0], hour + HOUR)
        else:
            found.append((hour, hour + HOUR))
    return found
