"""What a token may be for, by every name that real clients ask with."""

import uuid

import pytest

from credmgr.registrations.deleting import delete_application, restore_application
from credmgr.registrations.registering import set_disabled
from credmgr.registrations.resources import (
    Resource,
    find_resource,
    first_resources_of,
    well_known,
)
from tests.factories import COMMAND, NOW, application

pytestmark = pytest.mark.django_db
TENANT = uuid.UUID("9a1f1aa4-ba53-4474-9c4b-39bc906bfc3a")


def resource_of(tenant_id: uuid.UUID, identifier: str) -> Resource:
    """The resource of that name, which there must be."""
    found = find_resource(tenant_id, identifier)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("identifier", "name"),
    [
        ("https://graph.microsoft.com", "Microsoft Graph"),
        ("https://graph.microsoft.com/", "Microsoft Graph"),
        ("00000003-0000-0000-c000-000000000000", "Microsoft Graph"),
        ("00000003-0000-0000-C000-000000000000", "Microsoft Graph"),
        ("https://localhost:8443", "Microsoft Graph"),
        ("https://localhost:8443/", "Microsoft Graph"),
        ("https://localhost", "Microsoft Graph"),
        ("https://localhost/", "Microsoft Graph"),
        ("https://management.azure.com", "Azure Resource Manager"),
        ("https://management.azure.com/", "Azure Resource Manager"),
        ("https://management.core.windows.net/", "Azure Resource Manager"),
        ("797f4846-ba00-4fd7-ba43-dac1f8f63013", "Azure Resource Manager"),
    ],
)
def test_well_known_names_are_found_without_a_query(identifier, name, settings, django_assert_num_queries):
    settings.AUTHORITY_URL = "https://localhost:8443"
    with django_assert_num_queries(0):
        found = find_resource(TENANT, identifier)
    assert found is not None
    assert (found.name, found.access_token_version, found.application_id) == (name, 1, None)


@pytest.mark.parametrize("identifier", ["api://AzureADTokenExchange", "fb60f99c-7a34-4190-8149-302f77469936"])
def test_the_token_exchange_is_there_in_every_directory(identifier, django_assert_num_queries):
    with django_assert_num_queries(0):
        found = resource_of(TENANT, identifier)
    assert (found.access_token_version, found.includes_idtyp) == (2, True)
    assert found.names[0] == "api://AzureADTokenExchange"
    assert find_resource(TENANT, "api://azureadtokenexchange") is None


def test_the_servers_own_root_follows_its_address(settings):
    settings.AUTHORITY_URL = "https://login.norrvik.example"
    assert resource_of(TENANT, "https://login.norrvik.example/").name == "Microsoft Graph"
    assert find_resource(TENANT, "https://localhost:8443/") is None
    assert len(set(well_known(settings.AUTHORITY_URL)[0].names)) == 5
    settings.AUTHORITY_URL = "https://[::1]:8443"
    assert resource_of(TENANT, "https://[::1]/").name == "Microsoft Graph"


@pytest.mark.parametrize("how", ["uri", "client id", "client id in capitals"])
def test_a_registration_is_found_by_uri_and_client_id_in_one_query(how, django_assert_num_queries):
    app = application(identifier_uri="api://orders")
    identifier = {
        "uri": "api://orders",
        "client id": str(app.client_id),
        "client id in capitals": str(app.client_id).upper(),
    }[how]
    with django_assert_num_queries(1):
        found = find_resource(app.tenant_id, identifier)
    assert found is not None
    assert (found.application_id, found.client_id, found.access_token_version) == (app.pk, app.client_id, 2)


@pytest.mark.parametrize(
    "identifier", ["api://orders/", "API://orders", "api://order", "", "\x00", "x" * 5000, "api://örders"]
)
def test_anything_else_is_no_resource(identifier):
    app = application(identifier_uri="api://orders")
    assert find_resource(app.tenant_id, identifier) is None


def test_api_client_id_is_a_name_only_when_registered():
    app = application()
    assert find_resource(app.tenant_id, f"api://{app.client_id}") is None


def test_another_directory_knows_nothing_of_it():
    app = application(identifier_uri="api://orders")
    assert find_resource(TENANT, "api://orders") is None
    assert find_resource(TENANT, str(app.client_id)) is None


def test_deleted_registrations_are_no_resources_until_restored():
    app = application(identifier_uri="api://orders")
    delete_application(app, actor=COMMAND, now=NOW)
    assert find_resource(app.tenant_id, "api://orders") is None
    assert find_resource(app.tenant_id, str(app.client_id)) is None
    restore_application(app, actor=COMMAND, now=NOW)
    assert find_resource(app.tenant_id, "api://orders") is not None


def test_a_disabled_registration_says_so_and_is_not_offered():
    app = application(identifier_uri="api://orders")
    set_disabled(app, disabled=True, actor=COMMAND, now=NOW)
    assert resource_of(app.tenant_id, "api://orders").is_disabled
    assert app.pk not in [each.application_id for each in first_resources_of(app.tenant_id, 100)]


def test_the_list_begins_with_graph_and_costs_three_queries(django_assert_num_queries):
    tenant_id = application("zebra", identifier_uri="api://zebra").tenant_id
    application("Apple")
    with django_assert_num_queries(3):
        found = first_resources_of(tenant_id, 100)
    known = ["Microsoft Graph", "Azure Resource Manager", "Azure AD Token Exchange"]
    assert [each.name for each in found] == [*known, "Apple", "zebra"]
    assert found[0].names[0] == "https://graph.microsoft.com"
    assert found[4].names[0] == "api://zebra"


def test_the_first_of_the_list_cost_three_queries_however_many_there_are(django_assert_num_queries):
    tenant_id = application("zebra", identifier_uri="api://zebra").tenant_id
    for name in ("Mango", "Apple", "banana"):
        application(name)
    with django_assert_num_queries(3):
        found = first_resources_of(tenant_id, 2)
    assert found == first_resources_of(tenant_id, 100)[:5]
    assert [each.name for each in found[3:]] == ["Apple", "banana"]
