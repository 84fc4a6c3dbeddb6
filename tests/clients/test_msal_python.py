"""MSAL for Python, unmodified, against the running installation."""

import sys

import pytest

from tests.clients.conftest import assert_token
from tests.clients.stage import PROGRAMS, Answers, Stage

BY_SECRET = [
    "secret",
    "validate_authority off",
    "oidc_authority",
    "own instance discovery",
    "sovereign style domain",
    "capital letters",
    "trailing slash",
    "capabilities",
]
BY_ASSERTION = [
    "thumbprint and key",
    "thumbprint, key and certificate",
    "key and certificate",
    "encrypted key and thumbprint",
    "encrypted key and certificate",
    "pfx",
    "pfx with chain",
    "assertion callable",
    "assertion text",
    "signed claims",
]
REFUSED = {
    "wrong secret": "AADSTS7000215",
    "expired secret": "AADSTS7000222",
    "secret id": "AADSTS7000215",
    "wrong key": "AADSTS700027",
    "unregistered certificate": "AADSTS700027",
    "expired certificate": "AADSTS700027",
    "wrong tenant": "AADSTS700016",
    "wrong scope": "AADSTS1002012",
    "unknown resource": "AADSTS500011",
    # Refused before a token request: MSAL says why in words of its own.
    "unknown tenant": "Unable to get authority configuration",
    "untrusted authority": "CERTIFICATE_VERIFY_FAILED",
    "plain http": "should consist of an https url",
}


@pytest.fixture(scope="session")
def answers(stage: Stage) -> Answers:
    """What MSAL said in every case."""
    return stage.run(sys.executable, PROGRAMS / "msal_python.py")


@pytest.mark.parametrize("case", BY_SECRET)
def test_gets_a_token_by_secret(answers: Answers, stage: Stage, case: str) -> None:
    assert_token(answers[case], stage, by_assertion=False)


@pytest.mark.parametrize("case", BY_ASSERTION)
def test_gets_a_token_by_certificate(answers: Answers, stage: Stage, case: str) -> None:
    assert_token(answers[case], stage, by_assertion=True)


def test_finds_its_token_in_its_cache(answers: Answers) -> None:
    assert answers["from the cache"]["source"] == "cache"


@pytest.mark.parametrize("case", REFUSED)
def test_says_why_it_was_refused(answers: Answers, case: str) -> None:
    assert REFUSED[case] in answers[case]["error"]


def test_every_case_is_judged(answers: Answers) -> None:
    assert set(answers) == {*BY_SECRET, *BY_ASSERTION, *REFUSED, "from the cache"}
