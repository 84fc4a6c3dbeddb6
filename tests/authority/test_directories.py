"""One authority, several directories: a client works where it lives and where it was consented to."""

from typing import Any

import pytest

from credmgr.jose.jws import UnverifiedToken
from credmgr.registrations.models import (
    MULTITENANT,
    OIDC,
    SINGLE_TENANT,
    Application,
    ServicePrincipal,
    Tenant,
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
