"""Each cause of a failed test, told from the code and from what is stored: cause first, then the cure.

The far side refuses with a scripted code; what is stored here decides the explanation.
"""

import socket
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.urls import reverse

import credmgr.flowtest.diagnosis as diagnosis_package
from credmgr.credentials.certificates import delete_certificate
from credmgr.credentials.client_secrets import delete_client_secret
from credmgr.credentials.models import Certificate
from credmgr.credentials.secret_values import generate
from credmgr.flowtest.models import FlowRun
from credmgr.flowtest.report import Diagnosis, Report
from credmgr.registrations.deleting import delete_application
from credmgr.registrations.registering import set_disabled
from tests.flowtest.conftest import Directory
from tests.flowtest.far_side import Client, make_ca, send_json


def diagnosis_of(run: FlowRun) -> Diagnosis:
    """The stored explanation, checked for what holds for every one."""
    diagnosis = Report.from_json(run.report).diagnosis
    assert diagnosis.headline
    assert diagnosis.summary
    assert diagnosis.steps, "every cause comes with a cure"
    levels = [row.level for row in diagnosis.evidence]
    assert levels[:1] == ["cause"]
    assert levels == sorted(levels, key=("cause", "note", "fine").index)
    for text in (diagnosis.headline, diagnosis.summary, *(step.text for step in diagnosis.steps)):
        assert "{" not in text
        assert "please" not in text.lower()
    return diagnosis


def rows(diagnosis: Diagnosis, level: str) -> dict[str, str]:
    """Evidence of one level."""
    return {row.subject: row.finding for row in diagnosis.evidence if row.level == level}


# ---------------------------------------------------------------- secrets
def test_a9_the_secret_id_was_sent_in_place_of_the_value(directory: Directory) -> None:
    secret, _ = directory.secret(verify_only=True)
    directory.refuse(7000215)
    run = directory.run(secret, secret_value=str(secret.pk))
    diagnosis = diagnosis_of(run)
    assert (run.verdict, run.error_code, diagnosis.cause) == ("refused", 7000215, "secret-id-pasted")
    assert rows(diagnosis, "cause")["What was sent"] == "Is the Secret ID of worker"
    assert rows(diagnosis, "fine")["Client ID and directory"].startswith("Known")


def test_any_guid_is_told_to_be_no_value(directory: Directory) -> None:
    secret, _ = directory.secret(verify_only=True)
    directory.refuse(7000215)
    diagnosis = diagnosis_of(directory.run(secret, secret_value=f" {uuid.uuid4()} ".upper()))
    assert diagnosis.cause == "secret-id-pasted"
    assert "no value made here looks like that" in rows(diagnosis, "cause")["What was sent"]


def test_the_value_of_another_application(directory: Directory) -> None:
    other = directory.register("Route Planner")
    _, value = directory.secret(other, description="planner")
    secret, _ = directory.secret(verify_only=True)
    directory.refuse(7000215)
    diagnosis = diagnosis_of(directory.run(secret, secret_value=value))
    assert diagnosis.cause == "secret-of-another-application"
    assert rows(diagnosis, "cause")["What was sent"] == "Is the secret planner of Route Planner"
    assert diagnosis.steps[0].page_arguments == {"application_id": str(other.pk)}


def test_a11_the_secret_has_ended(directory: Directory) -> None:
    secret, _ = directory.secret(
        start_at=directory.now - timedelta(days=30), end_at=directory.now - timedelta(days=2)
    )
    directory.refuse(7000222)
    diagnosis = diagnosis_of(directory.run(secret))
    assert diagnosis.cause == "secret-expired"
    assert "2 days ago" in diagnosis.summary
    assert rows(diagnosis, "fine")["Value"] == "Matches the stored digest"
    assert diagnosis.steps[0].page == "portal:secret_new"


def test_the_secret_starts_later(directory: Directory) -> None:
    secret, _ = directory.secret(
        start_at=directory.now + timedelta(days=3), end_at=directory.now + timedelta(days=30)
    )
    directory.refuse(7000215)
    diagnosis = diagnosis_of(directory.run(secret))
    assert diagnosis.cause == "secret-not-yet-valid"
    assert "in 3 days" in diagnosis.summary


def test_a10_the_secret_was_deleted_meanwhile(directory: Directory) -> None:
    secret, _ = directory.secret()

    def delete_then_refuse(request: Any) -> None:
        send_json(request, 401, {"error": "invalid_client", "error_codes": [7000215]})

    stale = type(secret).objects.get(pk=secret.pk)
    delete_client_secret(secret, actor=directory.actor, now=directory.now)
    directory.side.answers["POST", "/token"] = delete_then_refuse
    diagnosis = diagnosis_of(directory.run(stale))
    assert diagnosis.cause == "secret-deleted"


def test_a_value_whose_secret_is_gone(directory: Directory) -> None:
    secret, _ = directory.secret(verify_only=True)
    directory.refuse(7000215)
    diagnosis = diagnosis_of(directory.run(secret, secret_value=generate()))
    assert diagnosis.cause == "secret-unknown"
    assert "Holds" in rows(diagnosis, "note")["Built-in checksum"]


def test_a_value_that_lost_a_character(directory: Directory) -> None:
    secret, value = directory.secret(verify_only=True)
    directory.refuse(7000215)
    diagnosis = diagnosis_of(directory.run(secret, secret_value=value[:-1] + " "))
    assert diagnosis.cause == "secret-damaged"
    causes = rows(diagnosis, "cause")
    assert causes["First characters"] == f"{secret.hint}, those of worker"
    assert "White space" in causes


# ---------------------------------------------------------------- certificates
def test_b10_a_key_that_does_not_belong_is_sent_all_the_same(directory: Directory) -> None:
    certificate = directory.certificate(Client(), keep=False)
    directory.refuse(700027)
    run = directory.run(certificate, private_key_file=Client(number=2).key_pem)
    diagnosis = diagnosis_of(run)
    assert diagnosis.cause == "key-mismatch"
    assert rows(diagnosis, "cause")["Private key and certificate"] == "Do not belong together"
    assert sum(1 for method, _, _, _ in directory.side.requests if method == "POST") == 2


def test_b11_the_certificate_was_deleted_meanwhile(directory: Directory) -> None:
    client = Client()
    certificate = directory.certificate(client)
    stale = Certificate.objects.get(pk=certificate.pk)
    delete_certificate(certificate, actor=directory.actor, now=directory.now)
    directory.refuse(700027, text=f"[Reason - x., Thumbprint of key used by client: '{client.thumbprint}']")
    diagnosis = diagnosis_of(directory.run(stale))
    assert diagnosis.cause == "certificate-deleted"
    assert client.thumbprint in diagnosis.marks


def test_b9_the_thumbprint_belongs_to_another_registration(directory: Directory) -> None:
    client = Client()
    other = directory.register("Route Planner")
    directory.certificate(client, other)
    certificate = directory.certificate(client)
    stale = Certificate.objects.get(pk=certificate.pk)
    delete_certificate(certificate, actor=directory.actor, now=directory.now)
    directory.refuse(700027, text=f"Thumbprint of key used by client: '{client.thumbprint.lower()}'")
    diagnosis = diagnosis_of(directory.run(stale))
    assert diagnosis.cause == "certificate-of-another-application"
    assert "Route Planner" in diagnosis.summary


@pytest.mark.parametrize(
    ("start", "end", "cause"), [(-400, -35, "certificate-expired"), (2, 300, "certificate-not-yet-valid")]
)
def test_b12_a_certificate_outside_its_dates(directory: Directory, start: int, end: int, cause: str) -> None:
    certificate = directory.certificate(Client())
    certificate.start_at = directory.now + timedelta(days=start)
    certificate.end_at = directory.now + timedelta(days=end)
    certificate.save()
    directory.refuse(700027)
    assert diagnosis_of(directory.run(certificate)).cause == cause


def test_the_clock_is_off(directory: Directory) -> None:
    certificate = directory.certificate(Client())
    stale_by = timedelta(minutes=20)
    directory.refuse(700024)
    directory.now -= stale_by  # this server's clock is behind
    diagnosis = diagnosis_of(directory.run(certificate))
    assert diagnosis.cause == "clock-off"
    assert "ahead of this server's" in rows(diagnosis, "cause")["Clock of the authority"]


def test_an_ec_key_is_run_by_the_plain_client(directory: Directory) -> None:
    """MSAL for Python signs with RSA keys only; the authority takes both."""
    certificate = directory.certificate(Client(curve=ec.SECP256R1()))
    run = directory.run(certificate, scope=f"{directory.application.client_id}/.default")
    report = Report.from_json(run.report)
    assert run.verdict == "verified", report.diagnosis
    assert report.client == "Plain OAuth client"
    assert report.decisive.client_reason == "MSAL for Python makes RSA signatures only"
    header = report.decisive.assertion["header"]
    assert header["alg"] == "ES256"
    assert {"x5t", "x5t#S256"} <= header.keys()


# ---------------------------------------------------------------- application, directory, scope
def test_the_application_is_disabled(directory: Directory) -> None:
    secret, _ = directory.secret()
    set_disabled(directory.application, disabled=True, actor=directory.actor, now=directory.now)
    directory.refuse(7000112, "unauthorized_client", status=400)
    diagnosis = diagnosis_of(directory.run(secret))
    assert diagnosis.cause == "application-disabled"
    assert rows(diagnosis, "cause")["Sign-in"] == "Disabled"


def test_the_application_is_deleted(directory: Directory) -> None:
    secret, _ = directory.secret()
    delete_application(directory.application, actor=directory.actor, now=directory.now)
    directory.refuse(700016, "unauthorized_client", status=400)
    diagnosis = diagnosis_of(directory.run(secret))
    assert diagnosis.cause == "application-deleted"
    assert "restored" in diagnosis.summary


def test_the_authority_reads_another_database(directory: Directory) -> None:
    secret, _ = directory.secret()
    directory.refuse(700016, "unauthorized_client", status=400)
    assert diagnosis_of(directory.run(secret)).cause == "client-unknown"


def test_the_directory_is_unknown(directory: Directory) -> None:
    secret, _ = directory.secret()
    directory.refuse(90002, "invalid_request", status=400)
    assert diagnosis_of(directory.run(secret)).cause == "tenant-unknown"


@pytest.mark.parametrize(
    ("scope", "right"),
    [
        ("https://graph.microsoft.com/User.Read", "https://graph.microsoft.com/.default"),
        ("api://harbor/read", "api://harbor/.default"),
        ("api://harbor", "api://harbor/.default"),
        ("nonsense", "https://graph.microsoft.com/.default"),
        ("api://harbor/.default api://other/.default", "api://"),
    ],
)
def test_a_scope_of_another_form(directory: Directory, scope: str, right: str) -> None:
    secret, _ = directory.secret()
    directory.refuse(1002012, "invalid_scope", status=400)
    diagnosis = diagnosis_of(directory.run(secret, scope=scope))
    assert diagnosis.cause == "scope-form"
    assert diagnosis.steps[0].copy.startswith(right)
    assert diagnosis.steps[0].copy.endswith("/.default")


def test_an_unknown_resource_names_the_nearest(directory: Directory) -> None:
    secret, _ = directory.secret()
    directory.refuse(500011, "invalid_resource", status=400)
    diagnosis = diagnosis_of(directory.run(secret, scope="api://habor/.default"))
    assert diagnosis.cause == "resource-unknown"
    assert diagnosis.steps[0].copy == "api://harbor/.default"
    assert "https://graph.microsoft.com" in rows(diagnosis, "note")["Known here"]


def test_an_unknown_resource_like_nothing_here(directory: Directory) -> None:
    secret, _ = directory.secret()
    directory.refuse(500011, "invalid_resource", status=400)
    diagnosis = diagnosis_of(directory.run(secret, scope="urn:zzz:qqq/.default"))
    assert diagnosis.steps[0].copy == ""
    assert diagnosis.steps[0].page == "portal:applications"


# ---------------------------------------------------------------- the wire
def test_throttled(directory: Directory) -> None:
    secret, _ = directory.secret()
    directory.refuse(90055, "temporarily_unavailable", status=429)
    assert diagnosis_of(directory.run(secret)).cause == "throttled"


def test_503(directory: Directory) -> None:
    secret, _ = directory.secret()
    directory.refuse(90033, "temporarily_unavailable", status=503)
    diagnosis = diagnosis_of(directory.run(secret))
    assert diagnosis.cause == "unavailable"
    assert "503" in diagnosis.headline


def test_nothing_is_serving(directory: Directory, settings: Any) -> None:
    secret, _ = directory.secret()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings.AUTHORITY_URL = f"https://localhost:{port}"
    run = directory.run(secret)
    diagnosis = diagnosis_of(run)
    assert (run.verdict, diagnosis.cause) == ("unreachable", "connection-refused")
    assert f"localhost:{port}" in diagnosis.headline
    assert "make run" in diagnosis.steps[0].text


def test_tls_is_not_trusted(directory: Directory, settings: Any, tmp_path: Path) -> None:
    secret, _ = directory.secret()
    (tmp_path / "other").mkdir()
    settings.CA_FILE, _, _ = make_ca(tmp_path / "other", "wrong")
    diagnosis = diagnosis_of(directory.run(secret))
    assert diagnosis.cause == "tls-not-trusted"
    assert "issuer" in rows(diagnosis, "cause")["Connection"]


def test_a_dead_authority(directory: Directory, settings: Any) -> None:
    settings.TEST_DEADLINE_SECONDS = 0.4
    secret, _ = directory.secret()
    directory.side.answers["POST", "/token"] = directory.side.drip
    run = directory.run(secret)
    assert diagnosis_of(run).cause == "timeout"
    assert run.duration_ms < 2000


def test_a_code_without_a_rule_is_explained_by_the_catalogue(directory: Directory) -> None:
    secret, _ = directory.secret()
    directory.refuse(7000216)
    diagnosis = diagnosis_of(directory.run(secret))
    assert diagnosis.cause == "refused"
    assert "AADSTS7000216" in diagnosis.headline
    assert diagnosis.meaning


def test_a_code_nobody_knows(directory: Directory) -> None:
    secret, _ = directory.secret()
    directory.refuse(123456789, text="Something new.")
    diagnosis = diagnosis_of(directory.run(secret))
    assert "AADSTS123456789" in diagnosis.headline
    assert "Something new." in diagnosis.summary


def test_a_token_that_does_not_hold(directory: Directory) -> None:
    secret, _ = directory.secret()
    directory.side.claims = {"iss": "https://evil.example/"}
    run = directory.run(secret, scope=f"{directory.application.client_id}/.default")
    diagnosis = diagnosis_of(run)
    assert (run.verdict, diagnosis.cause) == ("unverified", "unverified")
    assert "evil.example" in rows(diagnosis, "cause")["Issuer equals discovery"]


OF_DIRECTORY = {"portal:directory", "portal:directory_consent", "portal:directory_testing"}
WITHOUT_APPLICATION = {
    "portal:application_new",
    "portal:applications",
    "portal:origin_new",
    "portal:origins",
}


def test_every_page_that_a_cure_names_exists() -> None:
    """Links go by URL name; a renamed page must not leave a cure without its way."""
    named = {
        "portal:" + name
        for name in (
            "secret_new",
            "secrets",
            "certificates",
            "certificate_new",
            "application",
            "application_new",
            "application_properties",
            "applications",
            "directory",
            "directory_consent",
            "application_sign_ins",
            "test_new",
            "origin_new",
            "origins",
            "directory_testing",
            "certificate",
            "federated_edit",
        )
    }
    source = "".join(path.read_text() for path in Path(diagnosis_package.__file__).parent.glob("*.py"))
    used = {word for word in source.replace('"', " ").replace(",", " ").split() if word.startswith("portal:")}
    assert used == named
    for name in named:
        thing = "directory_id" if name in OF_DIRECTORY else "application_id"
        arguments = {} if name in WITHOUT_APPLICATION else {thing: uuid.uuid4()}
        if name == "portal:certificate":
            arguments["certificate_id"] = uuid.uuid4()
        if name == "portal:federated_edit":
            arguments["credential_id"] = uuid.uuid4()
        assert reverse(name, kwargs=arguments)
