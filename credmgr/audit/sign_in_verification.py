"""Compares the sign-in log with the hashes of it in the chains. Changes nothing."""

import uuid
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

from credmgr.audit.chain_verification import FINDINGS_MOST, Finding
from credmgr.audit.events import EventTag
from credmgr.audit.models import AuditEvent
from credmgr.audit.sign_in_seals import Row, Sum, place_of, rows_in_order, tenant_of

_ALWAYS = datetime.min.replace(tzinfo=UTC)


@dataclass
class _Entry:
    """What one entry of a chain says, and what the log holds of it."""

    event: AuditEvent
    start: datetime
    until: datetime
    after: int
    up_to: int
    is_late: bool
    found: Sum = field(default_factory=Sum)


@dataclass
class SignInReport:
    """entries: hashes in the chains; checked: those compared; purged: those whose rows are gone, as the chain
    says, wholly or in part.
    """

    entries: int = 0
    checked: int = 0
    purged: int = 0
    findings: list[Finding] = field(default_factory=list)


def verify_sign_ins() -> SignInReport:
    """Every sign-in is read once."""
    report = SignInReport()
    in_time: dict[uuid.UUID, list[_Entry]] = defaultdict(list)
    late: dict[uuid.UUID, list[_Entry]] = defaultdict(list)
    for entry in _entries():
        (late if entry.is_late else in_time)[_tenant(entry)].append(entry)
    ends = {tenant: [entry.until for entry in entries] for tenant, entries in in_time.items()}
    purged = _purged_before()
    for row in rows_in_order(purged, None, None):
        tenant = tenant_of(row)
        if tenant in ends:
            covering = _covering(row, in_time[tenant], ends[tenant], late[tenant])
            if covering is not None:
                covering.found.add(row)
    for tenant, entries in in_time.items():
        _follow(entries, report)
        for entry in (*entries, *late[tenant]):
            _compare(entry, purged, report)
    return report


def _entries() -> Iterable[_Entry]:
    rows = AuditEvent.objects.filter(tag=EventTag.SIGN_INS_SEALED.value).exclude(tenant_id=None)
    for event in rows.order_by("sequence").iterator():
        said = event.changes
        yield _Entry(
            event,
            datetime.fromisoformat(said["from"]) if said.get("from") else _ALWAYS,
            datetime.fromisoformat(said["until"]),
            said.get("after", 0),
            said["upTo"],
            bool(said.get("late")),
        )


def _tenant(entry: _Entry) -> uuid.UUID:
    found = entry.event.tenant_id
    assert found is not None  # noqa: S101 - excluded above
    return found


def _purged_before() -> datetime:
    """Sign-ins older than this may be gone: the chain of the installation says so."""
    rows = AuditEvent.objects.filter(tag=EventTag.SIGN_INS_PURGED.value).values_list("changes", flat=True)
    return max((datetime.fromisoformat(each["before"]) for each in rows), default=_ALWAYS)


def _covering(row: Row, entries: list[_Entry], ends: list[datetime], late: list[_Entry]) -> _Entry | None:
    at, sequence = place_of(row)
    number = bisect_right(ends, at)
    if number == len(entries):
        return None  # its hour was not closed yet
    if entries[number].start <= at and sequence <= entries[number].up_to:
        return entries[number]
    return next((each for each in late if at < each.until and each.after < sequence <= each.up_to), None)


def _follow(entries: list[_Entry], report: SignInReport) -> None:
    for older, newer in pairwise(entries):
        if newer.start != older.until:
            _note(report, newer, "does not begin where the one before it ended")


def _compare(entry: _Entry, purged: datetime, report: SignInReport) -> None:
    said = entry.event.changes
    report.entries += 1
    if said["firstAt"] and datetime.fromisoformat(said["firstAt"]) < purged:
        report.purged += 1
        return
    report.checked += 1
    if (entry.found.rows, entry.found.digest) != (said["rows"], said["sha256"]):
        held = f"{entry.found.rows:,} where it names {said['rows']:,}"
        same = entry.found.rows == said["rows"]
        _note(
            report,
            entry,
            "does not fit the sign-in log: rows were changed"
            if same
            else f"does not fit the sign-in log, which holds {held}",
        )


def _note(report: SignInReport, entry: _Entry, what: str) -> None:
    if len(report.findings) < FINDINGS_MOST:
        which = f"entry {entry.event.position} of chain {entry.event.chain}"
        text = f"The hash of sign-ins until {entry.until:%Y-%m-%d %H:%M} UTC ({which}) {what}."
        report.findings.append(Finding("sign_ins", entry.event.position, text))
