"""Federated credentials through the test: the outside token is used once, compared, and never kept."""

import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from django.core.management import CommandError, call_command
from django.test import Client as Browser

from credmgr.credentials.federated import add_federated_credential
from credmgr.credentials.models import FederatedCredential
from credmgr.errors import DomainError
from credmgr.flowtest.models import FlowRun
from credmgr.flowtest.report import Report
from tests.flowtest.conftest import Directory
from tests.flowtest.far_side import rsa_key
from tests.flowtest.test_diagnosis import diagnosis_of, rows
from tests.flowtest.test_testing import database_dump
from tests.portal.conftest import BACKEND

ISSUER = "https://token.actions.githubusercontent.com"
SUBJECT = "repo:contoso/harbor:ref:refs/heads/main"
AUDIENCE = "api://AzureADTokenExchange"


@pytest.fixture
def trust(directory: Directory) -> FederatedCredential:
    """What the application trusts."""
    return add_federated_credential(
        directory.application,
        name="harbor-main",
        issuer=ISSUER,
        subject=SUBJECT,
        audience=AUDIENCE,
        actor=directory.actor,
        now=directory.now,
    )


def outside_token(**changes: Any) -> str:
    """What a workload gets from its own issuer."""
    now = int(time.time())
    claims = {"iss": ISSUER, "sub": SUBJECT, "aud": AUDIENCE, "iat": now, "exp": now + 300, **changes}
    return jwt.encode(claims, rsa_key(2), algorithm="RS256", headers={"kid": "outside-1"})


def test_the_outside_token_is_the_assertion(directory: Directory, trust: FederatedCredential) -> None:
    token = outside_token()
    run = directory.run(
        trust, outside_token=f" Bearer {token}\n", scope=f"{directory.application.client_id}/.default"
    )
    report = Report.from_json(run.report)
    assert run.verdict == "verified", report.diagnosis
    assert (run.credential_kind, run.credential_name) == ("federated", "harbor-main")
    body = next(body for method, _, _, body in directory.side.requests if method == "POST")
    assert f"client_assertion={token}" in body
    assert [(row.name, row.is_equal) for row in report.presented] == [
        ("Issuer", True),
        ("Subject", True),
        ("Audience", True),
    ]
    assert report.decisive.assertion["header"]["kid"] == "outside-1"


def test_nothing_of_the_token_is_kept(directory: Directory, trust: FederatedCredential) -> None:
    """Canaries: the token, its payload as sent, its signature; after success and after a refusal."""
    token = outside_token()
    directory.run(trust, outside_token=token, scope=f"{directory.application.client_id}/.default")
    directory.refuse(700213)
    directory.run(trust, outside_token=token)
    dump = database_dump()
    for canary in (token, *token.split(".")[1:]):
        assert canary not in dump


@pytest.mark.parametrize(
    ("code", "changes", "cause", "subject", "words"),
    [
        (700211, {"iss": f"{ISSUER}/"}, "federated-issuer", "Issuer", "slash at the end"),
        (700212, {"aud": "api://other"}, "federated-audience", "Audience", "from character 7 on"),
        (700213, {"sub": SUBJECT + "-x"}, "federated-subject", "Subject", "from character 40 on"),
        (7002138, {"sub": SUBJECT.upper()}, "federated-subject", "Subject", "capital and small"),
    ],
)
def test_what_differs_is_shown_to_the_letter(
    directory: Directory,
    trust: FederatedCredential,
    code: int,
    changes: dict[str, str],
    cause: str,
    subject: str,
    words: str,
) -> None:
    directory.refuse(code)
    run = directory.run(trust, outside_token=outside_token(**changes))
    diagnosis = diagnosis_of(run)
    assert (run.error_code, diagnosis.cause) == (code, cause)
    assert "Presented: " in rows(diagnosis, "cause")[subject]
    assert words in diagnosis.steps[0].text
    assert diagnosis.steps[0].page == "portal:federated_edit"


@pytest.mark.parametrize(
    ("code", "status", "changes", "cause"),
    [
        (70025, 401, {}, "federated-none"),
        (50166, 400, {}, "outside-issuer-unusable"),
        (700024, 401, {"exp": 1_700_000_000}, "outside-token-ended"),
        (700027, 401, {}, "outside-token-not-signed"),
        (50027, 400, {}, "outside-token-unreadable"),
    ],
)
def test_each_code_has_a_cause(
    directory: Directory,
    trust: FederatedCredential,
    code: int,
    status: int,
    changes: dict[str, int],
    cause: str,
) -> None:
    directory.refuse(code, status=status)
    assert diagnosis_of(directory.run(trust, outside_token=outside_token(**changes))).cause == cause


@pytest.mark.parametrize("typed", ["", "  ", "Bearer ", "x" * 20_000, "eyJ\u00e9"])
def test_what_is_no_token_is_not_sent(directory: Directory, trust: FederatedCredential, typed: str) -> None:
    with pytest.raises(DomainError) as caught:
        directory.run(trust, outside_token=typed)
    assert caught.value.field == "outside_token"
    assert directory.side.requests == []


def test_the_form_takes_a_token_and_never_shows_it_again(
    directory: Directory, trust: FederatedCredential
) -> None:
    browser = Browser()
    browser.force_login(directory.user, backend=BACKEND)
    address = f"/applications/{directory.application.pk}/tests/new"
    assert "harbor-main, trusts https://token.actions" in browser.get(address).content.decode()
    token = outside_token()
    given = {"credential": str(trust.pk), "scope": f"{directory.application.client_id}/.default"}
    missing = browser.post(address, given)
    assert "Paste the outside issuer" in missing.content.decode()
    refused = browser.post(address, {**given, "scope": "", "outside_token": token})
    assert token[:60] not in refused.content.decode()
    done = browser.post(address, {**given, "outside_token": token}, follow=True)
    page = done.content.decode()
    assert "Presented against trusted" in page
    assert "Token acquired and verified" in page
    assert token.rpartition(".")[2] not in page


def test_the_command_reads_the_token_from_a_file(
    directory: Directory, trust: FederatedCredential, tmp_path: Path, capsys: Any
) -> None:
    file = tmp_path / "token"
    file.write_text(outside_token() + "\n")
    app_id = str(directory.application.client_id)
    given = ["--assertion-file", str(file)]
    call_command("test_token", app_id, *given, "--scope", f"{app_id}/.default", "--json")
    said = json.loads(capsys.readouterr().out)
    assert (said["verdict"], said["credential"]["type"]) == ("verified", "federated")
    directory.refuse(700213)
    file.write_text(outside_token(sub="repo:other"))
    with pytest.raises(CommandError, match="another subject"):
        call_command("test_token", app_id, *given)
    assert FlowRun.objects.count() == 2
