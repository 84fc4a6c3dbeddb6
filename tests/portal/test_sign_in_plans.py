"""A million rows stay quick: whatever a sign-ins page or its export asks, an index is walked in its order.

What decides is the plan, not a clock: these tests read the plan of every statement that touches the log.
"""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from credmgr.audit.credential_use import callers_with, newest_use, recent_use
from credmgr.audit.models import SignIn
from credmgr.audit.queries import last_sign_ins, last_used, recent_callers
from credmgr.audit.recording import Actor
from credmgr.audit.retention import purge_sign_ins
from credmgr.registrations.models import Application
from tests.audit.rows import many

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        connection.vendor != "sqlite", reason="PostgreSQL plans by statistics; the indexes are the same"
    ),
]
ROWS = 20_000
_TABLE = SignIn._meta.db_table
_BY_TIME = "USING INDEX audit_signin_at_"
_NEWEST = f"SEARCH {_TABLE}"  # the end of the key, for the highest number
_SINCE_SUMMED = "sequence > COALESCE((SELECT MAX(seen)"
TIMES = ("1h", "24h", "7d", "30d", "kept")
FILTERS = (
    "",
    "result=success",
    "result=failure",
    "code=7000215",
    "code=0",
    "credential=certificate",
    "resource=api://route-planner",
    "ip=10.24.6.7",
    "search=harbor",
    "search=10.24.6.7",
    "search=11111111-2222-4333-8444-555555555555",
    "search=A1B2C3D4E5F60718293A4B5C6D7E8F9001122334",
    "result=failure&credential=certificate&ip=10.24.6.7&search=nothing",
)


@pytest.fixture
def log(harbor: Application, foreign: Application) -> Application:
    """A log of two directories and two applications, without statistics, as an installation has it."""
    now, month = timezone.now(), timedelta(days=30)
    many(ROWS - 4000, over=month, now=now, tenant=harbor.tenant_id, application=harbor.pk)
    many(2000, over=month, now=now, tenant=harbor.tenant_id, credential=uuid.uuid4())
    many(2000, over=month, now=now, tenant=foreign.tenant_id, application=foreign.pk)
    return harbor


def plans(act: Callable[[], object]) -> list[tuple[str, list[str]]]:
    """(statement, steps of its plan) for each read or deletion of the log."""
    with CaptureQueriesContext(connection) as captured:
        act()
    found = []
    with connection.cursor() as cursor:
        for query in captured.captured_queries:
            if _TABLE in query["sql"] and query["sql"].startswith(("SELECT", "WITH", "DELETE")):
                cursor.execute("EXPLAIN QUERY PLAN " + query["sql"].replace("%", "%%"))
                found.append((query["sql"], [row[3] for row in cursor.fetchall()]))
    assert found, "nothing asked the log"
    return found


def assert_walks_indexes(act: Callable[[], object]) -> list[str]:
    """No table is scanned and nothing is sorted; the steps that touch the log are returned.

    Rows that the sums of hours do not hold yet are few, found by their number, and grouped.
    """
    steps = []
    for statement, plan in plans(act):
        for step in plan:
            # A summary groups the rows that it was limited to.
            is_bounded = _SINCE_SUMMED in statement or ("FOR GROUP BY" in step and "LIMIT" in statement)
            assert "TEMP B-TREE" not in step or is_bounded, f"sorts: {statement}"
            if _TABLE in step and step != _NEWEST:
                assert step.startswith(f"SEARCH {_TABLE} USING"), f"{step}: {statement}"
                steps.append(step)
    return steps


def opened(client: Client, address: str) -> Callable[[], object]:
    def act() -> None:
        answer: Any = client.get(address)
        assert answer.status_code == 200
        if answer.streaming:
            assert b"".join(answer.streaming_content)

    return act


def test_every_filter_of_the_pages_walks_an_index(signed_in: Client, log: Application) -> None:
    more = ("application=Harbor+Sync+Worker", f"application={uuid.uuid4()}")
    for query in (*FILTERS, *more):
        for time in ("1h", "30d") if query else TIMES:
            assert_walks_indexes(opened(signed_in, f"/sign-ins?time={time}&{query}"))
    for query in FILTERS:
        address = f"/applications/{log.pk}/sign-ins?time=30d&{query}"
        steps = assert_walks_indexes(opened(signed_in, address))
        assert not [step for step in steps if _BY_TIME in step], "rows of other applications are walked"


def test_each_question_has_the_index_that_was_made_for_it(signed_in: Client, log: Application) -> None:
    for address, index in (
        ("/sign-ins?time=30d", _BY_TIME),
        ("/sign-ins?time=30d&result=failure", "signin_refused (tenant_id=? AND at>?"),
        ("/sign-ins?time=30d&code=7000215", "signin_refused (tenant_id=? AND at>?"),
        (
            "/sign-ins?time=30d&application=Harbor+Sync+Worker",
            "signin_by_application (application_id=? AND at>?",
        ),
        ("/sign-ins?time=30d&ip=10.24.6.7", "signin_by_address (address=? AND at>?"),
        ("/sign-ins?time=30d&search=10.24.6.7", "signin_by_address (address=? AND at>?"),
        ("/sign-ins?time=30d&search=o", "signin_by_application (application_id=? AND at>?"),
        (f"/sign-ins?time=30d&search={log.client_id}", "signin_by_application (application_id=? AND at>?"),
        (f"/applications/{log.pk}/sign-ins?time=30d", "signin_by_application (application_id=? AND at>?"),
    ):
        steps = assert_walks_indexes(opened(signed_in, address))
        assert [step for step in steps if index in step], (address, steps)


def test_pages_on_either_side_walk_an_index(signed_in: Client, log: Application) -> None:
    middle = int((timezone.now() - timedelta(days=15)).timestamp() * 1_000_000)
    for query in FILTERS:
        for side in ("before", "after"):
            assert_walks_indexes(opened(signed_in, f"/sign-ins?time=30d&{query}&{side}={middle}.1"))


def test_the_export_walks_indexes(signed_in: Client, log: Application) -> None:
    for query in FILTERS:
        assert_walks_indexes(opened(signed_in, f"/sign-ins/export?time=1h&{query}"))
    assert_walks_indexes(opened(signed_in, "/sign-ins/export?time=7d&format=json&result=failure"))


def test_single_rows_and_other_pages_that_ask_the_log_walk_indexes(
    signed_in: Client, log: Application
) -> None:
    row = SignIn.objects.filter(tenant_id=log.tenant_id).latest("at")
    assert_walks_indexes(opened(signed_in, f"/sign-ins/{row.pk}"))
    assert_walks_indexes(opened(signed_in, f"/applications/{log.pk}"))
    assert_walks_indexes(opened(signed_in, "/applications"))
    since = timezone.now() - timedelta(days=1)
    credential = uuid.uuid4()
    for act in (
        lambda: last_used([credential, uuid.uuid4()]),
        lambda: last_sign_ins([log.pk, uuid.uuid4()]),
        lambda: recent_callers(log.pk, since),
        lambda: callers_with(credential, since),
        lambda: newest_use(credential),
        lambda: recent_use([credential], since),
    ):
        assert_walks_indexes(act)


def test_the_purge_walks_the_index_of_times(log: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credmgr.audit.retention.STEP_ROWS", 200)
    before = timezone.now() - timedelta(days=29)
    found: dict[str, Any] = {}

    def act() -> None:
        found["purge"] = purge_sign_ins(before, actor=Actor.command(), now=timezone.now())

    assert_walks_indexes(act)
    assert found["purge"].deleted > 400
