"""Deleting a registration, restoring it, deleting it permanently.

Each is one transaction together with its audit row. `now` is aware UTC; refusals are RegistrationErrors.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor
from credmgr.registrations.acting import locked, record_act, refuse_taken_place, save_next_version
from credmgr.registrations.errors import RegistrationNotFoundError
from credmgr.registrations.models import Application, AppRoleAssignment, IdentifierUri, RequestedPermission
from credmgr.registrations.places import place_of
from credmgr.registrations.queries import holder_of_uri


@transaction.atomic
def delete_application(application: Application, *, actor: Actor, now: datetime) -> Application:
    """Delete so that it can be restored for 30 days.

    Its identifier URI becomes free at once. Returns the row.
    """
    fresh = locked(application)
    fresh.deleted_at = now
    save_next_version(fresh)
    IdentifierUri.objects.filter(application=fresh).update(is_released=True)
    record_act(EventTag.APPLICATION_DELETED, fresh, actor, now)
    return fresh


@transaction.atomic
def restore_application(application: Application, *, actor: Actor, now: datetime) -> list[str]:
    """Bring a deleted registration back with its credentials.

    Returns the identifier URIs that it lost because another registration took them meanwhile. Raises
    RegistrationNotFoundError when it is not deleted or was deleted more than 30 days ago, RegistrationError
    when another one stands for the same client of the same authority meanwhile.
    """
    fresh = _locked_deleted(application)
    if fresh.deleted_at is None or fresh.deleted_at < restorable_since(now):
        raise RegistrationNotFoundError(
            "restore_too_late",
            f"{fresh.display_name} was deleted more than {settings.RESTORE_DAYS} days ago. "
            "It cannot be restored.",
        )
    fresh.deleted_at = None
    refuse_taken_place(fresh, place_of(fresh))
    save_next_version(fresh)
    lost = _take_back_uris(fresh)
    record_act(
        EventTag.APPLICATION_RESTORED,
        fresh,
        actor,
        now,
        {"identifierUri": [", ".join(lost), ""]} if lost else None,
    )
    return lost


@transaction.atomic
def purge_application(application: Application, *, actor: Actor, now: datetime) -> None:
    """Delete permanently: sealed values, keys and verifiers go in the same transaction as the audit row
    (E-7).
    """
    fresh = _locked_deleted(application)
    record_act(EventTag.APPLICATION_PURGED, fresh, actor, now)
    RequestedPermission.objects.filter(resource_client_id=fresh.client_id).delete()
    AppRoleAssignment.objects.filter(resource_client_id=fresh.client_id).delete()
    fresh.delete()


def purge_overdue(now: datetime, actor: Actor) -> int:
    """Delete permanently what can no longer be restored, each registration on its own. Returns how many."""
    purged = 0
    for application in Application.objects.filter(deleted_at__lt=restorable_since(now)).order_by(
        "deleted_at"
    ):
        try:
            purge_application(application, actor=actor, now=now)
        except RegistrationNotFoundError:  # another process was faster
            continue
        purged += 1
    return purged


def restorable_since(now: datetime) -> datetime:
    """What was deleted at or after this moment can be restored."""
    return now - timedelta(days=settings.RESTORE_DAYS)


def _locked_deleted(application: Application) -> Application:
    try:
        return Application.objects.select_for_update().get(pk=application.pk, deleted_at__isnull=False)
    except Application.DoesNotExist:
        raise RegistrationNotFoundError(
            "registration_not_deleted",
            f"{application.display_name} is no longer among the deleted registrations. Nothing was changed.",
        ) from None


def _take_back_uris(application: Application) -> list[str]:
    lost = []
    for row in IdentifierUri.objects.filter(application=application, is_released=True):
        holder = holder_of_uri(application.tenant, row.uri)
        if holder is not None and holder.pk != application.pk:
            lost.append(row.uri)
            row.delete()
            continue
        row.is_released = False
        row.save()
    return lost
