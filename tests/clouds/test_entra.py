"""The tester against the Microsoft clouds: their own host names, TLS, paths and refusals, on this machine.

Connections are led to a local server below the program; names, certificates and addresses are checked.
"""

import json
import re
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from credmgr.credentials.secret_values import generate
from credmgr.flowtest.report import Report
from credmgr.registrations.models import BUILT_IN
from tests.clouds.conftest import CLIENT_ID, PUBLIC, SECRET, InClouds
from tests.clouds.microsoft import DIRECTORY, DOMAIN, ELSEWHERE, MicrosoftClouds
from tests.flowtest.far_side import Client, entra_error, send_json
from tests.flowtest.test_diagnosis import diagnosis_of, rows

API = "api://5d0b7a4e-8f0f-4a9e-b8a7-6d1c9a0f2e11"
GRAPH = "https://graph.microsoft.com/.default"


def asked_of(clouds: MicrosoftClouds) -> list[tuple[str, str]]:
    """(host, path) of every request."""
    return [(headers["host"], path) for _, path, headers, _ in clouds.requests]


def outcomes(report: Report) -> dict[str, str]:
    """{check: outcome} of the decisive token."""
    assert report.decisive.token is not None
    return {check.name: check.outcome for check in report.decisive.token.checks}


@pytest.mark.parametrize("host", MicrosoftClouds.hosts)
@pytest.mark.parametrize("tenant", [DIRECTORY, DOMAIN])
def test_every_cloud_by_id_and_by_domain(
    elsewhere: InClouds, clouds: MicrosoftClouds, host: str, tenant: str
) -> None:
    secret = elsewhere.secret(elsewhere.at(host, tenant))
    run, report = elsewhere.run(secret, scope=f"{API}/.default", value=SECRET)
    assert run.verdict == "verified", report.diagnosis
    assert report.client.startswith("MSAL Python")
    assert set(outcomes(report).values()) == {"ok"}
    assert {each for each, _ in asked_of(clouds)} == {host}
    assert [path for _, path in asked_of(clouds)] == [
        f"/{tenant}/v2.0/.well-known/openid-configuration",
        f"/{DIRECTORY}/oauth2/v2.0/token",
        f"/{DIRECTORY}/discovery/v2.0/keys",
    ]


def test_a_certificate_in_both_shapes(elsewhere: InClouds) -> None:
    certificate = elsewhere.certificate(elsewhere.at(), Client())
    run, report = elsewhere.run(certificate, scope=f"{API}/.default")
    assert run.verdict == "verified", report.diagnosis
    assert [shape.assertion["header"]["alg"] for shape in report.shapes] == ["RS256", "PS256"]
    assert report.decisive.assertion["claims"]["aud"] == f"https://{PUBLIC}/{DIRECTORY}/oauth2/v2.0/token"


@pytest.mark.parametrize(
    ("host", "graph"),
    [
        (PUBLIC, "https://graph.microsoft.com"),
        ("login.microsoftonline.us", "https://graph.microsoft.us"),
        ("login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn"),
        ("login.sovcloud-identity.fr", "00000003-0000-0000-c000-000000000000"),
    ],
)
def test_a_token_for_graph_is_acquired_and_its_signature_left_to_graph(
    elsewhere: InClouds, host: str, graph: str
) -> None:
    """v1.0 metadata, the security token service as issuer, and a nonce that nobody else can check."""
    secret = elsewhere.secret(elsewhere.at(host))
    run, report = elsewhere.run(secret, scope=f"{graph}/.default", value=SECRET)
    assert run.verdict == "acquired", report.diagnosis
    found = outcomes(report)
    assert found.pop("Signature is valid") == "unchecked"
    assert set(found.values()) == {"ok"}
    assert "nonce" in report.diagnosis.summary
    assert "signature not checked" in report.diagnosis.headline
    assert [hop.name for hop in report.decisive.hops] == [
        "Discovery",
        "Token request",
        "Discovery, v1 tokens",
        "Signing keys",
        "Verification",
    ]


def test_a_token_for_graph_by_an_unpublished_key_is_no_good(
    elsewhere: InClouds, clouds: MicrosoftClouds
) -> None:
    """What can be told of it is told: the key must be the directory's."""
    clouds.answers["GET", "/keys"] = lambda request: send_json(
        request, 200, {"keys": [{**clouds.jwk(), "kid": "another"}]}
    )
    run, report = elsewhere.run(elsewhere.secret(elsewhere.at()), scope=GRAPH, value=SECRET)
    assert run.verdict == "unverified"
    assert outcomes(report)["Signature is valid"] == "failed"


@pytest.mark.parametrize(
    ("claims", "check"),
    [
        ({"tid": ELSEWHERE}, "Directory is the one asked"),
        ({"azp": ELSEWHERE}, "Client is this application"),
        ({"azpacr": "2"}, "Proof was a client secret"),
        ({"iss": f"https://{PUBLIC}/{ELSEWHERE}/v2.0"}, "Issuer equals discovery"),
        ({"exp": 5}, "Times hold"),
        ({"aud": None}, f"Audience is {API}"),
    ],
)
def test_a_token_that_says_something_else(
    elsewhere: InClouds, clouds: MicrosoftClouds, claims: dict[str, Any], check: str
) -> None:
    clouds.claims = claims
    run, report = elsewhere.run(elsewhere.secret(elsewhere.at()), scope=f"{API}/.default", value=SECRET)
    assert run.verdict == "unverified"
    assert [name for name, outcome in outcomes(report).items() if outcome == "failed"] == [check]


def test_an_api_known_by_another_name_is_not_held_against_the_token(
    elsewhere: InClouds, clouds: MicrosoftClouds
) -> None:
    clouds.claims = {"aud": "5d0b7a4e-8f0f-4a9e-b8a7-6d1c9a0f2e11"}
    run, report = elsewhere.run(
        elsewhere.secret(elsewhere.at()), scope="https://planner.contoso.example/.default", value=SECRET
    )
    assert run.verdict == "verified", report.diagnosis
    assert outcomes(report)["Audience is https://planner.contoso.example"] == "unchecked"


def test_instance_discovery_follows_a_refusal_and_does_not_hide_it(
    elsewhere: InClouds, clouds: MicrosoftClouds
) -> None:
    """MSAL asks for the cloud's aliases after an error; here that fails as well."""
    body = entra_error(7000215, "invalid_client", "Invalid client secret provided.")
    clouds.answers["POST", "/token"] = lambda request: send_json(request, 401, body)
    secret = elsewhere.secret(elsewhere.at())
    run, report = elsewhere.run(secret, scope=GRAPH, value=SECRET)
    assert (run.verdict, run.error_code) == ("refused", 7000215)
    assert asked_of(clouds)[-1] == (PUBLIC, "/common/discovery/instance")
    names = [(hop.name, hop.status) for hop in report.decisive.hops]
    assert names[1:3] == [("Token request", "401"), ("Instance discovery", "200")]
    clouds.answers["GET", "/instance"] = clouds.silence
    elsewhere.settings.TEST_DEADLINE_SECONDS = 1
    run, report = elsewhere.run(secret, scope=GRAPH, value=SECRET)
    assert (run.verdict, run.error_code) == ("refused", 7000215)
    assert report.decisive.hops[2].outcome == "failed"


def test_the_built_in_authority_is_never_asked_for_instances(
    elsewhere: InClouds, clouds: MicrosoftClouds
) -> None:
    application = elsewhere.at()
    secret = elsewhere.secret(application)
    application.authority_kind = BUILT_IN
    application.save()
    elsewhere.settings.AUTHORITY_URL = f"https://{PUBLIC}"
    elsewhere.settings.CA_FILE = clouds.ca_file
    run, _ = elsewhere.run(secret, scope=GRAPH, value=SECRET)
    # Led to a public address, which is what its own entry allows too; the directory is unknown there.
    assert run.error_code == 90002
    assert not [path for _, path in asked_of(clouds) if "instance" in path]


# ---------------------------------------------------------------- wrong places
def test_a_directory_that_is_nowhere(elsewhere: InClouds) -> None:
    secret = elsewhere.secret(elsewhere.at(tenant="contosso.example"))
    run, report = elsewhere.run(secret, scope=GRAPH, value=SECRET)
    assert (run.verdict, run.error_code) == ("refused", 90002)
    diagnosis = diagnosis_of(run)
    assert diagnosis.cause == "tenant-unknown-there"
    assert "contosso.example" in diagnosis.headline
    assert "login.microsoftonline.us" in diagnosis.steps[1].text
    assert report.decisive.hops[0].outcome == "failed"


def test_a_directory_of_another_cloud_gets_no_credential(
    elsewhere: InClouds, clouds: MicrosoftClouds
) -> None:
    run, _ = elsewhere.run(elsewhere.secret(elsewhere.at(tenant=ELSEWHERE)), scope=GRAPH, value=SECRET)
    diagnosis = diagnosis_of(run)
    assert (run.verdict, diagnosis.cause) == ("unreachable", "other-cloud")
    assert rows(diagnosis, "cause")["It leads to"] == "login.microsoftonline.us"
    assert not [method for method, _, _, _ in clouds.requests if method == "POST"]


def test_common_names_no_directory(elsewhere: InClouds, clouds: MicrosoftClouds) -> None:
    run, _ = elsewhere.run(elsewhere.secret(elsewhere.at(tenant="common")), scope=GRAPH, value=SECRET)
    assert (run.verdict, diagnosis_of(run).cause) == ("unreachable", "no-tenant")
    assert not [method for method, _, _, _ in clouds.requests if method == "POST"]


@pytest.mark.parametrize(
    "bent",
    [
        {"issuer": f"https://{PUBLIC}/{ELSEWHERE}/v2.0"},
        {"issuer": f"https://evil.example/{DIRECTORY}/v2.0"},
        {"issuer": f"https://{PUBLIC}/{DIRECTORY}/v2.0/"},
        {"issuer": None},
    ],
)
def test_metadata_of_another_directory_gets_no_credential(
    elsewhere: InClouds, clouds: MicrosoftClouds, bent: dict[str, Any]
) -> None:
    document = {
        "token_endpoint": f"https://{PUBLIC}/{DIRECTORY}/oauth2/v2.0/token",
        "authorization_endpoint": f"https://{PUBLIC}/{DIRECTORY}/oauth2/v2.0/authorize",
        "jwks_uri": f"https://{PUBLIC}/{DIRECTORY}/discovery/v2.0/keys",
        **bent,
    }
    clouds.answers["GET", "openid-configuration"] = lambda request: send_json(request, 200, document)
    run, _ = elsewhere.run(elsewhere.secret(elsewhere.at()), scope=GRAPH, value=SECRET)
    assert (run.verdict, diagnosis_of(run).cause) == ("unreachable", "issuer-differs")
    assert not [method for method, _, _, _ in clouds.requests if method == "POST"]


def test_an_ec_key_is_not_sent(elsewhere: InClouds, clouds: MicrosoftClouds) -> None:
    certificate = elsewhere.certificate(elsewhere.at(), Client(curve=ec.SECP256R1()))
    run, _ = elsewhere.run(certificate, scope=GRAPH)
    assert (run.verdict, diagnosis_of(run).cause) == ("invalid", "key-type")
    assert clouds.requests == []


# ---------------------------------------------------------------- refusals against what is stored
REFUSALS: list[tuple[int, str, int, dict[str, str], str]] = [
    (7000215, "invalid_client", 401, {}, "secret-unknown-there"),
    (7000222, "invalid_client", 401, {}, "secret-expired-there"),
    (700016, "unauthorized_client", 400, {}, "client-unknown-there"),
    (7000229, "invalid_client", 401, {}, "no-service-principal-there"),
    (900023, "invalid_request", 400, {}, "tenant-unknown-there"),
    (900439, "invalid_request", 400, {}, "other-cloud"),
    (7000112, "unauthorized_client", 400, {}, "application-disabled-there"),
    (1002012, "invalid_scope", 400, {"scope": "User.Read"}, "scope-form"),
    (500011, "invalid_resource", 400, {"scope": "api://nobody/.default"}, "resource-unknown-there"),
    (501051, "invalid_grant", 400, {}, "assignment-missing-there"),
    (53003, "invalid_grant", 400, {}, "conditional-access"),
    (50196, "invalid_grant", 400, {}, "throttled"),
    (90033, "temporarily_unavailable", 503, {}, "unavailable"),
    (7000218, "invalid_client", 401, {}, "refused"),
]


@pytest.mark.parametrize(("code", "error", "status", "asked", "cause"), REFUSALS)
def test_each_code_has_a_cause_and_a_cure(
    elsewhere: InClouds,
    clouds: MicrosoftClouds,
    code: int,
    error: str,
    status: int,
    asked: dict[str, str],
    cause: str,
) -> None:
    clouds.answers["POST", "/token"] = lambda request: send_json(
        request, status, entra_error(code, error, "No.")
    )
    secret = elsewhere.secret(elsewhere.at())
    run, _ = elsewhere.run(secret, **{"scope": GRAPH, "value": SECRET, **asked})
    diagnosis = diagnosis_of(run)
    assert (run.verdict, run.error_code, diagnosis.cause) == ("refused", code, cause), diagnosis


def refused(
    elsewhere: InClouds, clouds: MicrosoftClouds, code: int, *, tenant: str = DIRECTORY, **run: str
) -> dict[str, str]:
    """The rows that point to the cause of this code."""
    clouds.answers["POST", "/token"] = lambda request: send_json(
        request, 401, entra_error(code, "invalid_client", "No.")
    )
    secret = elsewhere.secret(elsewhere.at(tenant=tenant))
    made, _ = elsewhere.run(secret, **{"scope": GRAPH, "value": SECRET, **run})
    return rows(diagnosis_of(made), "cause")


@pytest.mark.parametrize(
    ("value", "subject", "finding"),
    [
        ("5d0b7a4e-8f0f-4a9e-b8a7-6d1c9a0f2e11", "What was sent", "Is a GUID"),
        (f"{SECRET} ", "White space", "before or after"),
        (f"'{SECRET}'", "Quotes", "around the value"),
        (SECRET[:-2], "Form of the value", "38 characters, not 40"),
    ],
)
def test_a_wrong_value_is_looked_at(
    elsewhere: InClouds, clouds: MicrosoftClouds, value: str, subject: str, finding: str
) -> None:
    assert finding in refused(elsewhere, clouds, 7000215, value=value)[subject]


def test_a_value_made_here_is_told_from_one_of_entra(elsewhere: InClouds, clouds: MicrosoftClouds) -> None:
    found = refused(elsewhere, clouds, 7000215, value=generate())
    assert "Made by this portal" in found["Form of the value"]


def test_the_same_client_id_in_another_directory_is_named(
    elsewhere: InClouds, clouds: MicrosoftClouds
) -> None:
    elsewhere.at(tenant=DOMAIN)
    found = refused(elsewhere, clouds, 700016)
    assert f"lives at https://{PUBLIC}/{DOMAIN}" in found["The same client ID here"]


def test_the_graph_of_another_cloud_is_named(elsewhere: InClouds, clouds: MicrosoftClouds) -> None:
    found = refused(elsewhere, clouds, 500011, scope="https://graph.microsoft.us/.default")
    assert found["Cloud of that resource"] == "US Government"


def test_a_certificate_that_the_directory_does_not_have(elsewhere: InClouds, clouds: MicrosoftClouds) -> None:
    clouds.answers["POST", "/token"] = lambda request: send_json(
        request, 401, entra_error(700027, "invalid_client", "The certificate was not found.")
    )
    holder = Client()
    run, _ = elsewhere.run(elsewhere.certificate(elsewhere.at(), holder), scope=GRAPH)
    diagnosis = diagnosis_of(run)
    assert diagnosis.cause == "certificate-not-there"
    assert diagnosis.steps[0].copy == holder.thumbprint


def test_nothing_secret_is_kept(elsewhere: InClouds, clouds: MicrosoftClouds) -> None:
    secret = elsewhere.secret(elsewhere.at())
    kept = json.dumps([elsewhere.run(secret, scope=each, value=SECRET)[0].report for each in (GRAPH, API)])
    assert SECRET not in kept
    assert SECRET[6:20] not in kept
    assert CLIENT_ID in kept
    # A token begins so; in the middle of a key's Base64 it may stand by chance.
    assert not re.search(r"(?<![\w+/-])eyJ", kept)
