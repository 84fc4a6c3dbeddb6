"""Looks at every row of every chain and says what does not hold, and where. Changes nothing."""

import hmac
import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.db import connection

from credmgr.audit.chain import FIRST_HASH, HEAD_MESSAGE, end_seal, hash_of, start_seal
from credmgr.audit.guards import GUARDS
from credmgr.audit.models import AuditChain, AuditEvent, AuditKey
from credmgr.vault.errors import SealError, UnknownKeyError
from credmgr.vault.sealing import open_from

_BATCH = 1000
# So many findings are told of one chain; more say nothing new.
FINDINGS_MOST = 50


@dataclass(frozen=True)
class Finding:
    """Something that does not hold. position: of the row in its chain, None for the chain as a whole."""

    code: str
    position: int | None
    text: str


@dataclass
class ChainReport:
    """One chain. length and head as its end says; first: where the check began; checked: rows that were
    compared.
    """

    chain: uuid.UUID
    length: int = 0
    head: str = ""
    first: int = 1
    checked: int = 0
    findings: list[Finding] = field(default_factory=list)
    left_out: int = 0

    def note(self, code: str, position: int | None, text: str) -> None:
        """One more finding, unless there are many."""
        if len(self.findings) < FINDINGS_MOST:
            self.findings.append(Finding(code, position, text))
        else:
            self.left_out += 1


@dataclass
class Verification:
    """All chains, and what concerns none of them alone."""

    chains: list[ChainReport]
    findings: list[Finding]

    @property
    def is_intact(self) -> bool:
        """Whether nothing was found."""
        return not self.findings and not any(chain.findings for chain in self.chains)


def verify_audit() -> Verification:
    """Check every chain up to the end that it had when this began; others may append meanwhile."""
    chains = [_verify(chain) for chain in AuditChain.objects.order_by("pk")]
    findings = [
        Finding("guard_missing", None, f"The trigger {name} is missing. `manage.py migrate` makes it again.")
        for name in GUARDS.missing(connection)
    ]
    known = [chain.chain for chain in chains]
    unsealed = AuditEvent.objects.filter(hash=None).order_by("sequence").values_list("pk", flat=True)
    for sequence in unsealed[:FINDINGS_MOST]:
        findings.append(Finding("unsealed", None, f"The row with the sequence {sequence} has no seal."))
    others = AuditEvent.objects.exclude(chain=None).exclude(chain__in=known)
    gone = set(others.values_list("chain", flat=True).distinct())
    # A chain of which every row is gone is known by its key.
    gone |= set(AuditKey.objects.exclude(chain__in=known).values_list("chain", flat=True))
    findings += [Finding("chain_gone", None, f"The end of the chain {each} is gone.") for each in gone]
    return Verification(chains, findings)


def compare_heads(lines: Iterable[str]) -> tuple[int, list[Finding]]:
    """Compare log lines "Audit head." with the chains: (how many were compared, what does not fit).

    Other lines are passed over, and so are heads of entries that retention has deleted since.
    """
    chains = AuditChain.objects.in_bulk()
    compared, findings = 0, list[Finding]()
    for chain_id, entries, head in sorted(set(_heads(lines))):
        chain = chains.get(chain_id)
        if chain is not None and entries < chain.first_position - 1:
            continue
        compared += 1
        row = (
            AuditEvent.objects.filter(chain=chain_id, position=entries).values_list("hash", flat=True).first()
        )
        if row is None and chain is not None and entries == chain.first_position - 1:
            row = chain.before
        if row is None and entries == 0:
            row = FIRST_HASH
        if row is None:
            text = f"The log names entry {entries} of chain {chain_id}, which is not there."
            findings.append(Finding("head", entries, text))
        elif bytes(row).hex() != head:
            text = f"Entry {entries} of chain {chain_id} is not the one that the log names."
            findings.append(Finding("head", entries, text))
    return compared, findings


def _heads(lines: Iterable[str]) -> Iterator[tuple[uuid.UUID, int, str]]:
    for line in lines:
        if HEAD_MESSAGE not in line:
            continue
        try:
            said = json.loads(line[line.index("{") :])
            if said["message"] == HEAD_MESSAGE:
                yield uuid.UUID(said["chain"]), int(said["entries"]), str(said["head"])
        except (ValueError, KeyError, TypeError):
            continue  # half a line, or another program's


def verify_chain(chain_id: uuid.UUID, newest: int) -> ChainReport | None:
    """Check so many of the newest entries of one chain, and its end. None where there is no such chain."""
    chain = AuditChain.objects.filter(pk=chain_id).first()
    return _verify(chain, max(chain.length - newest, 0) + 1) if chain else None


def _verify(chain: AuditChain, first: int = 1) -> ChainReport:
    first = max(first, chain.first_position)
    report = ChainReport(chain.id, chain.length, bytes(chain.head).hex(), first)
    keys = _keys(chain.id, report)
    _verify_end(chain, keys, report)
    _verify_start(chain, keys, report)
    expected, before, last_sequence = first, FIRST_HASH, 0
    is_after_gap = False
    if first == chain.first_position > 1:
        before = bytes(chain.before or b"")
    elif first > 1:
        older = AuditEvent.objects.filter(chain=chain.id, position=first - 1).first()
        if older is None:
            _note_gap(report, first - 1, first - 1)
            is_after_gap = True
        else:
            before, last_sequence = bytes(older.hash or b""), older.sequence
    for event in _rows(chain, first):
        position = event.position or 0
        if position != expected:
            _note_gap(report, expected, position - 1)
            is_after_gap = True
        if event.sequence <= last_sequence:
            report.note("order", position, f"Entry {position} was stored out of its order.")
        key = _key_at(keys, position)
        own = bytes(event.hash or b"")
        if key is None:
            report.note("key", position, f"Entry {position} cannot be checked: its key cannot be opened.")
        elif not is_after_gap and not hmac.compare_digest(hash_of(key, before, event), own):
            report.note("changed", position, f"Entry {position} is not as it was written.")
        # What follows a gap is checked from the entry after it on: the hash before it is not there any more.
        is_after_gap = False
        report.checked += 1
        expected, before, last_sequence = position + 1, own, event.sequence
    if expected <= chain.length:
        _note_gap(report, expected, chain.length)
    elif before != bytes(chain.head):
        report.note("end", None, "The last entry is not the one that the end of the chain names.")
    _verify_beyond(chain, report)
    return report


def _rows(chain: AuditChain, first: int) -> Iterator[AuditEvent]:
    """In order, in batches: a chain may hold a million."""
    last = first - 1
    rows = AuditEvent.objects.filter(chain=chain.id, position__lte=chain.length).order_by("position")
    while batch := list(rows.filter(position__gt=last)[:_BATCH]):
        yield from batch
        last = batch[-1].position or 0


def _verify_end(chain: AuditChain, keys: list[tuple[int, bytes | None]], report: ChainReport) -> None:
    key = _key_at(keys, chain.length)
    if key is not None and not hmac.compare_digest(end_seal(key, chain), bytes(chain.seal)):
        report.note("end", None, "The end of the chain is not as it was written: length, hash or seal.")


def _verify_start(chain: AuditChain, keys: list[tuple[int, bytes | None]], report: ChainReport) -> None:
    """Where older rows were deleted, that was done by the one function that may."""
    if chain.first_position == 1 and chain.start_seal is None:
        return
    key = _key_at(keys, chain.first_position)
    if key is not None and not hmac.compare_digest(start_seal(key, chain), bytes(chain.start_seal or b"")):
        report.note(
            "start", None, "The beginning of the chain is not as it was written: older entries are gone."
        )


def _verify_beyond(chain: AuditChain, report: ChainReport) -> None:
    """Rows behind the end; those written since this began are none."""
    now = AuditChain.objects.filter(pk=chain.pk).values_list("length", flat=True).first() or 0
    rows = AuditEvent.objects.filter(chain=chain.pk, position__gt=now).order_by("position")
    for position in rows.values_list("position", flat=True)[:FINDINGS_MOST]:
        report.note("added", position, f"Entry {position} stands behind the end of the chain.")
    odd = AuditEvent.objects.filter(chain=chain.pk, position__lt=1)
    for position in odd.values_list("position", flat=True)[:FINDINGS_MOST]:
        report.note("added", position, f"Entry {position} stands before the beginning of the chain.")


def _note_gap(report: ChainReport, first: int, last: int) -> None:
    said = f"Entry {first} is missing." if first == last else f"Entries {first} to {last} are missing."
    report.note("missing", first, said)


def _keys(chain: uuid.UUID, report: ChainReport) -> list[tuple[int, bytes | None]]:
    """(first position, key or None) of each key of the chain, the latest first."""
    found: list[tuple[int, bytes | None]] = []
    for row in AuditKey.objects.filter(chain=chain).order_by("-first_position", "-created_at"):
        try:
            found.append((row.first_position, open_from(row, "key")))
        except (UnknownKeyError, SealError) as error:
            found.append((row.first_position, None))
            report.note("key", None, f"The key from entry {row.first_position} on cannot be opened: {error}")
    if not found:
        report.note("key", None, "The key of the chain is gone.")
    return found


def _key_at(keys: list[tuple[int, bytes | None]], position: int) -> bytes | None:
    return next((key for first, key in keys if first <= position), None)
