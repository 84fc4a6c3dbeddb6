"""Who is told that a directory may not know something new yet, and how long it is tried for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from credmgr.flowtest.patience import CODES, FRESH, LIMIT, PAUSE, TRIES_MAX, Refused, patience
from credmgr.registrations.models import BUILT_IN, ENTRA, OIDC

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def refused(seconds_ago: float, code: int = 7000215) -> Refused:
    """A run so long ago."""
    return Refused(NOW - timedelta(seconds=seconds_ago), code)


def decided(**given: Any) -> Any:
    """The decision about one refusal, of a secret added a minute ago, unless told otherwise."""
    usual = {
        "kind": ENTRA,
        "is_explained": False,
        "added_at": NOW - timedelta(minutes=1),
        "runs": [refused(1)],
        "is_own": True,
        "now": NOW,
    }
    return patience(**{**usual, **given})


@pytest.mark.parametrize("code", [7000215, 700016, 7000229, 700027])
def test_these_refusals_pass_by_themselves(code: int) -> None:
    plan = decided(runs=[refused(1, code)])
    assert (plan.tries, plan.until, plan.goes_on) == (1, NOW - timedelta(seconds=1) + LIMIT, True)


@pytest.mark.parametrize("code", [0, 7000222, 90002, 500011])
def test_others_do_not(code: int) -> None:
    assert code not in CODES
    assert decided(runs=[refused(1, code), refused(9)]) is None


@pytest.mark.parametrize("kind", [BUILT_IN, OIDC])
def test_only_a_microsoft_directory_needs_time(kind: str) -> None:
    assert decided(kind=kind) is None


def test_ten_minutes_after_it_was_added_it_is_not_new() -> None:
    second = timedelta(seconds=1)
    assert decided(added_at=NOW - FRESH + second) is not None
    assert decided(added_at=NOW - FRESH) is None


def test_nothing_is_offered_where_the_value_is_known_to_be_wrong_or_a_later_run_tells_more() -> None:
    assert decided(is_explained=True) is None
    assert decided(runs=[]) is None


def test_somebody_elses_run_and_one_that_asks_a_question_are_repeated_by_hand_only() -> None:
    plan = decided(is_own=False)
    assert (plan.tries, plan.goes_on) == (1, False)


def test_it_ends_after_six_tries() -> None:
    rows = [refused(1 + 9 * number) for number in range(TRIES_MAX)]
    assert [decided(runs=rows[:count]).goes_on for count in (TRIES_MAX - 1, TRIES_MAX)] == [True, False]


def test_it_ends_after_a_minute() -> None:
    """No try begins later than that."""
    last = (LIMIT - PAUSE).total_seconds()
    assert decided(runs=[refused(1), refused(last)]).goes_on is True
    assert decided(runs=[refused(1), refused(last + 1)]).goes_on is False
    assert decided(runs=[refused(1), refused(40), refused(80)]).goes_on is False


def test_a_press_after_a_rest_begins_a_new_row() -> None:
    plan = decided(runs=[refused(1), refused(62), refused(70)])
    assert (plan.tries, plan.goes_on) == (1, True)


def test_a_success_or_another_failure_ends_the_row() -> None:
    assert decided(runs=[refused(1), refused(10, 0), refused(20)]).tries == 1


def test_a_page_opened_later_does_not_begin_again() -> None:
    assert decided(runs=[refused(120)]).goes_on is False
