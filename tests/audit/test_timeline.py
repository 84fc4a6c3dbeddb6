"""Sign-ins over time: every one counted once, in the bar of its time, within what is looked at."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import Q

from credmgr.audit.sign_in_log import newest_page
from credmgr.audit.sign_in_questions import FAILURE, SUCCESS, Question, reach
from credmgr.audit.timeline import Span, Timeline, last_day, timeline, timeline_of
from tests.audit.rows import NOW, TENANT, many, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def chart(asked: Question) -> Timeline:
    return timeline(reach(asked), asked.start, asked.end or NOW)


@pytest.mark.parametrize(
    ("length", "step", "bars"),
    [
        (timedelta(minutes=3), timedelta(minutes=1), 4),
        (timedelta(hours=1), timedelta(minutes=2), 31),
        (timedelta(hours=24), timedelta(hours=1), 25),
        (timedelta(days=7), timedelta(hours=6), 29),
        (timedelta(days=30), timedelta(days=1), 31),
        (timedelta(days=90), timedelta(days=4), 24),
        (timedelta(days=36500), timedelta(days=3640), 11),
    ],
)
def test_bars_are_few_and_begin_at_round_times(length: timedelta, step: timedelta, bars: int) -> None:
    counted = chart(Question(TENANT, NOW - length))
    assert (counted.step, len(counted.spans)) == (step, bars)
    assert counted.spans[0].start <= NOW - length < counted.spans[0].end
    assert counted.spans[-1].start < NOW <= counted.spans[-1].end
    assert all(
        (span.start - datetime(1970, 1, 5, tzinfo=UTC)) % step == timedelta(0) for span in counted.spans
    )
    assert all(left.end == right.start for left, right in zip(counted.spans, counted.spans[1:], strict=False))


def test_each_sign_in_is_counted_once_in_its_own_hour() -> None:
    for minutes in (0, 51, 53, 60 * 5, 60 * 23):
        sign_in(NOW - timedelta(minutes=minutes, seconds=1))
    sign_in(NOW - timedelta(hours=5), code=7000215, count=7)
    sign_in(NOW - timedelta(hours=25))
    counted = chart(Question(TENANT, NOW - timedelta(hours=24)))
    assert (counted.succeeded, counted.refused, counted.total) == (5, 7, 12)
    assert {span.start.hour: (span.succeeded, span.refused) for span in counted.spans if span.total} == {
        14: (2, 0),
        13: (1, 0),
        9: (1, 7),
        15: (1, 0),
    }
    assert counted.counted_from is None


def test_a_row_on_the_edge_belongs_to_the_bar_that_begins_there() -> None:
    edge = NOW.replace(minute=0, second=0)
    sign_in(edge)
    sign_in(edge - timedelta(microseconds=1))
    counted = chart(Question(TENANT, NOW - timedelta(hours=24)))
    assert [span.succeeded for span in counted.spans[-2:]] == [1, 1]


def test_what_lies_outside_of_the_time_is_not_counted_in_the_bars_at_its_ends() -> None:
    start, end = NOW.replace(minute=30), NOW.replace(minute=40)
    for moment in (start - timedelta(seconds=1), start, end - timedelta(seconds=1), end):
        sign_in(moment)
    assert chart(Question(TENANT, start, end)).succeeded == 2


def test_filters_hold_for_the_chart_and_other_directories_stay_out(django_assert_num_queries: Any) -> None:
    application = uuid.uuid4()
    many(60, over=timedelta(hours=20), application=application)
    many(40, over=timedelta(hours=20), tenant=uuid.uuid4(), application=application)
    many(30, over=timedelta(hours=20), address="10.0.0.1", code=0)
    start = NOW - timedelta(hours=24)
    expected = {
        Question(TENANT, start): (88, 2),
        Question(TENANT, start, application_id=application): (58, 2),
        Question(TENANT, start, result=FAILURE): (0, 2),
        Question(TENANT, start, result=SUCCESS): (88, 0),
        Question(TENANT, start, code=7000215): (0, 2),
        Question(TENANT, start, code=7000222): (0, 0),
        Question(TENANT, start, matching=Q(address="10.0.0.1")): (30, 0),
    }
    for asked, counts in expected.items():
        reached = reach(asked)
        # What whole hours hold is known by then; here only a filter that no sum knows has to be counted.
        with django_assert_num_queries(0 if reached.is_known else 1):
            counted = timeline(reached, start, NOW)
        assert (counted.succeeded, counted.refused) == counts, asked
        rows = newest_page(reached, 500).rows
        assert timeline_of(rows, start, NOW) == counted, "the same from rows at hand"


def test_counting_stops_where_looking_stops_and_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credmgr.audit.sign_in_questions.EXAMINED_ROWS", 10)
    rows = many(40, over=timedelta(hours=20))
    anything = Q(count__gt=0)  # as a filter that no sum knows
    counted = chart(Question(TENANT, NOW - timedelta(hours=24), matching=anything))
    assert counted.counted_from == rows[-11].at
    assert counted.total == 11
    assert counted.spans[0] == Span(counted.spans[0].start, counted.spans[0].end)


def test_the_last_day_of_an_application_has_its_codes() -> None:
    application = uuid.uuid4()
    sign_in(NOW - timedelta(hours=1), application=application)
    for code in (7000215, 7000222, 7000222):
        sign_in(NOW - timedelta(hours=2), application=application, code=code)
    sign_in(NOW - timedelta(hours=2), code=700016)
    counted = last_day(Question(TENANT, NOW, application_id=application), NOW)
    assert (counted.succeeded, counted.refused, list(counted.codes)) == (1, 3, [7000222, 7000215])
