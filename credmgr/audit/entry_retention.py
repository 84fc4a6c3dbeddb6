"""How long audit entries are kept. The only way in which any is deleted (D-6)."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction

from credmgr.audit.chain import INSTALLATION, start_seal
from credmgr.audit.events import EventTag
from credmgr.audit.forwarding import last_forwarded
from credmgr.audit.models import AuditChain, AuditEvent, AuditKey
from credmgr.audit.recording import Actor, record_event
from credmgr.vault.sealing import open_from

STEP_ROWS = 500


def keep_from(now: datetime, days: int | None = None) -> datetime | None:
    """The day, UTC, from which on entries are kept. days: the setting by default. None: all are kept."""
    kept = settings.AUDIT_DAYS if days is None else days
    if not kept:
        return None
    return (now - timedelta(days=kept)).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def delete_old_entries(before: datetime, *, actor: Actor, now: datetime) -> int:
    """Delete the beginning of each chain, up to its last entry before that; how many rows went.

    A chain's new beginning, the hash of the entry before it and the row that records all this stand in one
    transaction; the rows themselves go after it in small steps, which may be interrupted and repeated. Raises
    SealError or UnknownKeyError where a chain's key cannot be opened: then nothing of it is deleted.
    """
    deleted = 0
    for chain_id in list(AuditChain.objects.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            chain = AuditChain.objects.select_for_update().get(pk=chain_id)
            _move_beginning(chain, before, actor, now)
        while step := _delete_step(chain):
            deleted += step
    return deleted


def _move_beginning(chain: AuditChain, before: datetime, actor: Actor, now: datetime) -> None:
    rows = AuditEvent.objects.filter(chain=chain.pk, position__gte=chain.first_position).order_by("position")
    kept = rows.filter(at__gte=before).values_list("position", flat=True).first()
    last = chain.length if kept is None else kept - 1
    if settings.AUDIT_FORWARD:
        last = min(last, last_forwarded(chain.pk))  # nothing goes that its receiver does not have
    number = last - chain.first_position + 1
    if number < 1:
        return
    keys = AuditKey.objects.filter(chain=chain.pk, first_position__lte=last + 1)
    key = open_from(keys.order_by("-first_position", "-created_at")[0], "key")
    chain.before = bytes(AuditEvent.objects.get(chain=chain.pk, position=last).hash or b"")
    chain.first_position = last + 1
    chain.start_seal = start_seal(key, chain)
    chain.save(update_fields=["before", "first_position", "start_seal"])
    record_event(
        EventTag.AUDIT_PURGED,
        actor=actor,
        now=now,
        tenant_id=None if chain.pk == INSTALLATION else chain.pk,
        object_type="audit",
        object_id=chain.pk,
        object_name="Audit log",
        changes={"before": before.isoformat(), "upToEntry": last, "rows": number},
    )


def _delete_step(chain: AuditChain) -> int:
    with transaction.atomic():
        old = AuditEvent.objects.filter(chain=chain.pk, position__lt=chain.first_position)
        step = list(old.order_by("position").values_list("pk", flat=True)[:STEP_ROWS])
        AuditEvent.objects.filter(pk__in=step).delete()
    return len(step)
