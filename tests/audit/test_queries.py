"""Reading the logs: newest uses, the last 24 hours, and that neither grows with the log."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from credmgr.audit.models import AuditEvent, SignIn
from credmgr.audit.queries import activity, events_of_tenant, last_sign_ins, last_used, sign_ins_of

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 14, 52, 6, tzinfo=UTC)
TENANT = uuid.UUID("9a1f1aa4-ba53-4474-9c4b-39bc906bfc3a")


def sign_in(
    at: datetime,
    *,
    application: uuid.UUID | None = None,
    credential: uuid.UUID | None = None,
    code: int = 0,
    count: int = 1,
) -> SignIn:
    return SignIn.objects.create(
        at=at,
        trace_id=uuid.uuid4(),
        correlation_id=uuid.uuid4(),
        tenant_id=TENANT,
        client_id=str(uuid.uuid4()),
        application_id=application,
        credential_id=credential,
        error_code=code,
        count=count,
    )


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


def test_last_use_of_nothing_asks_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert last_used([]) == {}


def test_last_sign_ins_take_two_statements_however_many_ids(django_assert_num_queries: Any) -> None:
    ids = [uuid.uuid4() for _ in range(30)]
    for number, application in enumerate(ids):
        sign_in(NOW - timedelta(minutes=number), application=application)
    with django_assert_num_queries(2):
        assert last_sign_ins(ids) == {
            application: NOW - timedelta(minutes=number) for number, application in enumerate(ids)
        }


def test_activity_sums_hours_folded_rows_and_codes() -> None:
    application = uuid.uuid4()
    sign_in(NOW - timedelta(minutes=10), application=application)
    sign_in(NOW - timedelta(minutes=20), application=application, code=7000215, count=7)
    sign_in(NOW - timedelta(hours=3), application=application, code=700016)
    sign_in(NOW - timedelta(hours=30), application=application)
    sign_in(NOW, application=uuid.uuid4())
    seen = activity(sign_ins_of(application), NOW)
    assert (seen.succeeded, seen.refused, seen.is_complete) == (1, 8, True)
    assert seen.codes == [(7000215, 7), (700016, 1)]
    assert seen.hours[23].start == NOW.replace(minute=0, second=0)
    assert (seen.hours[23].succeeded, seen.hours[23].refused) == (1, 7)
    assert seen.hours[20].refused == 1


def test_events_of_a_directory_leave_out_other_directories() -> None:
    for number, tenant in enumerate([TENANT, None, uuid.uuid4()]):
        AuditEvent.objects.create(at=NOW, tenant_id=tenant, actor_name="Robin", tag=f"kind-{number}")
    assert [event.tag for event in events_of_tenant(TENANT)] == ["kind-1", "kind-0"]
