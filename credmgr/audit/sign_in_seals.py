"""Puts a hash of the sign-ins of each closed hour into the chain of their directory (D-5), and checks them.

An entry covers a directory's rows at or after `from` and before `until` with a sequence up to `upTo`; `from`
is the `until` of the entry before. Rows that came with an earlier time later (a clock was set back) are in an
entry of their own, marked late, with sequences after `after`. The hash is SHA-256 over the rows in order of
time and sequence, each as a line of JSON. Hours without sign-ins make no entry.
"""

import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.db.models import Max

from credmgr.audit.chain import INSTALLATION
from credmgr.audit.events import EventTag
from credmgr.audit.models import SealedSignIns, SignIn
from credmgr.audit.recording import Actor, record_event

# Nothing is written to an hour so long after its end: an answer leaves within seconds, its row before it.
MARGIN = timedelta(minutes=5)
_BATCH = 2_000
_COLUMNS = [column.attname for column in SignIn._meta.concrete_fields if column.attname != "fold_key"]
_AT, _SEQUENCE, _TENANT = (_COLUMNS.index(name) for name in ("at", "sequence", "tenant_id"))
Row = Sequence[Any]


@dataclass
class Sum:
    """The rows of one entry, so far."""

    rows: int = 0
    first_at: datetime | None = None
    _hash: Any = field(default_factory=sha256)

    def add(self, row: Row) -> None:
        """The next row, in order."""
        self.first_at = self.first_at or row[_AT]
        self.rows += 1
        self._hash.update(_line(row))

    @property
    def digest(self) -> str:
        """Hexadecimal."""
        return str(self._hash.hexdigest())


def seal_closed_hours(*, actor: Actor, now: datetime) -> int:
    """Record the sign-ins of the hours that ended since the last time; how many entries that made.

    By one process at a time; repeated, it does nothing until the next hour is over. What is read is read
    before the transaction, and touches nobody who writes.
    """
    until = (now - MARGIN).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    looked = SealedSignIns.objects.filter(pk=INSTALLATION).first()
    if looked is not None and looked.until >= until:
        return 0
    known = SealedSignIns.objects.in_bulk()
    seen = SignIn.objects.aggregate(newest=Max("sequence"))["newest"] or 0
    in_time, late = _sums(looked, known, until, seen)
    with transaction.atomic():
        for tenant_id in sorted(late):
            told = {"until": known[tenant_id].until.isoformat(), "after": looked.seen if looked else 0}
            _record(tenant_id, late[tenant_id], {"late": True, **told, "upTo": seen}, actor, now)
        for tenant_id in sorted(in_time):
            before = known.get(tenant_id)
            told = {"from": before.until.isoformat() if before else None, "until": until.isoformat()}
            _record(tenant_id, in_time[tenant_id], {**told, "upTo": seen}, actor, now)
        for tenant_id in (*in_time, INSTALLATION):
            SealedSignIns.objects.update_or_create(pk=tenant_id, defaults={"until": until, "seen": seen})
    return len(in_time) + len(late)


def rows_in_order(start: datetime | None, end: datetime | None, up_to: int | None) -> Iterator[Row]:
    """Columns of the rows at or after `start` and before `end`, by time and sequence, in batches."""
    rows = SignIn.objects.order_by("at", "sequence")
    if end is not None:
        rows = rows.filter(at__lt=end)
    if up_to is not None:
        rows = rows.filter(sequence__lte=up_to)
    last: Row | None = None
    while True:
        ahead = rows if start is None else rows.filter(at__gte=start)
        if last is not None:
            ahead = rows.filter(at__gte=last[_AT]).exclude(at=last[_AT], sequence__lte=last[_SEQUENCE])
        batch = list(ahead.values_list(*_COLUMNS)[:_BATCH])
        yield from batch
        if len(batch) < _BATCH:
            return
        last = batch[-1]


def tenant_of(row: Row) -> uuid.UUID:
    """The directory of a row."""
    found: uuid.UUID = row[_TENANT]
    return found


def place_of(row: Row) -> tuple[datetime, int]:
    """Its time and sequence."""
    return row[_AT], row[_SEQUENCE]


def _sums(
    looked: SealedSignIns | None, known: dict[uuid.UUID, SealedSignIns], until: datetime, seen: int
) -> tuple[dict[uuid.UUID, Sum], dict[uuid.UUID, Sum]]:
    """({directory: rows of closed hours}, {directory: rows that came too late for their entry})."""
    in_time: dict[uuid.UUID, Sum] = {}
    late: dict[uuid.UUID, Sum] = {}
    if looked is not None:
        rows = SignIn.objects.filter(sequence__gt=looked.seen, sequence__lte=seen, at__lt=looked.until)
        for row in rows.order_by("at", "sequence").values_list(*_COLUMNS):
            before = known.get(tenant_of(row))
            is_late = before is not None and row[_AT] < before.until
            (late if is_late else in_time).setdefault(tenant_of(row), Sum()).add(row)
    for row in rows_in_order(looked.until if looked else None, until, seen):
        in_time.setdefault(tenant_of(row), Sum()).add(row)
    return in_time, late


def _record(tenant_id: uuid.UUID, found: Sum, told: dict[str, Any], actor: Actor, now: datetime) -> None:
    record_event(
        EventTag.SIGN_INS_SEALED,
        actor=actor,
        now=now,
        tenant_id=tenant_id,
        object_type="sign-ins",
        object_name="Sign-ins",
        changes={
            **told,
            "firstAt": found.first_at.isoformat() if found.first_at else None,
            "rows": found.rows,
            "sha256": found.digest,
        },
    )


def _line(row: Row) -> bytes:
    values = [
        value.astimezone(UTC).isoformat(timespec="microseconds")
        if isinstance(value, datetime)
        else value
        if value is None or isinstance(value, int)
        else str(value)
        for value in row
    ]
    return (json.dumps(values, separators=(",", ":"), ensure_ascii=True) + "\n").encode("ascii")
