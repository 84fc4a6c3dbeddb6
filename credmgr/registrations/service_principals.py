"""The acts on enterprise applications: a multitenant registration in a directory other than its home.

Consent puts it there and grants what it asks for; from then on it gets tokens of that directory, and its own
API can be asked for there. `now` is aware UTC; refusals are RegistrationErrors.
"""

import uuid
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor
from credmgr.registrations.acting import Changes, Part, record_act
from credmgr.registrations.api_roles import Role
from credmgr.registrations.errors import RegistrationError, RegistrationNotFoundError
from credmgr.registrations.models import (
    BUILT_IN,
    MULTITENANT,
    Application,
    AppRoleAssignment,
    IdentifierUri,
    ServicePrincipal,
    Tenant,
)
from credmgr.registrations.permissions import grant_admin_consent
from credmgr.registrations.queries import parse_guid


def principals_in(tenant: Tenant, search: str = "") -> QuerySet[ServicePrincipal]:
    """Of a directory, by the application's name, with application and home directory.

    search: part of the name, or a whole application (client) id or object id.
    """
    rows = ServicePrincipal.objects.filter(tenant=tenant).select_related("application__tenant")
    if search:
        found = Q(application__display_name__icontains=search)
        if (guid := parse_guid(search)) is not None:
            found |= Q(pk=guid) | Q(application__client_id=guid)
        rows = rows.filter(found)
    return rows.order_by(Lower("application__display_name"), "pk")


def consentable(tenant: Tenant, client_id: str) -> Application:
    """The multitenant registration of another directory with that application (client) id, as typed.

    Raises RegistrationError with the reason why it cannot come into this directory.
    """
    guid = parse_guid(client_id.strip())
    if guid is None:
        raise _refused(
            "client_id_form",
            "This is not an application (client) ID. It is a GUID; copy it from the application's Overview.",
        )
    rows = Application.objects.filter(client_id=guid, deleted_at=None, authority_kind=BUILT_IN)
    application = rows.select_related("tenant").first()
    if application is None:
        raise _refused(
            "application_unknown",
            "No directory has a registration with this application (client) ID. Compare it with the "
            "application's Overview.",
        )
    if application.tenant_id == tenant.pk:
        raise _refused(
            "application_at_home",
            f"{application.display_name} is registered in {tenant.name} itself. It needs no consent here.",
        )
    if application.sign_in_audience != MULTITENANT:
        raise _refused(
            "application_single_tenant",
            f"{application.display_name} is single tenant: only {application.tenant.name} can use it. Choose "
            "the multitenant account type under its Branding & properties first.",
        )
    if ServicePrincipal.objects.filter(application=application, tenant=tenant).exists():
        raise _added_already(application, tenant)
    return application


def add_service_principal(
    tenant: Tenant, *, client_id: str, actor: Actor, now: datetime
) -> tuple[ServicePrincipal, list[Role]]:
    """Consent: bring the application into the directory, and grant what it asks for and can get there.

    Returns the new row and the granted roles. Raises RegistrationError as consentable does.
    """
    application = consentable(tenant, client_id)
    try:
        with transaction.atomic():
            principal = ServicePrincipal.objects.create(
                application=application, tenant=tenant, created_at=now, created_by_name=actor.name
            )
            _record(EventTag.PRINCIPAL_ADDED, principal, actor, now)
            granted = grant_admin_consent(application, tenant_id=tenant.pk, actor=actor, now=now)
    except IntegrityError:  # a parallel request was faster
        raise _added_already(application, tenant) from None
    return principal, granted


@transaction.atomic
def set_principal_enabled(
    principal: ServicePrincipal, *, enabled: bool, actor: Actor, now: datetime
) -> ServicePrincipal:
    """Let it get tokens in this directory and be asked for there, or not, from the next request on.

    Other directories are not touched. No change, no audit row. Returns the fresh row.
    """
    fresh = _locked(principal)
    if fresh.is_enabled != enabled:
        fresh.is_enabled = enabled
        fresh.save(update_fields=["is_enabled"])
        tag = EventTag.PRINCIPAL_ENABLED if enabled else EventTag.PRINCIPAL_DISABLED
        _record(tag, fresh, actor, now, {"accountEnabled": [not enabled, enabled]})
    return fresh


@transaction.atomic
def remove_service_principal(principal: ServicePrincipal, *, actor: Actor, now: datetime) -> None:
    """Take it out of the directory, with what it was granted there and what others were granted of it."""
    fresh = _locked(principal)
    _record(EventTag.PRINCIPAL_REMOVED, fresh, actor, now)
    grants = AppRoleAssignment.objects.filter(tenant_id=fresh.tenant_id)
    grants.filter(
        Q(application_id=fresh.application_id) | Q(resource_client_id=fresh.application.client_id)
    ).delete()
    fresh.delete()


def api_of_elsewhere(tenant: Tenant, identifier: str) -> Application | None:
    """The multitenant registration of another directory that has this Application ID URI or client id, and
    no service principal in this one; with its home directory.
    """
    here = ServicePrincipal.objects.filter(tenant=tenant).values("application_id")
    rows = Application.objects.filter(
        sign_in_audience=MULTITENANT, deleted_at=None, authority_kind=BUILT_IN
    ).exclude(Q(tenant=tenant) | Q(pk__in=here))
    guid = parse_guid(identifier)
    named = IdentifierUri.objects.filter(uri=identifier, is_released=False).values("application_id")
    found = rows.filter(Q(client_id=guid) if guid else Q(pk__in=named))
    return found.select_related("tenant").order_by("created_at", "pk").first()


def holders_of(principal: ServicePrincipal) -> int:
    """How many applications have an app role of it in this directory."""
    grants = AppRoleAssignment.objects.filter(
        tenant_id=principal.tenant_id, resource_client_id=principal.application.client_id
    )
    return grants.values("application_id").distinct().count()


def principals_elsewhere(application: Application) -> dict[uuid.UUID, ServicePrincipal]:
    """Where else the registration was consented to: {directory id: service principal}."""
    return {row.tenant_id: row for row in ServicePrincipal.objects.filter(application=application)}


def _locked(principal: ServicePrincipal) -> ServicePrincipal:
    rows = ServicePrincipal.objects.select_for_update(of=("self",)).select_related("application", "tenant")
    try:
        return rows.get(pk=principal.pk)
    except ServicePrincipal.DoesNotExist:
        raise RegistrationNotFoundError(
            "principal_removed",
            f"{principal.application.display_name} was removed from {principal.tenant.name} meanwhile. "
            "Nothing was changed.",
        ) from None


def _refused(code: str, message: str) -> RegistrationError:
    return RegistrationError(code, message, field="client_id")


def _added_already(application: Application, tenant: Tenant) -> RegistrationError:
    return _refused("principal_exists", f"{application.display_name} is in {tenant.name} already.")


def _record(
    tag: EventTag,
    principal: ServicePrincipal,
    actor: Actor,
    now: datetime,
    changes: Changes | None = None,
) -> None:
    application = principal.application
    part = Part("service-principal", principal.pk, application.display_name)
    record_act(tag, application, actor, now, changes, part=part, tenant_id=principal.tenant_id)
