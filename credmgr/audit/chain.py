"""Seals each audit row to the one before (security rule D-4): a row that is changed, removed, added or moved
afterwards shows in `verify_audit`.

Each directory has a chain, and so has the installation for acts that belong to no directory. A row's hash is
HMAC-SHA256(key, hash before | canonical JSON of the row). The key is random and sealed in the vault, so
whoever has the database alone can compute none. The chain's row says where it ends, under a seal of the same
key.
"""

import hmac
import json
import logging
import secrets
import unicodedata
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from django.db import transaction

from credmgr.audit.models import AuditChain, AuditEvent, AuditKey
from credmgr.vault.errors import SealError, UnknownKeyError
from credmgr.vault.sealing import open_from, seal_into

logger = logging.getLogger(__name__)

INSTALLATION = uuid.UUID(int=0)
FIRST_HASH = bytes(32)
KEY_BYTES = 32
HEAD_MESSAGE = "Audit head."
_BATCH = 500
# Line breaks, control characters, halves of characters, and what turns the direction of writing (D-7).
_ESCAPED = {"Cc", "Cs", "Zl", "Zp"}
_TURNING = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def chain_of(event: AuditEvent) -> uuid.UUID:
    """The id of the chain that a row belongs to: its directory's, or the installation's."""
    return event.tenant_id or INSTALLATION


@transaction.atomic(savepoint=False)
def append(event: AuditEvent) -> AuditEvent:
    """Store the row as the next of its chain. Raises KeyRingError where no key ring can be used.

    The chain's row stays locked until the transaction of the act ends: rows of one chain follow each other
    without gaps, whoever else writes.
    """
    chain, key = _locked(chain_of(event), event.at)
    _append(chain, key, event)
    _seal_end(chain, key)
    return event


@transaction.atomic(savepoint=False)
def append_all(events: Sequence[AuditEvent]) -> None:
    """Store rows of one chain, none stored yet, as its next in their order; its end is sealed once.

    Raises KeyRingError as `append` does, ValueError where the rows are of several chains.
    """
    if not events:
        return
    if len({chain_of(event) for event in events}) > 1:
        raise ValueError("Rows of several chains.")
    chain, key = _locked(chain_of(events[0]), events[-1].at)
    for event in events:
        _place(chain, key, event)
    AuditEvent.objects.bulk_create(events)
    _seal_end(chain, key)


def adopt_older_rows(now: datetime) -> int:
    """Seal rows that an older version wrote without seals; how many there were. Only before the first chain
    exists: later, a row without a seal was not written by this program.

    The seals prove that the rows were not changed since, not that they were right until then.
    """
    with transaction.atomic():
        if AuditChain.objects.exists():
            return 0
        _locked(INSTALLATION, now)
        adopted = 0
        rows = AuditEvent.objects.filter(position=None).order_by("sequence")
        for tenant_id in [None, *rows.exclude(tenant_id=None).values_list("tenant_id", flat=True).distinct()]:
            chain, key = _locked(tenant_id or INSTALLATION, now)
            of_chain = rows.filter(tenant_id=tenant_id)
            while batch := list(of_chain[:_BATCH]):
                for event in batch:
                    _place(chain, key, event)
                AuditEvent.objects.bulk_update(batch, ["chain", "position", "hash"])
                adopted += len(batch)
            _seal_end(chain, key)
    return adopted


def log_heads() -> int:
    """One log line for each chain, saying where it ends, and how many there were: against those a cut tail
    shows, even one with an old end put back.
    """
    number = 0
    for chain in AuditChain.objects.order_by("pk"):
        head = bytes(chain.head).hex()
        logger.info(HEAD_MESSAGE, extra={"chain": str(chain.pk), "entries": chain.length, "head": head})
        number += 1
    return number


def clean(value: Any) -> Any:
    """What may stand in a row: text without control characters, numbers, booleans, lists and objects of
    them. Two databases give it back alike.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return "".join(_shown(character) for character in value)
    if isinstance(value, dict):
        return {clean(str(name)): clean(item) for name, item in value.items()}
    if isinstance(value, Iterable):
        return [clean(item) for item in value]
    return clean(str(value))


def hash_of(key: bytes, before: bytes, event: AuditEvent) -> bytes:
    """The row's seal. before: the hash of the row before it."""
    return hmac.digest(key, before + canonical(event), "sha256")


def canonical(event: AuditEvent) -> bytes:
    """The row as JSON: names in order, no spaces, ASCII, times in UTC with microseconds."""
    return canonical_json(described(event))


def canonical_json(members: dict[str, Any]) -> bytes:
    """What is hashed."""
    return json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def described(event: AuditEvent) -> dict[str, Any]:
    """Every column that the seal covers, by the names that the export uses."""
    return {
        "chain": str(event.chain),
        "position": event.position,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "tenantId": str(event.tenant_id or ""),
        "applicationId": str(event.application_id or ""),
        "actorId": str(event.actor_id or ""),
        "actorName": event.actor_name,
        "address": event.address,
        "tag": event.tag,
        "objectType": event.object_type,
        "objectId": event.object_id,
        "objectName": event.object_name,
        "succeeded": event.succeeded,
        "changes": event.changes,
        "correlationId": str(event.correlation_id),
    }


def end_seal(key: bytes, chain: AuditChain) -> bytes:
    """What vouches for where the chain ends."""
    end = f"end|{chain.id}|{chain.length}|".encode() + bytes(chain.head)
    return hmac.new(key, end, sha256).digest()


def start_seal(key: bytes, chain: AuditChain) -> bytes:
    """What vouches for where the chain begins. key: the one in force at first_position."""
    start = f"start|{chain.id}|{chain.first_position}|".encode() + bytes(chain.before or b"")
    return hmac.new(key, start, sha256).digest()


def _locked(chain_id: uuid.UUID, now: datetime) -> tuple[AuditChain, bytes]:
    """The chain's row, locked, and its key in force; both are made where there are none."""
    chain = AuditChain.objects.select_for_update().filter(pk=chain_id).first()
    if chain is None:
        made = AuditChain(id=chain_id, head=FIRST_HASH, seal=FIRST_HASH)
        AuditChain.objects.bulk_create([made], ignore_conflicts=True)  # another may have been faster
        chain = AuditChain.objects.select_for_update().get(pk=chain_id)
    row = AuditKey.objects.filter(chain=chain_id).order_by("-first_position", "-created_at").first()
    if row is not None:
        try:
            return chain, open_from(row, "key")
        except (UnknownKeyError, SealError):
            pass  # acts go on; verify_audit tells of the key and of the rows that it cannot check
    fresh = AuditKey(chain=chain_id, first_position=chain.length + 1, created_at=now)
    clear = secrets.token_bytes(KEY_BYTES)
    seal_into(fresh, "key", clear)
    fresh.save(force_insert=True)
    return chain, clear


def _append(chain: AuditChain, key: bytes, event: AuditEvent) -> None:
    _place(chain, key, event)
    event.save(force_insert=True)


def _place(chain: AuditChain, key: bytes, event: AuditEvent) -> None:
    event.chain = chain.id
    event.position = chain.length + 1
    event.hash = hash_of(key, bytes(chain.head), event)
    chain.length, chain.head = event.position, event.hash


def _seal_end(chain: AuditChain, key: bytes) -> None:
    chain.seal = end_seal(key, chain)
    chain.save(update_fields=["length", "head", "seal"])


def _shown(character: str) -> str:
    if character not in _TURNING and unicodedata.category(character) not in _ESCAPED:
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
