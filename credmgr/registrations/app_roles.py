"""App roles: what an API lets applications do. Acts: define, change, disable, enable and delete one.

Only disabled roles can be deleted, as in Entra: first the tokens lose the role, then the role goes.
"""

import string
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor
from credmgr.registrations.acting import Changes, Part, locked, record_act
from credmgr.registrations.errors import RegistrationError, RegistrationNotFoundError
from credmgr.registrations.models import Application, AppRole, AppRoleAssignment, RequestedPermission
from credmgr.registrations.naming import has_control_characters
from credmgr.registrations.places import refuse_elsewhere

NAME_MAX = 100
VALUE_MAX = 120
DESCRIPTION_MAX = 1024
ROLES_MAX = 200
# Microsoft Graph, resource type appRole: these and no white space, no dot at the beginning.
_VALUE_CHARACTERS = set(string.ascii_letters + string.digits + "!#$%&'()*+,-./:;=?@[]^_`{|}~")


@dataclass(frozen=True)
class RoleText:
    """What a person typed for a role, cleaned: display name, value, description."""

    display_name: str
    value: str
    description: str


@dataclass(frozen=True)
class ListedRole:
    """A role and how many applications have it granted."""

    role: AppRole
    holders: int


def clean_role(display_name: str, value: str, description: str) -> RoleText:
    """The three texts as they are stored. Raises RegistrationError at the field that cannot be."""
    return RoleText(
        _clean_text(display_name, "display_name", "display name", NAME_MAX),
        clean_value(value),
        _clean_text(description, "description", "description", DESCRIPTION_MAX),
    )


def clean_value(typed: str) -> str:
    """A role's value, to the letter as it stands in tokens. Raises RegistrationError."""
    value = typed.strip()
    if not value:
        raise RegistrationError("role_value_missing", "Enter a value.", field="value")
    if len(value) > VALUE_MAX:
        raise RegistrationError(
            "role_value_too_long",
            f"The value has {len(value)} characters. Shorten it to {VALUE_MAX} or fewer.",
            field="value",
        )
    if set(value) - _VALUE_CHARACTERS:
        raise RegistrationError(
            "role_value_characters",
            "The value holds a space or another character that a role may not have. Use letters, digits and "
            "points, for example Orders.Read.All.",
            field="value",
        )
    if value.startswith("."):
        raise RegistrationError(
            "role_value_dot", "The value begins with a point. Begin it with another character.", field="value"
        )
    return value


def app_roles_of(application: Application) -> list[ListedRole]:
    """The roles of a registration by value. Two queries."""
    roles = AppRole.objects.filter(application=application).order_by("value", "created_at", "pk")
    granted = AppRoleAssignment.objects.filter(
        resource_client_id=application.client_id, application__deleted_at=None
    )
    holders: Counter[uuid.UUID] = Counter(granted.values_list("role_id", flat=True))
    return [ListedRole(role, holders[role.pk]) for role in roles]


def add_app_role(
    application: Application,
    *,
    display_name: str,
    value: str,
    description: str,
    is_enabled: bool = True,
    actor: Actor,
    now: datetime,
) -> AppRole:
    """Define a role for applications. Raises RegistrationError for texts, a taken value, too many roles."""
    text = clean_role(display_name, value, description)
    with _value_may_be_taken(text.value), transaction.atomic():
        fresh = locked(application)
        refuse_elsewhere(fresh, "App roles are")
        if AppRole.objects.filter(application=fresh).count() >= ROLES_MAX:
            raise RegistrationError(
                "too_many_roles",
                f"This registration has {ROLES_MAX} app roles, the most it can have. Delete one first.",
            )
        role = AppRole(
            application=fresh,
            display_name=text.display_name,
            value=text.value,
            description=text.description,
            is_enabled=is_enabled,
            created_at=now,
        )
        _refuse_taken_value(role)
        role.save(force_insert=True)
        changes: Changes = {"value": [None, role.value], "isEnabled": [None, is_enabled]}
        _record(EventTag.APP_ROLE_ADDED, role, actor, now, changes)
    return role


def update_app_role(
    role: AppRole,
    *,
    display_name: str,
    value: str,
    description: str,
    expected_version: int,
    actor: Actor,
    now: datetime,
) -> AppRole:
    """Change a role's texts; a new value is in the next tokens. Returns the fresh row.

    Raises RegistrationError when somebody else changed it since `expected_version` was shown, and for texts.
    """
    text = clean_role(display_name, value, description)
    with _value_may_be_taken(text.value), transaction.atomic():
        fresh = _locked_role(role)
        if fresh.version != expected_version:
            raise RegistrationError(
                "role_changed_meanwhile",
                "This app role was changed meanwhile. Nothing was saved. Open it again, look at what changed "
                "and repeat your edit.",
            )
        changes: Changes = {}
        for field, name in _AUDIT_NAMES.items():
            if getattr(fresh, field) != getattr(text, field):
                changes[name] = [getattr(fresh, field), getattr(text, field)]
                setattr(fresh, field, getattr(text, field))
        if changes:
            _refuse_taken_value(fresh)
            _save_next_version(fresh)
            _record(EventTag.APP_ROLE_UPDATED, fresh, actor, now, changes)
    return fresh


_AUDIT_NAMES = {"display_name": "displayName", "value": "value", "description": "description"}


def set_app_role_enabled(role: AppRole, *, enabled: bool, actor: Actor, now: datetime) -> AppRole:
    """Put the role into tokens again or leave it out, from the next token on. No change, no audit row."""
    with _value_may_be_taken(role.value), transaction.atomic():
        fresh = _locked_role(role)
        if fresh.is_enabled != enabled:
            fresh.is_enabled = enabled
            _refuse_taken_value(fresh)
            _save_next_version(fresh)
            tag = EventTag.APP_ROLE_ENABLED if enabled else EventTag.APP_ROLE_DISABLED
            _record(tag, fresh, actor, now, {"isEnabled": [not enabled, enabled]})
    return fresh


@transaction.atomic
def delete_app_role(role: AppRole, *, actor: Actor, now: datetime) -> None:
    """Delete a disabled role for good, and with it every grant and request of it.

    Raises RegistrationError while it is enabled.
    """
    fresh = _locked_role(role)
    if fresh.is_enabled:
        raise RegistrationError(
            "role_enabled",
            f"{fresh.display_name} is enabled. Disable it first; a disabled app role can be deleted.",
        )
    _record(EventTag.APP_ROLE_DELETED, fresh, actor, now, {"value": [fresh.value, None]})
    AppRoleAssignment.objects.filter(role_id=fresh.pk).delete()
    RequestedPermission.objects.filter(role_id=fresh.pk).delete()
    fresh.delete()


@contextmanager
def _value_may_be_taken(value: str) -> Iterator[None]:
    """Says the same sentence when a parallel request was faster and the constraint held."""
    try:
        yield
    except IntegrityError:
        raise _taken(value) from None


def _refuse_taken_value(role: AppRole) -> None:
    """The check is for the sentence; the constraint is what holds."""
    if not role.is_enabled:
        return
    same = AppRole.objects.filter(application_id=role.application_id, value=role.value, is_enabled=True)
    if same.exclude(pk=role.pk).exists():
        raise _taken(role.value)


def _taken(value: str) -> RegistrationError:
    return RegistrationError(
        "role_value_taken",
        f"Another enabled app role of this registration has the value {value}. Choose another value.",
        field="value",
    )


def _locked_role(role: AppRole) -> AppRole:
    locked(role.application)
    try:
        return AppRole.objects.select_related("application").get(pk=role.pk)
    except AppRole.DoesNotExist:
        raise RegistrationNotFoundError(
            "role_deleted", f"{role.display_name} was deleted meanwhile. Nothing was changed."
        ) from None


def _save_next_version(role: AppRole) -> None:
    role.version += 1
    role.save()


def _clean_text(typed: str, field: str, words: str, limit: int) -> str:
    text = typed.strip().replace("\r\n", "\n")
    if not text:
        raise RegistrationError(f"role_{field}_missing", f"Enter a {words}.", field=field)
    if len(text) > limit:
        raise RegistrationError(
            f"role_{field}_too_long",
            f"The {words} has {len(text)} characters. Shorten it to {limit} or fewer.",
            field=field,
        )
    if has_control_characters(text.replace("\n", "") if field == "description" else text):
        raise RegistrationError(
            f"role_{field}_characters",
            f"The {words} holds invisible control characters. Type it again without them.",
            field=field,
        )
    return text


def _record(tag: EventTag, role: AppRole, actor: Actor, now: datetime, changes: Changes) -> None:
    part = Part("app-role", role.pk, role.display_name)
    record_act(tag, role.application, actor, now, changes, part=part)
