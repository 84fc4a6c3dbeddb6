"""Counts, now and then, what metrics tell of the database's content: a scrape reads one row."""

from datetime import datetime

from credmgr.accounts.models import Session
from credmgr.audit.recording import Actor
from credmgr.credentials.census import take_census
from credmgr.ops.models import MetricsSnapshot
from credmgr.registrations.models import Application
from credmgr.vault.source import load_key_ring


def take_snapshot(_: Actor, now: datetime) -> int:
    """Count and keep. Outside a transaction: on the embedded database it would hold up every writer.

    now: aware UTC. Raises VaultError.
    """
    before = latest_figures()
    census = take_census(now)
    applications = Application.objects.all()
    figures = {
        "credentials": census.by_kind,
        "nextEnd": census.next_end.timestamp() if census.next_end else None,
        "applications": {
            "live": applications.filter(deleted_at=None).count(),
            "deleted": applications.exclude(deleted_at=None).count(),
        },
        "sessions": Session.objects.filter(user__isnull=False, expire_date__gt=now).count(),
        "vaultKey": _key_in_charge(before.get("vaultKey") or {}, now),
    }
    MetricsSnapshot.objects.update_or_create(id=1, defaults={"taken_at": now, "figures": figures})
    return 0


def latest_figures() -> dict[str, object]:
    """What take_snapshot kept last; empty before the first time."""
    row = MetricsSnapshot.objects.first()
    return row.figures if row is not None else {}


def _key_in_charge(before: object, now: datetime) -> dict[str, object]:
    """The key that seals and since when: a ring does not say how old its keys are."""
    key_id = load_key_ring().primary.key_id.hex()
    if isinstance(before, dict) and before.get("id") == key_id:
        return before
    return {"id": key_id, "since": now.timestamp()}
