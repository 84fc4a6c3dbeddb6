"""Inviting people by a one-time link (P11): only the token's digest is stored, it lives seven days."""

import hashlib
import secrets
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from credmgr.accounts import administrators
from credmgr.accounts.models import Invitation, RoleAssignment, User
from credmgr.accounts.roles import ROLE_NAMES, Role
from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.membership.errors import InvitationError, MembershipError
from credmgr.registrations.models import Tenant

VALID_FOR = timedelta(days=7)
TOKEN_BYTES = 32
# How long one that was used, or that nobody used, stays in the table.
KEPT_AFTER_END = timedelta(days=30)


@transaction.atomic
def invite(
    *, name: str, tenant: Tenant, roles: Collection[Role], actor: Actor, now: datetime
) -> tuple[Invitation, str]:
    """An invitation with its token, which is never readable again. name: whom it is for, as a reminder.

    Raises MembershipError without a name or a role, or where people come by single sign-on alone,
    NotAllowedError.
    """
    _require_passwords()
    cleaned = " ".join(name.split())
    if not cleaned:
        raise MembershipError("name_missing", "Enter whom the invitation is for.", field="name")
    if not roles:
        raise MembershipError("role_missing", "Choose at least one role.", field="roles")
    token = secrets.token_urlsafe(TOKEN_BYTES)
    invitation = Invitation.objects.create(
        digest=_digest(token),
        invited_name=cleaned[:150],
        tenant_id=tenant.pk,
        roles=[role.value for role in Role if role in roles],
        created_at=now,
        created_by_name=actor.name,
        expires_at=now + VALID_FOR,
    )
    words = ", ".join(ROLE_NAMES[role] for role in Role if role in roles)
    _record(EventTag.PERSON_INVITED, invitation, actor, now, {"roles": ["", words]})
    return invitation, token


@transaction.atomic
def withdraw(invitation: Invitation, *, actor: Actor, now: datetime) -> None:
    """End an invitation that nobody has used. Raises MembershipError when it is gone or used."""
    deleted, _ = Invitation.objects.filter(pk=invitation.pk, used_at=None).delete()
    if not deleted:
        raise MembershipError(
            "invitation_gone", "This invitation was used or withdrawn meanwhile. Nothing was changed."
        )
    _record(EventTag.INVITATION_WITHDRAWN, invitation, actor, now, {})


@sensitive_variables("token")
def find_invitation(token: str, now: datetime) -> Invitation:
    """The live invitation of a token. Raises InvitationError."""
    return _live(Invitation.objects.filter(digest=_digest(token)).first(), now)


def open_invitation(invitation_id: object, now: datetime) -> Invitation:
    """The live invitation of a row id, as a session remembers it. Raises InvitationError."""
    try:
        found = Invitation.objects.filter(pk=uuid.UUID(str(invitation_id))).first()
    except ValueError:
        found = None
    return _live(found, now)


def accept(invitation: Invitation, user: User, *, actor: Actor, now: datetime) -> None:
    """Save the new person with the invitation's roles and use it up, all or nothing.

    user: judged, not saved (administrators.new_person). actor: the person. Raises InvitationError when
    somebody was quicker, MembershipError for a taken name, or where people come by single sign-on alone.
    """
    _require_passwords()
    with transaction.atomic():
        live = Invitation.objects.filter(pk=invitation.pk, used_at=None, expires_at__gt=now)
        if not live.update(used_at=now):
            raise InvitationError
        if administrators.find(user.username):
            raise MembershipError(
                "name_taken", "Somebody here has this user name. Choose another one.", field="user_name"
            )
        user.save(force_insert=True)
        RoleAssignment.objects.bulk_create(
            RoleAssignment(
                user=user,
                tenant_id=invitation.tenant_id,
                role=role,
                created_at=now,
                created_by_name=invitation.created_by_name,
            )
            for role in invitation.roles
        )
        record_event(
            EventTag.INVITATION_ACCEPTED,
            actor=actor,
            now=now,
            tenant_id=invitation.tenant_id,
            object_type="user",
            object_id=user.pk,
            object_name=user.username,
            changes={"invitedAs": ["", invitation.invited_name]},
        )


def forget_old(now: datetime) -> int:
    """Delete invitations that ended 30 days ago; how many there were."""
    return Invitation.objects.filter(expires_at__lt=now - KEPT_AFTER_END).delete()[0]


def _require_passwords() -> None:
    """Raises MembershipError where a password that somebody chose would let nobody in."""
    if settings.SSO_REQUIRED:
        raise MembershipError(
            "single_sign_on",
            f"People sign in here with {settings.SSO_NAME} alone. Give them a role at the provider instead.",
        )


def _live(found: Invitation | None, now: datetime) -> Invitation:
    if found is None or found.used_at or found.expires_at <= now:
        raise InvitationError
    return found


def _digest(token: str) -> bytes:
    # A plain hash: the token carries 256 random bits, nothing is left to guess.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _record(
    tag: EventTag, invitation: Invitation, actor: Actor, now: datetime, changes: dict[str, list[str]]
) -> None:
    record_event(
        tag,
        actor=actor,
        now=now,
        tenant_id=invitation.tenant_id,
        object_type="invitation",
        object_id=invitation.pk,
        object_name=invitation.invited_name,
        changes=changes,
    )
