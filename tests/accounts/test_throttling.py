"""The counters that all limits share (C-2, L-3)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from credmgr.accounts.models import ThrottleCounter
from credmgr.accounts.throttling import Limit, admit, clear, hit, key_of, source_of, take_back, too_many
from tests.fuzzing import examples

pytestmark = pytest.mark.database
NOW = datetime(2026, 11, 23, 14, 52, 6, tzinfo=UTC)
LIMIT = Limit("test", 5, 60)


@pytest.mark.django_db(transaction=True)
def test_c2_parallel_attempts_share_the_places() -> None:
    """32 at once: exactly as many get in as there is room, and no count is lost."""

    def attempt(_: int) -> int:
        try:
            return admit("test:key", LIMIT, NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(attempt, range(32)))
    assert waits.count(0) == 5
    assert ThrottleCounter.objects.get().count == 5


@pytest.mark.django_db
def test_hit_counts_and_taking_back_undoes_it() -> None:
    assert [hit("test:key", 60, NOW) for _ in range(3)] == [1, 2, 3]
    take_back("test:key", 60, NOW)
    assert hit("test:key", 60, NOW) == 3
    assert hit("test:other", 60, NOW) == 1
    clear("test:key")
    assert hit("test:key", 60, NOW) == 1


@pytest.mark.django_db
def test_nothing_goes_below_zero() -> None:
    take_back("test:key", 60, NOW)
    hit("test:key", 60, NOW)
    take_back("test:key", 60, NOW)
    take_back("test:key", 60, NOW)
    assert hit("test:key", 60, NOW) == 1


@pytest.mark.django_db
def test_too_many_only_looks() -> None:
    for _ in range(5):
        assert too_many("test:key", 5, 60, NOW) == 0
    for _ in range(5):
        hit("test:key", 60, NOW)
    assert 60 <= too_many("test:key", 5, 60, NOW) <= 65
    assert too_many("test:key", 0, 60, NOW) > 0
    assert too_many("test:empty", 0, 60, NOW) == 60


def test_keys_tell_subjects_apart_and_hide_them() -> None:
    keys = {key_of("a", "x", "y"), key_of("a", "xy"), key_of("a", "x", "y", ""), key_of("b", "x", "y")}
    assert len(keys) == 4
    key = key_of("sign-in", "typed-by-a-person")
    assert "typed" not in key
    assert len(key) <= 100


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("no:address", "no:address"),
    ],
)
def test_whoever_has_a_network_of_ipv6_has_one_place(address: str, source: str) -> None:
    assert source_of(address) == source


class SlidingWindow(TestCase):
    """Whatever the pattern of attempts."""

    @settings(max_examples=examples(40), deadline=None)
    @given(st.lists(st.floats(0, 40, allow_nan=False), min_size=1, max_size=30))
    def test_no_window_ever_holds_more_than_the_limit_and_waiting_as_told_is_enough(
        self, pauses: list[float]
    ) -> None:
        ThrottleCounter.objects.all().delete()
        now, admitted = NOW, []
        for pause in pauses:
            now += timedelta(seconds=pause)
            if wait := admit("test:key", LIMIT, now):
                assert admit("test:key", LIMIT, now + timedelta(seconds=wait)) == 0
                admitted.append(now + timedelta(seconds=wait))
                now += timedelta(seconds=wait)
            else:
                admitted.append(now)
        for start in admitted:
            within = [moment for moment in admitted if start <= moment < start + timedelta(seconds=60)]
            assert len(within) <= 5
