"""Registrations that live elsewhere: what a place may look like, and what the acts do with them."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from msal.authority import WELL_KNOWN_AUTHORITY_HOSTS

from credmgr.audit.models import AuditEvent
from credmgr.clouds import CLOUDS
from credmgr.credentials.federated import add_federated_credential
from credmgr.registrations.app_roles import add_app_role
from credmgr.registrations.deleting import delete_application, restore_application
from credmgr.registrations.errors import RegistrationError
from credmgr.registrations.models import Application, Tenant
from credmgr.registrations.permissions import request_permissions
from credmgr.registrations.places import (
    HERE,
    authority_of,
    entra_parts,
    entra_place,
    oidc_place,
    place_of,
    place_words,
)
from credmgr.registrations.registering import register_application, set_disabled, update_application
from credmgr.registrations.resources import GRAPH_CLIENT_ID, find_resource, first_resources_of
from tests.factories import COMMAND, NOW, application, elsewhere

pytestmark = pytest.mark.django_db
TENANT = "2b0f2b5e-6c2f-4b0e-9d5a-0b1c2d3e4f50"
CLIENT = "6f2f4a6e-9f2c-4d0b-8a51-1c6f3f0a7e11"
ISSUER = "https://idp.example.com/realms/main/"


def refusal(act: Any, **given: Any) -> RegistrationError:
    """How it was refused."""
    with pytest.raises(RegistrationError) as caught:
        act(**given)
    return caught.value


@pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: cloud.key)
def test_every_cloud_has_an_authority_of_its_own(cloud: Any) -> None:
    place = entra_place(cloud=cloud.key, tenant=f" {TENANT.upper()} ", client_id=CLIENT.upper())
    assert place.authority_url == f"https://{cloud.host}/{TENANT}"
    assert place.client_id == CLIENT
    assert (entra_parts(place.authority_url).cloud, entra_parts(place.authority_url).tenant) == (
        cloud,
        TENANT,
    )


def test_the_hosts_are_those_that_msal_trusts() -> None:
    """A host that MSAL does not know would need instance discovery elsewhere."""
    assert {cloud.host for cloud in CLOUDS} <= WELL_KNOWN_AUTHORITY_HOSTS
    newer = {host for host in WELL_KNOWN_AUTHORITY_HOSTS if "sovcloud" in host}
    assert newer == {cloud.host for cloud in CLOUDS if "sovcloud" in cloud.host}


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"cloud": "moon"}, "cloud", "Choose one of the listed clouds."),
        ({"tenant": ""}, "tenant", "Enter the directory (tenant) ID"),
        ({"tenant": "Common"}, "tenant", "stands for many directories"),
        ({"tenant": "organizations"}, "tenant", "stands for many directories"),
        ({"tenant": "https://login.microsoftonline.com/x"}, "tenant", "alone"),
        ({"tenant": "robin@contoso.com"}, "tenant", "alone"),
        ({"tenant": "contoso"}, "tenant", "neither a directory (tenant) ID nor a domain"),
        ({"tenant": f"{{{TENANT}}}"}, "tenant", "neither"),
        ({"tenant": "con\x00toso.com"}, "tenant", "neither"),
        ({"tenant": "контосо.com"}, "tenant", "neither"),
        ({"client_id": ""}, "client_id", "Enter the application (client) ID."),
        ({"client_id": "api://my-app"}, "client_id", "is a GUID such as"),
        ({"client_id": str(uuid.UUID(int=0))}, "client_id", "is a GUID such as"),
        ({"client_id": TENANT}, "client_id", "This is the directory (tenant) ID."),
    ],
)
def test_what_is_no_place_in_entra(given: dict[str, str], field: str, words: str) -> None:
    error = refusal(entra_place, **({"cloud": "public", "tenant": TENANT, "client_id": CLIENT} | given))
    assert (error.field, words in error.message) == (field, True), error.message


@pytest.mark.parametrize("issuer", [ISSUER, "http://localhost:9000", "https://idp.example.com"])
@pytest.mark.parametrize("client_id", ["worker", "my app, näht: 1", "x" * 255, CLIENT])
def test_an_issuer_and_its_client_id_are_kept_to_the_letter(issuer: str, client_id: str) -> None:
    place = oidc_place(issuer=issuer, client_id=client_id)
    assert (place.authority_url, place.client_id) == (issuer, client_id)


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"issuer": ""}, "issuer", "Enter the issuer."),
        ({"issuer": "idp.example.com"}, "issuer", "begins with https://"),
        ({"issuer": " https://idp.example.com"}, "issuer", "begins or ends with a space"),
        ({"issuer": "https://idp.example.com?x=1"}, "issuer", "only a host and a path"),
        ({"issuer": "https://user@idp.example.com"}, "issuer", "only a host and a path"),
        ({"issuer": "https://idp.example.com/\n"}, "issuer", "line breaks"),
        ({"issuer": f"https://idp.example.com/{'x' * 600}"}, "issuer", "Shorten it to 600"),
        (
            {"issuer": f"https://login.microsoftonline.com/{TENANT}/v2.0"},
            "issuer",
            "Choose Microsoft Entra ID",
        ),
        ({"issuer": "https://LOGIN.microsoftonline.us/x"}, "issuer", "US Government"),
        ({"client_id": " "}, "client_id", "Enter the client ID."),
        ({"client_id": "worker "}, "client_id", "begins or ends with a space"),
        ({"client_id": "a\x00b"}, "client_id", "control characters"),
        ({"client_id": "x" * 256}, "client_id", "Shorten it to 255"),
    ],
)
def test_what_is_no_place_at_an_issuer(given: dict[str, str], field: str, words: str) -> None:
    error = refusal(oidc_place, **({"issuer": ISSUER, "client_id": "worker"} | given))
    assert (error.field, words in error.message) == (field, True), error.message


def test_a_registration_says_where_it_lives() -> None:
    here, there = application(), elsewhere()
    other = elsewhere("Other", issuer=ISSUER, client_id="worker")
    germany = elsewhere("Germany", cloud="germany")
    assert [place_words(each) for each in (here, there, other, germany)] == [
        "Built-in authority",
        "Entra ID, public cloud",
        "idp.example.com",
        "Entra ID, Germany (Delos)",
    ]
    assert (place_of(here), here.shown_client_id) == (HERE, str(here.client_id))
    assert (place_of(other).client_id, other.shown_client_id) == ("worker", "worker")
    assert authority_of(here) == f"https://localhost:8443/{here.tenant_id}"
    assert authority_of(other) == ISSUER
    event = AuditEvent.objects.get(object_id=str(other.pk))
    assert event.changes == {
        "displayName": [None, "Other"],
        "livesAt": [None, ISSUER],
        "clientId": [None, "worker"],
    }


def test_one_live_registration_stands_for_a_client_of_an_authority() -> None:
    """In a directory; what was deleted does not stand in the way, until it is to be restored."""
    first = elsewhere("First")
    error = refusal(elsewhere)
    assert (error.field, error.code) == ("client_id", "place_taken")
    assert "First already stands for this client ID there." in error.message
    elsewhere("Other tenant", tenant_name="fabrikam.onmicrosoft.com")
    elsewhere("Other cloud", cloud="china")
    elsewhere("Issuer", issuer=ISSUER)
    elsewhere("Slash counts", issuer=ISSUER.rstrip("/"))
    abroad = Tenant.objects.create(name="Elsewhere", created_at=NOW)
    elsewhere("Other directory", tenant=abroad)
    delete_application(first, actor=COMMAND, now=NOW)
    second = elsewhere("Second")
    later: dict[str, Any] = {"actor": COMMAND, "now": NOW + timedelta(days=1)}
    assert "Second already" in refusal(restore_application, application=first, **later).message
    delete_application(second, actor=COMMAND, now=NOW)
    assert restore_application(first, **later) == []


def test_place_and_client_id_can_change_but_not_the_kind() -> None:
    app = elsewhere()
    given: dict[str, Any] = {"actor": COMMAND, "now": NOW}
    moved = update_application(
        app,
        place=entra_place(cloud="us-government", tenant=TENANT, client_id=CLIENT),
        expected_version=app.version,
        **given,
    )
    assert moved.authority_url == f"https://login.microsoftonline.us/{TENANT}"
    changes = AuditEvent.objects.latest("sequence").changes
    assert changes == {
        "livesAt": ["https://login.microsoftonline.com/contoso.onmicrosoft.com", moved.authority_url]
    }
    other = oidc_place(issuer=ISSUER, client_id="worker")
    wrong = {"application": moved, "expected_version": moved.version, **given}
    assert "cannot be changed" in refusal(update_application, place=other, **wrong).message
    assert "cannot be changed" in refusal(update_application, place=HERE, **wrong).message
    here = application("Here")
    taken = {"application": here, "expected_version": here.version, **given}
    assert "cannot be changed" in refusal(update_application, place=other, **taken).message
    second = elsewhere("Second")
    error = refusal(
        update_application,
        application=second,
        place=place_of(moved),
        expected_version=second.version,
        **given,
    )
    assert (error.code, Application.objects.get(pk=second.pk).version) == ("place_taken", second.version)


@pytest.mark.parametrize(
    "act",
    [
        lambda app, given: add_app_role(app, display_name="R", value="R", description="R", **given),
        lambda app, given: request_permissions(
            app, api_client_id=GRAPH_CLIENT_ID, role_ids=[uuid.uuid4()], **given
        ),
        lambda app, given: add_federated_credential(app, name="abc", issuer=ISSUER, subject="s", **given),
        lambda app, given: set_disabled(app, disabled=True, **given),
        lambda app, given: update_application(
            app, includes_idtyp=True, expected_version=app.version, **given
        ),
        lambda app, given: update_application(
            app, identifier_uri="api://x", expected_version=app.version, **given
        ),
        lambda app, given: register_application(
            tenant=app.tenant,
            display_name="Other",
            identifier_uri="api://x",
            place=oidc_place(issuer=ISSUER, client_id="c"),
            **given,
        ),
    ],
)
def test_what_the_built_in_authority_does_is_refused_for_one_that_lives_elsewhere(act: Any) -> None:
    app = elsewhere()
    before = AuditEvent.objects.count()
    error = refusal(act, app=app, given={"actor": COMMAND, "now": NOW})
    assert error.code == "lives_elsewhere"
    assert error.message.endswith("set up there.")
    assert AuditEvent.objects.count() == before


def test_it_is_no_resource_of_its_directory() -> None:
    app = elsewhere()
    assert find_resource(app.tenant_id, str(app.client_id)) is None
    assert find_resource(app.tenant_id, app.external_client_id) is None
    assert app.display_name not in [resource.name for resource in first_resources_of(app.tenant_id, 100)]
