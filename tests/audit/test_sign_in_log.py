"""Pages of the sign-in log: by time, never past what is looked at, never another directory's."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Q

from credmgr.audit.models import SignIn
from credmgr.audit.sign_in_log import Cursor, choices, newer_page, newest_page, older_page, sign_in_of
from credmgr.audit.sign_in_questions import FAILURE, SUCCESS, Question, reach
from tests.audit.rows import NOW, TENANT, many, sign_in

pytestmark = pytest.mark.django_db
DAY = NOW - timedelta(days=1)


def numbers(rows: list[SignIn]) -> list[int]:
    return [row.sequence for row in rows]


def all_pages(asked: Question, size: int) -> list[int]:
    """Everything, paged through from the newest to the oldest."""
    page = newest_page(reach(asked), size)
    found = numbers(page.rows)
    for _ in range(1000):
        if page.older is None:
            return found
        page = older_page(asked, size, page.older)
        found += numbers(page.rows)
    raise AssertionError("the pages do not end")


def test_rows_come_by_time_whatever_the_order_of_writing() -> None:
    late = sign_in(NOW - timedelta(minutes=1))
    early = sign_in(NOW - timedelta(hours=2))
    between = sign_in(NOW - timedelta(hours=1))
    assert all_pages(Question(TENANT, DAY), 50) == numbers([late, between, early])


def test_the_time_begins_with_its_start_and_ends_before_its_end() -> None:
    first = sign_in(NOW - timedelta(hours=2))
    second = sign_in(NOW - timedelta(hours=1))
    assert all_pages(Question(TENANT, first.at, second.at), 50) == [first.sequence]
    assert all_pages(Question(TENANT, first.at, NOW), 50) == numbers([second, first])


def test_pages_neither_skip_nor_repeat_rows_of_one_moment() -> None:
    rows = [sign_in(NOW - timedelta(minutes=number // 7)) for number in range(40)]
    expected = [row.sequence for row in sorted(rows, key=lambda row: (row.at, row.sequence), reverse=True)]
    for size in (1, 3, 7, 39, 40):
        assert all_pages(Question(TENANT, DAY), size) == expected


def test_newer_leads_back_to_where_one_came_from() -> None:
    many(25, over=timedelta(hours=20))
    asked = Question(TENANT, DAY)
    first = newest_page(reach(asked), 10)
    assert first.newer is None
    assert first.older is not None
    second = older_page(asked, 10, first.older)
    assert second.newer is not None
    back = newer_page(asked, 10, second.newer)
    assert numbers(back.rows) == numbers(first.rows)
    assert back.newer is None
    sign_in(NOW)
    assert newer_page(asked, 10, second.newer).newer is not None


def test_a_place_outside_of_the_time_leads_to_its_nearest_page() -> None:
    rows = many(5, over=timedelta(hours=5))
    asked = Question(TENANT, DAY, NOW)
    assert numbers(older_page(asked, 10, Cursor(NOW + timedelta(days=9), 1)).rows) == numbers(rows[::-1])
    assert older_page(asked, 10, Cursor(DAY - timedelta(days=9), 1)).rows == []
    assert numbers(newer_page(asked, 10, Cursor(DAY - timedelta(days=9), 1)).rows) == numbers(rows[::-1])


def test_another_directorys_rows_are_in_no_answer() -> None:
    elsewhere, application = uuid.uuid4(), uuid.uuid4()
    own = sign_in(NOW, application=application, code=7000215)
    theirs = sign_in(
        NOW, tenant=elsewhere, application=application, code=700016, address="203.0.113.9", resource="api://x"
    )
    for asked in (
        Question(TENANT, DAY),
        Question(TENANT, DAY, application_id=application),
        Question(TENANT, DAY, result=FAILURE),
        Question(TENANT, DAY, application_id=application, result=FAILURE),
    ):
        assert all_pages(asked, 1) == [own.sequence]
        assert newer_page(asked, 10, Cursor(DAY, 0)).rows == [own]
        offered = choices(reach(asked.of_any_kind()))
        assert (offered.codes, offered.addresses, offered.resources) == ([7000215], [], [])
    assert sign_in_of(TENANT, theirs.sequence) is None
    assert sign_in_of(elsewhere, theirs.sequence) == theirs


def test_filters_narrow_and_add_up() -> None:
    application = uuid.uuid4()
    good = sign_in(NOW, application=application, address="10.0.0.1")
    wrong = sign_in(NOW - timedelta(hours=1), application=application, code=7000215, address="10.0.0.2")
    expired = sign_in(NOW - timedelta(hours=2), code=7000222, address="10.0.0.1")
    asked = {
        "success": Question(TENANT, DAY, result=SUCCESS),
        "code 0": Question(TENANT, DAY, code=0),
        "failure": Question(TENANT, DAY, result=FAILURE),
        "code": Question(TENANT, DAY, code=7000222),
        "application": Question(TENANT, DAY, application_id=application),
        "address": Question(TENANT, DAY, address="10.0.0.1"),
        "any of two applications": Question(TENANT, DAY, applications=(application, uuid.uuid4())),
        "both": Question(TENANT, DAY, result=FAILURE, matching=Q(address="10.0.0.1")),
        "against each other": Question(TENANT, DAY, result=SUCCESS, code=7000222),
    }
    assert {name: all_pages(each, 50) for name, each in asked.items()} == {
        "success": [good.sequence],
        "code 0": [good.sequence],
        "failure": numbers([wrong, expired]),
        "code": [expired.sequence],
        "application": numbers([good, wrong]),
        "address": numbers([good, expired]),
        "any of two applications": numbers([good, wrong]),
        "both": [expired.sequence],
        "against each other": [],
    }


@pytest.fixture
def short_sighted(monkeypatch: pytest.MonkeyPatch) -> int:
    """A log of which ten rows are looked at."""
    monkeypatch.setattr("credmgr.audit.sign_in_questions.EXAMINED_ROWS", 10)
    return 10


def test_a_filter_looks_at_so_many_rows_says_so_and_goes_on_from_there(short_sighted: int) -> None:
    rare = [sign_in(NOW - timedelta(hours=23), address="10.9.9.9")]
    rows = many(35, over=timedelta(hours=20))
    asked = Question(TENANT, DAY, matching=Q(address="10.9.9.9"))
    page = newest_page(reach(asked), 50)
    assert page.rows == []
    assert page.looked_back_to == rows[-short_sighted - 1].at
    assert page.older is not None
    assert all_pages(asked, 50) == numbers(rare)


def test_going_towards_newer_rows_is_bounded_as_well(short_sighted: int) -> None:
    rows = many(35, over=timedelta(hours=20))
    rare = sign_in(NOW - timedelta(seconds=1), address="10.9.9.9")
    asked = Question(TENANT, DAY, matching=Q(address="10.9.9.9"))
    page = newer_page(asked, 50, Cursor(rows[0].at, rows[0].sequence))
    assert page.rows == []
    for _ in range(10):
        if page.rows or page.newer is None:
            break
        page = newer_page(asked, 50, page.newer)
    assert page.rows == [rare]


def test_refusals_are_looked_through_by_their_own_index(short_sighted: int) -> None:
    """Ten successes after a refusal do not hide it."""
    refused = sign_in(NOW - timedelta(hours=23), code=7000222)
    many(40, over=timedelta(hours=20), code=0)
    for asked in (Question(TENANT, DAY, result=FAILURE), Question(TENANT, DAY, code=7000222)):
        page = newest_page(reach(asked), 50)
        assert (page.rows, page.looked_back_to) == ([refused], None)


def test_choices_are_what_the_newest_rows_have_most_of(django_assert_num_queries: Any) -> None:
    often, seldom = uuid.uuid4(), uuid.uuid4()
    for number in range(3):
        sign_in(NOW - timedelta(minutes=number), application=often, resource="api://a", code=7000215)
    sign_in(NOW, application=seldom, resource="api://b", address="10.0.0.1", code=700016)
    sign_in(NOW - timedelta(days=2), resource="api://too-old", code=50027)
    reached = reach(Question(TENANT, DAY))
    with django_assert_num_queries(2):
        offered = choices(reached)
    assert offered.applications == [often, seldom]
    assert offered.resources == ["api://a", "api://b"]
    assert offered.addresses == ["10.0.0.1"]
    assert offered.codes == [7000215, 700016]
