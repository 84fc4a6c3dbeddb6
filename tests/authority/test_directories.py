"""One authority, several directories: a client works where it lives and where it was consented to."""

from typing import Any

import pytest

from credmgr.audit.recording import Actor
from credmgr.jose.jws import UnverifiedToken
from credmgr.registrations.app_roles import add_app_role
from credmgr.registrations.directories import add_domain, remove_domain
from credmgr.registrations.graph_roles import GRAPH_ROLES
from credmgr.registrations.models import (
    MULTITENANT,
    OIDC,
    SINGLE_TENANT,
    Application,
    ServicePrincipal,
    Tenant,
)
from credmgr.registrations.permissions import grant_admin_consent, request_permissions
from credmgr.registrations.registering import register_application
from credmgr.registrations.resources import GRAPH_CLIENT_ID, find_resource
from credmgr.registrations.service_principals import (
    add_service_principal,
    remove_service_principal,
    set_principal_enabled,
)
from tests.authority.assertion_maker import KeyPair
from tests.authority.conftest import Answer, Directory


@pytest.fixture
def elsewhere(directory: Directory) -> Tenant:
    """A second directory that knows nobody."""
    return Tenant.objects.create(name="Elsewhere", created_at=directory.now)


def _path(tenant: Tenant) -> str:
    return f"/{tenant.id}/oauth2/v2.0/token"


def _claims(answer: Answer) -> dict[str, Any]:
    return UnverifiedToken.parse(answer.token).claims


def _audience(directory: Directory, audience: str) -> None:
    Application.objects.filter(pk=directory.app.pk).update(sign_in_audience=audience)


def test_a_single_tenant_client_is_unknown_elsewhere(
    directory: Directory, secret: str, elsewhere: Tenant
) -> None:
    answer = directory.ask(client_secret=secret, path=_path(elsewhere))
    text = answer.refused(400, "unauthorized_client", 700016)
    assert "'Elsewhere'" in text


def test_a_multitenant_client_without_consent(directory: Directory, secret: str, elsewhere: Tenant) -> None:
    """It exists, and has no service principal there: 7000229, which names the directory."""
    _audience(directory, MULTITENANT)
    answer = directory.ask(client_secret=secret, path=_path(elsewhere))
    text = answer.refused(401, "invalid_client", 7000229)
    assert "'Elsewhere'" in text
    assert directory.last_sign_in().tenant_id == elsewhere.id


def test_a_multitenant_client_with_consent(directory: Directory, secret: str, elsewhere: Tenant) -> None:
    """The token is that directory's: its issuer and tid, and the oid of the service principal there."""
    _audience(directory, MULTITENANT)
    principal = ServicePrincipal.objects.create(
        application=directory.app, tenant=elsewhere, created_at=directory.now
    )
    claims = _claims(directory.ask(client_secret=secret, path=_path(elsewhere)))
    assert claims["tid"] == str(elsewhere.id)
    assert claims["oid"] == claims["sub"] == str(principal.id)
    assert str(elsewhere.id) in claims["iss"]
    row = directory.last_sign_in()
    assert (row.tenant_id, row.service_principal_id) == (elsewhere.id, principal.id)
    home = _claims(directory.ask(client_secret=secret))
    assert home["oid"] == str(directory.app.service_principal_id)


def test_consent_does_not_outlive_the_audience(directory: Directory, secret: str, elsewhere: Tenant) -> None:
    """Single tenant again: unknown elsewhere with the next request."""
    ServicePrincipal.objects.create(application=directory.app, tenant=elsewhere, created_at=directory.now)
    _audience(directory, SINGLE_TENANT)
    answer = directory.ask(client_secret=secret, path=_path(elsewhere))
    answer.refused(400, "unauthorized_client", 700016)


def test_a_service_principal_switched_off_blocks_one_directory(
    directory: Directory, secret: str, elsewhere: Tenant
) -> None:
    _audience(directory, MULTITENANT)
    ServicePrincipal.objects.create(
        application=directory.app, tenant=elsewhere, is_enabled=False, created_at=directory.now
    )
    answer = directory.ask(client_secret=secret, path=_path(elsewhere))
    answer.refused(400, "unauthorized_client", 7000112)
    assert directory.ask(client_secret=secret).status == 200


def test_an_assertion_is_made_for_one_directory(
    directory: Directory, pair: KeyPair, elsewhere: Tenant
) -> None:
    """The audience of an assertion names the directory: that of the home one is refused elsewhere."""
    _audience(directory, MULTITENANT)
    directory.add_certificate(pair)
    ServicePrincipal.objects.create(application=directory.app, tenant=elsewhere, created_at=directory.now)
    assertion = directory.assertion(pair)
    answer = directory.present(assertion, path=_path(elsewhere))
    answer.refused(401, "invalid_client", 700023)


def test_a_registration_that_lives_elsewhere_is_unknown_here(directory: Directory, secret: str) -> None:
    Application.objects.filter(pk=directory.app.pk).update(
        authority_kind=OIDC, authority_url="https://issuer.example", external_client_id="orders"
    )
    directory.ask(client_secret=secret).refused(400, "unauthorized_client", 700016)


def _orders(directory: Directory) -> Application:
    """A multitenant API at home."""
    return directory.register("Orders API", sign_in_audience=MULTITENANT, identifier_uri="api://orders")


def _ask_from(directory: Directory, elsewhere: Tenant, scope: str) -> Answer:
    """As a client that lives in the other directory."""
    caller, value = _caller(directory, elsewhere)
    return directory.ask(
        client_id=str(caller.client_id), client_secret=value, scope=scope, path=_path(elsewhere)
    )


def _caller(directory: Directory, elsewhere: Tenant) -> tuple[Application, str]:
    found = Application.objects.filter(tenant=elsewhere, display_name="Caller").first()
    caller = found or register_application(
        tenant=elsewhere, display_name="Caller", actor=Actor.command(), now=directory.now
    )
    return caller, directory.add_secret(caller)[1]


def _consent(directory: Directory, app: Application, elsewhere: Tenant) -> ServicePrincipal:
    return add_service_principal(
        elsewhere, client_id=str(app.client_id), actor=Actor.command(), now=directory.now
    )[0]


@pytest.mark.parametrize("by_name", [True, False])
def test_an_api_of_elsewhere_needs_a_service_principal(
    directory: Directory, elsewhere: Tenant, by_name: bool
) -> None:
    """500011 without one, 500014 while it is disabled, a token with one; its home is not touched."""
    orders = _orders(directory)
    scope = "api://orders/.default" if by_name else f"{orders.client_id}/.default"
    text = _ask_from(directory, elsewhere, scope).refused(400, "invalid_resource", 500011)
    assert "'Elsewhere'" in text
    principal = _consent(directory, orders, elsewhere)
    claims = _claims(_ask_from(directory, elsewhere, scope))
    assert (claims["aud"], claims["tid"]) == (str(orders.client_id), str(elsewhere.id))
    set_principal_enabled(principal, enabled=False, actor=Actor.command(), now=directory.now)
    _ask_from(directory, elsewhere, scope).refused(400, "invalid_resource", 500014)
    value = directory.add_secret()[1]
    assert directory.ask(client_secret=value, scope=scope).status == 200
    remove_service_principal(principal, actor=Actor.command(), now=directory.now)
    _ask_from(directory, elsewhere, scope).refused(400, "invalid_resource", 500011)


def test_roles_of_an_api_of_elsewhere_are_granted_for_each_directory(
    directory: Directory, elsewhere: Tenant
) -> None:
    orders = _orders(directory)
    role = add_app_role(
        orders,
        display_name="Read",
        value="Orders.Read",
        description="Read",
        actor=Actor.command(),
        now=directory.now,
    )
    _consent(directory, orders, elsewhere)
    caller, _ = _caller(directory, elsewhere)
    request_permissions(
        caller, api_client_id=orders.client_id, role_ids=[role.pk], actor=Actor.command(), now=directory.now
    )
    assert "roles" not in _claims(_ask_from(directory, elsewhere, "api://orders/.default"))
    grant_admin_consent(caller, actor=Actor.command(), now=directory.now)
    assert _claims(_ask_from(directory, elsewhere, "api://orders/.default"))["roles"] == ["Orders.Read"]


def test_a_consented_client_has_the_roles_of_that_directory(
    directory: Directory, secret: str, elsewhere: Tenant
) -> None:
    """Granted there by consent, and not at home."""
    _audience(directory, MULTITENANT)
    mail = next(role.id for role in GRAPH_ROLES if role.value == "Mail.Send")
    request_permissions(
        directory.app,
        api_client_id=GRAPH_CLIENT_ID,
        role_ids=[mail],
        actor=Actor.command(),
        now=directory.now,
    )
    _consent(directory, directory.app, elsewhere)
    assert _claims(directory.ask(client_secret=secret, path=_path(elsewhere)))["roles"] == ["Mail.Send"]
    assert "roles" not in _claims(directory.ask(client_secret=secret))


def test_a_domain_leads_to_its_directory_until_it_is_removed(
    directory: Directory, secret: str, elsewhere: Tenant
) -> None:
    _audience(directory, MULTITENANT)
    _consent(directory, directory.app, elsewhere)
    domain = add_domain(elsewhere, domain="Elsewhere.Example", actor=Actor.command(), now=directory.now)
    path = "/elsewhere.example/oauth2/v2.0/token"
    assert _claims(directory.ask(client_secret=secret, path=path))["tid"] == str(elsewhere.id)
    remove_domain(elsewhere, domain=domain, actor=Actor.command(), now=directory.now)
    directory.ask(client_secret=secret, path=path).refused(400, "invalid_request", 90002)


def test_a_resource_costs_one_statement_wherever_it_lives(
    directory: Directory, elsewhere: Tenant, django_assert_num_queries: Any
) -> None:
    orders = _orders(directory)
    _consent(directory, orders, elsewhere)
    for tenant in (directory.tenant, elsewhere):
        for identifier in ("api://orders", str(orders.client_id)):
            with django_assert_num_queries(1):
                assert find_resource(tenant.pk, identifier) is not None
    with django_assert_num_queries(0):
        assert find_resource(elsewhere.pk, "https://graph.microsoft.com") is not None
