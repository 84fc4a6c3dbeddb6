"""Sums of the sign-in log say what a plain count says, whatever is written, counted again or deleted."""

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from credmgr.audit.models import BusyApplication, HourOfSignIns, SignIn, SummedSignIns
from credmgr.audit.recording import Actor
from credmgr.audit.retention import purge_sign_ins
from credmgr.audit.sign_in_questions import FAILURE, SUCCESS, Question, reach
from credmgr.audit.sign_in_sums import HOUR, hour_of, mend_sums, sum_new_sign_ins
from credmgr.audit.sign_ins import SignInRecord, record_sign_in
from credmgr.audit.summed_hours import Part, tallies
from credmgr.audit.timeline import timeline, timeline_of
from tests.audit.rows import NOW, TENANT, many, sign_in
from tests.database import postgresql_only

pytestmark = [pytest.mark.django_db, pytest.mark.database]
WAIT = 20.0
OTHER = uuid.UUID("0c7b2a5e-94a1-4f0e-8b6f-1f3e5d7c9b11")
CODES = (0, 0, 0, 7000215, 7000222)
BUSY, QUIET = uuid.uuid4(), uuid.uuid4()
ALL = uuid.UUID(int=0)
Sums = Counter[tuple[uuid.UUID, uuid.UUID | None, datetime, int, str]]


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credmgr.audit.sign_in_sums.STEP_ROWS", 7)
    monkeypatch.setattr("credmgr.audit.sign_in_sums.BUSY_ROWS", 20)
    monkeypatch.setattr("credmgr.audit.sign_in_sums.LOOK_EVERY_ROWS", 10)
    monkeypatch.setattr("credmgr.audit.retention.STEP_ROWS", 5)


def counted() -> Sums:
    """What a plain count of the rows that are summed says."""
    mark = SummedSignIns.objects.first()
    busy = set(BusyApplication.objects.values_list("pk", flat=True))
    found: Sums = Counter()
    for row in SignIn.objects.filter(sequence__lte=mark.seen if mark else 0):
        for application in {ALL, row.application_id} & {ALL, *busy}:
            key = row.tenant_id, application, hour_of(row.at), row.error_code
            found[*key, "rows"] += 1
            found[*key, "requests"] += row.count
    return found


def summed() -> Sums:
    found: Sums = Counter()
    for each in HourOfSignIns.objects.all():
        key = each.tenant_id, each.application_id, each.hour, each.error_code
        found[*key, "rows"] += each.row_count
        found[*key, "requests"] += each.request_count
    return +found


def assert_charts_are_true() -> None:
    """Against the rows themselves, for each way to ask the sums."""
    start, end = NOW - timedelta(hours=30, minutes=17), NOW - timedelta(minutes=11)
    for tenant in (TENANT, OTHER):
        for asked in (
            Question(tenant, start),
            Question(tenant, start, end),
            Question(tenant, start, result=FAILURE),
            Question(tenant, start, end, result=SUCCESS),
            Question(tenant, start, code=7000222),
            Question(tenant, start, result=SUCCESS, code=7000222),
            Question(tenant, start, application_id=BUSY),
            Question(tenant, start, end, application_id=BUSY, result=FAILURE),
            Question(tenant, start, end, application_id=QUIET),
            Question(tenant, start, end, applications=(BUSY, QUIET)),
            Question(tenant, start, applications=(BUSY, QUIET), code=7000222),
        ):
            reached = reach(asked)
            is_known = asked.application_id is None or BusyApplication.objects.contains(
                BusyApplication(asked.application_id)
            )
            assert reached.is_known == is_known
            rows = asked.rows()
            assert timeline(reached, start, end) == timeline_of(rows, start, end), asked


def folded(at: datetime, generator: random.Random) -> None:
    record = SignInRecord(
        at=at,
        trace_id=uuid.uuid4(),
        correlation_id=uuid.uuid4(),
        tenant_id=generator.choice((TENANT, OTHER)),
        client_id="one of few",
        error_code=7000215,
    )
    record_sign_in(record, fold=str(record.tenant_id))


@pytest.mark.parametrize("seed", range(6))
def test_sums_and_charts_equal_a_plain_count_whatever_happens(seed: int) -> None:
    generator = random.Random(seed)  # noqa: S311 - to choose what happens

    def moment() -> datetime:
        """Mostly now, sometimes of a clock that jumped back, often on the edge of an hour."""
        back = generator.choice((0, 0, 1, 5, 29, 31)) * HOUR
        within = generator.choice((timedelta(0), timedelta(microseconds=1), timedelta(minutes=13)))
        return hour_of(NOW) - back - generator.choice((-1, 1)) * within

    def write() -> None:
        for _ in range(generator.randrange(12)):
            tenant = generator.choice((TENANT, TENANT, OTHER))
            sign_in(
                moment(),
                tenant=tenant,
                application=generator.choice((BUSY, BUSY, QUIET, None)),
                code=generator.choice(CODES),
                count=generator.choice((1, 1, 4)),
            )

    def fold() -> None:
        at = hour_of(NOW) - generator.choice((0, 0, 1)) * HOUR
        for _ in range(generator.randrange(8)):
            folded(at, generator)

    def delete() -> None:
        keys = list(SignIn.objects.values_list("pk", flat=True))
        SignIn.objects.filter(pk__in=generator.sample(keys, min(len(keys), 3))).delete()

    def purge() -> None:
        before = NOW - generator.choice((6, 30)) * HOUR
        purge_sign_ins(before, actor=Actor.command(), now=NOW)

    acts: list[Callable[[], object]] = [
        write,
        write,
        fold,
        fold,
        delete,
        purge,
        sum_new_sign_ins,
        sum_new_sign_ins,
    ]
    for _ in range(40):
        generator.choice(acts)()
        assert summed() == counted()
    assert_charts_are_true()
    assert mend_sums() == 0, "nothing was wrong"
    sum_new_sign_ins()
    assert summed() == counted()
    of_all = [number for key, number in summed().items() if key[1] == ALL and key[-1] == "rows"]
    assert SignIn.objects.count() == sum(of_all)
    assert_charts_are_true()


def test_a_turn_sums_what_came_since_the_last_one() -> None:
    many(20, over=timedelta(hours=5))
    assert sum_new_sign_ins() == 20
    assert sum_new_sign_ins() == 0
    sign_in(NOW - timedelta(days=400))
    assert sum_new_sign_ins() == 1
    assert summed() == counted()


def test_a_row_that_is_summed_counts_further_requests_and_goes() -> None:
    generator = random.Random(1)  # noqa: S311 - to choose directories
    for _ in range(5):
        folded(hour_of(NOW), generator)
    sum_new_sign_ins()
    before = summed()
    for _ in range(5):
        folded(hour_of(NOW), generator)
    assert summed() == counted() != before
    SignIn.objects.order_by("sequence")[:1].get().delete()
    assert summed() == counted() != before
    assert_charts_are_true()


def test_a_turn_that_is_cut_off_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    many(20, over=timedelta(hours=5))

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(time, "sleep", interrupt)
        with pytest.raises(KeyboardInterrupt):
            sum_new_sign_ins()
    assert summed() == counted()
    assert sum_new_sign_ins() == 13


@pytest.mark.parametrize("harm", ["lost", "wrong", "of nothing", "of another hour"])
def test_sums_that_do_not_fit_are_found_and_mended(harm: str) -> None:
    many(20, over=timedelta(hours=5))
    sum_new_sign_ins()
    one = HourOfSignIns.objects.order_by("hour").first()
    assert one is not None
    if harm == "lost":
        one.delete()
    elif harm == "wrong":
        HourOfSignIns.objects.filter(pk=one.pk).update(request_count=one.request_count + 1)
    elif harm == "of nothing":
        HourOfSignIns.objects.create(
            tenant_id=OTHER, hour=NOW - 900 * HOUR, error_code=0, row_count=3, request_count=3
        )
    else:
        HourOfSignIns.objects.filter(pk=one.pk).update(hour=one.hour - 700 * HOUR)
    assert summed() != counted()
    assert mend_sums() == (2 if harm == "of another hour" else 1)
    assert summed() == counted()
    assert mend_sums() == 0


def test_without_the_mark_the_sums_begin_anew() -> None:
    many(20, over=timedelta(hours=5))
    sum_new_sign_ins()
    SummedSignIns.objects.all().delete()
    assert_charts_are_true()
    assert sum_new_sign_ins() == 20
    assert summed() == counted()


def test_a_busy_application_is_summed_by_itself_from_its_first_row_on() -> None:
    many(30, over=timedelta(hours=25), application=BUSY)
    many(3, over=timedelta(hours=25), application=QUIET)
    sum_new_sign_ins()
    assert [each.pk for each in BusyApplication.objects.all()] == [BUSY]
    sign_in(NOW - 3 * HOUR, application=BUSY)
    sum_new_sign_ins()
    assert summed() == counted()
    assert_charts_are_true()


@postgresql_only
def test_rows_that_are_summed_are_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index of times would lead through all those of the day."""
    for name in ("STEP_ROWS", "BUSY_ROWS", "LOOK_EVERY_ROWS"):
        monkeypatch.setattr(f"credmgr.audit.sign_in_sums.{name}", 10_000)
    many(6_000, over=timedelta(hours=24))
    assert sum_new_sign_ins() == 6_000
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE audit_signin")
        with CaptureQueriesContext(connection) as captured:
            assert sum(each.rows for each in tallies(Part(TENANT, NOW - HOUR, None)).values()) > 240
        cursor.execute("EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) " + captured.captured_queries[0]["sql"])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "audit_signin_pkey" in plan, plan
    assert "audit_signin_at_" not in plan, plan


@postgresql_only
@pytest.mark.django_db(transaction=True)
def test_a_row_that_is_committed_after_a_later_one_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number is given before its commit, so the newest number that is there does not say that it is."""
    monkeypatch.setattr("credmgr.audit.sign_in_sums._PATIENCE", 0.2)
    written, go = threading.Event(), threading.Event()

    def write_slowly() -> None:
        try:
            with transaction.atomic():
                sign_in(NOW)
                written.set()
                go.wait(WAIT)
        finally:
            connection.close()

    slow = threading.Thread(target=write_slowly, daemon=True)
    slow.start()
    assert written.wait(WAIT)
    sign_in(NOW - HOUR)
    assert sum_new_sign_ins() == 0, "it went past a row that is not committed"
    go.set()
    slow.join(WAIT)
    assert sum_new_sign_ins() == 2
    assert summed() == counted()
