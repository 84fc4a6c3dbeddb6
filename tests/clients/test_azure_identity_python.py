"""azure-identity for Python, unmodified, against the running installation: its sync and its aio half."""

import sys

import pytest

from tests.clients.conftest import assert_token
from tests.clients.stage import PROGRAMS, Answers, Stage

BY_SECRET = [
    "ClientSecretCredential",
    "ClientSecretCredential, domain name",
    "EnvironmentCredential, secret",
]
BY_ASSERTION = [
    "CertificateCredential, PEM",
    "CertificateCredential, PEM data",
    "CertificateCredential, encrypted PEM",
    "CertificateCredential, chain",
    "CertificateCredential, PFX",
    "ClientAssertionCredential",
    "WorkloadIdentityCredential",
    "EnvironmentCredential, PEM",
    "EnvironmentCredential, PFX",
]
REFUSED = {
    "wrong secret": "AADSTS7000215",
    "expired secret": "AADSTS7000222",
    "secret id": "AADSTS7000215",
    "wrong key": "AADSTS700027",
    "unregistered certificate": "AADSTS700027",
    "expired certificate": "AADSTS700027",
    "wrong assertion": "AADSTS700027",
    "wrong tenant": "AADSTS700016",
    "wrong scope": "AADSTS1002012",
    "unknown resource": "AADSTS500011",
    "environment, wrong secret": "AADSTS7000215",
    "untrusted authority": "CERTIFICATE_VERIFY_FAILED",
    "plain http": "must be a TLS protected (https) URL",
}
# The aio half does no discovery, so the token endpoint's own answer reaches the person.
UNKNOWN_TENANT = {"sync": "Unable to get authority configuration", "aio": "AADSTS90002"}


@pytest.fixture(scope="session")
def answers(stage: Stage) -> dict[str, Answers]:
    """What each half said in every case."""
    program = PROGRAMS / "azure_identity_python.py"
    return {half: stage.run(sys.executable, program, half) for half in UNKNOWN_TENANT}


@pytest.mark.parametrize("case", BY_SECRET)
@pytest.mark.parametrize("half", UNKNOWN_TENANT)
def test_gets_a_token_by_secret(answers: dict[str, Answers], stage: Stage, half: str, case: str) -> None:
    assert_token(answers[half][case], stage, by_assertion=False)


@pytest.mark.parametrize("case", BY_ASSERTION)
@pytest.mark.parametrize("half", UNKNOWN_TENANT)
def test_gets_a_token_by_certificate(answers: dict[str, Answers], stage: Stage, half: str, case: str) -> None:
    assert_token(answers[half][case], stage, by_assertion=True)


@pytest.mark.parametrize("case", [*REFUSED, "unknown tenant"])
@pytest.mark.parametrize("half", UNKNOWN_TENANT)
def test_says_why_it_was_refused(answers: dict[str, Answers], half: str, case: str) -> None:
    wanted = REFUSED.get(case, UNKNOWN_TENANT[half])
    assert wanted in answers[half][case]["error"]


@pytest.mark.parametrize("half", UNKNOWN_TENANT)
def test_every_case_is_judged(answers: dict[str, Answers], half: str) -> None:
    assert set(answers[half]) == {*BY_SECRET, *BY_ASSERTION, *REFUSED, "unknown tenant"}
