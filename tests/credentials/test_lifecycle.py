"""Days left in calendar days of UTC, and the status of an application by ruling P4."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import pytest

from credmgr.credentials.lifecycle import application_status, day, moment, soon_until, status_at

NOW = datetime(2026, 11, 23, 14, 52, tzinfo=UTC)


@dataclass
class Credential:
    start_at: datetime
    end_at: datetime


def lasting(days: float, start: float = -10) -> Credential:
    return Credential(NOW + timedelta(days=start), NOW + timedelta(days=days))


def ending(text: str) -> Credential:
    return Credential(NOW - timedelta(days=400), datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("end", "kind", "words", "days", "tone"),
    [
        ("2026-12-16T00:00Z", "soon", "23 days left", 23, "warn"),
        ("2026-11-24T00:01Z", "soon", "1 day left", 1, "warn"),
        ("2026-11-23T23:59Z", "soon", "Ends today", 0, "warn"),
        ("2026-11-23T14:52Z", "expired", "Expired today", None, "bad"),
        ("2026-11-22T23:59Z", "expired", "Expired 1 day ago", None, "bad"),
        ("2026-11-11T09:00Z", "expired", "Expired 12 days ago", None, "bad"),
        ("2026-12-23T23:59Z", "soon", "30 days left", 30, "warn"),
        ("2026-12-24T00:00Z", "current", "31 days left", 31, "ok"),
        ("2027-02-28T00:00Z", "current", "97 days left", 97, "ok"),
        ("2028-11-23T00:00Z", "current", "731 days left", 731, "ok"),
        ("2036-11-23T00:00Z", "current", "3,653 days left", 3653, "ok"),
    ],
)
def test_the_words_of_one_credential(end, kind, words, days, tone):
    status = status_at(ending(end), NOW)
    assert (status.kind, status.words, status.days_left, status.tone) == (kind, words, days, tone)


def test_a_credential_of_the_future():
    status = status_at(lasting(40, start=10), NOW)
    assert (status.kind, status.words, status.tone) == ("not-yet", "Not valid until 3 Dec 2026", "warn")


def test_days_are_those_of_utc_wherever_the_times_come_from():
    tokyo = timezone(timedelta(hours=9))
    end = datetime(2026, 11, 25, 1, 0, tzinfo=tokyo)  # still 24 November in UTC
    assert status_at(Credential(NOW - timedelta(days=1), end), NOW.astimezone(tokyo)).words == "1 day left"


@pytest.mark.parametrize(
    ("credentials", "kind", "words", "tone"),
    [
        ([], "none", "No credentials", "none"),
        ([lasting(-12)], "no-live", "No live credential", "bad"),
        ([lasting(100, start=10)], "no-live", "No live credential", "bad"),
        ([lasting(200)], "current", "Current", "ok"),
        ([lasting(200), lasting(-12)], "current-expired", "Current, 1 expired", "ok"),
        ([lasting(200), lasting(-1), lasting(-2)], "current-expired", "Current, 2 expired", "ok"),
        ([lasting(23), lasting(-12), lasting(97)], "soon", "Expires in 23 days", "warn"),
        ([lasting(1)], "soon", "Expires in 1 day", "warn"),
        ([lasting(0.1)], "soon", "Expires today", "warn"),
        ([lasting(200), lasting(20, start=5)], "current", "Current", "ok"),
    ],
)
def test_p4_status_of_an_application(credentials, kind, words, tone):
    """P4."""
    status = application_status(credentials, NOW)
    assert (status.kind, status.words, status.tone) == (kind, words, tone)


def test_nearest_end_is_the_next_live_one_or_else_the_last_there_was():
    credentials = [lasting(97), lasting(23), lasting(-12)]
    assert application_status(credentials, NOW).nearest_end == NOW + timedelta(days=23)
    assert application_status([lasting(-12), lasting(-30)], NOW).nearest_end == NOW - timedelta(days=12)
    assert application_status([], NOW).nearest_end is None


def test_the_window_of_soon_is_a_setting(settings):
    settings.EXPIRING_SOON_DAYS = 7
    assert status_at(lasting(8), NOW).kind == "current"
    assert status_at(lasting(7), NOW).kind == "soon"
    assert soon_until(NOW) == datetime(2026, 12, 1, tzinfo=UTC)


def test_dates_in_words():
    assert day(NOW) == "23 Nov 2026"
    assert moment(NOW) == "23 Nov 2026, 14:52 UTC"
