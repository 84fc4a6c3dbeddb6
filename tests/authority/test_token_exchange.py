"""One application's token as the federated assertion of another: the managed identity scenario, with this
authority as the issuer.
"""

from typing import Any

import pytest
from django.utils import timezone

from credmgr.audit.recording import Actor
from credmgr.authority.access_tokens import issuer
from credmgr.authority.key_rolling import replace_signing_key
from credmgr.credentials.federated import add_federated_credential
from credmgr.jose.jws import UnverifiedToken
from credmgr.registrations.directories import create_directory
from credmgr.registrations.errors import RegistrationError
from credmgr.registrations.models import Application, Tenant
from credmgr.registrations.registering import register_application
from tests.authority.conftest import Answer, Directory

EXCHANGE = "api://AzureADTokenExchange/.default"
EXCHANGE_ID = "fb60f99c-7a34-4190-8149-302f77469936"


@pytest.fixture
def trusting(directory: Directory) -> Application:
    """An application of another directory that trusts the first one's identity."""
    given: dict[str, Any] = {"actor": Actor.command(), "now": directory.now}
    tenant = create_directory(name="Elsewhere", domain="elsewhere", **given)
    app = register_application(tenant=tenant, display_name="Trusting", **given)
    trust(app, directory)
    return app


def trust(app: Application, directory: Directory, **changes: Any) -> None:
    """A federated credential for the directory's application, as the portal's scenario makes it."""
    given: dict[str, Any] = {
        "name": "worker",
        "issuer": issuer(directory.tenant.pk, version=2),
        "subject": str(directory.app.service_principal_id),
        **changes,
    }
    add_federated_credential(app, **given, actor=Actor.command(), now=directory.now)


def present(directory: Directory, app: Application, token: str) -> Answer:
    """Sign in as the application of the other directory with that token."""
    path = f"/{app.tenant_id}/oauth2/v2.0/token"
    return directory.present(token, client_id=str(app.client_id), path=path)


@pytest.mark.parametrize("scope", [EXCHANGE, f"{EXCHANGE_ID}/.default"])
def test_the_token_for_the_exchange(directory: Directory, secret: str, scope: str) -> None:
    """As Entra's: v2.0, the resource's id as its audience, idtyp, the service principal as its subject."""
    claims = UnverifiedToken.parse(directory.ask(client_secret=secret, scope=scope).token).claims
    assert (claims["aud"], claims["ver"], claims["idtyp"]) == (EXCHANGE_ID, "2.0", "app")
    assert claims["sub"] == claims["oid"] == str(directory.app.service_principal_id)
    assert claims["iss"] == issuer(directory.tenant.pk, version=2)


def test_it_signs_in_as_an_application_of_another_directory(
    directory: Directory, secret: str, trusting: Application
) -> None:
    """Nothing is fetched: the issuer's keys are this authority's own."""
    token = directory.ask(client_secret=secret, scope=EXCHANGE).token
    claims = UnverifiedToken.parse(present(directory, trusting, token).token).claims
    assert (claims["appid"], claims["tid"]) == (str(trusting.client_id), str(trusting.tenant_id))
    row = directory.last_sign_in()
    assert (row.credential_type, row.application_id) == ("federatedIdentityCredential", trusting.pk)


def test_tokens_for_other_resources_do_not(directory: Directory, secret: str, trusting: Application) -> None:
    api = directory.register("Orders API", identifier_uri="api://orders")
    token = directory.ask(client_secret=secret, scope="api://orders/.default").token
    text = present(directory, trusting, token).refused(401, "invalid_client", 700212)
    assert f"'{api.client_id}'" in text


def test_a_credential_may_have_the_id_as_its_audience_too(directory: Directory, secret: str) -> None:
    app = directory.register("Trusting")
    trust(app, directory, audience=EXCHANGE_ID)
    token = directory.ask(client_secret=secret, scope=EXCHANGE).token
    assert present(directory, app, token).token


def test_the_name_is_no_other_spelling_of_anything_else(directory: Directory, secret: str) -> None:
    """F-1: only the id stands for the name, and letter case counts in the name."""
    app = directory.register("Trusting")
    trust(app, directory, audience="api://azureadtokenexchange")
    token = directory.ask(client_secret=secret, scope=EXCHANGE).token
    present(directory, app, token).refused(401, "invalid_client", 700212)


def test_a_withdrawn_key_ends_it_with_the_next_request(
    directory: Directory, secret: str, trusting: Application
) -> None:
    token = directory.ask(client_secret=secret, scope=EXCHANGE).token
    assert present(directory, trusting, token).token
    replace_signing_key(withdraw_older=True, actor=Actor.command(), now=timezone.now())
    present(directory, trusting, token).refused(401, "invalid_client", 700027)
    fresh = directory.ask(client_secret=secret, scope=EXCHANGE).token
    assert present(directory, trusting, fresh).token


def test_a_directory_that_is_gone_is_no_issuer(
    directory: Directory, trusting: Application, secret: str
) -> None:
    """Then its keys are asked for as those of a stranger, and there is nothing to be had."""
    token = directory.ask(client_secret=secret, scope=EXCHANGE).token
    Application.objects.filter(pk=directory.app.pk).update(tenant=trusting.tenant)
    Tenant.objects.filter(pk=directory.tenant.pk).delete()
    present(directory, trusting, token).refused(400, "invalid_request", 50166)


def test_no_registration_takes_the_name(directory: Directory) -> None:
    with pytest.raises(RegistrationError) as refused:
        directory.register("Mine", identifier_uri="api://AzureADTokenExchange")
    assert refused.value.code == "uri_reserved"
