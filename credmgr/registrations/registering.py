"""The acts on a registration that is there: register, change, disable. Deleting: registrations.deleting.

Each is one transaction together with its audit row. `now` is aware UTC; refusals are RegistrationErrors.
"""

import uuid
from datetime import datetime
from enum import Enum, auto
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction

from credmgr.accounts.models import User
from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor
from credmgr.registrations import naming
from credmgr.registrations.acting import (
    Changes,
    locked,
    record_act,
    refuse_taken_place,
    save_next_version,
)
from credmgr.registrations.errors import (
    ChangedMeanwhileError,
    DuplicateFormError,
    RegistrationError,
)
from credmgr.registrations.models import (
    SINGLE_TENANT,
    Application,
    IdentifierUri,
    Ownership,
    Tenant,
)
from credmgr.registrations.places import HERE, Place, place_of, refuse_elsewhere
from credmgr.registrations.queries import holder_of_uri, identifier_uri_of
from credmgr.registrations.resources import is_well_known_name


class _Unset(Enum):
    """Tells "leave as it is" from None, which is a value of access_token_version."""

    UNSET = auto()


UNSET: Final = _Unset.UNSET


def register_application(
    *,
    tenant: Tenant,
    display_name: str,
    sign_in_audience: str = SINGLE_TENANT,
    identifier_uri: str = "",
    notes: str = "",
    place: Place = HERE,
    form_token: uuid.UUID | None = None,
    is_demo: bool = False,
    actor: Actor,
    now: datetime,
) -> Application:
    """Register an application; the person who acts becomes its owner.

    place: where it lives; one that lives elsewhere is made there and only known here. form_token: the
    register form's one-time token. Raises DuplicateFormError with what it made before, RegistrationError for
    names, URIs, places and limits.
    """
    application = Application(
        tenant=tenant,
        authority_kind=place.kind,
        authority_url=place.authority_url,
        external_client_id=place.client_id,
        display_name=naming.clean_display_name(display_name),
        sign_in_audience=naming.clean_sign_in_audience(sign_in_audience),
        notes=naming.clean_notes(notes),
        form_token=form_token,
        is_demo=is_demo,
        created_at=now,
        created_by=actor.user,
        created_by_name=actor.name,
    )
    uri = naming.clean_identifier_uri(identifier_uri)
    if uri:
        refuse_elsewhere(application, "Its Application ID URI is")
    try:
        with transaction.atomic():
            _insert(application, uri, actor, now)
    except IntegrityError:
        # A parallel request was faster: the constraint held, and by now its row can be seen.
        _refuse_repeated_form(form_token)
        refuse_taken_place(application, place)
        _refuse_taken_uri(application, uri)
        _refuse_deleted_directory(tenant)
        raise
    return application


def _insert(application: Application, uri: str, actor: Actor, now: datetime) -> None:
    """The checks, then the row, its URI, its first owner, its audit row; in the caller's transaction."""
    place = place_of(application)
    _refuse_repeated_form(application.form_token)
    _refuse_deleted_directory(application.tenant)
    _refuse_beyond_limit(actor, application.is_demo)
    refuse_taken_place(application, place)
    application.save(force_insert=True)
    _set_identifier_uri(application, uri)
    if actor.user is not None:
        Ownership.objects.create(application=application, user=actor.user)
    changes: Changes = {"displayName": [None, application.display_name]}
    if application.is_external:
        changes |= {"livesAt": [None, place.authority_url], "clientId": [None, place.client_id]}
    record_act(EventTag.APPLICATION_REGISTERED, application, actor, now, changes)


def update_application(
    application: Application,
    *,
    display_name: str | None = None,
    notes: str | None = None,
    identifier_uri: str | None = None,
    sign_in_audience: str | None = None,
    access_token_version: int | _Unset | None = UNSET,
    app_role_assignment_required: bool | None = None,
    includes_idtyp: bool | None = None,
    place: Place | None = None,
    expected_version: int,
    actor: Actor,
    now: datetime,
) -> Application:
    """Change what is given and leave the rest. expected_version: the version that the person was shown.

    Returns the fresh row. An identifier_uri of "" removes the URI. place: of the same kind as before. Raises
    ChangedMeanwhileError when someone else saved since (C-4), RegistrationError for what cannot be stored.
    """
    wanted: dict[str, Any] = {}
    if display_name is not None:
        wanted["display_name"] = naming.clean_display_name(display_name)
    if notes is not None:
        wanted["notes"] = naming.clean_notes(notes)
    if sign_in_audience is not None:
        wanted["sign_in_audience"] = naming.clean_sign_in_audience(sign_in_audience)
    if access_token_version is not UNSET:
        wanted["access_token_version"] = naming.clean_access_token_version(access_token_version)
    if app_role_assignment_required is not None:
        wanted["app_role_assignment_required"] = app_role_assignment_required
    if includes_idtyp is not None:
        wanted["includes_idtyp"] = includes_idtyp
    if place is not None:
        wanted |= {"authority_url": place.authority_url, "external_client_id": place.client_id}
        if place.kind != application.authority_kind:
            raise RegistrationError(
                "place_kind_fixed",
                "The kind of place cannot be changed. Register the application anew where it lives now.",
            )
    uri = None if identifier_uri is None else naming.clean_identifier_uri(identifier_uri)
    if uri or app_role_assignment_required is not None or includes_idtyp is not None:
        refuse_elsewhere(application, "What it exposes is")
    try:
        with transaction.atomic():
            return _update(application, wanted, uri, expected_version, actor, now)
    except IntegrityError:
        _refuse_taken_uri(application, uri or "")
        if place is not None:
            refuse_taken_place(application, place)
        raise


def _update(
    application: Application,
    wanted: dict[str, Any],
    uri: str | None,
    expected_version: int,
    actor: Actor,
    now: datetime,
) -> Application:
    fresh = locked(application)
    if fresh.version != expected_version:
        raise ChangedMeanwhileError
    changes: Changes = {}
    for field, value in wanted.items():
        if getattr(fresh, field) != value:
            changes[_AUDIT_NAMES[field]] = [getattr(fresh, field), value]
            setattr(fresh, field, value)
    if "authority_url" in wanted:
        refuse_taken_place(fresh, place_of(fresh))
    old_uri = identifier_uri_of(fresh)
    if uri is not None and uri != old_uri:
        changes["identifierUri"] = [old_uri, uri]
        _set_identifier_uri(fresh, uri)
    if changes:
        save_next_version(fresh)
        record_act(EventTag.APPLICATION_UPDATED, fresh, actor, now, changes)
    return fresh


_AUDIT_NAMES = {
    "display_name": "displayName",
    "notes": "notes",
    "sign_in_audience": "signInAudience",
    "access_token_version": "requestedAccessTokenVersion",
    "app_role_assignment_required": "appRoleAssignmentRequired",
    "includes_idtyp": "includesIdtyp",
    "authority_url": "livesAt",
    "external_client_id": "clientId",
}


@transaction.atomic
def set_disabled(application: Application, *, disabled: bool, actor: Actor, now: datetime) -> Application:
    """Switch sign-in off or on, in force with the next token request.

    No change, no audit row. Returns the row. Raises RegistrationError for one that lives elsewhere.
    """
    fresh = locked(application)
    refuse_elsewhere(fresh, "Sign-in is")
    if fresh.is_disabled != disabled:
        fresh.is_disabled = disabled
        save_next_version(fresh)
        tag = EventTag.APPLICATION_DISABLED if disabled else EventTag.APPLICATION_ENABLED
        record_act(tag, fresh, actor, now, {"isDisabled": [not disabled, disabled]})
    return fresh


def _set_identifier_uri(application: Application, uri: str) -> None:
    """Replace the registration's URI. The check is for the sentence; the constraint is what holds."""
    IdentifierUri.objects.filter(application=application).delete()
    if uri:
        _refuse_taken_uri(application, uri)
        IdentifierUri.objects.create(application=application, tenant_id=application.tenant_id, uri=uri)


def _refuse_taken_uri(application: Application, uri: str) -> None:
    if is_well_known_name(uri):
        raise RegistrationError(
            "uri_reserved",
            "This URI belongs to a Microsoft service that every directory has. Choose another one.",
            field="identifier_uri",
        )
    holder = holder_of_uri(application.tenant, uri) if uri else None
    if holder is not None and holder.pk != application.pk:
        raise RegistrationError(
            "uri_taken",
            f"{holder.display_name} already has this URI. Choose another one, or remove it there first.",
            field="identifier_uri",
        )


def _refuse_repeated_form(form_token: uuid.UUID | None) -> None:
    existing = Application.objects.filter(form_token=form_token).first() if form_token else None
    if existing is not None:
        raise DuplicateFormError(existing)


def _refuse_deleted_directory(tenant: Tenant) -> None:
    if not Tenant.objects.select_for_update(no_key=True).filter(pk=tenant.pk).exists():
        raise RegistrationError(
            "directory_deleted", f"{tenant.name} was deleted meanwhile. Nothing was registered."
        )


def _refuse_beyond_limit(actor: Actor, is_demo: bool) -> None:
    """Deleted registrations count until they are gone: they can come back."""
    if actor.user is None or is_demo:
        return
    limit = settings.APPLICATIONS_PER_USER
    # One of the person's requests after the other, or two could both take the last place.
    User.objects.select_for_update(no_key=True).get(pk=actor.user.pk)
    if Application.objects.filter(created_by=actor.user, is_demo=False).count() >= limit:
        raise RegistrationError(
            "too_many_applications",
            f"You have already registered {limit} applications, the most that one person may. "
            "Delete one permanently first; deleted ones that can be restored count.",
        )
