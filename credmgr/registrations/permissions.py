"""API permissions: which app roles a registration asks for, and which an administrator granted.

Asking gives nothing. Granting (admin consent) writes an assignment, and the next token for that API carries
the role. Removing what is asked leaves what is granted, until it is revoked: both as in Entra. What is asked
belongs to the registration, what is granted to a directory: the home one where no other is named.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor
from credmgr.registrations.acting import Part, locked, record_act
from credmgr.registrations.api_roles import Role, roles_in
from credmgr.registrations.errors import RegistrationError
from credmgr.registrations.models import Application, AppRoleAssignment, RequestedPermission
from credmgr.registrations.places import refuse_elsewhere
from credmgr.registrations.resources import GRAPH_CLIENT_ID

REQUESTED_MAX = 400


@dataclass(frozen=True)
class Permission:
    """A role as one registration has it in one directory. role is None when the API or the role is not there
    (any more).

    is_available: the directory knows the API; where it does not, role is what the home directory says of it.
    granted_at: aware UTC, None while it is not granted.
    """

    api_client_id: uuid.UUID
    role_id: uuid.UUID
    role: Role | None
    is_available: bool
    is_requested: bool
    granted_at: datetime | None
    granted_by: str

    @property
    def can_be_granted(self) -> bool:
        """Whether granting would put it into tokens now."""
        is_grantable = self.is_available and self.role is not None and self.role.is_enabled
        return self.is_requested and self.granted_at is None and is_grantable


def permissions_of(application: Application, tenant_id: uuid.UUID | None = None) -> list[Permission]:
    """What the registration asks for or was granted in a directory, by API and value.

    Three queries, four for another directory than the home one.
    """
    tenant_id = tenant_id or application.tenant_id
    asked = {
        (row.resource_client_id, row.role_id): row
        for row in RequestedPermission.objects.filter(application=application)
    }
    granted = {
        (row.resource_client_id, row.role_id): row
        for row in AppRoleAssignment.objects.filter(tenant_id=tenant_id, application=application)
    }
    keys = asked.keys() | granted.keys()
    ids = {role_id for _, role_id in keys}
    roles = roles_in(tenant_id, ids)
    at_home = roles if tenant_id == application.tenant_id else roles_in(application.tenant_id, ids)
    made = []
    for api, role_id in keys:
        grant = granted.get((api, role_id))
        made.append(
            Permission(
                api_client_id=api,
                role_id=role_id,
                role=roles.get((api, role_id)) or at_home.get((api, role_id)),
                is_available=(api, role_id) in roles,
                is_requested=(api, role_id) in asked,
                granted_at=grant.created_at if grant else None,
                granted_by=grant.granted_by_name if grant else "",
            )
        )
    return sorted(made, key=_in_order)


def permission_of(
    application: Application, api: uuid.UUID, role_id: uuid.UUID, tenant_id: uuid.UUID | None = None
) -> Permission | None:
    """One of permissions_of, None when the registration neither asks for it nor has it."""
    for permission in permissions_of(application, tenant_id):
        if (permission.api_client_id, permission.role_id) == (api, role_id):
            return permission
    return None


@transaction.atomic
def request_permissions(
    application: Application,
    *,
    api_client_id: uuid.UUID,
    role_ids: Iterable[uuid.UUID],
    actor: Actor,
    now: datetime,
) -> list[Role]:
    """Ask for app roles of one API; what is asked for already is left alone. Returns the roles that are new.

    Raises RegistrationError for a role that the API has not or has disabled, and beyond 400 permissions.
    """
    fresh = locked(application)
    refuse_elsewhere(fresh, "API permissions are")
    wanted = list(dict.fromkeys(role_ids))
    if not wanted:
        raise RegistrationError("no_role_chosen", "Choose at least one permission.", field="roles")
    roles = roles_in(fresh.tenant_id, set(wanted))
    known = [roles.get((api_client_id, role_id)) for role_id in wanted]
    chosen = [role for role in known if role is not None and role.is_enabled]
    if len(chosen) < len(wanted):
        raise RegistrationError(
            "role_unknown",
            "A permission that you chose is not there any more, or was disabled. Nothing was requested. "
            "Look at the list again.",
            field="roles",
        )
    have = set(
        RequestedPermission.objects.filter(application=fresh).values_list("resource_client_id", "role_id")
    )
    new = [role for role in chosen if (role.api_client_id, role.id) not in have]
    if len(have) + len(new) > REQUESTED_MAX:
        raise RegistrationError(
            "too_many_permissions",
            f"A registration asks for {REQUESTED_MAX} permissions at most. Remove some first.",
            field="roles",
        )
    for role in new:
        RequestedPermission.objects.create(
            application=fresh, resource_client_id=api_client_id, role_id=role.id, created_at=now
        )
    if new:
        _record(EventTag.PERMISSION_REQUESTED, fresh, new, actor, now)
    return new


@transaction.atomic
def remove_permission(
    application: Application, *, permission: Permission, actor: Actor, now: datetime
) -> None:
    """Ask for it no longer. A grant stays until it is revoked. Raises RegistrationError when it is gone."""
    fresh = locked(application)
    removed, _ = RequestedPermission.objects.filter(
        application=fresh, resource_client_id=permission.api_client_id, role_id=permission.role_id
    ).delete()
    if not removed:
        raise RegistrationError("permission_gone", "This permission was removed meanwhile.")
    _record_one(EventTag.PERMISSION_REMOVED, fresh, permission, actor, now)


@transaction.atomic
def grant_admin_consent(
    application: Application, *, tenant_id: uuid.UUID | None = None, actor: Actor, now: datetime
) -> list[Role]:
    """Grant everything that is asked for and can be granted, in force with the next token.

    Returns what is newly granted. Disabled and vanished roles, and those of APIs that the directory does not
    know, are left out.
    """
    fresh = locked(application)
    where = tenant_id or fresh.tenant_id
    granted = [
        permission.role
        for permission in permissions_of(fresh, where)
        if permission.can_be_granted and permission.role is not None
    ]
    for role in granted:
        AppRoleAssignment.objects.create(
            tenant_id=where,
            application=fresh,
            resource_client_id=role.api_client_id,
            role_id=role.id,
            created_at=now,
            granted_by_name=actor.name,
        )
    if granted:
        _record(EventTag.CONSENT_GRANTED, fresh, granted, actor, now, where)
    return granted


@transaction.atomic
def revoke_permission(
    application: Application,
    *,
    permission: Permission,
    tenant_id: uuid.UUID | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """Take a grant back, in force with the next token. Raises RegistrationError when it is not granted."""
    fresh = locked(application)
    where = tenant_id or fresh.tenant_id
    removed, _ = AppRoleAssignment.objects.filter(
        tenant_id=where,
        application=fresh,
        resource_client_id=permission.api_client_id,
        role_id=permission.role_id,
    ).delete()
    if not removed:
        raise RegistrationError("permission_not_granted", "This permission was revoked meanwhile.")
    _record_one(EventTag.CONSENT_REVOKED, fresh, permission, actor, now, where)


def _in_order(permission: Permission) -> tuple[bool, bool, str, str, str]:
    """Microsoft Graph first, then by the API's name; what has vanished last."""
    role = permission.role
    return (
        role is None,
        permission.api_client_id != GRAPH_CLIENT_ID,
        role.api_name if role else "",
        str(permission.api_client_id),
        role.value if role else str(permission.role_id),
    )


def _record(
    tag: EventTag,
    application: Application,
    roles: list[Role],
    actor: Actor,
    now: datetime,
    tenant_id: uuid.UUID | None = None,
) -> None:
    """One row for each API."""
    by_api: dict[uuid.UUID, list[Role]] = {}
    for role in roles:
        by_api.setdefault(role.api_client_id, []).append(role)
    for api, group in by_api.items():
        part = Part("api-permission", api, group[0].api_name)
        changes = {"roles": [None, [role.value for role in group]]}
        record_act(tag, application, actor, now, changes, part=part, tenant_id=tenant_id)


def _record_one(
    tag: EventTag,
    application: Application,
    permission: Permission,
    actor: Actor,
    now: datetime,
    tenant_id: uuid.UUID | None = None,
) -> None:
    role = permission.role
    part = Part("api-permission", permission.api_client_id, role.api_name if role else "")
    changes = {"roles": [[role.value if role else str(permission.role_id)], None]}
    record_act(tag, application, actor, now, changes, part=part, tenant_id=tenant_id)
