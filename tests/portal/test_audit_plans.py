"""A million entries stay quick: a filter of the audit page walks the index made for it, newest first.

What decides is the plan, not a clock.
"""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from credmgr.audit.models import AuditEvent
from credmgr.registrations.models import Application

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        connection.vendor != "sqlite", reason="PostgreSQL plans by statistics; the indexes are the same"
    ),
]
_TABLE = AuditEvent._meta.db_table
PERSON = uuid.UUID("1b5e7a60-3c1d-4f6e-9a55-5f0d7c9b2e11")
# By what is asked: the part of the address, and the index.
FILTERS = {
    "activity": ("activity=application:secret:deleted", "audit_by_activity (tag=?"),
    "activity nowhere": ("activity=directory:domain:removed", "audit_by_activity (tag=?"),
    "refused": ("result=refused", "audit_refused"),
    "person": (f"by={PERSON}", "audit_by_person (actor_id=?"),
}


@pytest.fixture(autouse=True)
def log(harbor: Application) -> None:
    """Two thousand entries over a year, by people of all sorts; one in fifty was refused."""
    now = timezone.now()
    AuditEvent.objects.bulk_create(
        AuditEvent(
            at=now - timedelta(hours=2000 - number),
            tenant_id=harbor.tenant_id,
            actor_id=PERSON if number % 7 == 0 else uuid.uuid4(),
            actor_name="Noor Hadley",
            tag="application:secret:deleted" if number % 3 else "application:updated",
            succeeded=number % 50 != 0,
        )
        for number in range(2000)
    )


@pytest.mark.parametrize("time", ["", "&time=30d"], ids=["any time", "30 days"])
@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_walks_its_index_without_sorting(signed_in: Client, name: str, time: str) -> None:
    asked, index = FILTERS[name]
    with CaptureQueriesContext(connection) as captured:
        assert signed_in.get(f"/audit?{asked}{time}").status_code == 200
    pages = [q["sql"] for q in captured.captured_queries if _TABLE in q["sql"] and "LIMIT 51" in q["sql"]]
    assert len(pages) == 1
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + pages[0].replace("%", "%%"))
        steps = [row[3] for row in cursor.fetchall()]
    assert index in " ".join(steps), steps
    assert not [step for step in steps if "TEMP B-TREE" in step], steps
