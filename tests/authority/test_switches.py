"""The switches of a test directory, at the token endpoint."""

import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.utils import timezone

from credmgr.aadsts import CATALOGUE
from credmgr.accounts.models import ThrottleCounter
from credmgr.audit.models import SignIn
from credmgr.audit.recording import Actor
from credmgr.authority.models import UsedAssertion
from credmgr.authority.waiting import DELAYED_AT_ONCE, WAITING_AT_ONCE, hold, waiting
from credmgr.jose.jws import UnverifiedToken
from credmgr.registrations.directory_rules import (
    set_directory_testing,
    set_single_use_assertions,
    set_test_switches,
)
from credmgr.registrations.models import Tenant
from credmgr.registrations.switches import FORCED_SENTENCE, FORCIBLE_CODES, Switches
from tests.authority.assertion_maker import KeyPair
from tests.authority.conftest import GRAPH, Answer, Directory, unknown_guid
from tests.authority.refused_requests import normalised
from tests.installation import InstallationFactory

Switching = Callable[..., None]


@pytest.fixture
def switch(directory: Directory) -> Switching:
    """Marks the directory as a test directory and sets these switches, all others off."""
    tenant = _act(set_directory_testing, directory.tenant, is_test=True)

    def setting(**values: Any) -> None:
        nonlocal tenant
        tenant = _act(set_test_switches, tenant, switches=Switches(**values))

    return setting


def _act(act: Callable[..., Tenant], tenant: Tenant, **values: Any) -> Tenant:
    return act(tenant, expected_version=tenant.version, actor=Actor.command(), now=timezone.now(), **values)


def _claims(answer: Answer) -> dict[str, Any]:
    return UnverifiedToken.parse(answer.token).claims


@pytest.mark.parametrize("code", FORCIBLE_CODES)
def test_each_code_can_be_forced(directory: Directory, secret: str, switch: Switching, code: int) -> None:
    """With its own status and OAuth error, the usual body, and a sentence that says what forced it."""
    switch(code=code)
    entry = CATALOGUE[code]
    text = directory.ask(client_secret=secret).refused(entry.status, entry.error, code)
    assert text.endswith(f" {FORCED_SENTENCE}")
    assert "{" not in text
    row = directory.last_sign_in()
    assert (row.error_code, row.test_switches) == (code, "code")
    assert (row.application_id, row.token_id) == (directory.app.id, "")


def test_nothing_counts_in_an_ordinary_directory(directory: Directory, secret: str) -> None:
    """Whatever its row says."""
    stored = Switches(code=90033, every=1, retry_after=5, lifetime=60).stored()
    Tenant.objects.update(test_switches=stored)
    assert directory.ask(client_secret=secret).body["expires_in"] == 3599
    assert directory.last_sign_in().test_switches == ""


def test_unmarking_the_directory_ends_it_with_the_next_request(
    directory: Directory, secret: str, switch: Switching
) -> None:
    switch(code=90033)
    directory.ask(client_secret=secret).refused(503, "temporarily_unavailable", 90033)
    directory.tenant.refresh_from_db()
    _act(set_directory_testing, directory.tenant, is_test=False)
    assert directory.ask(client_secret=secret).token


def test_what_is_off_costs_nothing(
    directory: Directory, secret: str, switch: Switching, django_assert_num_queries: Any
) -> None:
    """One statement that finds everything, one row: in an ordinary directory and a test directory alike."""
    assert directory.ask(client_secret=secret).token  # a process opens the signing key once
    for _ in range(2):
        with django_assert_num_queries(2):
            assert directory.ask(client_secret=secret).token
        switch()


def test_an_end_that_has_passed(directory: Directory, secret: str, switch: Switching) -> None:
    """The switches end by themselves, and are off as if they had never been set."""
    switch(code=90033, until=timezone.now() + timedelta(hours=1))
    directory.ask(client_secret=secret).refused(503, "temporarily_unavailable", 90033)
    stored = Switches(code=90033, until=timezone.now() - timedelta(seconds=1)).stored()
    Tenant.objects.update(test_switches=stored)
    assert directory.ask(client_secret=secret).token


def test_one_client_alone(directory: Directory, secret: str, switch: Switching) -> None:
    other = directory.register("Other")
    _, others = directory.add_secret(other)
    switch(code=7000215, client_id=other.client_id)
    assert directory.ask(client_secret=secret).token
    answer = directory.ask(client_id=str(other.client_id), client_secret=others)
    answer.refused(401, "invalid_client", 7000215)


def test_throttled(directory: Directory, secret: str, switch: Switching) -> None:
    """429 with the seconds that were asked for, in the body of AADSTS90055."""
    switch(every=1, retry_after=7)
    answer = directory.ask(client_secret=secret)
    text = answer.refused(429, "temporarily_unavailable", 90055)
    assert "7 seconds" in text
    assert answer.response["Retry-After"] == "7"
    row = directory.last_sign_in()
    assert (row.error_code, row.test_switches, row.application_id) == (90055, "throttle", directory.app.id)


def test_each_third_request_is_throttled(directory: Directory, secret: str, switch: Switching) -> None:
    """Counted in the database, so over all processes; anew when the switches are set."""
    switch(every=3, retry_after=1)
    statuses = [directory.ask(client_secret=secret).status for _ in range(7)]
    assert statuses == [200, 200, 429, 200, 200, 429, 200]
    assert SignIn.objects.filter(error_code=0, test_switches="").count() == 5
    switch(every=2, retry_after=1)
    assert [directory.ask(client_secret=secret).status for _ in range(4)] == [200, 429, 200, 429]
    assert ThrottleCounter.objects.filter(key__startswith="test-switch:").count() == 1


def test_the_throttle_comes_before_the_forced_code(
    directory: Directory, secret: str, switch: Switching
) -> None:
    switch(every=2, retry_after=1, code=500011)
    assert [directory.ask(client_secret=secret).status for _ in range(4)] == [400, 429, 400, 429]


def test_a_short_lifetime(directory: Directory, secret: str, switch: Switching) -> None:
    """In both bodies and in the token, whose ends agree as usual."""
    switch(lifetime=60)
    answer = directory.ask(client_secret=secret)
    claims = _claims(answer)
    assert (answer.body["expires_in"], answer.body["ext_expires_in"]) == (60, 60)
    assert claims["exp"] - claims["nbf"] == 300 + 61
    assert directory.last_sign_in().test_switches == "lifetime"
    old = f"/{directory.tenant.id}/oauth2/token"
    body = directory.ask(
        client_secret=secret, path=old, scope=None, resource="https://graph.microsoft.com"
    ).body
    assert body["expires_in"] == "60"


@pytest.mark.parametrize("shift", [86400, -86400, 601])
def test_a_shifted_clock_makes_tokens_of_another_time(
    directory: Directory, secret: str, switch: Switching, shift: int
) -> None:
    """The sign-in log keeps the true time."""
    switch(clock_shift=shift)
    _, value = directory.add_secret(start=timedelta(days=-3), end=timedelta(days=3))
    claims = _claims(directory.ask(client_secret=value))
    assert abs(claims["iat"] + 300 - time.time() - shift) < 30
    row = directory.last_sign_in()
    assert row.test_switches == "clockShift"
    assert abs((row.at - timezone.now()).total_seconds()) < 30


def test_a_shifted_clock_judges_credentials(directory: Directory, switch: Switching, pair: KeyPair) -> None:
    """Tomorrow a secret is over and a certificate too; yesterday another had not begun."""
    _, ends_soon = directory.add_secret(end=timedelta(hours=12))
    _, began_today = directory.add_secret(start=timedelta(hours=-12))
    directory.add_certificate(pair, end=timedelta(hours=12))
    switch(clock_shift=86400)
    directory.ask(client_secret=ends_soon).refused(401, "invalid_client", 7000222)
    assert directory.ask(client_secret=began_today).token
    tomorrow = time.time() + 86400
    assertion = directory.assertion(pair, iat=tomorrow, exp=tomorrow + 300)
    assert "expired" in directory.present(assertion).refused(401, "invalid_client", 700027)
    switch(clock_shift=-86400)
    directory.ask(client_secret=began_today).refused(401, "invalid_client", 7000215)


def test_a_shifted_clock_judges_assertions(directory: Directory, switch: Switching, pair: KeyPair) -> None:
    """An assertion of the true time is over for a directory an hour ahead, and not begun an hour behind."""
    directory.add_certificate(pair)
    for shift in (3600, -3600):
        switch(clock_shift=shift)
        directory.present(directory.assertion(pair)).refused(401, "invalid_client", 700024)
    switch(clock_shift=240)  # within the five minutes that clocks may differ
    assert directory.present(directory.assertion(pair)).token


def test_metadata_and_keys_are_as_ever(directory: Directory, secret: str, switch: Switching) -> None:
    """The documents know of no switch, and the key that signs is chosen by the true time."""
    paths = [
        f"/{directory.tenant.id}/{rest}"
        for rest in ("v2.0/.well-known/openid-configuration", "discovery/v2.0/keys")
    ]
    before = [directory.get(path).body for path in paths]
    switch(clock_shift=-86400)
    assert [directory.get(path).body for path in paths] == before
    _, value = directory.add_secret(start=timedelta(days=-3))
    kid = UnverifiedToken.parse(directory.ask(client_secret=value).token).header["kid"]
    assert kid in {key["kid"] for key in before[1]["keys"]}
    switch(code=90033)
    assert [directory.get(path).body for path in paths] == before


def test_used_assertions_are_forgotten_by_the_true_time(
    directory: Directory, switch: Switching, pair: KeyPair
) -> None:
    """What a directory an hour ahead takes until its clock says so ends an hour earlier for the clean-up."""
    directory.add_certificate(pair)
    switch(clock_shift=3600)
    directory.tenant.refresh_from_db()
    _act(set_single_use_assertions, directory.tenant, enabled=True)
    ahead = time.time() + 3600
    assert directory.present(directory.assertion(pair, iat=ahead, exp=ahead + 300)).token
    assert abs(UsedAssertion.objects.get().expires_at.timestamp() - time.time() - 600) < 30


def test_strangers_fill_no_table(directory: Directory, switch: Switching) -> None:
    """Forced refusals of unknown clients are folded like their true ones."""
    switch(code=90033)
    unknown = unknown_guid()
    for _ in range(5):
        directory.ask(client_id=unknown, client_secret="x").refused(503, "temporarily_unavailable", 90033)
    assert list(SignIn.objects.values_list("client_id", "count", "test_switches")) == [(unknown, 5, "code")]


def test_a_forced_body_is_like_a_true_one(directory: Directory, secret: str, switch: Switching) -> None:
    """Member for member, but for the sentence at its end."""
    true = normalised(directory.ask(client_secret=secret, client_id=str(uuid.uuid4())))
    switch(code=700016)
    forced = normalised(directory.ask(client_secret=secret))
    sentence = forced["body"]["error_description"].replace(f" {FORCED_SENTENCE}", "")
    assert forced["body"] | {"error_description": sentence} == true["body"]
    assert forced["status"] == true["status"]


def test_an_answer_waits(directory: Directory, secret: str, switch: Switching) -> None:
    """Also a refusal; and it was on record before the wait."""
    switch(delay=0.2)
    for value, status in ((secret, 200), ("wrong", 401)):
        began = time.monotonic()
        assert directory.ask(client_secret=value).status == status
        assert time.monotonic() - began >= 0.2
    assert directory.last_sign_in().test_switches == "delay"


def test_only_some_threads_of_a_process_wait() -> None:
    """Beyond DELAYED_AT_ONCE an answer goes out at once, so that a worker is never all asleep."""
    with ThreadPoolExecutor(DELAYED_AT_ONCE) as pool:
        held = [pool.submit(hold, 1.0) for _ in range(DELAYED_AT_ONCE)]
        refused = False
        while not refused and not all(each.done() for each in held):
            refused = not hold(0)
        assert refused
        assert all(each.result() for each in held)
    assert hold(0)


def test_waiting_for_issuers_counts_too() -> None:
    """F-4: issuers that hang and delays together leave one thread of a worker free."""
    for _ in range(WAITING_AT_ONCE):
        assert waiting.acquire(blocking=False)
    try:
        assert not hold(0)
    finally:
        waiting.release(WAITING_AT_ONCE)
    assert hold(0)


def test_delayed_answers_leave_the_server_answering(fresh_installation: InstallationFactory) -> None:
    """Requests of one client wait for the longest that there is; those of others are answered meanwhile."""
    server = fresh_installation(admin=False)
    forms = []
    for name in ("Delayed", "Other"):
        app = server.json("register_app", name)
        forms.append(
            {
                "grant_type": "client_credentials",
                "client_id": app["appId"],
                "client_secret": server.json("add_secret", app["appId"])["secretText"],
                "scope": GRAPH,
            }
        )
    server.json("set_test_switches", "--mark", "--delay", "8", "--client", forms[0]["client_id"])
    url = f"{server.authority_url}/{server.tenant_id}/oauth2/v2.0/token"

    def ask(form: dict[str, str]) -> int:
        return requests.post(url, form, verify=str(server.ca_file), timeout=60).status_code

    with ThreadPoolExecutor(12) as pool:
        delayed = [pool.submit(ask, forms[0]) for _ in range(12)]
        held = 2 * DELAYED_AT_ONCE  # at most, in two processes
        while sum(not each.done() for each in delayed) > held:
            time.sleep(0.02)
        assert [ask(forms[1]) for _ in range(10)] == [200] * 10
        assert not all(each.done() for each in delayed)
        assert [each.result() for each in delayed] == [200] * 12
