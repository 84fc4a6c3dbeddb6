"""The flow over the wire with MSAL, against a far side of our own: what is sent, judged, and never kept."""

import base64
import json
import logging
import re
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest

from credmgr.flowtest.report import Diagnosis, Evidence, Report, Shape, Step, Verdict
from credmgr.flowtest.runner import FlowOutcome, run_flow
from credmgr.flowtest.shapes import CertificateMaterial, SecretMaterial
from credmgr.flowtest.spec import Asked, FlowSpec
from credmgr.flowtest.targets import Target
from credmgr.flowtest.verification import Expectations
from credmgr.outbound.errors import Failure
from credmgr.outbound.origin import Origin
from credmgr.registrations.models import BUILT_IN
from tests.flowtest.far_side import Client, FarSide, entra_error, rsa_key, send, send_json

TENANT = "9a1f1aa4-ba53-4474-9c4b-39bc906bfc3a"
CLIENT_ID = "7feab92f-cb5b-426f-a4ce-20428398d805"
RESOURCE = "39aa1d3e-3b45-409c-a7ce-6da82c1f34ab"
SCOPE = f"{RESOURCE}/.default"
# Signs that a careless text replacement would miss: quoting in forms, escapes in JSON.
SECRET = 'Qf8_cm_canary"secret\\value+with/odd&signs=%41'


def certificate_material(client: Client) -> CertificateMaterial:
    """What a certificate test hands to the runner."""
    return CertificateMaterial(client.thumbprint, client.pem.decode(), client.key_pem.decode())


def run(
    side: FarSide,
    material: SecretMaterial | CertificateMaterial | None = None,
    *,
    scope: str = SCOPE,
    seconds: float = 5.0,
    ca_file: object = None,
) -> FlowOutcome:
    """One run against the far side."""
    given = material or SecretMaterial(SECRET)
    authority = f"{side.url}/{TENANT}"
    spec = FlowSpec(
        target=Target(BUILT_IN, "far side", authority, CLIENT_ID, TENANT),
        origins=[Origin("far side", "localhost", side.port, ca_file or side.ca_file, is_private=True)],  # type: ignore[arg-type] # a path either way
        asked=Asked(scope),
        material=given,
        expected=Expectations(
            tenant_id=TENANT,
            client_id=CLIENT_ID,
            proof="1" if isinstance(given, SecretMaterial) else "2",
            resource_name="Route Planner API",
            audience_v2=RESOURCE,
            audiences_v1=frozenset({RESOURCE, "api://route-planner"}),
        ),
    )
    return run_flow(spec, deadline_seconds=seconds, now=datetime.now(UTC))


def kept(outcome: FlowOutcome) -> str:
    """Everything that a report would store, as one text."""
    return repr([vars(shape) for shape in outcome.shapes]) + json.dumps(
        [hop.panes for shape in outcome.shapes for hop in shape.hops]
    )


def test_a_secret_brings_a_verified_token(far_side: FarSide) -> None:
    outcome = run(far_side)
    [shape] = outcome.shapes
    assert shape.verdict is Verdict.VERIFIED, shape
    assert [hop.name for hop in shape.hops] == ["Discovery", "Token request", "Signing keys", "Verification"]
    assert {hop.outcome for hop in shape.hops} == {"ok"}
    assert [path.rpartition(TENANT)[2] for _, path, _, _ in far_side.requests] == [
        "/v2.0/.well-known/openid-configuration",
        "/oauth2/v2.0/token",
        "/discovery/v2.0/keys",
    ]
    assert outcome.raw_token is not None
    assert outcome.raw_token.count(".") == 2
    assert uuid.UUID(shape.correlation_id)
    assert all(
        headers.get("client-request-id", shape.correlation_id) == shape.correlation_id
        for _, _, headers, _ in far_side.requests
    )


def test_hops_follow_one_another_in_time(far_side: FarSide) -> None:
    [shape] = run(far_side).shapes
    starts = [hop.start_ms for hop in shape.hops]
    assert starts == sorted(starts)
    assert all(hop.duration_ms >= 0 for hop in shape.hops)


def test_a_certificate_runs_in_both_shapes(far_side: FarSide) -> None:
    """RS256 with x5t as Microsoft's page has it, PS256 with x5t#S256 and x5c as MSAL recommends."""
    outcome = run(far_side, certificate_material(Client()))
    first, second = outcome.shapes
    assert (first.shape, second.shape) == (Shape.THUMBPRINT, Shape.PUBLIC_CERTIFICATE)
    assert (first.verdict, second.verdict) == (Verdict.VERIFIED, Verdict.VERIFIED)
    assert first.assertion["header"]["alg"] == "RS256"
    assert "x5t" in first.assertion["header"]
    assert "x5t#S256" not in first.assertion["header"]
    assert second.assertion["header"]["alg"] == "PS256"
    assert {"x5t#S256", "x5c"} <= second.assertion["header"].keys()
    assert first.assertion["claims"]["iss"] == CLIENT_ID
    assert [hop.name for hop in first.hops][1] == "Client assertion"
    assert first.hops[1].status == "Built"


def test_each_shape_uses_a_client_object_of_its_own(far_side: FarSide) -> None:
    """MSAL would answer the second call from the first one's token cache."""
    run(far_side, certificate_material(Client()))
    assert sum(1 for method, _, _, _ in far_side.requests if method == "POST") == 2


def test_a_repeated_run_asks_again(far_side: FarSide) -> None:
    run(far_side)
    run(far_side)
    assert sum(1 for method, _, _, _ in far_side.requests if method == "POST") == 2


BENT: list[tuple[dict[str, Any], str]] = [
    ({"aud": "another"}, "Audience"),
    ({"aud": None}, "Audience"),
    ({"aud": [RESOURCE]}, "Audience"),
    ({"iss": "https://evil.example/"}, "Issuer"),
    ({"iss": None}, "Issuer"),
    ({"tid": str(uuid.uuid4())}, "Directory"),
    ({"azp": str(uuid.uuid4())}, "Client"),
    ({"azpacr": "0"}, "Proof"),
    ({"exp": 1}, "Times"),
    ({"exp": None}, "Times"),
    ({"exp": True}, "Times"),
    ({"nbf": 4_000_000_000}, "Times"),
]


@pytest.mark.parametrize(("claims", "check"), BENT)
def test_a_token_that_says_something_else_is_not_verified(
    far_side: FarSide, claims: dict[str, Any], check: str
) -> None:
    far_side.claims = claims
    [shape] = run(far_side).shapes
    assert shape.verdict is Verdict.UNVERIFIED
    assert shape.token is not None
    failed = [item.name for item in shape.token.checks if item.outcome == "failed"]
    assert len(failed) == 1
    assert failed[0].startswith(check)
    assert shape.hops[-1].outcome == "failed"


def test_a_token_signed_by_an_unpublished_key_is_not_verified(far_side: FarSide) -> None:
    number = rsa_key(2).public_key().public_numbers().n
    other = {
        **far_side.jwk(),
        "n": base64.urlsafe_b64encode(number.to_bytes(256, "big")).rstrip(b"=").decode(),
    }
    far_side.answers["GET", "/keys"] = lambda request: send_json(request, 200, {"keys": [other]})
    [shape] = run(far_side).shapes
    assert shape.verdict is Verdict.UNVERIFIED
    assert shape.token is not None
    assert shape.token.checks[0].name == "Signature is valid"
    assert shape.token.checks[0].outcome == "failed"


def test_an_unsigned_token_is_not_verified(far_side: FarSide) -> None:
    def unsigned(request: Any) -> None:
        head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
        body = far_side.token(TENANT, {"scope": SCOPE, "client_id": CLIENT_ID, "client_secret": "x"}).split(
            "."
        )[1]
        send_json(
            request, 200, {"access_token": f"{head}.{body}.", "token_type": "Bearer", "expires_in": 3599}
        )

    far_side.answers["POST", "/token"] = unsigned
    [shape] = run(far_side).shapes
    assert shape.verdict is Verdict.UNVERIFIED
    assert shape.token is not None
    assert shape.token.checks[0].outcome == "failed"


def test_a_token_that_is_no_jwt_is_said_to_be_opaque(far_side: FarSide) -> None:
    far_side.answers["POST", "/token"] = lambda request: send_json(
        request, 200, {"access_token": "opaque-canary-token", "token_type": "Bearer", "expires_in": 3599}
    )
    outcome = run(far_side)
    assert outcome.shapes[0].verdict is Verdict.UNVERIFIED
    assert outcome.shapes[0].failure == "token"
    assert "opaque-canary-token" not in kept(outcome)


def test_w5_a_v1_token_is_judged_by_v1_metadata(far_side: FarSide) -> None:
    far_side.claims = {
        "ver": "1.0",
        "iss": f"{far_side.url}/{TENANT}/",
        "aud": "api://route-planner",
        "appid": CLIENT_ID,
        "appidacr": "1",
        "azp": None,
        "azpacr": None,
    }
    [shape] = run(far_side).shapes
    assert shape.verdict is Verdict.VERIFIED, shape.token
    assert [hop.name for hop in shape.hops] == [
        "Discovery",
        "Token request",
        "Discovery, v1 tokens",
        "Signing keys",
        "Verification",
    ]


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [(401, 7000215, "invalid_client"), (400, 1002012, "invalid_scope"), (401, 700027, "invalid_client")],
)
def test_a_refusal_keeps_its_code_and_its_ids(far_side: FarSide, status: int, code: int, error: str) -> None:
    body = entra_error(code, error, "No.")
    far_side.answers["POST", "/token"] = lambda request: send_json(request, status, body)
    [shape] = run(far_side).shapes
    assert shape.verdict is Verdict.REFUSED
    assert shape.error is not None
    assert (shape.error.status, shape.error.code, shape.error.error) == (status, code, error)
    assert shape.error.trace_id == body["trace_id"]
    assert [hop.outcome for hop in shape.hops] == ["ok", "failed", "skipped", "skipped"]


def test_a_503_with_an_oauth_body_is_a_refusal(far_side: FarSide) -> None:
    """MSAL raises for 5xx and drops the body; the recorded answer still has it."""
    far_side.answers["POST", "/token"] = lambda request: send_json(
        request, 503, entra_error(90033, "temporarily_unavailable", "Later.")
    )
    [shape] = run(far_side).shapes
    assert shape.verdict is Verdict.REFUSED
    assert shape.error is not None
    assert (shape.error.status, shape.error.code) == (503, 90033)


def test_an_unknown_tenant_at_discovery_keeps_its_code(far_side: FarSide) -> None:
    """MSAL says no more than that it could not get the configuration."""
    far_side.answers["GET", "openid-configuration"] = lambda request: send_json(
        request, 400, entra_error(90002, "invalid_tenant", "Unknown.")
    )
    [shape] = run(far_side).shapes
    assert shape.verdict is Verdict.REFUSED
    assert shape.error is not None
    assert shape.error.code == 90002


WIRE_FAULTS: list[tuple[str, str, Callable[[FarSide], Callable[[Any], None]], str]] = [
    ("GET", "openid-configuration", lambda side: side.drip, Failure.TIMEOUT),
    ("POST", "/token", lambda side: side.drip, Failure.TIMEOUT),
    ("POST", "/token", lambda side: side.silence, Failure.TIMEOUT),
    ("GET", "/keys", lambda side: side.drip, Failure.TIMEOUT),
    ("GET", "openid-configuration", lambda _side: lambda r: send(r, 200, b"<html>"), "not-json"),
    ("POST", "/token", lambda _side: lambda r: send(r, 200, b"<html>hello</html>"), "not-json"),
    ("POST", "/token", lambda _side: lambda r: send(r, 502, b"<html>bad gateway</html>"), "not-json"),
    ("POST", "/token", lambda _side: lambda r: send(r, 200, b"[" * 100_000), "not-json"),
    ("POST", "/token", lambda _side: lambda r: send(r, 200, b'"text"'), "not-json"),
    ("GET", "/keys", lambda _side: lambda r: send(r, 200, b"[]"), "not-json"),
    ("GET", "/keys", lambda _side: lambda r: send_json(r, 500, {}), "status"),
    ("POST", "/token", lambda _side: lambda r: send_json(r, 500, {}), "status"),
    (
        "POST",
        "/token",
        lambda _side: lambda r: send(r, 302, b"", Location="https://evil.example/"),
        Failure.REDIRECT,
    ),
    ("POST", "/token", lambda _side: lambda r: send(r, 200, b"x" * 300_000), Failure.TOO_LARGE),
    (
        "GET",
        "openid-configuration",
        lambda side: (
            lambda r: send_json(
                r,
                200,
                {
                    "issuer": "https://evil.example/v2.0",
                    "token_endpoint": f"{side.url}/t/oauth2/v2.0/token",
                    "authorization_endpoint": f"{side.url}/t/a",
                    "jwks_uri": f"{side.url}/t/keys",
                },
            )
        ),
        "issuer-differs",
    ),
    (
        "GET",
        "openid-configuration",
        lambda side: (
            lambda r: send_json(
                r,
                200,
                {
                    "issuer": f"{side.url}/{TENANT}/v2.0",
                    "token_endpoint": "https://evil.example/t/oauth2/v2.0/token",
                    "authorization_endpoint": f"{side.url}/t/a",
                    "jwks_uri": f"{side.url}/t/keys",
                },
            )
        ),
        "endpoint-not-listed",
    ),
    (
        "GET",
        "openid-configuration",
        lambda side: (
            lambda r: send_json(
                r,
                200,
                {
                    "issuer": f"{side.url}/{TENANT}/v2.0",
                    "token_endpoint": f"{side.url}/t/oauth2/v2.0/token",
                    "authorization_endpoint": f"{side.url}/t/a",
                    "jwks_uri": "http://localhost/keys",
                },
            )
        ),
        "endpoint-not-listed",
    ),
]


@pytest.mark.parametrize(("method", "end", "answer", "failure"), WIRE_FAULTS)
def test_whatever_the_far_side_does_ends_in_a_verdict_in_time(
    far_side: FarSide,
    method: str,
    end: str,
    answer: Callable[[FarSide], Callable[[Any], None]],
    failure: str,
) -> None:
    far_side.answers[method, end] = answer(far_side)
    # Only where the deadline is what ends it may it be short: a busy machine needs time for the rest.
    began = time.monotonic()
    [shape] = run(far_side, seconds=0.8 if failure == Failure.TIMEOUT else 10).shapes
    assert time.monotonic() - began < 10
    assert shape.verdict in (Verdict.UNREACHABLE, Verdict.UNVERIFIED)
    assert shape.failure == failure
    assert shape.failure_detail
    assert sum(1 for hop in shape.hops if hop.outcome == "failed") == 1


def test_o7_a_secret_is_never_sent_to_an_endpoint_of_another_host(far_side: FarSide) -> None:
    far_side.answers["GET", "openid-configuration"] = WIRE_FAULTS[-2][2](far_side)
    run(far_side)
    assert [method for method, _, _, _ in far_side.requests] == ["GET"]


def test_after_silence_the_second_shape_is_not_tried(far_side: FarSide) -> None:
    far_side.answers["POST", "/token"] = far_side.silence
    outcome = run(far_side, certificate_material(Client()), seconds=0.5)
    assert len(outcome.shapes) == 1


def test_the_client_librarys_own_refusal_is_told(far_side: FarSide) -> None:
    material = CertificateMaterial("not hex", "no certificate", Client().key_pem.decode())
    [*_, last] = run(far_side, material).shapes
    assert last.verdict is Verdict.INVALID
    assert last.failure == "client"
    assert not any(method == "POST" for method, _, _, _ in far_side.requests)


def test_g2_nothing_that_proves_an_identity_is_kept_or_logged(
    far_side: FarSide, caplog: pytest.LogCaptureFixture
) -> None:
    """Canaries: secret, key, assertion, its signature, token; in what is kept and in every log at DEBUG."""
    caplog.set_level(logging.DEBUG)
    client = Client()

    def echoing(request: Any) -> None:
        """A far side that repeats in its error whatever it was sent."""
        body = far_side.requests[-1][3]
        values = " ".join(value for values in parse_qs(body).values() for value in values)
        send_json(request, 401, entra_error(7000215, "invalid_client", f"You sent {values} in {body}"))

    good_secret = run(far_side)
    good_certificate = run(far_side, certificate_material(client))
    far_side.answers["POST", "/token"] = echoing
    outcomes = [good_secret, good_certificate, run(far_side), run(far_side, certificate_material(client))]
    assertions = [re.search(r"client_assertion=([^&]+)", body) for _, _, _, body in far_side.requests]
    canaries = [SECRET, SECRET[8:20], client.key_pem.decode().splitlines()[5]]
    canaries += [found[1] for found in assertions if found]
    canaries += [found[1].rpartition(".")[2] for found in assertions if found]
    canaries += [str(good_secret.raw_token), str(good_secret.raw_token).rpartition(".")[2]]
    texts = [kept(outcome) for outcome in outcomes] + [repr(outcome) for outcome in outcomes] + [caplog.text]
    assert len(canaries) >= 11
    for canary in canaries:
        for text in texts:
            assert canary not in text
            assert json.dumps(canary)[1:-1] not in text


def test_a_form_shows_what_was_redacted_and_how_long_it_was(far_side: FarSide) -> None:
    [shape] = run(far_side).shapes
    request = dict(shape.hops[1].panes)["Request"]
    answer = dict(shape.hops[1].panes)["Response, 200"]
    assert f"&client_secret=[redacted: secret, {len(SECRET)} characters]" in request
    assert "grant_type=client_credentials" in request
    assert re.search(r'"access_token": "\[redacted: token, [\d,]+ characters\]"', answer)


def test_the_clock_of_the_far_side_is_compared(far_side: FarSide) -> None:
    [shape] = run(far_side).shapes
    assert shape.clock_skew_seconds is not None
    assert abs(shape.clock_skew_seconds) < 2


def test_a_report_survives_its_json_form(far_side: FarSide) -> None:
    outcome = run(far_side, certificate_material(Client()))
    diagnosis = Diagnosis("x", "head", "sum", [Step("t", "u")], [Evidence("fine", "a", "b")], ["m"])
    report = Report("https://localhost/t", "MSAL Python", outcome.shapes, diagnosis)
    stored = json.loads(json.dumps(report.to_json()))
    assert Report.from_json(stored) == report


def test_the_environment_does_not_bend_the_flow(far_side: FarSide, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MSAL_FORCE_REGION", "westeurope")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent.pem")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    [shape] = run(far_side).shapes
    assert shape.verdict is Verdict.VERIFIED
