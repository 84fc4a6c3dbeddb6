"""Answers that must let nobody in: forged, old, replayed, of another issuer, for somebody else."""

import time
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from credmgr.accounts.models import Session, User
from credmgr.audit.models import AuditEvent
from credmgr.signon import provider
from credmgr.signon.configuration import configured, problems
from tests.flowtest.far_side import rsa_key, send_json
from tests.signon.conftest import CALLBACK, Provider, come_back, leave, sign_on, told

pytestmark = pytest.mark.django_db
BEGIN_AGAIN = "was begun too long ago, in another browser or tab, or was finished already"
NOT_VERIFIED = "answer could not be verified"


def refusals() -> list[Any]:
    rows = AuditEvent.objects.filter(tag="account:external-person:refused").order_by("sequence")
    return list(rows.values_list("changes__reason__1", flat=True))


def assert_out(client: Client, sentence: str) -> None:
    """Nobody came in, and the page says why."""
    assert sentence in told(client)
    assert not User.objects.exists()
    assert client.get("/account").status_code == 302


@pytest.mark.parametrize(
    "change", [{"state": "another"}, {"state": ""}, {"state": "\udc80"}, {"code": ""}, {"code": "c" * 5000}]
)
def test_another_state_or_no_code(client: Client, idp: Provider, change: dict[str, str]) -> None:
    given = idp.authorize(leave(client)) | change
    query = urlencode(given, errors="surrogateescape")
    assert client.get(f"{CALLBACK}?{query}").status_code == 302
    assert_out(client, BEGIN_AGAIN)
    assert not [each for each in idp.requests if each[0] == "POST"]


def test_parameters_twice(client: Client, idp: Provider) -> None:
    query = urlencode(idp.authorize(leave(client)))
    assert client.get(f"{CALLBACK}?{query}&code=another").status_code == 302
    assert_out(client, BEGIN_AGAIN)


def test_an_answer_that_nobody_asked_for(client: Client, idp: Provider) -> None:
    """In a browser that knows nothing of it, and in one that began another flow; a stranger leaves no row."""
    given = idp.authorize(leave(Client()))
    assert come_back(client, given)["Location"] == "/account/login"
    assert Session.objects.count() == 1, "that of the browser which began"
    leave(client)
    come_back(client, given)
    assert_out(client, BEGIN_AGAIN)
    assert not AuditEvent.objects.exists()


def test_an_answer_works_once(client: Client, idp: Provider) -> None:
    given = idp.authorize(leave(client))
    come_back(client, given)
    assert client.get("/account").status_code == 200
    client.post("/account/sessions/end")
    come_back(client, given)
    assert client.get("/account").status_code == 302


def test_a_flow_ends_after_ten_minutes(
    client: Client, idp: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = idp.authorize(leave(client))
    later = timezone.now() + timedelta(minutes=10, seconds=1)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)
    come_back(client, given)
    assert_out(client, BEGIN_AGAIN)


@pytest.mark.parametrize("issuer", [None, "", "https://evil.example/"])
def test_rfc_9207_an_answer_of_another_issuer(client: Client, idp: Provider, issuer: str | None) -> None:
    given = idp.authorize(leave(client))
    del given["iss"]
    come_back(client, given | ({} if issuer is None else {"iss": issuer}))
    assert_out(client, NOT_VERIFIED)
    assert not [each for each in idp.requests if each[0] == "POST"], "the code was sent to nobody"


def test_rfc_9207_where_the_issuer_does_not_promise_it(client: Client, idp: Provider) -> None:
    idp.document = {"authorization_response_iss_parameter_supported": None}
    given = idp.authorize(leave(client))
    del given["iss"]
    come_back(client, given)
    assert client.get("/account").status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": ["list"]},
        {"aud": "another client"},
        {"aud": ["credmgr client", "another"]},
        {"aud": ["credmgr client", "another"], "azp": "another"},
        {"azp": "another"},
        {"aud": None},
        {"aud": []},
        {"iss": "https://evil.example/"},
        {"iss": None},
        {"exp": int(time.time()) - 400, "iat": int(time.time()) - 800},
        {"exp": None},
        {"exp": "soon"},
        {"iat": None},
        {"iat": int(time.time()) + 4000, "exp": int(time.time()) + 8000},
        {"sub": None},
        {"sub": ""},
        {"sub": "s" * 256},
        {"sub": "ö"},
        {"sub": 7},
    ],
    ids=" ".join,  # names alone: times differ between the processes that collect
)
def test_a_token_that_does_not_fit(client: Client, idp: Provider, claims: dict[str, Any]) -> None:
    idp.claims = claims
    sign_on(client, idp)
    assert_out(client, NOT_VERIFIED)
    assert refusals() == ["not_trusted"]


def test_several_audiences_with_the_right_party(client: Client, idp: Provider) -> None:
    idp.claims = {"aud": ["credmgr client", "another"], "azp": "credmgr client"}
    sign_on(client, idp)
    assert client.get("/account").status_code == 200


def test_a_signature_of_another_key(client: Client, idp: Provider) -> None:
    idp.key = rsa_key(3)
    sign_on(client, idp)
    assert_out(client, NOT_VERIFIED)


@pytest.mark.parametrize("algorithm", ["none", "HS256", "PS256"])
def test_unsigned_and_with_other_algorithms(
    client: Client, idp: Provider, monkeypatch: pytest.MonkeyPatch, algorithm: str
) -> None:
    key: Any = {"none": None, "HS256": "k" * 40}.get(algorithm, idp.signing_key)
    monkeypatch.setattr(idp, "algorithm", algorithm)
    monkeypatch.setattr(idp, "key", key)
    sign_on(client, idp)
    assert_out(client, NOT_VERIFIED)


@pytest.mark.parametrize("token", ["", "not.a.token", 7, None, "a.b"])
def test_no_token_at_all(client: Client, idp: Provider, token: Any) -> None:
    idp.answers[("POST", "/token")] = lambda request: send_json(request, 200, {"id_token": token})
    sign_on(client, idp)
    assert_out(client, NOT_VERIFIED)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"error": "access_denied"}, "The sign-in was cancelled"),
        ({"error": "login_required", "error_description": "canary"}, "The provider refused the sign-in."),
    ],
)
def test_the_provider_says_no(client: Client, idp: Provider, given: dict[str, str], sentence: str) -> None:
    answer = idp.authorize(leave(client))
    del answer["code"]
    come_back(client, answer | given)
    assert_out(client, sentence)
    assert "canary" not in told(client)


def test_the_token_endpoint_says_no(client: Client, idp: Provider, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(request: Any) -> None:
        send_json(request, 401, {"error": "invalid_client", "error_description": "canary of a text"})

    idp.answers[("POST", "/token")] = refuse
    sign_on(client, idp)
    assert_out(client, "The provider refused the sign-in.")
    assert "provider_refused (the token endpoint answered with invalid_client)" in caplog.text
    assert "canary" not in caplog.text


@pytest.mark.parametrize(
    ("document", "detail"),
    [
        ({"issuer": "https://evil.example/"}, "names another issuer"),
        ({"token_endpoint": "https://evil.example/token"}, "token endpoint is not on an allowed origin"),
        ({"jwks_uri": "https://evil.example/keys"}, "key set is not on an allowed origin"),
        ({"authorization_endpoint": "https://evil.example/"}, "authorization endpoint is not on an allowed"),
        ({"token_endpoint": "http://localhost/token"}, "without https"),
        ({"jwks_uri": None}, "no jwks_uri"),
    ],
)
def test_metadata_that_cannot_be_used(
    client: Client,
    idp: Provider,
    caplog: pytest.LogCaptureFixture,
    document: dict[str, Any],
    detail: str,
) -> None:
    idp.document = document
    assert leave(client) == "/account/single-sign-on/refused"
    assert_out(client, "The provider cannot be reached")
    assert detail in caplog.text


def test_an_origin_that_is_not_allowed_is_not_called(
    client: Client, idp: Provider, settings: Settings
) -> None:
    settings.ALLOWED_ORIGINS = []
    assert leave(client) == "/account/single-sign-on/refused"
    assert_out(client, "The provider cannot be reached")
    assert not idp.requests


def test_an_origin_that_was_removed_meanwhile(client: Client, idp: Provider, settings: Settings) -> None:
    given = idp.authorize(leave(client))
    settings.ALLOWED_ORIGINS = []
    come_back(client, given)
    assert_out(client, "The provider cannot be reached")


def test_a_provider_that_drips_is_left(
    client: Client, idp: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = idp.authorize(leave(client))
    monkeypatch.setattr(provider, "ANSWER_SECONDS", 0.3)
    idp.answers[("POST", "/token")] = idp.drip
    come_back(client, given)
    assert_out(client, "The provider cannot be reached")


# ---------------------------------------------------------------- settings
@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SSO_CLIENT_SECRET", "", "CREDMGR_SSO_CLIENT_SECRET is missing"),
        ("SSO_ROLE_MAP", [], "CREDMGR_SSO_ROLE_MAP is missing"),
        ("SSO_ISSUER", "http://idp.example.com", "is no https address"),
        ("SSO_ISSUER", "https://idp.example.com/?a=b", "is no https address"),
        ("SSO_ISSUER", "https://u@idp.example.com/", "is no https address"),
        ("SSO_SCOPES", "profile", "must hold openid"),
        ("SSO_NAME", "n" * 41, "1 to 40 characters"),
        ("SSO_ROLE_CLAIM", "", "CREDMGR_SSO_ROLE_CLAIM is empty"),
        ("SSO_ROLE_MAP", ["a=king"], "'a=king', which is not claim-value=role"),
        ("SSO_ROLE_MAP", ["a=reader@"], "'a=reader@', which is not"),
        ("SSO_ROLE_MAP", ["reader"], "'reader', which is not"),
    ],
)
def test_settings_that_do_not_fit(
    client: Client, idp: Provider, settings: Settings, name: str, value: Any, sentence: str
) -> None:
    assert problems() == []
    setattr(settings, name, value)
    [problem] = problems()
    assert sentence in problem
    assert "canary" not in problem
    assert configured() is None
    assert client.get("/account/single-sign-on").status_code == 404


def test_http_on_loopback_and_values_with_signs(idp: Provider, settings: Settings) -> None:
    settings.SSO_ISSUER = "http://localhost:9/idp"
    settings.SSO_ROLE_MAP = ["cn=a@b=reader@*"]
    assert problems() == []
    found = configured()
    assert found is not None
    [rule] = found.rules
    assert (rule.value, rule.role.value, rule.place) == ("cn=a@b", "reader", "*")
    assert "canary" not in repr(found)


def test_required_without_a_provider(settings: Settings) -> None:
    settings.SSO_REQUIRED = True
    assert problems() == ["CREDMGR_SSO_REQUIRED is on, but no provider is set."]
