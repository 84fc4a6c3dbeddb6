"""On PostgreSQL too the list is read in the order of an index: the page alone, not the whole directory put in
order for it. In the plan the rows that were touched are counted, so that nothing hangs on a clock.
"""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from credmgr.credentials.queries import applications_page
from credmgr.portal.forms.flow_comparisons import places_beside
from credmgr.registrations.models import Application, Tenant
from credmgr.registrations.resources import first_resources_of
from tests.factories import NOW, application

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.database,
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="about PostgreSQL: `make test-postgres` runs it"
    ),
]
MANY, PAGE_MOST = 3_000, 300


@pytest.fixture
def tenant() -> Tenant:
    """Its directory has three thousand registrations, some of them deleted, and the database knows it."""
    tenant = application("Harbor").tenant
    Application.objects.bulk_create(
        Application(
            tenant=tenant,
            display_name=f"Service {number}",
            created_at=NOW - timedelta(hours=number),
            deleted_at=NOW - timedelta(days=1) if number % 50 == 0 else None,
        )
        for number in range(MANY)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE registrations_application")
    return tenant


def touched(captured: CaptureQueriesContext) -> dict[str, int]:
    """{plan: the most rows that a step of it gave or left out} of those that put registrations in order."""
    found = {}
    for query in captured.captured_queries:
        if "ORDER BY" in query["sql"] and 'FROM "registrations_application"' in query["sql"]:
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) " + query["sql"])
                plan = "\n".join(row[0] for row in cursor.fetchall())
            counts = re.findall(r"actual rows=(\d+)|Rows Removed by Filter: (\d+)", plan)
            found[plan] = max(int(given or left) for given, left in counts)
    return found


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"sort": "-name"},
        {"page": 110},
        {"sort": "created"},
        {"sort": "-created", "page": 3},
        {"sort": "expiry"},
        {"sort": "-expiry"},
        {"place": "built-in"},
    ],
    ids=str,
)
def test_a_page_reads_its_own_rows_alone(tenant: Tenant, given: dict[str, Any]) -> None:
    with CaptureQueriesContext(connection) as captured:
        page = applications_page(tenant, user=None, now=NOW, **given)
    assert len(page.rows) == 25
    found = touched(captured)
    assert found
    for plan, most in found.items():
        assert most < PAGE_MOST, plan


def test_what_a_form_offers_is_read_in_the_order_of_an_index(tenant: Tenant) -> None:
    one = Application.objects.filter(deleted_at=None).latest("created_at")
    with CaptureQueriesContext(connection) as captured:
        assert len(places_beside(one)) == 200
        assert len(first_resources_of(tenant.pk, 50)) > 50
    found = touched(captured)
    assert len(found) >= 2
    for plan, most in found.items():
        assert most < PAGE_MOST, plan
