"""Passkeys as a second factor, with a security key in software; test_passkeys_in_browser has Chromium's."""

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from credmgr.accounts.models import User
from credmgr.audit.models import AuditEvent
from credmgr.factors.queries import factors_of
from tests.accounts.conftest import PASSWORD, Clock, sign_in
from tests.accounts.soft_key import SoftKey

pytestmark = pytest.mark.django_db
ADD = "/account/second-factors/passkey"
STEP = "/account/login/second-factor"


def answer(client: Client, path: str, credential: Any, **more: str) -> Any:
    """Send what the browser answered to the question of the page that was opened before."""
    token = client.cookies["csrftoken" if "csrftoken" in client.cookies else "__Host-csrftoken"].value
    sent = credential if isinstance(credential, str) else json.dumps(credential)
    return client.post(path, {"credential": sent, "csrfmiddlewaretoken": token, **more})


def add(client: Client, key: SoftKey, name: str = "Blue key") -> Any:
    """Add the key on the page."""
    return answer(client, ADD, key.made(client.get(ADD).context["options"]), name=name)


@pytest.fixture
def key(signed_in: Client) -> SoftKey:
    """A key of the signed-in person."""
    made = SoftKey()
    assert b"Copy your recovery codes now" in add(signed_in, made).content
    return made


def half_way() -> Client:
    """A browser after the right password."""
    visitor = Client(enforce_csrf_checks=True)
    assert sign_in(visitor).headers["Location"] == STEP
    return visitor


def test_a_passkey_is_added_and_asked_for(signed_in: Client, person: User, key: SoftKey) -> None:
    assert factors_of(person).words == "1 passkey"
    assert b"Blue key" in signed_in.get("/account/second-factors").content
    visitor = half_way()
    done = answer(visitor, STEP, key.used(visitor.get(STEP).context["options"]))
    assert done.headers["Location"] == "/applications"
    event = AuditEvent.objects.get(tag="account:second-factor:used")
    assert event.changes == {"secondFactor": ["", "Passkey Blue key"]}
    second = SoftKey()
    assert add(signed_in, second, "").headers["Location"] == "/account/second-factors"
    assert factors_of(person).words == "2 passkeys"


def test_nothing_else_that_was_sent_along_is_kept(signed_in: Client, person: User) -> None:
    """Also what PostgreSQL could not store."""
    made = SoftKey().made(signed_in.get(ADD).context["options"])
    answer(signed_in, ADD, {**made, "more": "canary\x00", "clientExtensionResults": {"canary": "\x00"}})
    assert factors_of(person).words == "1 passkey"
    assert "canary" not in str(Authenticator.objects.get(type="webauthn").data)


def test_a_question_is_answered_once(key: SoftKey) -> None:
    first, second = half_way(), half_way()
    given = key.used(first.get(STEP).context["options"])
    second.get(STEP)
    assert answer(second, STEP, given).status_code == 422, "another browser's question"
    assert answer(first, STEP, given).status_code == 302
    third = half_way()
    third.get(STEP)
    assert answer(third, STEP, given).status_code == 422, "replayed"


@pytest.mark.parametrize("wrong", ["origin", "rp", "key", "counter", "challenge"])
def test_what_does_not_fit_lets_nobody_in(key: SoftKey, wrong: str) -> None:
    """Another site's page, another site's key, somebody else's key, a copied one, an old question."""
    visitor = half_way()
    options = visitor.get(STEP).context["options"]
    if wrong == "origin":
        key.origin = "http://localhost:9999"
    elif wrong == "rp":
        key.rp_id = "evil.example"
    elif wrong == "key":
        key = SoftKey()
    elif wrong == "counter":
        Authenticator.objects.filter(type="webauthn").update(data=_with_count(5))
    else:
        options = json.dumps({"challenge": "AAAA"})
    refused = answer(visitor, STEP, key.used(options))
    assert refused.status_code == 422
    assert b"This passkey was not accepted." in refused.content
    assert visitor.get("/account").status_code == 302
    assert AuditEvent.objects.filter(tag="account:second-factor:refused").exists()


def _with_count(count: int) -> dict[str, Any]:
    data: dict[str, Any] = Authenticator.objects.get(type="webauthn").data
    return {**data, "sign_count": count}


NONSENSE = [
    "",
    "no json",
    "[]",
    "1",
    "null",
    "{}",
    "[" * 19_000,
    "x" * 30_000,
    json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": {}}),
    json.dumps({"id": 1, "rawId": [], "type": {}, "response": "x"}),
    json.dumps(
        {
            "id": "AA",
            "rawId": "AA",
            "type": "public-key",
            "response": {"clientDataJSON": "AA", "attestationObject": "n5-fn5-f", "authenticatorData": "AA"},
        }
    ),
]


@pytest.mark.parametrize("sent", NONSENSE)
def test_nonsense_is_refused_not_crashed_on(signed_in: Client, person: User, key: SoftKey, sent: str) -> None:
    signed_in.get(ADD)
    assert answer(signed_in, ADD, sent).status_code == 422
    assert factors_of(person).words == "1 passkey"
    visitor = half_way()
    visitor.get(STEP)
    assert answer(visitor, STEP, sent).status_code == 422


def test_one_from_a_forged_page_or_known_already_is_not_added(
    signed_in: Client, person: User, key: SoftKey
) -> None:
    assert b"You have this passkey already." in add(signed_in, key).content
    assert b"does not fit" in add(signed_in, SoftKey(origin="https://evil.example")).content
    assert factors_of(person).words == "1 passkey"


def test_l2_adding_needs_a_recent_sign_in(signed_in: Client, person: User, clock: Clock) -> None:
    options = signed_in.get(ADD).context["options"]
    clock.forward(minutes=11)
    page = signed_in.get(ADD)
    assert b'name="current_password"' in page.content
    assert b"data-options" not in page.content
    late = answer(signed_in, ADD, SoftKey().made(options), name="Blue key")
    assert b'name="current_password"' in late.content
    assert b'value="Blue key"' in late.content
    assert not factors_of(person).is_on
    token = str(page.context["csrf_token"])
    done = signed_in.post(ADD, {"current_password": PASSWORD, "csrfmiddlewaretoken": token})
    assert done.headers["Location"] == ADD
    assert b"data-options" in signed_in.get(ADD).content


def test_l3_wrong_answers_are_throttled(key: SoftKey) -> None:
    visitor = half_way()
    for _ in range(5):
        visitor.get(STEP)
        assert answer(visitor, STEP, "{}").status_code == 422
    assert answer(visitor, STEP, key.used(visitor.get(STEP).context["options"])).status_code == 429
