"""A clock that jumps by an hour, forth and back: tokens, sessions and the chain of the audit."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, tzinfo

import pytest
import requests
from django.test import Client

from credmgr.audit.events import EventTag
from credmgr.audit.models import AuditEvent
from credmgr.audit.recording import Actor
from credmgr.authority.key_rolling import replace_signing_key, roll_signing_key
from credmgr.authority.models import SigningKey
from credmgr.authority.signing_keys import ensure_signing_key, is_published
from credmgr.ops.health import readiness
from credmgr.ops.installation import look_after_signing_key
from tests.accounts.conftest import Clock, clock, person, quick_hashes, signed_in, visitor
from tests.audit.test_chain import verify
from tests.authority.conftest import Directory, directory, secret
from tests.authority.test_key_rolling import kid_of
from tests.installation import InstallationFactory

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


def test_a_signing_key_younger_than_the_jump_signs_again_after_the_next_upkeep(
    directory: Directory, moved: Clock, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The same key, which receivers know, and not one that waits to sign: there is one round a minute."""
    kid = kid_of(directory.ask(client_secret=secret).token)
    roll_signing_key(actor=Actor.command(), now=moved.now)
    moved.forward(hours=-1)
    directory.ask(client_secret=secret).refused(503, "temporarily_unavailable", 90033)
    assert not readiness()["signing_key"]
    look_after_signing_key()
    assert readiness()["signing_key"]
    assert kid_of(directory.ask(client_secret=secret).token) == kid
    assert "By this clock no signing key had begun" in caplog.text
    moved.forward(hours=1)
    look_after_signing_key()
    assert kid_of(directory.ask(client_secret=secret).token) == kid
    told = AuditEvent.objects.get(tag="authority:signing-key:brought-forward")
    assert (told.actor_name, told.object_name) == ("Credential Manager", kid)
    assert SigningKey.objects.count() == 2


def test_a_withdrawn_key_stays_away_under_a_clock_set_back_behind_the_withdrawal(
    directory: Directory, moved: Clock, secret: str
) -> None:
    """In an emergency it is in other hands: it is neither published again nor does it sign."""
    old = kid_of(directory.ask(client_secret=secret).token)
    by = Actor.command()
    waiting = roll_signing_key(actor=by, now=moved.now)
    moved.forward(hours=1)
    new = replace_signing_key(withdraw_older=True, actor=by, now=moved.now).kid
    for _ in range(2):
        moved.forward(minutes=-50)
        look_after_signing_key()
        assert kid_of(directory.ask(client_secret=secret).token) == new
        assert current_keys(moved.now) == {new}
    assert {old, waiting.kid} & current_keys(moved.now + timedelta(days=30)) == set()


def current_keys(now: datetime) -> set[str]:
    return set(SigningKey.objects.filter(is_published(now)).values_list("kid", flat=True))


UPKEEP = """
import time
from credmgr.ops.upkeep import Upkeep
time.sleep(max(0.0, {begin} - time.time()))
Upkeep()()
"""


@pytest.mark.database
def test_the_upkeep_of_many_processes_brings_one_key_forward_once(
    fresh_installation: InstallationFactory,
) -> None:
    """Under a server that goes on running, with no other way to tokens."""
    server = fresh_installation(admin=False)
    app = server.json("register_app", "Client")
    form = {
        "grant_type": "client_credentials",
        "client_id": app["appId"],
        "client_secret": server.json("add_secret", app["appId"])["secretText"],
        "scope": "https://graph.microsoft.com/.default",
    }

    def ask() -> tuple[int, str]:
        url = f"{app['authority']}/oauth2/v2.0/token"
        answer = requests.post(url, form, verify=str(server.ca_file), timeout=60)
        return answer.status_code, kid_of(answer.json()["access_token"]) if answer.ok else ""

    before = ask()
    assert before[0] == 200
    ahead = (datetime.now(UTC) + timedelta(days=2)).replace(tzinfo=None).isoformat(" ")
    server.database.change("UPDATE authority_signingkey SET signs_from = ?", ahead)
    assert ask() == (503, "")
    program = UPKEEP.format(begin=time.time() + 4)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: server.manage("shell", "--no-imports", "-c", program), range(4)))
    assert [each.returncode for each in done] == [0] * 4, [each.stderr for each in done]
    assert ask() == before
    told = "SELECT count(*) FROM audit_auditevent WHERE tag = 'authority:signing-key:brought-forward'"
    assert server.database.rows(told) == [(1,)]
    assert server.database.rows("SELECT count(*) FROM authority_signingkey") == [(1,)]


def test_a_key_that_another_process_just_brought_forward_stays_as_it_is(directory: Directory) -> None:
    """Which is ahead of the moment at which this process began to look."""
    SigningKey.objects.update(signs_from=directory.now + timedelta(days=2))
    other = directory.now + timedelta(milliseconds=5)

    def began() -> datetime:
        ensure_signing_key(lambda: other)
        return directory.now

    moments = iter([began, lambda: directory.now + timedelta(milliseconds=10)])
    assert ensure_signing_key(lambda: next(moments)()).signs_from == other
    assert AuditEvent.objects.filter(tag=EventTag.SIGNING_KEY_BROUGHT_FORWARD).count() == 1


def test_a_start_takes_the_key_of_a_later_clock_too(directory: Directory) -> None:
    """And makes none beside it."""
    kid = ensure_signing_key(lambda: directory.now).kid
    assert ensure_signing_key(lambda: directory.now - timedelta(days=900)).kid == kid
    assert SigningKey.objects.count() == 1


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
