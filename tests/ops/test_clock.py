"""A clock that jumps by an hour, forth and back: tokens, sessions and the chain of the audit."""

from datetime import datetime, timedelta, tzinfo

import pytest
from django.test import Client

from credmgr.audit.models import AuditEvent
from credmgr.authority.models import SigningKey
from credmgr.authority.signing_keys import ensure_signing_key
from tests.accounts.conftest import Clock, clock, person, quick_hashes, signed_in, visitor
from tests.audit.test_chain import verify
from tests.authority.conftest import Directory, directory, secret

__all__ = ["clock", "directory", "person", "quick_hashes", "secret", "signed_in", "visitor"]


@pytest.fixture
def moved(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The same clock for the authority, which reads the system's own."""

    class Moved:
        @staticmethod
        def now(tz: tzinfo) -> datetime:
            return clock.now.astimezone(tz)

    monkeypatch.setattr("credmgr.authority.exchange.datetime", Moved)
    return clock


@pytest.mark.parametrize("hours", [1, -1])
def test_tokens_are_given_before_and_after_a_jump(directory: Directory, moved: Clock, hours: int) -> None:
    """A secret made before it works after it, unless the clock now says that it has not begun."""
    SigningKey.objects.update(signs_from=moved.now - timedelta(days=1))
    _, old = directory.add_secret()
    _, new = directory.add_secret(start=timedelta(minutes=-10))
    assert directory.ask(client_secret=old).status == 200
    moved.forward(hours=hours)
    assert directory.ask(client_secret=old).status == 200
    if hours > 0:
        assert directory.ask(client_secret=new).status == 200
    else:
        directory.ask(client_secret=new).refused(401, "invalid_client", 7000215)
    moved.forward(hours=-hours)
    assert [directory.ask(client_secret=each).status for each in (old, new)] == [200, 200]


def test_a_signing_key_younger_than_the_jump_is_503_until_the_next_start(
    directory: Directory, moved: Clock, secret: str
) -> None:
    """Only in the first hour of an installation: there is an older key otherwise. A start makes another."""
    moved.forward(hours=-1)
    directory.ask(client_secret=secret).refused(503, "temporarily_unavailable", 90033)
    ensure_signing_key(moved.now)
    assert directory.ask(client_secret=secret).status == 200


def test_a_session_outlives_a_clock_set_back_and_not_its_idle_time(signed_in: Client, clock: Clock) -> None:
    clock.forward(hours=-1)
    assert signed_in.get("/account").status_code == 200
    clock.forward(minutes=20)
    assert signed_in.get("/account").status_code == 200
    clock.forward(hours=1)
    assert signed_in.get("/account").status_code == 302


def test_the_chain_is_whole_with_entries_of_an_earlier_clock(directory: Directory) -> None:
    """Its order is that of the acts, not of their times."""
    for hours in (1, -1, 0):
        directory.now += timedelta(hours=hours)
        directory.add_secret()
    times = list(AuditEvent.objects.order_by("sequence").values_list("at", flat=True))
    assert times != sorted(times)
    assert verify()["intact"]
