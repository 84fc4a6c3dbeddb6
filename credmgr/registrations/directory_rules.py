"""The acts that make a directory stricter than usual, or bend it for testing other people's code.

Each counts with the next token request in every process. `now` is aware UTC; refusals are RegistrationErrors.
"""

from datetime import datetime
from typing import Any

from django.db import transaction

from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.registrations.errors import RegistrationError, RegistrationNotFoundError
from credmgr.registrations.models import Tenant


@transaction.atomic
def set_single_use_assertions(
    tenant: Tenant, *, enabled: bool, expected_version: int, actor: Actor, now: datetime
) -> Tenant:
    """Take each client assertion once, or again until it ends (A-12). Returns the row.

    expected_version: the version that the person was shown (C-4). No change, no audit row.
    """
    fresh = _locked(tenant, expected_version)
    if fresh.single_use_assertions != enabled:
        fresh.single_use_assertions = enabled
        _save(fresh)
        changes = {"singleUseAssertions": [not enabled, enabled]}
        _record(EventTag.DIRECTORY_ASSERTIONS_CHANGED, fresh, actor, now, changes)
    return fresh


def _locked(tenant: Tenant, expected_version: int) -> Tenant:
    """The row as it is now, locked until the transaction ends."""
    try:
        fresh = Tenant.objects.select_for_update().get(pk=tenant.pk)
    except Tenant.DoesNotExist:
        raise RegistrationNotFoundError(
            "directory_gone", f"The directory {tenant.name} is no longer there. Nothing was changed."
        ) from None
    if fresh.version != expected_version:
        raise RegistrationError(
            "changed_meanwhile",
            "This directory was changed meanwhile. Nothing was saved. Open it again, look at what changed "
            "and repeat your edit.",
        )
    return fresh


def _save(tenant: Tenant) -> None:
    tenant.version += 1
    tenant.save()


def _record(
    tag: EventTag, tenant: Tenant, actor: Actor, now: datetime, changes: dict[str, list[Any]]
) -> None:
    record_event(
        tag,
        actor=actor,
        now=now,
        tenant_id=tenant.pk,
        object_type="directory",
        object_id=tenant.pk,
        object_name=tenant.name,
        changes=changes,
    )
