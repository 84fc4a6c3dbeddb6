"""What the acceptance rows share: a registered app, the seed's certificate, the user's own MSAL program."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.installation import Installation

PROGRAM = Path(__file__).with_name("msal_program.py")

# The three commands of the documentation, as written there, with the subject fields answered by flag.
SEED_COMMANDS = """
openssl genrsa -out server.pem 2048
openssl req -new -key server.pem -out server.csr -subj "/CN=example"
openssl x509 -req -days 365 -in server.csr -signkey server.pem -out server.crt
"""


@dataclass(frozen=True)
class SeedFiles:
    """The three files that the seed's commands leave behind."""

    key: Path
    request: Path
    certificate: Path

    def thumbprint(self, digest: str = "sha1") -> str:
        """openssl's own fingerprint, colons removed, upper-case hex."""
        printed = subprocess.run(
            ["openssl", "x509", "-in", self.certificate, "-noout", "-fingerprint", f"-{digest}"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        return printed.strip().split("=", 1)[1].replace(":", "")


def make_seed_files(folder: Path) -> SeedFiles:
    """Run the seed's three commands in a real shell."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["sh", "-e", "-c", SEED_COMMANDS], cwd=folder, check=True, capture_output=True)
    return SeedFiles(folder / "server.pem", folder / "server.csr", folder / "server.crt")


@pytest.fixture
def seed_files(tmp_path: Path) -> SeedFiles:
    """A fresh key, request and self-signed X.509 v1 certificate."""
    return make_seed_files(tmp_path / "seed")


@dataclass(frozen=True)
class RegisteredApp:
    """A registration made by the command, with a resource of its own to ask a token for."""

    installation: Installation
    facts: dict[str, Any]

    @property
    def client_id(self) -> str:
        """The application (client) id."""
        return str(self.facts["appId"])

    @property
    def authority(self) -> str:
        """The authority address that client code is given."""
        return str(self.facts["authority"])

    @property
    def scope(self) -> str:
        """A scope that this directory can answer."""
        return "https://graph.microsoft.com/.default"

    def page(self, rest: str = "") -> str:
        """Address of one of the app's pages."""
        return f"{self.installation.portal_url}/applications/{self.facts['id']}{rest}"

    def add_secret(self, *args: str) -> dict[str, Any]:
        """Run add_secret and read its answer."""
        return self._command("add_secret", self.client_id, *args)

    def add_certificate(self, file: Path, *args: str) -> dict[str, Any]:
        """Run add_certificate and read its answer."""
        return self._command("add_certificate", self.client_id, str(file), *args)

    def _command(self, *args: str) -> dict[str, Any]:
        done = self.installation.manage(*args, "--json")
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def acquire(self, credential: dict[str, str], *, scope: str | None = None) -> dict[str, Any]:
        """Let the user's own MSAL program, in its own process, ask for a token."""
        order = {
            "client_id": self.client_id,
            "authority": self.authority,
            "scopes": [scope or self.scope],
            "verify": str(self.installation.ca_file),
            "credential": credential,
        }
        done = subprocess.run(
            [sys.executable, "-W", "ignore::DeprecationWarning", PROGRAM],
            input=json.dumps(order),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


@pytest.fixture
def register(installation: Installation) -> Callable[..., RegisteredApp]:
    """Register an application by command."""

    def act(name: str = "Harbor Sync Worker", *args: str) -> RegisteredApp:
        done = installation.manage("register_app", name, *args, "--json")
        assert done.returncode == 0, done.stderr
        return RegisteredApp(installation, json.loads(done.stdout))

    return act


@pytest.fixture
def app(register: Callable[..., RegisteredApp]) -> RegisteredApp:
    """One registered application."""
    return register()
