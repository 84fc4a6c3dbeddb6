"""What the acts on registrations and directories have in common: the locked row, its next version, its audit
row.
"""

import uuid
from datetime import datetime
from typing import Any, NamedTuple

from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.registrations.errors import RegistrationError, RegistrationNotFoundError
from credmgr.registrations.models import BUILT_IN, Application, Tenant
from credmgr.registrations.places import Place

Changes = dict[str, list[Any]]

# These stand in every directory's log: the one they speak of is not there yet, or not any more.
_OF_INSTALLATION = (EventTag.DIRECTORY_CREATED, EventTag.DIRECTORY_DELETED)


class Part(NamedTuple):
    """What of a registration an act is about, as its audit row names it: kind of thing, id, name."""

    kind: str
    id: uuid.UUID
    name: str


def locked(application: Application) -> Application:
    """The live row as it is now, locked until the transaction ends. Raises RegistrationNotFoundError."""
    try:
        return Application.objects.select_for_update().get(pk=application.pk, deleted_at=None)
    except Application.DoesNotExist:
        raise RegistrationNotFoundError(
            "registration_deleted",
            f"{application.display_name} was deleted meanwhile. Nothing was changed. Restore it first.",
        ) from None


def save_next_version(application: Application) -> None:
    """Store the row as the version that the next editor is shown (C-4)."""
    application.version += 1
    application.save()


def refuse_taken_place(application: Application, place: Place) -> None:
    """Raises RegistrationError where another live registration of the directory stands for the same client of
    that authority. The constraint is what holds.
    """
    if place.kind == BUILT_IN:
        return
    twin = (
        Application.objects.exclude(pk=application.pk)
        .exclude(authority_kind=BUILT_IN)
        .filter(
            tenant_id=application.tenant_id,
            authority_url=place.authority_url,
            external_client_id=place.client_id,
            deleted_at=None,
        )
        .first()
    )
    if twin is not None:
        raise RegistrationError(
            "place_taken",
            f"{twin.display_name} already stands for this client ID there. Use that one, or delete it first.",
            field="client_id",
        )


def record_act(
    tag: EventTag,
    application: Application,
    actor: Actor,
    now: datetime,
    changes: Changes | None = None,
    *,
    part: Part | None = None,
    tenant_id: uuid.UUID | None = None,
) -> None:
    """Write the audit row of an act on a registration, or on a part of it. changes: {field: [before, after]}.

    tenant_id: the directory where it counts, where that is not the registration's own.
    """
    kind, object_id, name = part or ("application", application.pk, application.display_name)
    record_event(
        tag,
        actor=actor,
        now=now,
        tenant_id=tenant_id or application.tenant_id,
        application_id=application.pk,
        object_type=kind,
        object_id=object_id,
        object_name=name,
        changes=changes,
    )


def record_directory_act(
    tag: EventTag, tenant: Tenant, actor: Actor, now: datetime, changes: Changes | None = None
) -> None:
    """Write the audit row of an act on a directory. changes: {field: [before, after]}."""
    record_event(
        tag,
        actor=actor,
        now=now,
        tenant_id=None if tag in _OF_INSTALLATION else tenant.pk,
        object_type="directory",
        object_id=tenant.pk,
        object_name=tenant.name,
        changes=changes,
    )
