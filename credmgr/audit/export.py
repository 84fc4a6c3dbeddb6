"""Audit entries as JSON lines. A line carries its entry's seal and the one before it, so that whoever has the
chain's key can check each line alone, and whoever has none can follow the seals.
"""

import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Q

from credmgr.audit.chain import FIRST_HASH, described
from credmgr.audit.models import AuditEvent

_STEP = 500
HASH, PREVIOUS_HASH = "hash", "previousHash"


def json_lines(sequences: Sequence[int]) -> Iterator[str]:
    """A line per entry, in the order given. Control characters come out escaped (D-7)."""
    for start in range(0, len(sequences), _STEP):
        numbers = sequences[start : start + _STEP]
        found = AuditEvent.objects.in_bulk(numbers)
        yield from lines_of([found[number] for number in numbers if number in found])


def lines_of(events: Sequence[AuditEvent]) -> Iterator[str]:
    """The same of entries that are at hand."""
    before = _hashes_before(events)
    for event in events:
        yield json.dumps(_members(event, before), sort_keys=True, separators=(",", ":")) + "\n"


def _members(event: AuditEvent, before: dict[tuple[Any, Any], bytes]) -> dict[str, Any]:
    # Empty where the entry before was too old and is gone.
    none = FIRST_HASH if event.position == 1 else b""
    previous = before.get((event.chain, (event.position or 0) - 1), none)
    return described(event) | {HASH: bytes(event.hash or b"").hex(), PREVIOUS_HASH: previous.hex()}


def _hashes_before(events: Sequence[AuditEvent]) -> dict[tuple[Any, Any], bytes]:
    """{(chain, position): hash} of the entries before these, in one statement."""
    wanted: dict[uuid.UUID, list[int]] = {}
    for event in events:
        if event.chain is not None and event.position is not None:
            wanted.setdefault(event.chain, []).append(event.position - 1)
    if not wanted:
        return {}
    condition = Q()
    for chain, positions in wanted.items():
        condition |= Q(chain=chain, position__in=positions)
    rows = AuditEvent.objects.filter(condition).values_list("chain", "position", "hash")
    return {(chain, position): bytes(own or b"") for chain, position, own in rows}
