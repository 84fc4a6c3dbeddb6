"""The tester against the package oidc-provider in a process of its own: Basic, post, assertions."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from credmgr.flowtest.models import FlowRun
from credmgr.flowtest.report import Report
from tests.flowtest.far_side import Client
from tests.peers.conftest import API, CURVE, RSA, SECRET, AtPeers, Peer, Tls, client, started

NO_PATH = "MSAL needs a path in the issuer's address"


def told(report: Report) -> list[tuple[str, str]]:
    """(shape, verdict) of each way that was tried."""
    return [(shape.shape.value, shape.verdict.value) for shape in report.shapes]


def assert_verified(run: FlowRun, report: Report) -> None:
    """A JWT came, and every check that can be made passed."""
    assert run.verdict == "verified", report.diagnosis
    token = report.decisive.token
    assert token is not None
    assert {check.name: check.outcome for check in token.checks} == {
        "Signature is valid": "ok",
        "Issuer equals discovery": "ok",
        f"Audience is {API}": "ok",
        "Client is this application": "ok",
        "Times hold": "ok",
    }


def test_basic_at_a_root_path_issuer(elsewhere: AtPeers, root_issuer: Peer) -> None:
    secret = elsewhere.secret(elsewhere.at(root_issuer, "by-basic"))
    run, report = elsewhere.run(secret, scope="routes.read", resource=API)
    assert_verified(run, report)
    assert told(report) == [("secret-basic", "verified")]
    assert (report.client, report.decisive.client_reason) == ("Plain OAuth client", NO_PATH)
    assert [hop.name for hop in report.decisive.hops] == [
        "Discovery",
        "Token request",
        "Signing keys",
        "Verification",
    ]
    request = dict(report.decisive.hops[1].panes)["Request"]
    assert "authorization: Basic [redacted: secret," in request
    assert "client_id" not in request
    assert f"resource={API}" in request


@pytest.mark.parametrize(
    ("path", "methods", "way", "reason"),
    [
        ("", ["client_secret_post"], "secret-post", NO_PATH),
        ("/one", ["client_secret_post"], "secret", ""),
        ("/one", ["client_secret_basic"], "secret-basic", "this issuer wants it in the Authorization header"),
    ],
)
def test_the_way_follows_the_metadata(
    elsewhere: AtPeers, tls: Tls, path: str, methods: list[str], way: str, reason: str
) -> None:
    """Client ids and secrets with signs of their own survive both forms."""
    clients = [client("with signs/+&", methods[0], client_secret=SECRET)]
    for each in started("oidc_provider.mjs", tls, https=True, path=path, clients=clients, methods=methods):
        secret = elsewhere.secret(elsewhere.at(each, "with signs/+&"))
        run, report = elsewhere.run(secret, scope="routes.read")
        assert run.verdict == "acquired", report.diagnosis
        assert told(report) == [(way, "acquired")]
        assert reason in report.decisive.client_reason


def test_a_kind_of_credential_that_the_issuer_does_not_take(elsewhere: AtPeers, tls: Tls) -> None:
    for each in started(
        "oidc_provider.mjs", tls, https=True, path="", clients=[], methods=["client_secret_basic"]
    ):
        certificate = elsewhere.certificate(elsewhere.at(each, "by-key"), RSA)
        run, report = elsewhere.run(certificate)
        assert (run.verdict, report.diagnosis.cause) == ("invalid", "no-way")
        assert "client_secret_basic" in report.diagnosis.summary
        assert [hop.status for hop in report.decisive.hops] == ["200", "Failed", *["Not run"] * 3]


@pytest.mark.parametrize(
    ("client_id", "key", "algorithm", "key_id"),
    [("by-key", RSA, "RS256", ""), ("by-curve", CURVE, "ES256", ""), ("by-kid", RSA, "RS256", "key of 2026")],
)
def test_private_key_jwt(
    elsewhere: AtPeers, root_issuer: Peer, client_id: str, key: Client, algorithm: str, key_id: str
) -> None:
    certificate = elsewhere.certificate(elsewhere.at(root_issuer, client_id), key)
    run, report = elsewhere.run(certificate, resource=API, key_id=key_id)
    assert_verified(run, report)
    assert told(report) == [("private-key-jwt", "verified")]
    header, claims = (report.decisive.assertion[part] for part in ("header", "claims"))
    assert header["alg"] == algorithm
    assert header.get("kid", "") == key_id
    assert {"x5t", "x5t#S256"} <= header.keys()
    assert (claims["iss"], claims["sub"], claims["aud"]) == (client_id, client_id, root_issuer.issuer)


def test_another_kid_is_refused_and_explained(elsewhere: AtPeers, root_issuer: Peer) -> None:
    certificate = elsewhere.certificate(elsewhere.at(root_issuer, "by-kid"), RSA)
    run, report = elsewhere.run(certificate, resource=API, key_id="another")
    assert (run.verdict, run.error, run.error_code) == ("refused", "invalid_client", 0)
    assert told(report) == [("private-key-jwt", "refused"), ("private-key-jwt-endpoint", "refused")]
    assert any("kid" in step.text for step in report.diagnosis.steps)


def test_a_token_without_a_resource_is_opaque(elsewhere: AtPeers, root_issuer: Peer) -> None:
    secret = elsewhere.secret(elsewhere.at(root_issuer, "by-basic"))
    run, report = elsewhere.run(secret)
    assert run.verdict == "acquired"
    assert report.decisive.token is None
    assert "opaque" in report.diagnosis.summary
    assert "not attempted" in report.diagnosis.summary
    assert [hop.status for hop in report.decisive.hops][2:] == ["Not run", "Not run"]


def test_plain_http_on_loopback(elsewhere: AtPeers, http_issuer: Peer) -> None:
    secret = elsewhere.secret(elsewhere.at(http_issuer, "by-basic"))
    run, report = elsewhere.run(secret, scope="routes.read", resource=API)
    assert_verified(run, report)
    assert report.decisive.client_reason == "MSAL refuses an issuer without https"


def test_msal_runs_where_the_issuer_has_a_path(elsewhere: AtPeers, path_issuer: Peer) -> None:
    secret = elsewhere.secret(elsewhere.at(path_issuer, "by-post"))
    run, report = elsewhere.run(secret, scope="routes.read")
    assert run.verdict == "acquired", report.diagnosis  # MSAL has no parameter for a resource
    assert told(report) == [("secret", "acquired")]
    assert report.client.startswith("MSAL Python")
    assert [hop.name for hop in report.decisive.hops if hop.outcome == "ok"] == ["Discovery", "Token request"]


def test_msal_signs_for_an_issuer_with_a_path(elsewhere: AtPeers, path_issuer: Peer) -> None:
    certificate = elsewhere.certificate(elsewhere.at(path_issuer, "by-key"), RSA)
    run, report = elsewhere.run(certificate, scope="routes.read")
    assert run.verdict == "acquired", report.diagnosis
    assert told(report) == [("thumbprint", "acquired")]
    assert report.client.startswith("MSAL Python")


# ---------------------------------------------------------------- refusals, in the issuer's words and ours
def test_a_wrong_secret(elsewhere: AtPeers, root_issuer: Peer) -> None:
    secret = elsewhere.secret(elsewhere.at(root_issuer, "by-basic"))
    run, report = elsewhere.run(secret, value='"11111111-2222-4333-8444-555555555555 "')
    assert (run.verdict, run.error) == ("refused", "invalid_client")
    assert report.diagnosis.cause == "client-not-accepted"
    causes = {row.subject for row in report.diagnosis.evidence if row.level == "cause"}
    assert {"Quotes", "client_secret_basic", "client_secret_post"} <= causes


def test_an_unknown_client(elsewhere: AtPeers, root_issuer: Peer) -> None:
    secret = elsewhere.secret(elsewhere.at(root_issuer, "nobody"))
    run, report = elsewhere.run(secret)
    assert (run.verdict, run.error, report.diagnosis.cause) == (
        "refused",
        "invalid_client",
        "client-not-accepted",
    )
    assert report.diagnosis.steps[0].copy == "nobody"


@pytest.mark.parametrize(
    ("client_id", "asked", "error", "cause"),
    [
        ("by-basic", {"scope": "routes.write"}, "invalid_scope", "scope-not-accepted"),
        ("by-basic", {"resource": "https://other.example/"}, "invalid_target", "resource-not-accepted"),
        ("by-basic", {"resource": "no address"}, "invalid_target", "resource-not-accepted"),
        ("no-grant", {}, "invalid_request", "grant-not-allowed"),
    ],
)
def test_other_refusals(
    elsewhere: AtPeers,
    root_issuer: Peer,
    client_id: str,
    asked: dict[str, str],
    error: str,
    cause: str,
) -> None:
    secret = elsewhere.secret(elsewhere.at(root_issuer, client_id))
    run, report = elsewhere.run(secret, **asked)
    assert (run.verdict, run.error, report.diagnosis.cause) == ("refused", error, cause)
    assert len(report.shapes) == 1, "only invalid_client speaks of the way"


# ---------------------------------------------------------------- what stops a test before anything is sent
def test_an_origin_that_is_not_listed_is_never_called(elsewhere: AtPeers, root_issuer: Peer) -> None:
    secret = elsewhere.secret(elsewhere.at(root_issuer, "by-basic", listed=False))
    run, report = elsewhere.run(secret)
    assert (run.verdict, report.diagnosis.cause) == ("unreachable", "not-listed")
    assert report.diagnosis.steps[0].copy == root_issuer.issuer


def test_an_issuer_under_another_spelling(elsewhere: AtPeers, root_issuer: Peer) -> None:
    application = elsewhere.at(root_issuer, "by-basic")
    application.authority_url += "/"
    application.save()
    run, report = elsewhere.run(elsewhere.secret(application))
    assert (run.verdict, report.diagnosis.cause) == ("unreachable", "issuer-differs")
    assert report.diagnosis.steps[0].copy == root_issuer.issuer
    assert any(row.finding == "Only the slash at the end" for row in report.diagnosis.evidence)
    assert report.decisive.hops[0].outcome == "failed"


def test_a_ca_that_is_not_trusted(elsewhere: AtPeers, root_issuer: Peer, settings: Any) -> None:
    application = elsewhere.at(root_issuer, "by-basic")
    settings.ALLOWED_ORIGINS = [replace(each, ca_file="") for each in settings.ALLOWED_ORIGINS]
    run, report = elsewhere.run(elsewhere.secret(application))
    assert (run.verdict, report.diagnosis.cause) == ("unreachable", "tls-not-trusted")
    assert "CA" in report.diagnosis.steps[0].title


def test_no_metadata_at_this_address(elsewhere: AtPeers, root_issuer: Peer) -> None:
    application = elsewhere.at(root_issuer, "by-basic")
    application.authority_url += "/nowhere"
    application.save()
    run, report = elsewhere.run(elsewhere.secret(application))
    assert (run.verdict, report.diagnosis.cause) == ("unreachable", "no-metadata")
    assert [hop.name for hop in report.decisive.hops][:2] == ["Discovery", "Discovery, RFC 8414"]


def test_nothing_secret_is_kept(elsewhere: AtPeers, root_issuer: Peer) -> None:
    """Canaries: the secret in every spelling it was sent in, the assertion's signature, the token."""
    secret = elsewhere.secret(elsewhere.at(root_issuer, "by-post"))
    key = elsewhere.certificate(elsewhere.at(root_issuer, "by-key"), RSA)
    kept = json.dumps([elsewhere.run(secret, resource=API)[0].report, elsewhere.run(key)[0].report])
    assert SECRET not in kept
    assert SECRET[:20] not in kept
    # The beginning of the assertion's header; in the middle of a key's Base64 it may stand by chance.
    assert len(re.findall(r"(?<![\w+/-])eyJ", kept)) == 1
    assert kept.count("[redacted: ") >= 4
    assert "Basic [redacted" in kept
