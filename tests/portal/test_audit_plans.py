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
            application_id=harbor.pk if number % 2 else None,
            actor_name="Noor Hadley",
            tag="application:secret:deleted" if number % 3 else "application:updated",
            succeeded=number % 50 != 0,
        )
        for number in range(2000)
    )


def plans(signed_in: Client, address: str, *parts: str) -> list[list[str]]:
    """The steps of each statement on the log that has these parts."""
    with CaptureQueriesContext(connection) as captured:
        assert signed_in.get(address).status_code == 200
    asked = [q["sql"] for q in captured.captured_queries if _TABLE in q["sql"]]
    found = []
    with connection.cursor() as cursor:
        for statement in asked:
            if all(part in statement for part in parts):
                cursor.execute("EXPLAIN QUERY PLAN " + statement.replace("%", "%%"))
                found.append([row[3] for row in cursor.fetchall()])
    return found


def test_an_id_is_looked_up_in_its_indexes(signed_in: Client) -> None:
    steps = plans(signed_in, f"/audit?search={PERSON}", "LIMIT 51")
    assert len(steps) == 4
    for index, each in zip(("object", "application", "correlation", "person"), steps, strict=True):
        assert f"audit_by_{index} (" in " ".join(each), steps
        assert not [step for step in each if "TEMP B-TREE" in step], steps


def test_an_id_among_the_entries_of_one_is_looked_up_or_read_from_the_index(
    signed_in: Client, harbor: Application
) -> None:
    steps = plans(signed_in, f"/applications/{harbor.pk}/audit?search={PERSON}", "LIMIT 51")
    looked_up = [each for each in steps if "audit_by_object (" in each[0] or "correlation (" in each[0]]
    read = [each for each in steps if "COVERING INDEX audit_by_application (application_id=?" in each[0]]
    assert (len(looked_up), len(read)) == (2, 2), steps


def test_how_far_a_search_of_one_looks_is_asked_of_its_index_alone(
    signed_in: Client, harbor: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("credmgr.audit.entry_pages.FIRST_LOOK", 1000)
    [steps] = plans(signed_in, f"/applications/{harbor.pk}/audit?search=quay", "LIMIT 2 OFFSET 999")
    assert [f"SEARCH {_TABLE} USING COVERING INDEX audit_by_application (application_id=?)"] == steps


@pytest.mark.parametrize("time", ["", "&time=30d"], ids=["any time", "30 days"])
@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_walks_its_index_without_sorting(signed_in: Client, name: str, time: str) -> None:
    asked, index = FILTERS[name]
    [steps] = plans(signed_in, f"/audit?{asked}{time}", "LIMIT 51")
    assert index in " ".join(steps), steps
    assert not [step for step in steps if "TEMP B-TREE" in step], steps
