"""kill -9 in the middle of work: whatever somebody was given is there afterwards (C-5, C-6, S-2, A-13)."""

import base64
import gc
import json
import os
import random
import re
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
import requests

from tests.acceptance.portal_session import PortalSession
from tests.installation import Installation, InstallationFactory
from tests.ops.test_serve import children_of, get, wait_until

# A connection that a kill cuts off in its handshake is closed by the collector, which Python warns of.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Let that happen within the test that caused it."""
    yield
    gc.collect()


SECRET = re.compile(r"\b[0-9A-Za-z]{3}_cm_[0-9A-Za-z]{37}\b")
GRAPH = "https://graph.microsoft.com/.default"


def ask_for_token(
    one: Installation, app_id: str, secret: str, tenant: str | None = None
) -> requests.Response:
    """One token request, on a connection of its own so that every worker gets its share.

    Without a tenant the database is asked for it first.
    """
    form = {
        "grant_type": "client_credentials",
        "client_id": app_id,
        "client_secret": secret,
        "scope": GRAPH,
    }
    return get(one, f"/{tenant or one.tenant_id}/oauth2/v2.0/token", method="POST", data=form)


def claims_of(token: str) -> dict[str, Any]:
    """The payload of a JWT, unverified."""
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


@dataclass
class Storm:
    """People and programs at work in threads; what they were given is kept here, what failed is not."""

    one: Installation
    tokens: list[str] = field(default_factory=list)
    secrets: list[tuple[str, str]] = field(default_factory=list)  # app id, value
    surprises: list[str] = field(default_factory=list)
    unavailable: int = 0  # token requests that were told to come again
    tenant: str = field(init=False)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Nothing is asked of the database later: it may be away."""
        self.tenant = self.one.tenant_id

    def start(self, work: Callable[[], None], count: int) -> None:
        """Run the work again and again in so many threads, whatever happens to the server meanwhile."""
        for _ in range(count):
            self._threads.append(threading.Thread(target=self._repeat, args=(work,)))
            self._threads[-1].start()

    def _repeat(self, work: Callable[[], None]) -> None:
        while not self._over.is_set():
            with suppress(requests.RequestException):  # the connection died with its worker
                work()
            self._over.wait(0.02)  # a pause: what is watched needs the processor too

    def end(self) -> None:
        """Stop all threads."""
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    def has_given(self, tokens: int, secrets: int) -> bool:
        """Whether at least so many tokens and secrets were handed out."""
        return len(self.tokens) >= tokens and len(self.secrets) >= secrets

    def take_token(self, app_id: str, secret: str) -> None:
        """Ask for a token and keep it."""
        answer = ask_for_token(self.one, app_id, secret, self.tenant)
        if answer.status_code == 200:
            self.tokens.append(answer.json()["access_token"])
        elif answer.status_code == 503:
            self.unavailable += 1
        else:
            self.surprises.append(f"{answer.status_code} {answer.text[:300]}")

    def add_secret(self, person: PortalSession, app: dict[str, str]) -> None:
        """Add a client secret to a registration on its page and keep the value it shows."""
        try:
            answer = person.submit(f"/applications/{app['id']}/credentials/secrets/new", {"expires": "180"})
        except AssertionError as error:  # the page itself was not served
            self.surprises += [] if "(503)" in str(error) else [str(error)]
            return
        if answer.status_code not in {200, 503}:
            self.surprises.append(f"{answer.status_code} {answer.text[:300]}")
        self.secrets += [(app["appId"], value) for value in SECRET.findall(answer.text)[:1]]

    def assert_nothing_given_is_lost(self) -> None:
        """What the storm holds is in the running installation."""
        rows = self.one.database.rows
        # Every token that left has its sign-in record.
        recorded = {row[0] for row in rows("SELECT token_id FROM audit_signin WHERE error_code = 0")}
        assert [token for token in self.tokens if claims_of(token)["uti"] not in recorded] == []
        # Every secret that was shown works.
        refused = [
            app_id
            for app_id, secret in self.secrets
            if ask_for_token(self.one, app_id, secret, self.tenant).status_code != 200
        ]
        assert refused == []
        # No secret without its audit row, none half made.
        stored = {row[0] for row in rows("SELECT id FROM credentials_clientsecret")}
        audited = {
            row[0].replace("-", "")
            for row in rows("SELECT object_id FROM audit_auditevent WHERE object_id != ''")
        }
        assert stored <= audited
        assert len(stored) >= len(self.secrets) + 1
        # The audit has no gap, and its end is where the chain says.
        assert self.one.json("verify_audit")["intact"]


def kill_again_and_again(
    one: Installation, *, kills: int, secrets: int, people: int, chance: random.Random
) -> None:
    """Kill a worker each time that so many secrets more were shown, then `serve`; look what is there."""
    steady = one.json("register_app", "Steady")
    known = one.json("add_secret", steady["appId"])["secretText"]
    storm = Storm(one)
    storm.start(lambda: storm.take_token(steady["appId"], known), 3)
    for number in range(people):
        person = PortalSession(one.portal_url, one.admin_name, one.admin_password)
        growing = one.json("register_app", f"Growing {number}")
        storm.start(partial(storm.add_secret, person, growing), 1)
    try:
        for _ in range(kills):
            # The pace is the work's own: a slow machine must not see kills only.
            wanted = len(storm.tokens) + 4, len(storm.secrets) + secrets
            wait_until(partial(storm.has_given, *wanted), 90)
            workers = [worker for listener in children_of(one.pid) for worker in children_of(listener)]
            if workers:
                os.kill(chance.choice(workers), signal.SIGKILL)
        time.sleep(0.5)
        one.kill()
    finally:
        storm.end()
    assert storm.surprises == []
    one.start()
    storm.assert_nothing_given_is_lost()
    if not one.database.url:
        assert one.database.rows("PRAGMA integrity_check") == [("ok",)]
    assert get(one, "/health/ready").status_code == 200


def test_kill_9_in_the_middle_of_adds_and_token_storms_loses_nothing_that_was_given(
    fresh_installation: InstallationFactory,
) -> None:
    one = fresh_installation(
        CREDMGR_SECRETS_PER_APPLICATION="1000", CREDMGR_WRONG_SECRETS_PER_MINUTE="100000"
    )
    chance = random.Random(20260301)  # noqa: S311 - which worker dies, the same in every run
    kill_again_and_again(one, kills=3, secrets=1, people=2, chance=chance)


@pytest.mark.slow
def test_fifty_kills_in_a_thousand_secrets(fresh_installation: InstallationFactory) -> None:
    """C-6, at the size that the rule names."""
    one = fresh_installation(
        CREDMGR_SECRETS_PER_APPLICATION="1000",
        CREDMGR_WRONG_SECRETS_PER_MINUTE="100000",
        CREDMGR_WORKERS="4",
    )
    chance = random.Random(20260302)  # noqa: S311 - which worker dies, the same in every run
    kill_again_and_again(one, kills=50, secrets=20, people=4, chance=chance)


def test_a_deleted_secret_is_refused_by_every_worker_with_the_next_request(
    fresh_installation: InstallationFactory,
) -> None:
    """A-13, C-5."""
    one = fresh_installation(CREDMGR_WORKERS="3", CREDMGR_WRONG_SECRETS_PER_MINUTE="100000")
    person = PortalSession(one.portal_url, one.admin_name, one.admin_password)
    app = one.json("register_app", "Revoked")
    kept = one.json("add_secret", app["appId"])["secretText"]
    for _ in range(3):
        made = one.json("add_secret", app["appId"])
        for _ in range(12):  # so that every worker has seen it work
            assert ask_for_token(one, app["appId"], made["secretText"]).status_code == 200
        path = f"/applications/{app['id']}/credentials/secrets/{made['keyId']}/delete"
        assert person.submit(path, {}).status_code == 200
        for _ in range(12):
            answer = ask_for_token(one, app["appId"], made["secretText"])
            assert answer.status_code == 401
            assert answer.json()["error_codes"] == [7000215]
        assert ask_for_token(one, app["appId"], kept).status_code == 200


def test_two_people_add_and_delete_at_once(fresh_installation: InstallationFactory) -> None:
    """Neither sees a server error, and what is left is exactly what was not deleted."""
    one = fresh_installation()
    app = one.json("register_app", "Shared")
    people = [PortalSession(one.portal_url, one.admin_name, one.admin_password) for _ in range(2)]
    codes: list[int] = []
    shown: list[str] = []

    def work(person: PortalSession) -> None:
        base = f"/applications/{app['id']}/credentials/secrets"
        for _ in range(4):
            added = person.submit(f"{base}/new", {"expires": "180"})
            codes.append(added.status_code)
            shown.extend(SECRET.findall(added.text)[:1])
            oldest = one.database.rows("SELECT id FROM credentials_clientsecret ORDER BY created_at LIMIT 1")
            path = f"{base}/{uuid.UUID(oldest[0][0])}/delete" if oldest else base
            page = person.get(path)  # the other may have deleted it meanwhile: 404 then
            codes.append(page.status_code)
            if page.status_code == 200 and oldest:
                try:
                    codes.append(person.submit(path, {}).status_code)
                except AssertionError:
                    codes.append(404)

    threads = [threading.Thread(target=work, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert set(codes) <= {200, 404}, codes
    assert len(shown) == 8
    live = [secret for secret in shown if ask_for_token(one, app["appId"], secret).status_code == 200]
    assert len(live) == len(one.database.rows("SELECT id FROM credentials_clientsecret"))


def test_the_sign_in_record_of_a_refusal_survives_too(fresh_installation: InstallationFactory) -> None:
    """Decision 9: committed before the answer leaves."""
    one = fresh_installation()
    app = one.json("register_app", "Refused")
    one.json("add_secret", app["appId"])
    answer = ask_for_token(one, app["appId"], "wrong-secret")
    one.kill()
    assert answer.status_code == 401
    trace = answer.json()["trace_id"].replace("-", "")
    wait_until(lambda: one.processes() == [])
    found = one.database.rows("SELECT error_code FROM audit_signin WHERE trace_id = ?", trace)
    assert found == [(7000215,)]
