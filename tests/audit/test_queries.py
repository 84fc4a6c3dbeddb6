"""Single facts of the logs: newest uses, also after a purge, recent callers, events of a directory."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from credmgr.audit.models import AuditEvent, LastUse
from credmgr.audit.queries import events_of_tenant, last_sign_ins, last_used, recent_callers
from tests.audit.rows import NOW, TENANT, many, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_last_use_is_the_newest_success_and_refusals_do_not_count() -> None:
    first, second, never = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    sign_in(NOW - timedelta(hours=5), credential=first)
    sign_in(NOW - timedelta(hours=2), credential=first)
    sign_in(NOW - timedelta(hours=1), credential=first, code=7000222)
    sign_in(NOW - timedelta(days=40), credential=second)
    sign_in(NOW, credential=never, code=7000215)
    assert last_used([first, second, never]) == {
        first: NOW - timedelta(hours=2),
        second: NOW - timedelta(days=40),
    }


def test_last_use_is_by_time_and_not_by_order_of_writing() -> None:
    """Demo data is written after what is newer than it."""
    credential = uuid.uuid4()
    sign_in(NOW, credential=credential)
    sign_in(NOW - timedelta(days=3), credential=credential)
    assert last_used([credential]) == {credential: NOW}


def test_a_kept_last_use_counts_only_where_the_log_has_none() -> None:
    purged, used_again, unknown = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    before = NOW - timedelta(days=200)
    LastUse.objects.bulk_create([LastUse(subject_id=each, at=before) for each in (purged, used_again)])
    sign_in(NOW, credential=used_again)
    assert last_used([purged, used_again, unknown]) == {purged: before, used_again: NOW}


def test_last_use_of_nothing_asks_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert last_used([]) == {}


def test_last_sign_ins_take_one_statement_however_many_ids(django_assert_num_queries: Any) -> None:
    ids = [uuid.uuid4() for _ in range(30)]
    for number, application in enumerate(ids):
        sign_in(NOW - timedelta(minutes=number), application=application)
    with django_assert_num_queries(1):
        assert last_sign_ins(ids) == {
            application: NOW - timedelta(minutes=number) for number, application in enumerate(ids)
        }


@pytest.mark.parametrize("asked", [last_used, last_sign_ins], ids=["credentials", "applications"])
def test_what_was_never_used_is_not_looked_for_in_the_whole_log(asked: Any) -> None:
    """However busy the one beside it is: each id is looked up in its own index."""
    if connection.vendor != "postgresql":
        pytest.skip("about PostgreSQL: `make test-postgres` runs it")
    busy, quiet = uuid.uuid4(), uuid.uuid4()
    many(6_000, over=timedelta(days=30), credential=busy, application=busy)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE audit_signin")
        with CaptureQueriesContext(connection) as captured:
            assert asked([busy, quiet]).keys() == {busy}
        cursor.execute("EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) " + captured.captured_queries[0]["sql"])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "signin_by_" in plan, plan
    assert "audit_signin_at_" not in plan, plan
    removed = [int(line.rpartition(":")[2]) for line in plan.splitlines() if "Rows Removed by Filter" in line]
    assert sum(removed) < 100, plan


def test_recent_callers_are_counted_with_the_newest_time_of_each() -> None:
    application = uuid.uuid4()
    for minutes in (5, 1, 3):
        sign_in(NOW - timedelta(minutes=minutes), application=application, address="10.0.0.1")
    sign_in(NOW, application=application, address="10.0.0.2")
    sign_in(NOW, application=application, address="10.0.0.3", code=7000215)
    sign_in(NOW - timedelta(days=2), application=application, address="10.0.0.4")
    found = recent_callers(application, NOW - timedelta(days=1)).all
    assert [(each.address, each.count, each.last_at) for each in found] == [
        ("10.0.0.1", 3, NOW - timedelta(minutes=1)),
        ("10.0.0.2", 1, NOW),
    ]


def test_of_many_sign_ins_the_newest_are_looked_at_and_it_is_said_how_far_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("credmgr.audit.queries.CALLER_ROWS", 4)
    application = uuid.uuid4()
    for minutes in range(3):
        sign_in(NOW - timedelta(minutes=minutes), application=application, address=f"10.0.0.{minutes}")
    found = recent_callers(application, NOW - timedelta(days=1))
    assert (len(found.all), found.looked_back_to) == (3, None)
    for minutes in (3, 4):
        sign_in(NOW - timedelta(minutes=minutes), application=application, address=f"10.0.0.{minutes}")
    found = recent_callers(application, NOW - timedelta(days=1))
    assert {each.address for each in found.all} == {f"10.0.0.{minutes}" for minutes in range(4)}
    assert found.looked_back_to == NOW - timedelta(minutes=3)


def test_events_of_a_directory_leave_out_other_directories() -> None:
    for number, tenant in enumerate([TENANT, None, uuid.uuid4()]):
        AuditEvent.objects.create(at=NOW, tenant_id=tenant, actor_name="Robin", tag=f"kind-{number}")
    assert [event.tag for event in events_of_tenant(TENANT)] == ["kind-1", "kind-0"]
