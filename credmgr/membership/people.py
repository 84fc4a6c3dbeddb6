"""The acts on people: their roles, switching them off and on, ending their sessions.

Each is one transaction together with its audit row. `now` is aware UTC.
"""

import uuid
from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import transaction

from credmgr.accounts import sessions
from credmgr.accounts.models import BY_HAND, RoleAssignment, User
from credmgr.accounts.roles import ROLE_NAMES, NotAllowedError, Right, Role
from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.factors.changing import remove_all_factors
from credmgr.membership.errors import LastAdministratorError, MembershipError
from credmgr.membership.queries import local_administrators
from credmgr.registrations.models import Tenant


@transaction.atomic
def set_roles(
    user: User, *, tenant: Tenant | None, roles: Collection[Role], actor: Actor, now: datetime
) -> None:
    """Give a person by hand exactly these roles in a directory (None: in every one). No change, no audit row.

    What single sign-on gave is not touched. Raises LastAdministratorError, NotAllowedError. A role for every
    directory needs an administrator of every directory.
    """
    if not _administers(actor, tenant.pk if tenant else None):
        raise NotAllowedError
    locked = User.objects.select_for_update().get(pk=user.pk)
    tenant_id = tenant.pk if tenant else None
    rows = RoleAssignment.objects.filter(user=locked, tenant_id=tenant_id, source=BY_HAND)
    before, wanted = set(rows.values_list("role", flat=True)), {role.value for role in roles}
    if before == wanted:
        return
    rows.filter(role__in=before - wanted).delete()
    RoleAssignment.objects.bulk_create(
        RoleAssignment(
            user=locked, tenant_id=tenant_id, role=role, created_at=now, created_by_name=actor.name
        )
        for role in sorted(wanted - before)
    )
    if tenant is None:
        _refuse_without_administrator()
    changes = {
        "roles": [_words(before), _words(wanted)],
        "directory": ["", tenant.name if tenant else "Every directory"],
    }
    _record(EventTag.ROLES_CHANGED, locked, actor, now, changes=changes, tenant_id=tenant_id)


@transaction.atomic
def set_roles_here_and_everywhere(
    user: User,
    *,
    tenant: Tenant,
    here: Collection[Role],
    everywhere: Collection[Role] | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Set the roles in one directory and those in every one together: where one is refused, both stay.

    everywhere: None leaves those as they are. Raises what set_roles raises.
    """
    set_roles(user, tenant=tenant, roles=here, actor=actor, now=now)
    if everywhere is not None:
        set_roles(user, tenant=None, roles=everywhere, actor=actor, now=now)


@transaction.atomic
def set_person_disabled(user: User, *, disabled: bool, actor: Actor, now: datetime) -> int:
    """Switch a person's sign-in off or on; off ends their sessions at once. Returns how many ended.

    Raises LastAdministratorError, NotAllowedError; MembershipError for oneself.
    """
    if not may_govern(actor, user):
        raise NotAllowedError
    if disabled and actor.user is not None and actor.user.pk == user.pk:
        raise MembershipError(
            "oneself", "You cannot disable your own account. Ask another administrator to do it."
        )
    locked = User.objects.select_for_update().get(pk=user.pk)
    if locked.is_active is not disabled:
        return 0
    locked.is_active = not disabled
    locked.save(update_fields=["is_active"])
    ended = sessions.end_sessions(locked) if disabled else 0
    if disabled:
        _refuse_without_administrator()
    tag = EventTag.PERSON_DISABLED if disabled else EventTag.PERSON_ENABLED
    _record(tag, locked, actor, now, changes={"endedSessions": [0, ended]} if disabled else {})
    return ended


@transaction.atomic
def end_sessions_of(user: User, *, actor: Actor, now: datetime) -> int:
    """Sign a person out everywhere. Returns how many sessions ended. Raises NotAllowedError."""
    if not may_govern(actor, user):
        raise NotAllowedError
    ended = sessions.end_sessions(user)
    _record(EventTag.SESSIONS_ENDED, user, actor, now, changes={"endedSessions": [0, ended]})
    return ended


@transaction.atomic
def remove_factors_of(user: User, *, actor: Actor, now: datetime) -> bool:
    """End all second factors and sessions of a person who lost them. False where there was none.

    Raises NotAllowedError; MembershipError for oneself, who removes them on the page of the own account.
    """
    if not may_govern(actor, user):
        raise NotAllowedError
    if actor.user is not None and actor.user.pk == user.pk:
        raise MembershipError(
            "oneself", "Remove your own second factors on the page Second factors of your account."
        )
    return remove_all_factors(user, actor=actor, now=now)


def may_govern(actor: Actor, user: User) -> bool:
    """Whether the actor may disable a person and end their sessions: only who administers every place where
    the person has a role.
    """
    places = set(RoleAssignment.objects.filter(user=user).values_list("tenant_id", flat=True))
    return all(_administers(actor, tenant_id) for tenant_id in places or {None})


def _administers(actor: Actor, tenant_id: uuid.UUID | None) -> bool:
    right = Right.OPERATE if tenant_id is None else Right.ADMINISTER
    return actor.standing.allows(right, tenant_id)


def _refuse_without_administrator() -> None:
    if not local_administrators().exists():
        raise LastAdministratorError


def _words(roles: Collection[str]) -> str:
    return ", ".join(ROLE_NAMES[role] for role in Role if role in roles) or "none"


def _record(
    tag: EventTag,
    user: User,
    actor: Actor,
    now: datetime,
    *,
    changes: Mapping[str, object],
    tenant_id: uuid.UUID | None = None,
) -> None:
    record_event(
        tag,
        actor=actor,
        now=now,
        tenant_id=tenant_id,
        object_type="user",
        object_id=user.pk,
        object_name=user.username,
        changes=dict(changes),
    )
