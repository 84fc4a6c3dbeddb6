"""What a large directory says of a name that it does not know: as much as a small one, without being read."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from credmgr.flowtest.diagnosis.requests import nearest_name
from credmgr.registrations.models import Application, IdentifierUri, Tenant
from credmgr.registrations.near_resources import resources_near
from credmgr.registrations.registering import set_disabled
from credmgr.registrations.resources import first_resources_of
from tests.factories import COMMAND, NOW, application

pytestmark = pytest.mark.django_db


@pytest.fixture
def orders() -> Application:
    return application("Orders API", identifier_uri="api://orders")


@pytest.fixture(params=["small", "large"])
def directory(request: pytest.FixtureRequest, orders: Application) -> Tenant:
    """With 3 or 1,000 others, all of which come first by name."""
    number = 3 if request.param == "small" else 1_000
    made = Application.objects.bulk_create(
        Application(tenant=orders.tenant, display_name=f"Alert {each:04}", created_at=NOW)
        for each in range(number)
    )
    IdentifierUri.objects.bulk_create(
        IdentifierUri(application=each, tenant=orders.tenant, uri=f"https://{each.display_name[6:]}.example")
        for each in made
    )
    return orders.tenant


def names(tenant: Tenant, scope: str) -> list[str]:
    return [name for each in resources_near(tenant.pk, scope).resources for name in each.names]


def test_a_small_directory_comes_whole(orders: Application) -> None:
    found = resources_near(orders.tenant_id, "api://nothing/.default")
    assert (found.resources, found.is_all) == (first_resources_of(orders.tenant_id, 100), True)


@pytest.mark.parametrize(
    "asked", ["api://order", "api://orders2", "api://ordres", "Api://orders", "api:/orders"]
)
def test_a_mistyped_name_is_near_to_the_right_one(directory: Tenant, asked: str) -> None:
    assert nearest_name(asked, names(directory, f"{asked}/.default")) == "api://orders"


@pytest.mark.parametrize(
    "scope", ["api://orders/Orders.Read", "api://orders/a/b", "api://orders", "{id}/Read"]
)
def test_what_a_scope_begins_with_is_known(directory: Tenant, orders: Application, scope: str) -> None:
    scope = scope.replace("{id}", str(orders.client_id))
    assert orders.pk in [each.application_id for each in resources_near(directory.pk, scope).resources]


def test_a_mistyped_client_id_is_near_to_the_right_one(directory: Tenant, orders: Application) -> None:
    right = str(orders.client_id)
    asked = right[:-1] + ("0" if right[-1] != "0" else "1")
    assert nearest_name(asked, names(directory, f"{asked}/.default")) == right
    assert nearest_name(f"api://{asked}", names(directory, f"api://{asked}/.default")) == right


def test_what_is_switched_off_or_of_others_is_not_named(directory: Tenant, orders: Application) -> None:
    set_disabled(orders, disabled=True, actor=COMMAND, now=NOW)
    elsewhere = Tenant.objects.create(name="Elsewhere", created_at=NOW)
    application("Orders 2", tenant=elsewhere, identifier_uri="api://orders2")
    assert not [name for name in names(directory, "api://orders/.default") if "orders" in name]


def test_a_large_directory_is_not_read(directory: Tenant, orders: Application) -> None:
    with CaptureQueriesContext(connection) as captured:
        found = resources_near(directory.pk, f"api://{orders.client_id}/.default")
    assert len(captured) <= 30
    assert len(found.resources) <= 600
    if connection.vendor == "sqlite" and not found.is_all:
        assert_bounded([query["sql"] for query in captured.captured_queries])


def assert_bounded(statements: list[str]) -> None:
    """Where one walks the directory, it is in the order of an index and up to a limit."""
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute("EXPLAIN QUERY PLAN " + statement.replace("%", "%%"))
            steps: list[Any] = [row[3] for row in cursor.fetchall()]
            walks = [each for each in steps if "registrations_application" in each and "(tenant_id=?" in each]
            scans = [each for each in steps if each.startswith("SCAN") and " USING " not in each]
            is_part = "LIMIT" in statement and not [each for each in steps if "TEMP B-TREE" in each]
            assert not walks or is_part, (statement, steps)
            assert not scans, (statement, steps)
