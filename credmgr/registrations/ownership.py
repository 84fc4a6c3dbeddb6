"""Who owns a registration."""

from datetime import datetime

from django.db import transaction

from credmgr.accounts.models import User
from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor
from credmgr.registrations.acting import Part, locked, record_act
from credmgr.registrations.errors import RegistrationError
from credmgr.registrations.models import Application, Ownership

OWNERS_MAX = 100


@transaction.atomic
def add_owner(application: Application, *, user: User, actor: Actor, now: datetime) -> None:
    """Make a person an owner. Raises RegistrationError when the person is one already or there are 100."""
    fresh = locked(application)
    owners = Ownership.objects.filter(application=fresh)
    if owners.filter(user=user).exists():
        raise RegistrationError(
            "already_owner", f"{user.shown_name} already owns this registration.", field="user"
        )
    if not user.is_active:
        raise RegistrationError(
            "owner_inactive", f"{user.shown_name} can no longer sign in. Choose another person.", field="user"
        )
    if owners.count() >= OWNERS_MAX:
        raise RegistrationError(
            "too_many_owners",
            f"This registration has {OWNERS_MAX} owners, the most it can have. Remove one first.",
            field="user",
        )
    Ownership.objects.create(application=fresh, user=user)
    record_act(EventTag.OWNER_ADDED, fresh, actor, now, part=_owner(user))


@transaction.atomic
def remove_owner(application: Application, *, user: User, actor: Actor, now: datetime) -> None:
    """Take a person's ownership away; a registration may be without owners.

    Raises RegistrationError for others.
    """
    fresh = locked(application)
    removed, _ = Ownership.objects.filter(application=fresh, user=user).delete()
    if not removed:
        raise RegistrationError(
            "not_owner", f"{user.shown_name} does not own this registration.", field="user"
        )
    record_act(EventTag.OWNER_REMOVED, fresh, actor, now, part=_owner(user))


def _owner(user: User) -> Part:
    return Part("owner", user.pk, user.shown_name)
