"""A directory of a hundred thousand registrations stays quick: a page that shows a few rows asks for them by
their ids, and never walks the registrations of the directory to find them.

What decides is the plan, not a clock.
"""

import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from credmgr.credentials.certificates import add_certificate
from credmgr.credentials.findings import examine
from credmgr.credentials.models import Certificate
from credmgr.registrations.models import Application
from tests.audit.rows import sign_in
from tests.credentials.making import certificate
from tests.factories import COMMAND, NOW, secret

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        connection.vendor != "sqlite", reason="PostgreSQL plans by statistics; the indexes are the same"
    ),
]


@pytest.fixture
def held(harbor: Application) -> Certificate:
    """A certificate, which signed in as often as a secret did."""
    now = timezone.now()
    found = examine(harbor, certificate_file=certificate(), keep_private_key=False, key_file=None, now=NOW)
    held = add_certificate(harbor, examination=found, description="sync", actor=COMMAND, now=NOW)
    # Many of them, as a page has: with few the database finds the way by itself.
    others = [secret(harbor)[0].pk for _ in range(2)] + [uuid.uuid4() for _ in range(48)]
    for number in range(50):
        credential = others[number] if number else held.pk
        sign_in(now, tenant=harbor.tenant_id, application=harbor.pk, credential=credential)
    return held


@pytest.mark.parametrize(
    "address",
    [
        "/sign-ins",
        "/applications/{0}/credentials/certificates/{1}",
        "/applications/{0}/tests/new",
        "/applications/{0}/tests/compare/new",
        "/applications/{0}/api-permissions/new",
    ],
)
def test_a_page_does_not_walk_the_directory(signed_in: Client, held: Certificate, address: str) -> None:
    with CaptureQueriesContext(connection) as captured:
        answer = signed_in.get(address.format(held.application_id, held.pk))
    assert answer.status_code == 200
    asked = [query["sql"] for query in captured.captured_queries if query["sql"].startswith("SELECT")]
    assert [statement for statement in asked if "registrations_application" in statement]
    with connection.cursor() as cursor:
        for statement in asked:
            cursor.execute("EXPLAIN QUERY PLAN " + statement.replace("%", "%%"))
            steps = [row[3] for row in cursor.fetchall()]
            walks = [each for each in steps if "registrations_application" in each and "(tenant_id=?" in each]
            # A part of the directory in the order of its index is no walk.
            is_part = "LIMIT" in statement and not [each for each in steps if "TEMP B-TREE" in each]
            assert not walks or is_part, (statement, steps)
