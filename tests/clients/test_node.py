"""@azure/msal-node and @azure/identity, unmodified, against the running installation."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import assert_token
from tests.clients.stage import Answers, Stage

FOLDER = Path(__file__).with_name("node")
MSAL_BY_SECRET = [
    "secret",
    "known authority as address",
    "cloudDiscoveryMetadata",
    "authorityMetadata",
    "sovereign style domain",
    "capabilities",
]
MSAL_BY_ASSERTION = [
    "thumbprint and key",
    "thumbprint, key and x5c",
    "SHA-256 thumbprint and key",
    "SHA-256 thumbprint, key and x5c",
    "encrypted key",
    "assertion callback",
    "assertion text",
]
MSAL_REFUSED = {
    # MSAL for Node makes its message from error_codes; the sentence follows it.
    "wrong secret": "AADSTS7000215",
    "expired secret": "AADSTS7000222",
    "secret id": "AADSTS7000215",
    "wrong key": "AADSTS700027",
    "thumbprint with colons": "AADSTS700027",
    "expired certificate": "AADSTS700027",
    "wrong assertion": "AADSTS700027",
    "wrong tenant": "AADSTS700016",
    "wrong scope": "AADSTS1002012",
    "unknown resource": "AADSTS500011",
    # Every failed discovery is this to MSAL for Node, without the cause.
    "unknown tenant": "endpoints_resolution_error",
    "plain http": "authority_uri_insecure",
}
IDENTITY_BY_SECRET = [
    "ClientSecretCredential",
    "ClientSecretCredential, domain name",
    "EnvironmentCredential, secret",
]
IDENTITY_BY_ASSERTION = [
    "ClientCertificateCredential, PEM",
    "ClientCertificateCredential, PEM text",
    "ClientCertificateCredential, encrypted PEM",
    "ClientCertificateCredential, chain",
    "ClientAssertionCredential",
    "WorkloadIdentityCredential",
    "EnvironmentCredential, PEM",
]
IDENTITY_REFUSED = {
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
    "unknown tenant": "endpoints_resolution_error",
    "PFX": "does not contain a PEM-encoded certificate",
    "untrusted authority": "endpoints_resolution_error",
    "plain http": "must use the 'https' protocol",
}


def node() -> str:
    """Node with both clients installed; skips the test, saying what to do, where that is not so."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("no Node on this machine: install Node 20 or newer with npm, then run make test")
    if not (FOLDER / "node_modules" / ".ready").exists():
        pytest.skip("the Node clients are not installed: run make test, or sh .ci/node-packages clients")
    return found


@pytest.fixture(scope="session")
def msal(stage: Stage) -> Answers:
    """What MSAL for Node said. It has no setting for a CA: the variable is read when Node starts."""
    environment = {"NODE_EXTRA_CA_CERTS": stage.facts["ca"]}
    return stage.run(node(), FOLDER / "msal_node.mjs", environment=environment)


@pytest.fixture(scope="session")
def identity(stage: Stage) -> Answers:
    """What @azure/identity said; it is given the CA in its own settings."""
    return stage.run(node(), FOLDER / "azure_identity.mjs")


@pytest.mark.parametrize("case", MSAL_BY_SECRET)
def test_msal_gets_a_token_by_secret(msal: Answers, stage: Stage, case: str) -> None:
    assert_token(msal[case], stage, by_assertion=False)


@pytest.mark.parametrize("case", MSAL_BY_ASSERTION)
def test_msal_gets_a_token_by_certificate(msal: Answers, stage: Stage, case: str) -> None:
    assert_token(msal[case], stage, by_assertion=True)


def test_msal_finds_its_token_in_its_cache(msal: Answers) -> None:
    assert msal["from the cache"]["source"] == "cache"


@pytest.mark.parametrize("case", MSAL_REFUSED)
def test_msal_says_why_it_was_refused(msal: Answers, case: str) -> None:
    assert MSAL_REFUSED[case] in msal[case]["error"]


def test_msal_trusts_no_unknown_ca(stage: Stage) -> None:
    answers = stage.run(node(), FOLDER / "msal_node.mjs", "secret")
    assert "endpoints_resolution_error" in answers["secret"]["error"]


@pytest.mark.parametrize("case", IDENTITY_BY_SECRET)
def test_identity_gets_a_token_by_secret(identity: Answers, stage: Stage, case: str) -> None:
    assert_token(identity[case], stage, by_assertion=False)


@pytest.mark.parametrize("case", IDENTITY_BY_ASSERTION)
def test_identity_gets_a_token_by_certificate(identity: Answers, stage: Stage, case: str) -> None:
    assert_token(identity[case], stage, by_assertion=True)


@pytest.mark.parametrize("case", IDENTITY_REFUSED)
def test_identity_says_why_it_was_refused(identity: Answers, case: str) -> None:
    assert IDENTITY_REFUSED[case] in identity[case]["error"]


def test_every_case_is_judged(msal: Answers, identity: Answers) -> None:
    assert set(msal) == {*MSAL_BY_SECRET, *MSAL_BY_ASSERTION, *MSAL_REFUSED, "from the cache"}
    assert set(identity) == {*IDENTITY_BY_SECRET, *IDENTITY_BY_ASSERTION, *IDENTITY_REFUSED}


def test_r9_the_lock_file_names_no_place() -> None:
    """Names, versions and hashes only; every package has its hash."""
    text = (FOLDER / "package-lock.json").read_text()
    assert "://" not in text
    assert not re.search(r'"(resolved|link)"|file:', text)
    packages = {name: each for name, each in json.loads(text)["packages"].items() if name}
    assert len(packages) > 20
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())


def test_the_wanted_versions_are_the_locked_ones() -> None:
    wanted = json.loads((FOLDER / "package.json").read_text())["dependencies"]
    locked = json.loads((FOLDER / "package-lock.json").read_text())["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted


def test_the_programs_are_whole() -> None:
    """Node itself reads each file; a slip shows even where the clients cannot be installed."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("no Node on this machine")
    for program in sorted(FOLDER.glob("*.mjs")):
        subprocess.run([found, "--check", program], check=True, capture_output=True)
