"""Consent: who may come into another directory, what that gives there, and how it ends."""

import uuid
from typing import Any

import pytest

from credmgr.audit.models import AuditEvent
from credmgr.registrations.api_roles import apis_of
from credmgr.registrations.app_roles import add_app_role
from credmgr.registrations.deleting import delete_application, purge_application
from credmgr.registrations.directories import create_directory, delete_directory, ensure_default_tenant
from credmgr.registrations.errors import RegistrationError, RegistrationNotFoundError
from credmgr.registrations.graph_roles import GRAPH_ROLES
from credmgr.registrations.models import (
    MULTITENANT,
    OIDC,
    SINGLE_TENANT,
    Application,
    AppRole,
    AppRoleAssignment,
    ServicePrincipal,
    Tenant,
)
from credmgr.registrations.permissions import (
    grant_admin_consent,
    permission_of,
    permissions_of,
    request_permissions,
    revoke_permission,
)
from credmgr.registrations.registering import set_disabled
from credmgr.registrations.resources import (
    GRAPH_CLIENT_ID,
    Resource,
    find_resource,
    first_resources_of,
)
from credmgr.registrations.service_principals import (
    add_service_principal,
    consentable,
    holders_of,
    principals_in,
    remove_service_principal,
    set_principal_enabled,
)
from tests.factories import COMMAND, NOW, application

pytestmark = pytest.mark.django_db
BY: dict[str, Any] = {"actor": COMMAND, "now": NOW}
GRAPH = {role.value: role.id for role in GRAPH_ROLES}


@pytest.fixture
def contoso() -> Tenant:
    """A directory that is not home to anything yet."""
    ensure_default_tenant(NOW)
    return create_directory(name="Contoso", domain="contoso", **BY)


@pytest.fixture
def orders() -> Application:
    """A multitenant API in the default directory."""
    return application("Orders API", sign_in_audience=MULTITENANT, identifier_uri="api://orders")


def consent(app: Application, tenant: Tenant) -> ServicePrincipal:
    return add_service_principal(tenant, client_id=str(app.client_id), **BY)[0]


def role(api: Application, value: str = "Orders.Read") -> AppRole:
    return add_app_role(api, display_name=value, value=value, description=value, **BY)


def found(tenant: Tenant, identifier: str) -> Resource:
    resource = find_resource(tenant.pk, identifier)
    assert resource is not None
    return resource


def test_consent_makes_one_service_principal_with_an_id_of_its_own(
    contoso: Tenant, orders: Application
) -> None:
    principal = consent(orders, contoso)
    assert principal.pk not in (orders.pk, orders.client_id, orders.service_principal_id)
    assert (principal.tenant, principal.is_enabled, principal.created_by_name) == (
        contoso,
        True,
        COMMAND.name,
    )
    event = AuditEvent.objects.latest("sequence")
    assert (event.tag, event.tenant_id, event.object_id) == (
        "directory:service-principal:added",
        contoso.pk,
        str(principal.pk),
    )
    assert list(principals_in(contoso)) == [principal]
    assert list(principals_in(orders.tenant)) == []


def _unknown(app: Application) -> str:
    return str(uuid.uuid4())


def _object_id(app: Application) -> str:
    return str(app.pk)


def _single(app: Application) -> str:
    Application.objects.filter(pk=app.pk).update(sign_in_audience=SINGLE_TENANT)
    return str(app.client_id)


def _deleted(app: Application) -> str:
    delete_application(app, **BY)
    return str(app.client_id)


def _external(app: Application) -> str:
    Application.objects.filter(pk=app.pk).update(
        authority_kind=OIDC, authority_url="https://issuer.example", external_client_id="orders"
    )
    return str(app.client_id)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda _: "", "client_id_form"),
        (lambda _: "api://orders", "client_id_form"),
        (lambda _: "\x00", "client_id_form"),
        (_unknown, "application_unknown"),
        (_object_id, "application_unknown"),
        (_deleted, "application_unknown"),
        (_external, "application_unknown"),
        (_single, "application_single_tenant"),
    ],
)
def test_who_cannot_come(contoso: Tenant, orders: Application, spoil: Any, code: str) -> None:
    with pytest.raises(RegistrationError) as refused:
        add_service_principal(contoso, client_id=spoil(orders), **BY)
    assert (refused.value.code, refused.value.field) == (code, "client_id")
    assert ServicePrincipal.objects.count() == 0


def test_nobody_comes_twice_or_home(contoso: Tenant, orders: Application) -> None:
    with pytest.raises(RegistrationError, match="is registered in Default Directory itself"):
        consent(orders, orders.tenant)
    consent(orders, contoso)
    with pytest.raises(RegistrationError, match="Orders API is in Contoso already"):
        consent(orders, contoso)
    assert ServicePrincipal.objects.count() == 1


def test_the_client_id_is_taken_as_people_paste_it(contoso: Tenant, orders: Application) -> None:
    assert consentable(contoso, f"  {str(orders.client_id).upper()} ") == orders


def test_consent_grants_what_is_asked_for_and_can_be_had_there(contoso: Tenant, orders: Application) -> None:
    """Graph is everywhere; an API that the directory does not know is left out, and said to be unknown."""
    worker = application("Worker", sign_in_audience=MULTITENANT)
    read = role(orders)
    request_permissions(worker, api_client_id=GRAPH_CLIENT_ID, role_ids=[GRAPH["Mail.Send"]], **BY)
    request_permissions(worker, api_client_id=orders.client_id, role_ids=[read.pk], **BY)
    principal, granted = add_service_principal(contoso, client_id=str(worker.client_id), **BY)
    assert [each.value for each in granted] == ["Mail.Send"]
    left = permission_of(worker, orders.client_id, read.pk, contoso.pk)
    assert left is not None
    assert left.role is not None
    assert (left.role.value, left.is_available, left.can_be_granted) == ("Orders.Read", False, False)
    consent(orders, contoso)
    assert [each.value for each in grant_admin_consent(worker, tenant_id=contoso.pk, **BY)] == ["Orders.Read"]
    assert all(each.granted_at for each in permissions_of(worker, contoso.pk))
    assert not any(each.granted_at for each in permissions_of(worker)), "nothing was granted at home"
    assert holders_of(ServicePrincipal.objects.get(application=orders)) == 1
    assert {event.tenant_id for event in AuditEvent.objects.filter(tag="application:permission:granted")} == {
        contoso.pk
    }
    for permission in permissions_of(worker, contoso.pk):
        revoke_permission(worker, permission=permission, tenant_id=contoso.pk, **BY)
    assert AppRoleAssignment.objects.count() == 0
    assert ServicePrincipal.objects.filter(pk=principal.pk).exists()


def test_removing_takes_both_directions_of_grants_and_nothing_elsewhere(
    contoso: Tenant, orders: Application
) -> None:
    read = role(orders)
    caller = application("Caller", sign_in_audience=MULTITENANT, tenant=contoso)
    for asking, where in ((orders, None), (caller, None)):
        request_permissions(asking, api_client_id=GRAPH_CLIENT_ID, role_ids=[GRAPH["User.Read.All"]], **BY)
        grant_admin_consent(asking, tenant_id=where, **BY)
    principal = consent(orders, contoso)
    request_permissions(caller, api_client_id=orders.client_id, role_ids=[read.pk], **BY)
    grant_admin_consent(caller, **BY)
    assert AppRoleAssignment.objects.count() == 4
    remove_service_principal(principal, **BY)
    left = {(row.application_id, row.tenant_id) for row in AppRoleAssignment.objects.all()}
    assert left == {(orders.pk, orders.tenant_id), (caller.pk, contoso.pk)}
    with pytest.raises(RegistrationNotFoundError, match="was removed from Contoso meanwhile"):
        remove_service_principal(principal, **BY)
    assert consent(orders, contoso).pk != principal.pk


def test_an_api_of_elsewhere_is_known_where_it_was_consented_to(
    contoso: Tenant, orders: Application, django_assert_num_queries: Any
) -> None:
    names = ("api://orders", str(orders.client_id), str(orders.client_id).upper())
    role(orders)
    for name in names:
        assert find_resource(contoso.pk, name) is None
    assert "Orders API" not in [api.name for api in apis_of(contoso.pk)]
    consent(orders, contoso)
    for name in names:
        with django_assert_num_queries(1):
            assert found(contoso, name).application_id == orders.pk
    with django_assert_num_queries(3):
        listed = first_resources_of(contoso.pk, 100)
    assert ("Orders API", "api://orders") in [(each.name, each.names[0]) for each in listed]
    assert "Orders API" in [api.name for api in apis_of(contoso.pk)]
    assert [api.name for api in apis_of(orders.tenant_id)].count("Orders API") == 1


def test_an_api_switched_off_in_one_directory_is_off_there_alone(
    contoso: Tenant, orders: Application
) -> None:
    principal = consent(orders, contoso)
    set_principal_enabled(principal, enabled=False, **BY)
    assert found(contoso, "api://orders").is_disabled
    assert not found(orders.tenant, "api://orders").is_disabled
    assert orders.pk not in [each.application_id for each in first_resources_of(contoso.pk, 10)]
    assert orders.pk in [each.application_id for each in first_resources_of(orders.tenant_id, 10)]
    before = AuditEvent.objects.count()
    set_principal_enabled(principal, enabled=False, **BY)
    assert AuditEvent.objects.count() == before
    set_principal_enabled(principal, enabled=True, **BY)
    assert not found(contoso, "api://orders").is_disabled
    set_disabled(orders, disabled=True, **BY)
    assert found(contoso, "api://orders").is_disabled


@pytest.mark.parametrize("spoil", [_single, _deleted, _external])
def test_consent_does_not_outlive_what_it_was_given_to(
    contoso: Tenant, orders: Application, spoil: Any
) -> None:
    consent(orders, contoso)
    role(orders)
    spoil(orders)
    assert find_resource(contoso.pk, "api://orders") is None
    assert find_resource(contoso.pk, str(orders.client_id)) is None
    assert orders.pk not in [each.application_id for each in first_resources_of(contoso.pk, 100)]
    assert [api.name for api in apis_of(contoso.pk)] == ["Microsoft Graph"]


def test_a_directorys_own_api_comes_before_a_namesake_of_elsewhere(
    contoso: Tenant, orders: Application
) -> None:
    consent(orders, contoso)
    own = application("Own orders", tenant=contoso, identifier_uri="api://orders")
    assert found(contoso, "api://orders").application_id == own.pk
    assert found(contoso, str(orders.client_id)).application_id == orders.pk
    assert found(orders.tenant, "api://orders").application_id == orders.pk


def test_of_two_namesakes_the_one_consented_to_first_answers(contoso: Tenant, orders: Application) -> None:
    third = create_directory(name="Fabrikam", domain="fabrikam", **BY)
    other = application(
        "Other orders", tenant=third, sign_in_audience=MULTITENANT, identifier_uri="api://orders"
    )
    later = add_service_principal(
        contoso, client_id=str(orders.client_id), actor=COMMAND, now=NOW.replace(year=2027)
    )[0]
    consent(other, contoso)
    assert found(contoso, "api://orders").application_id == other.pk
    assert later.application == orders


def test_search_finds_name_and_ids(contoso: Tenant, orders: Application) -> None:
    principal = consent(orders, contoso)
    consent(application("Worker", sign_in_audience=MULTITENANT), contoso)
    for text in ("ORDERS", str(principal.pk), str(orders.client_id)):
        assert list(principals_in(contoso, text)) == [principal], text
    assert [row.application.display_name for row in principals_in(contoso)] == ["Orders API", "Worker"]
    assert not principals_in(contoso, "nothing").exists()


def test_it_goes_with_its_registration_and_with_its_directory(contoso: Tenant, orders: Application) -> None:
    consent(orders, contoso)
    delete_application(orders, **BY)
    assert ServicePrincipal.objects.count() == 1, "a restored registration finds its consent again"
    purge_application(orders, **BY)
    assert ServicePrincipal.objects.count() == 0
    worker = application("Worker", sign_in_audience=MULTITENANT)
    consent(worker, contoso)
    delete_directory(contoso, **BY)
    assert ServicePrincipal.objects.count() == 0
    assert Application.objects.filter(pk=worker.pk).exists()
