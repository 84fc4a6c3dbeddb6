"""An issuer that misbehaves on demand: each way is explained with cause and cure, and none is thrown."""

import gzip
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest

from credmgr.credentials.lifecycle import end_of
from credmgr.credentials.models import ClientSecret
from credmgr.env import AllowedOrigin
from credmgr.flowtest.models import FlowRun
from credmgr.flowtest.report import Report
from credmgr.registrations.models import OIDC
from tests.flowtest.conftest import Directory
from tests.flowtest.far_side import Client, FarSide, Handler, rsa_key, send, send_json
from tests.flowtest.test_diagnosis import diagnosis_of, rows

CLIENT_ID = "harbor at the issuer"
Answers = Callable[[FarSide], dict[tuple[str, str], Callable[[Handler], None]]]


def metadata(side: FarSide, **changes: Any) -> dict[str, Any]:
    """The metadata of a well-behaved issuer without a path."""
    document = {
        "issuer": side.url,
        "token_endpoint": f"{side.url}/oauth/token",
        "jwks_uri": f"{side.url}/keys",
        **changes,
    }
    return {name: value for name, value in document.items() if value is not None}


def token(side: FarSide, algorithm: str = "RS256", key: Any = None, **changes: Any) -> str:
    """A JWT of the issuer; None removes a claim, kid=None the header's."""
    now = int(time.time())
    kid = changes.pop("kid", "far-1")
    claims = {"iss": side.url, "iat": now, "exp": now + 600, "client_id": CLIENT_ID, **changes}
    kept = {name: value for name, value in claims.items() if value is not None}
    headers = {"kid": kid} if kid else {}
    used: Any = None if algorithm == "none" else key or side.signing_key
    return jwt.encode(kept, used, algorithm=algorithm, headers=headers)


def giving(text: str) -> Callable[[Handler], None]:
    """A token answer."""
    return lambda request: send_json(request, 200, {"access_token": text, "token_type": "Bearer"})


@pytest.fixture
def secret(directory: Directory, settings: Any) -> ClientSecret:
    """A secret of an application that lives at the far side, which is a good issuer unless told otherwise."""
    side = directory.side
    settings.ALLOWED_ORIGINS = [AllowedOrigin("https", "localhost", side.port, True, str(side.ca_file))]
    made, _ = directory.secret()  # while it lives here: elsewhere the server makes none
    application = directory.application
    application.authority_kind = OIDC
    application.authority_url = side.url
    application.external_client_id = CLIENT_ID
    application.save()
    side.answers["GET", "openid-configuration"] = lambda request: send_json(request, 200, metadata(side))
    side.answers["POST", "/token"] = lambda request: giving(token(side))(request)
    return made


def ran(directory: Directory, secret: ClientSecret, **asked: Any) -> tuple[FlowRun, Report]:
    """One test and its report."""
    run = directory.run(secret, **{"scope": "", **asked})
    return run, Report.from_json(run.report)


FAULTS: list[tuple[str, str, Answers]] = [
    ("silence", "timeout", lambda side: {("GET", "openid-configuration"): side.silence}),
    ("dripping metadata", "timeout", lambda side: {("GET", "openid-configuration"): side.drip}),
    ("dripping answer", "timeout", lambda side: {("POST", "/token"): side.drip}),
    (
        "redirect",
        "redirect",
        lambda _: {("POST", "/token"): lambda r: send(r, 307, b"", Location="https://evil.example/")},
    ),
    (
        "compressed",
        "encoded",
        lambda side: {
            ("GET", "openid-configuration"): lambda r: send(
                r, 200, gzip.compress(json.dumps(metadata(side)).encode()), Content_Encoding="gzip"
            )
        },
    ),
    ("oversized", "too-large", lambda _: {("POST", "/token"): lambda r: send(r, 200, b"x" * 300_000)}),
    ("a page", "not-json", lambda _: {("GET", ""): lambda r: send(r, 200, b"<!doctype html>")}),
    ("a gateway", "not-json", lambda _: {("POST", "/token"): lambda r: send(r, 401, b"Unauthorized")}),
    ("nothing there", "no-metadata", lambda _: {("GET", ""): lambda r: send_json(r, 404, {})}),
    (
        "another issuer",
        "issuer-differs",
        lambda side: {
            ("GET", "openid-configuration"): lambda r: send_json(
                r, 200, metadata(side, issuer=side.url + "/")
            )
        },
    ),
    (
        "no issuer",
        "issuer-differs",
        lambda side: {
            ("GET", "openid-configuration"): lambda r: send_json(r, 200, metadata(side, issuer=None))
        },
    ),
    (
        "no token endpoint",
        "endpoint-missing",
        lambda side: {
            ("GET", "openid-configuration"): lambda r: send_json(r, 200, metadata(side, token_endpoint=None))
        },
    ),
    (
        "a token endpoint elsewhere",
        "endpoint-not-listed",
        lambda side: {
            ("GET", "openid-configuration"): lambda r: send_json(
                r, 200, metadata(side, token_endpoint="https://evil.example:8443/token")
            )
        },
    ),
    (
        "keys elsewhere",
        "endpoint-not-listed",
        lambda side: {
            ("GET", "openid-configuration"): lambda r: send_json(
                r, 200, metadata(side, jwks_uri="http://localhost/keys")
            )
        },
    ),
    ("no OAuth error", "status", lambda _: {("POST", "/token"): lambda r: send_json(r, 400, {"x": 1})}),
    ("neither token nor error", "no-token", lambda _: {("POST", "/token"): lambda r: send_json(r, 200, {})}),
    ("a token that is no text", "no-token", lambda _: {("POST", "/token"): giving(7)}),  # type: ignore[arg-type] # on purpose
    ("keys that never come", "timeout", lambda side: {("GET", "/keys"): side.drip}),
    ("keys that are no keys", "not-json", lambda _: {("GET", "/keys"): lambda r: send(r, 200, b"[]")}),
]


@pytest.mark.parametrize(("name", "cause", "answers"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_each_fault_of_the_wire_is_explained(
    directory: Directory, secret: ClientSecret, settings: Any, name: str, cause: str, answers: Answers
) -> None:
    settings.TEST_DEADLINE_SECONDS = 0.7
    # The narrower end of a path was put in first; what a fault says goes before it.
    directory.side.answers = {**answers(directory.side), **directory.side.answers, **answers(directory.side)}
    run, report = ran(directory, secret)
    diagnosis = diagnosis_of(run)
    assert (run.verdict, diagnosis.cause) == ("unreachable", cause), diagnosis
    assert f"localhost:{directory.side.port}" in diagnosis.headline
    assert any(hop.outcome == "failed" for hop in report.decisive.hops) or cause in ("no-token",)
    if name.startswith("keys that"):
        assert diagnosis.headline.startswith("A token came, but its signing keys could not be had")


def test_a_redirect_says_where_it_leads(directory: Directory, secret: ClientSecret) -> None:
    directory.side.answers["POST", "/token"] = lambda r: send(r, 302, b"", Location="https://evil.example/x")
    run, _ = ran(directory, secret)
    assert "https://evil.example/x" in rows(diagnosis_of(run), "cause")["Connection"]
    assert [path for method, path, _, _ in directory.side.requests if method == "POST"] == ["/oauth/token"]


def test_a_foreign_token_endpoint_is_offered_for_listing(directory: Directory, secret: ClientSecret) -> None:
    side = directory.side
    side.answers["GET", "openid-configuration"] = lambda r: send_json(
        r, 200, metadata(side, token_endpoint="https://login.example:8443/token")
    )
    run, _ = ran(directory, secret)
    step = diagnosis_of(run).steps[0]
    assert (step.page, step.query) == ("portal:origin_new", {"address": "https://login.example:8443"})
    assert not [method for method, _, _, _ in side.requests if method == "POST"]


def test_metadata_by_rfc_8414(directory: Directory, secret: ClientSecret) -> None:
    side = directory.side
    side.answers["GET", "openid-configuration"] = lambda r: send_json(r, 404, {})
    side.answers["GET", "/.well-known/oauth-authorization-server"] = lambda r: send_json(
        r, 200, metadata(side)
    )
    run, report = ran(directory, secret)
    assert run.verdict == "verified", report.diagnosis
    assert [(hop.name, hop.outcome, hop.status) for hop in report.decisive.hops][:2] == [
        ("Discovery", "ok", "404"),
        ("Discovery, RFC 8414", "ok", "200"),
    ]


# ---------------------------------------------------------------- ways
def refusing(side: FarSide, unless: Callable[[dict[str, str], str], bool]) -> Callable[[Handler], None]:
    """invalid_client unless the request proves itself in the one right way."""

    def answer(request: Handler) -> None:
        _, _, headers, body = side.requests[-1]
        if unless(headers, body):
            giving(token(side))(request)
        else:
            send_json(request, 401, {"error": "invalid_client", "error_description": "No such luck."})

    return answer


def test_the_body_is_tried_where_basic_was_refused(directory: Directory, secret: ClientSecret) -> None:
    side = directory.side
    side.answers["GET", "openid-configuration"] = lambda r: send_json(
        r,
        200,
        metadata(side, token_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post"]),
    )
    side.answers["POST", "/token"] = refusing(side, lambda _, body: "client_secret=" in body)
    run, report = ran(directory, secret)
    assert run.verdict == "verified", report.diagnosis
    assert [shape.verdict.value for shape in report.shapes] == ["refused", "verified"]
    assert "client_secret_post works, client_secret_basic was refused before" in report.diagnosis.summary
    assert (run.error, run.error_code) == ("", 0)


def test_without_a_list_of_methods_basic_is_meant(directory: Directory, secret: ClientSecret) -> None:
    run, report = ran(directory, secret)
    assert run.verdict == "verified", report.diagnosis
    assert [shape.shape.value for shape in report.shapes] == ["secret-basic"]
    posts = [(headers, body) for method, _, headers, body in directory.side.requests if method == "POST"]
    assert len(posts) == 1
    assert "client_secret" not in posts[0][1]
    assert posts[0][0]["authorization"].startswith("Basic ")


def test_the_token_endpoint_as_audience_is_tried_where_the_issuer_was_refused(
    directory: Directory, secret: ClientSecret
) -> None:
    side = directory.side
    endpoint = f"{side.url}/oauth/token"

    def is_for_endpoint(_: dict[str, str], body: str) -> bool:
        assertion = parse_qs(body)["client_assertion"][0]
        claims = jwt.decode(assertion, options={"verify_signature": False})
        return bool(claims["aud"] == endpoint)

    side.answers["POST", "/token"] = refusing(side, is_for_endpoint)
    certificate = directory.certificate(Client())
    run = directory.run(certificate, scope="")
    report = Report.from_json(run.report)
    assert run.verdict == "verified", report.diagnosis
    assert [shape.shape.value for shape in report.shapes] == ["private-key-jwt", "private-key-jwt-endpoint"]


def test_a_key_that_makes_none_of_the_signatures_asked_for(
    directory: Directory, secret: ClientSecret
) -> None:
    side = directory.side
    side.answers["GET", "openid-configuration"] = lambda r: send_json(
        r, 200, metadata(side, token_endpoint_auth_signing_alg_values_supported=["ES256"])
    )
    run = directory.run(directory.certificate(Client()), scope="")
    assert (run.verdict, diagnosis_of(run).cause) == ("invalid", "no-algorithm")
    assert not [method for method, _, _, _ in side.requests if method == "POST"]


def test_what_the_request_names_is_sent_and_what_is_empty_is_not(
    directory: Directory, secret: ClientSecret
) -> None:
    ran(directory, secret, scope="a b", audience="https://api.example/")
    body = next(body for method, _, _, body in directory.side.requests if method == "POST")
    assert parse_qs(body) == {
        "grant_type": ["client_credentials"],
        "scope": ["a b"],
        "audience": ["https://api.example/"],
    }


# ---------------------------------------------------------------- tokens
HMAC_KEY = "an HMAC key that is long enough for SHA-256"
TOKENS: list[tuple[str, str, Callable[[FarSide], str], dict[str, str]]] = [
    ("without a kid, one key", "verified", lambda side: token(side, kid=None), {}),
    ("named by azp", "verified", lambda side: token(side, client_id=None, azp=CLIENT_ID), {}),
    ("named by sub", "verified", lambda side: token(side, client_id=None, sub=CLIENT_ID), {}),
    ("no client", "verified", lambda side: token(side, client_id=None, sub="robin"), {}),
    ("an audience in a list", "verified", lambda side: token(side, aud=["x", "api"]), {"audience": "api"}),
    ("another audience", "unverified", lambda side: token(side, aud="x"), {"audience": "api"}),
    ("another client", "unverified", lambda side: token(side, client_id="another"), {}),
    ("another issuer", "unverified", lambda side: token(side, iss="https://evil.example"), {}),
    ("the issuer with a slash", "unverified", lambda side: token(side, iss=side.url + "/"), {}),
    ("no end", "unverified", lambda side: token(side, exp=None), {}),
    ("over", "unverified", lambda side: token(side, iat=1, exp=2), {}),
    ("another key", "unverified", lambda side: token(side, key=rsa_key(2)), {}),
    ("an unknown kid", "unverified", lambda side: token(side, kid="other"), {}),
    ("HMAC", "unverified", lambda side: token(side, "HS256", HMAC_KEY), {}),
    ("no signature", "unverified", lambda side: token(side, "none"), {}),
    ("opaque", "acquired", lambda _: "opaque-canary", {}),
    ("encrypted", "acquired", lambda _: "eyJhbGciOiJSU0EifQ.a.b.c.d", {}),
]


@pytest.mark.parametrize(("name", "verdict", "made", "asked"), TOKENS, ids=[each[0] for each in TOKENS])
def test_a_token_is_judged_as_far_as_it_lets_itself(
    directory: Directory,
    secret: ClientSecret,
    name: str,
    verdict: str,
    made: Callable[[FarSide], str],
    asked: dict[str, str],
) -> None:
    directory.side.answers["POST", "/token"] = giving(made(directory.side))
    run, report = ran(directory, secret, **asked)
    assert run.verdict == verdict, (name, report.diagnosis)
    if name == "opaque":
        assert "opaque" in report.diagnosis.summary
        assert "opaque-canary" not in json.dumps(run.report)
    if name == "encrypted":
        assert "encrypted" in report.diagnosis.summary
    if name == "no client":
        outcomes = {check.name: check.outcome for check in report.decisive.token.checks}  # type: ignore[union-attr] # it came
        assert outcomes["Client is this application"] == "unchecked"


@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        (429, {"error": "slow_down"}, "throttled"),
        (503, {"error": "temporarily_unavailable"}, "unavailable"),
        (400, {"error": "unauthorized_client"}, "grant-not-allowed"),
        (403, {"error": "access_denied"}, "grant-not-allowed"),
        (400, {"error": "unsupported_grant_type"}, "grant-not-allowed"),
        (
            400,
            {"error": "invalid_request", "error_description": "Audience is needed."},
            "request-not-understood",
        ),
        (400, {"error": "something_new", "error_description": "Of its own."}, "refused"),
    ],
)
def test_each_refusal_has_a_cause_and_a_cure(
    directory: Directory, secret: ClientSecret, status: int, body: dict[str, str], cause: str
) -> None:
    directory.side.answers["POST", "/token"] = lambda request: send_json(request, status, body)
    run, _ = ran(directory, secret)
    diagnosis = diagnosis_of(run)
    assert (run.verdict, run.error, diagnosis.cause) == ("refused", body["error"], cause)
    if cause == "request-not-understood":
        assert "audience, which this test left empty" in diagnosis.steps[0].text


def test_a_date_that_was_typed_points_to_the_cause(directory: Directory, secret: ClientSecret) -> None:
    directory.side.answers["POST", "/token"] = lambda request: send_json(
        request, 401, {"error": "invalid_client"}
    )
    secret.start_at, secret.end_at = (secret.start_at.replace(year=2020), end_of(secret).replace(year=2021))
    secret.save()
    run, _ = ran(directory, secret)
    assert "as stored here" in rows(diagnosis_of(run), "cause")["End date"]
