"""What the acceptance rows share: a registered app, the seed's certificate, the user's own MSAL program."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.acceptance.portal_session import PortalSession
from tests.installation import Installation

CA_OVERRIDES = {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}
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
            # A bundle named there would replace the CA that the program passes.
            env={name: value for name, value in os.environ.items() if name not in CA_OVERRIDES},
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


@pytest.fixture
def person(installation: Installation) -> PortalSession:
    """The administrator, signed in over plain HTTP."""
    return PortalSession(installation.portal_url, installation.admin_name, installation.admin_password)


@pytest.fixture
def delete_secret(person: PortalSession) -> Callable[[RegisteredApp, str], None]:
    """Delete a client secret through its page."""

    def act(app: RegisteredApp, key_id: str) -> None:
        answer = person.submit(f"/applications/{app.facts['id']}/credentials/secrets/{key_id}/delete", {})
        assert answer.status_code == 200

    return act


@pytest.fixture
def expired_certificate(tmp_path: Path) -> Callable[[RegisteredApp], tuple[str, Path]]:
    """Add a certificate that is valid for a few more seconds, and wait until it is not."""

    def act(app: RegisteredApp) -> tuple[str, Path]:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "short-lived")])
        now = datetime.now(UTC)
        end = now + timedelta(seconds=8)
        builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        built = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(end).sign(key, SHA256())
        file, key_file = tmp_path / "short.crt", tmp_path / "short.pem"
        file.write_bytes(built.public_bytes(Encoding.PEM))
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        thumbprint = app.add_certificate(file)["thumbprint"]
        time.sleep(max(0.0, (end - datetime.now(UTC)).total_seconds() + 1.5))
        return thumbprint, key_file

    return act
