"""Decode token: anything may be pasted, nothing is kept, and the token never chooses where a request goes."""

import base64
import json
import logging

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from credmgr.registrations.models import MULTITENANT, Application, ServicePrincipal, Tenant
from tests.fuzzing import examples
from tests.portal.questions import assert_asks_for_sign_in, assert_refuses_methods

pytestmark = pytest.mark.django_db
PAGE = "/decode-token"
SIGNATURE = "c2lnbmF0dXJlLWNhbmFyeQ"


def token(claims: object, header: object = None) -> str:
    """An unsigned look-alike of a token."""

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part(header or {'alg': 'RS256', 'typ': 'JWT', 'kid': 'abc'})}.{part(claims)}.{SIGNATURE}"


def test_questions_every_page_is_asked(signed_in: Client) -> None:
    assert_asks_for_sign_in(PAGE)
    assert_refuses_methods(signed_in, PAGE, ["PUT", "DELETE"])


def test_a_token_in_the_address_is_not_read(signed_in: Client) -> None:
    answer = signed_in.get(PAGE, {"token": token({"iss": "https://canary.example/"})})
    assert answer.context["form"].is_bound is False
    assert "decoded" not in answer.context


def test_claims_are_explained_and_the_token_is_not_echoed(signed_in: Client, harbor: Application) -> None:
    pasted = token(
        {"iss": "https://elsewhere.example/", "azp": str(harbor.client_id), "exp": 1, "made_up": [1]}
    )
    answer = signed_in.post(PAGE, {"token": f"Bearer {pasted[:30]}\n{pasted[30:]}"})
    body = answer.content.decode()
    assert answer.status_code == 200
    assert "Harbor Sync Worker" in body
    assert "The application that asked for the token" in body
    assert "made_up" in body
    assert "The token has expired." in body
    assert SIGNATURE not in body
    assert pasted.split(".")[1] not in body
    assert "redacted, 16 bytes" in body
    assert "no-store" in answer.headers["Cache-Control"]


def test_names_are_those_that_this_directory_knows(signed_in: Client, foreign: Application) -> None:
    """Of an application of elsewhere only after consent; its service principal here by its own id."""
    Application.objects.filter(pk=foreign.pk).update(sign_in_audience=MULTITENANT, display_name="Wanderer")
    here = Tenant.objects.get(is_default=True)
    principal = ServicePrincipal.objects.create(application=foreign, tenant=here, created_at=timezone.now())
    claims = {
        "iss": "https://elsewhere.example/",
        "azp": str(foreign.client_id),
        "oid": str(principal.pk),
        "tid": str(foreign.tenant_id),
    }
    body = signed_in.post(PAGE, {"token": token(claims)}).content.decode()
    assert "Service principal of Wanderer" in body
    assert "Elsewhere" in body
    principal.delete()
    assert "Wanderer" not in signed_in.post(PAGE, {"token": token(claims)}).content.decode()


@pytest.mark.parametrize(
    "issuer",
    ["https://elsewhere.example/", "https://169.254.169.254/", "file:///etc/passwd", "", None, 7, ["x"], {}],
)
def test_an_unlisted_issuer_is_decoded_and_never_asked(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch, issuer: object
) -> None:
    asked: list[object] = []
    monkeypatch.setattr("socket.socket.connect", lambda *given: asked.append(given))
    monkeypatch.setattr("socket.getaddrinfo", lambda *given, **named: asked.append((given, named)))
    answer = signed_in.post(PAGE, {"token": token({"iss": issuer})})
    assert b"Decoded, not verified" in answer.content
    assert b"No request was sent." in answer.content
    assert asked == []


def test_a_listed_issuer_that_cannot_be_reached_is_said(signed_in: Client, directory: Tenant) -> None:
    """No server runs beside this test."""
    issuer = f"{settings.AUTHORITY_URL}/{directory.pk}/v2.0"
    body = signed_in.post(PAGE, {"token": token({"iss": issuer})}).content.decode()
    assert "Decoded, not verified" in body
    assert "could not be had" in body


@pytest.mark.parametrize(
    ("pasted", "sentence"),
    [
        ("", "Paste a token first."),
        ("   \n ", "Paste a token first."),
        ("hello", "three parts"),
        ("a.b", "three parts"),
        ("a.b.c.d.e", "three parts"),
        ("....", "three parts"),
        ("x" * 40_000, "too long for a token"),
        ("e30.e30.é", "three parts"),
        ("e30.W10.AA", "Paste the whole token"),
        ("\x00.\x00.\x00", "Paste the whole token|Null characters"),
    ],
)
def test_what_is_no_token_is_refused_in_words(signed_in: Client, pasted: str, sentence: str) -> None:
    answer = signed_in.post(PAGE, {"token": pasted})
    assert answer.status_code == 422
    assert any(part in answer.content.decode() for part in sentence.split("|"))


@hypothesis_settings(
    max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    claims=st.dictionaries(
        st.sampled_from(["iss", "exp", "nbf", "iat", "aud", "azp", "ver", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
            lambda inner: st.lists(inner, max_size=3),
            max_leaves=5,
        ),
    )
)
def test_no_claims_make_a_server_error(signed_in: Client, claims: dict[str, object]) -> None:
    assert signed_in.post(PAGE, {"token": token(claims)}).status_code in (200, 422)


def test_nothing_of_the_token_is_logged_or_stored(
    signed_in: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    pasted = token({"iss": "https://elsewhere.example/", "canary": "canary-5e1f"})
    signed_in.post(PAGE, {"token": pasted})
    signed_in.post(PAGE, {"token": pasted[:-30]})
    logged = "\n".join(
        record.getMessage() for record in caplog.records if record.name != "django.db.backends"
    )
    assert "canary-5e1f" not in logged
    assert pasted.split(".")[1] not in logged
    assert "canary-5e1f" not in str(dict(signed_in.session.items()))
