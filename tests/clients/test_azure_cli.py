"""Azure CLI, unmodified: a cloud of its own, signed in with secret and certificate, a token, signed out.

Slow: az is three quarters of a gigabyte and starts in seconds. It is installed once, from the package
index, into a folder of the user's cache; where that cannot be done the tests are skipped and say so.
"""

import fcntl
import os
import shutil
import subprocess
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.conftest import assert_token
from tests.clients.programs.assertion import make_assertion
from tests.clients.programs_shown import ProgramsShown, show_programs
from tests.clients.stage import Stage, bare_environment
from tests.database import same_on_both

pytestmark = [pytest.mark.slow, same_on_both]

VERSION = "2.91.0"
INSTALL_SECONDS = 900
Az = Callable[..., "subprocess.CompletedProcess[str]"]


def cache_folder() -> Path:
    """Kept between runs, by release."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "credmgr-tests" / f"azure-cli-{VERSION}"


@pytest.fixture(scope="session")
def az_folder() -> Path:
    """The folder that holds az; installs it when it is not there."""
    folder = cache_folder()
    ready = folder / ".ready"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:  # other pytest workers wait for the one that installs
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            install(folder)
            ready.touch()
    return folder / "bin"


def install(folder: Path) -> None:
    """A virtual environment of its own: az pins what the project uses in other versions."""
    venv.create(folder, with_pip=True, clear=False)
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", f"azure-cli=={VERSION}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        pytest.skip(f"Azure CLI {VERSION} could not be installed within {INSTALL_SECONDS} s")
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [""]
        pytest.skip(f"Azure CLI {VERSION} cannot be installed here: {lines[-1]}")


@pytest.fixture
def az(az_folder: Path, stage: Stage, tmp_path: Path) -> Az:
    """Runs az with a new folder of settings, as a cloud registered by one address."""
    environment = {
        **bare_environment(),
        "AZURE_CONFIG_DIR": str(tmp_path / "azure"),
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "AZURE_CORE_COLLECT_TELEMETRY": "false",
        "REQUESTS_CA_BUNDLE": str(stage.installation.ca_bundle),
    }

    def run(*arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(az_folder / "az"), *arguments, "--only-show-errors"],
            input=given,
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )

    endpoint = ["--endpoint-resource-manager", stage.facts["host"]]
    for command in (["cloud", "register", "-n", "Local", *endpoint], ["cloud", "set", "-n", "Local"]):
        done = run(*command)
        assert done.returncode == 0, done.stderr
    return run


def login(stage: Stage, *credential: str, tenant: str = "") -> list[str]:
    """Arguments of a sign-in as this application."""
    who = ["-u", stage.facts["client_id"], "--tenant", tenant or stage.facts["tenant"]]
    return ["login", "--service-principal", *who, *credential, "--allow-no-subscriptions"]


@pytest.mark.parametrize("kind", ["secret", "certificate", "certificate with chain", "assertion"])
def test_signs_in_gets_a_token_and_signs_out(az: Az, stage: Stage, kind: str) -> None:
    """az logout asks for the discovery document of /organizations."""
    credential, given = ["--certificate", str(stage.folder / "worker.pem")], ""
    if kind == "secret":
        credential, given = ["--password", "@-"], stage.facts["secret"]
    elif kind == "assertion":
        credential, given = ["--federated-token", "@-"], make_assertion(stage.facts)
    elif kind == "certificate with chain":
        credential.append("--use-cert-sn-issuer")
    signed_in = az(*login(stage, *credential), given=given)
    assert signed_in.returncode == 0, signed_in.stderr
    asked = az("account", "get-access-token", "--scope", stage.facts["scope"], "--query", "accessToken")
    assert asked.returncode == 0, asked.stderr
    assert_token({"token": asked.stdout.strip().strip('"')}, stage, by_assertion=kind != "secret")
    signed_out = az("logout")
    assert signed_out.returncode == 0, signed_out.stderr
    assert az("account", "show").returncode != 0


REFUSED = {
    "wrong secret": "AADSTS7000215",
    "expired secret": "AADSTS7000222",
    "secret id": "AADSTS7000215",
    "wrong key": "AADSTS700027",
    "expired certificate": "AADSTS700027",
    "wrong tenant": "AADSTS700016",
    "unknown tenant": "Unable to get authority configuration",
    "wrong scope": "AADSTS1002012",
}


@pytest.mark.parametrize("case", REFUSED)
def test_says_why_it_was_refused(az: Az, stage: Stage, case: str) -> None:
    facts, given = stage.facts, "wrong"
    credential, tenant = ["--password", "@-"], ""
    if case == "expired secret":
        given = facts["expired_secret"]
    elif case == "secret id":
        given = facts["secret_id"]
    elif case in ("wrong key", "expired certificate"):
        file = "mixed.pem" if case == "wrong key" else "expired.pem"
        credential = ["--certificate", str(stage.folder / file)]
    elif case in ("wrong tenant", "unknown tenant"):
        given = facts["secret"]
        tenant = facts["other_tenant" if case == "wrong tenant" else "unknown_tenant"]
    elif case == "wrong scope":
        given = facts["secret"]
    done = az(*login(stage, *credential, tenant=tenant), given=given)
    if case == "wrong scope":
        assert done.returncode == 0, done.stderr
        scope = "https://graph.microsoft.com/User.Read"
        done = az("account", "get-access-token", "--scope", scope)
    assert done.returncode != 0
    assert REFUSED[case] in done.stderr
    # az takes a failed discovery for a mistake of its own and says so at length; the others are answers.
    assert ("Traceback" in done.stderr) == (case == "unknown tenant")


# ------------------------------------------------------------------------- the programs of the page
@pytest.fixture
def shown(az_folder: Path, stage: Stage, tmp_path: Path) -> ProgramsShown:
    """The programs as shown, with az on the path."""
    programs = show_programs(stage, tmp_path)
    (tmp_path / "bin" / "az").symlink_to(shutil.which("az", path=str(az_folder)) or "")
    return programs


@pytest.mark.parametrize("kind", ["secret", "certificate"])
def test_the_program_shown(shown: ProgramsShown, stage: Stage, kind: str) -> None:
    """P12: run as it stands, twice: the second time the cloud is already registered."""
    for _ in range(2):
        done = shown.run(f"az/{kind}", stage.facts["secret"] + "\n" if kind == "secret" else "")
        assert done.returncode == 0, done.stderr
        assert_token({"token": done.stdout.strip()}, stage, by_assertion=kind == "certificate")
    assert (shown.folder / ".azure-credmgr" / "clouds.config").exists()
