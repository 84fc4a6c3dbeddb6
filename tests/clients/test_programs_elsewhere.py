"""P12: the programs shown for registrations that live elsewhere, run exactly as they are shown.

The hosts of Entra are led to a server of this machine with their path shapes, and its CA is what the machine
trusts; nothing in a program is changed for that.
"""

import base64
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import load_pem_x509_certificate

from credmgr.portal.snippets import client_tabs
from credmgr.registrations.models import Application
from tests.clients.programs_shown import NODE_MODULES
from tests.clients.stage import bare_environment
from tests.clients.test_node import node
from tests.credentials.making import certificate, key_pem, pem, rsa_key
from tests.factories import elsewhere
from tests.flowtest.far_side import FarSide, send_json

pytestmark = pytest.mark.django_db
HOST = "login.microsoftonline.us"
TENANT = "2b0f2b5e-6c2f-4b0e-9d5a-0b1c2d3e4f50"
CLIENT = "6f2f4a6e-9f2c-4d0b-8a51-1c6f3f0a7e11"
SECRET = "p.8Q~canary +&=% ü of-another-authority"
SCOPE = "https://graph.microsoft.us/.default"
# Runs a program with the names of Entra leading to this machine.
PYTHON = """
import runpy, socket, sys
real = socket.getaddrinfo
socket.getaddrinfo = lambda host, port, *rest, **more: real("127.0.0.1", PORT, *rest, **more)
runpy.run_path(sys.argv[1], run_name="__main__")
"""
NODE = """
const tls = require("node:tls");
const real = tls.connect;
tls.connect = (options, ...rest) => {
  const servername = options.servername ?? options.host;
  return real({ ...options, servername, host: "127.0.0.1", port: PORT }, ...rest);
};
"""


class Elsewhere:
    """The far side, the programs of one registration there, and the folder they are run in."""

    def __init__(self, side: FarSide, folder: Path, application: Application) -> None:
        self.side, self.folder = side, folder
        der = certificate()
        (folder / "server.pem").write_bytes(key_pem(rsa_key()))
        (folder / "server.crt").write_bytes(pem(der))
        (folder / "both.pem").write_bytes(key_pem(rsa_key()) + pem(der))
        (folder / "route.cjs").write_text(NODE.replace("PORT", str(side.port)))
        (folder / "node_modules").symlink_to(NODE_MODULES)
        self.certificate = load_pem_x509_certificate(pem(der))
        thumbprint = self.certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 - x5t is SHA-1
        self.programs = {
            f"{tab.key}/{each.key}": each
            for tab in client_tabs(application, thumbprint=thumbprint)
            for each in tab.snippets
        }

    def run(self, name: str, given: str = "", **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run one program as it is shown."""
        snippet = self.programs[name]
        file = self.folder / f"{name.replace('/', '-')}.{snippet.language}"
        file.write_text(snippet.text)
        python = [sys.executable, "-I", "-c", PYTHON.replace("PORT", str(self.side.port))]
        interpreter = {"py": python, "mjs": ["node", "--require", "./route.cjs"], "sh": ["bash"]}
        return self.call([*interpreter[snippet.language], str(file)], given, **environment)

    def call(
        self, command: list[str], given: str = "", **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command on a machine that trusts the far side's CA."""
        ca = str(self.side.ca_file)
        (self.folder / ".curlrc").write_text(f'connect-to = "{HOST}:443:127.0.0.1:{self.side.port}"\n')
        own = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "CURL_HOME": str(self.folder),
            "CURL_CA_BUNDLE": ca,
            "REQUESTS_CA_BUNDLE": ca,
            "NODE_EXTRA_CA_CERTS": ca,
            "LC_ALL": "C.UTF-8",
        }
        return subprocess.run(
            command,
            input=given,
            cwd=self.folder,
            env={**bare_environment(), **own, **environment},
            capture_output=True,
            text=True,
            timeout=120,
        )

    def token_request(self) -> tuple[dict[str, str], dict[str, str]]:
        """Form and headers of the one token request."""
        (found,) = [each for each in self.side.requests if each[0] == "POST"]
        _, path, headers, body = found
        assert path.endswith("/token")
        return {name: values[0] for name, values in parse_qs(body).items()}, headers

    def assertion(self) -> dict[str, Any]:
        """The claims of the presented assertion, verified by the certificate's key."""
        form, _ = self.token_request()
        key = self.certificate.public_key()
        claims: dict[str, Any] = jwt.decode(
            form["client_assertion"],
            key,  # type: ignore[arg-type] # an RSA key
            algorithms=["RS256", "PS256"],
            options={"verify_aud": False},
            leeway=60,  # clients round their clocks in their own way
        )
        return claims


@pytest.fixture
def entra(tmp_path: Path) -> Iterator[Elsewhere]:
    """A registration of the US Government cloud, whose host is played by the far side."""
    side = FarSide(tmp_path, HOST)
    side.url = f"https://{HOST}"
    instance = {
        "tenant_discovery_endpoint": f"{side.url}/{TENANT}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": HOST, "preferred_cache": HOST, "aliases": [HOST]}],
    }
    side.answers["GET", "/discovery/instance"] = lambda request: send_json(request, 200, instance)
    yield Elsewhere(side, tmp_path, elsewhere(cloud="us-government", tenant_name=TENANT, client_id=CLIENT))
    side.close()


BY_SECRET = [
    "msal-python/secret",
    "azure-identity-python/secret",
    "azure-identity-node/secret",
    "curl/secret",
]
BY_CERTIFICATE = [
    "msal-python/thumbprint",
    "msal-python/certificate",
    "azure-identity-python/certificate",
    "azure-identity-node/certificate",
    "curl-assertion/certificate",
]
ENVIRONMENT = ["environment/secret", "environment/certificate", "environment/program"]


def token_in(done: "subprocess.CompletedProcess[str]", name: str) -> str:
    """The token that the program printed."""
    assert done.returncode == 0, done.stdout + done.stderr
    token: str = json.loads(done.stdout)["access_token"] if "curl" in name else done.stdout.strip()
    assert token.count(".") == 2, done.stdout
    return token


def test_every_program_for_entra_is_accounted_for(entra: Elsewhere) -> None:
    assert sorted(entra.programs) == sorted([*BY_SECRET, *BY_CERTIFICATE, *ENVIRONMENT])
    for name, program in entra.programs.items():
        assert "instance" not in program.text.lower(), name
        assert "cacert" not in program.text, name
        assert "localhost" not in program.text, name


@pytest.mark.parametrize("name", BY_SECRET)
def test_a_program_for_entra_with_a_secret(entra: Elsewhere, name: str) -> None:
    if "node" in name:
        node()
    token_in(entra.run(name, f"{SECRET}\n"), name)
    form, _ = entra.token_request()
    assert (form["client_id"], form["client_secret"], form["grant_type"]) == (
        CLIENT,
        SECRET,
        "client_credentials",
    )
    assert SCOPE in form["scope"].split()


@pytest.mark.parametrize("name", BY_CERTIFICATE)
def test_a_program_for_entra_with_a_certificate(entra: Elsewhere, name: str) -> None:
    if "node" in name:
        node()
    token_in(entra.run(name), name)
    claims = entra.assertion()
    assert (claims["iss"], claims["sub"]) == (CLIENT, CLIENT)
    assert claims["aud"] == f"https://{HOST}/{TENANT}/oauth2/v2.0/token"


@pytest.mark.parametrize("kind", ["secret", "certificate"])
def test_what_the_environment_says_for_entra(entra: Elsewhere, kind: str) -> None:
    """The lines are sourced as a person would; then the program reads what they set."""
    lines = shlex.quote(entra.programs[f"environment/{kind}"].text)
    given = f"{SECRET}\n" if kind == "secret" else ""
    shown = entra.call(["bash", "-c", f"eval {lines}; env -0"], given)
    assert shown.returncode == 0, shown.stderr
    set_here = dict(line.split("=", 1) for line in shown.stdout.split("\0") if line.startswith("AZURE_"))
    token_in(entra.run("environment/program", **set_here), "program")
    form, _ = entra.token_request()
    if kind == "secret":
        assert form["client_secret"] == SECRET
    else:
        assert entra.assertion()["iss"] == CLIENT


# ---------------------------------------------------------------- another issuer

ODD_CLIENT = "wor ker:\"1\" & 'ü'$(id)"


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[Elsewhere]:
    """A registration at an issuer with a path and a slash at its end."""
    side = FarSide(tmp_path)
    address = f"{side.url}/realms/main/"
    document = {"issuer": address, "token_endpoint": f"{side.url}/realms/main/token", "grant_types": ["x"]}
    side.answers["GET", "/realms/main/.well-known/openid-configuration"] = lambda request: send_json(
        request, 200, document
    )
    token = {"access_token": "a.b.c", "token_type": "Bearer", "expires_in": 60}
    side.answers["POST", "/token"] = lambda request: send_json(request, 200, token)
    yield Elsewhere(side, tmp_path, elsewhere(issuer=address, client_id=ODD_CLIENT))
    side.close()


def test_every_program_for_another_issuer_is_accounted_for(issuer: Elsewhere) -> None:
    assert sorted(issuer.programs) == ["curl-assertion/certificate", "curl/basic", "curl/secret"]


def test_a_secret_in_the_form(issuer: Elsewhere) -> None:
    token_in(issuer.run("curl/secret", f"{SECRET}\n"), "curl")
    form, headers = issuer.token_request()
    assert form == {"grant_type": "client_credentials", "client_id": ODD_CLIENT, "client_secret": SECRET}
    assert "authorization" not in headers


def test_a_secret_in_the_header(issuer: Elsewhere) -> None:
    """RFC 6749 section 2.3.1: both halves are form-encoded."""
    token_in(issuer.run("curl/basic", f"{SECRET}\n"), "curl")
    form, headers = issuer.token_request()
    assert form == {"grant_type": "client_credentials"}
    pair = base64.b64decode(headers["authorization"].removeprefix("Basic ")).decode()
    assert [unquote_plus(half) for half in pair.split(":")] == [ODD_CLIENT, SECRET]


def test_an_assertion_of_a_certificates_key(issuer: Elsewhere) -> None:
    token_in(issuer.run("curl-assertion/certificate"), "curl")
    claims = issuer.assertion()
    assert (claims["iss"], claims["sub"]) == (ODD_CLIENT, ODD_CLIENT)
    assert claims["aud"] == f"{issuer.side.url}/realms/main/token"
    assert isinstance(claims["jti"], str)


@pytest.mark.parametrize("name", ["curl/secret", "curl/basic", "curl-assertion/certificate"])
def test_a_document_of_another_issuer_gets_no_secret(issuer: Elsewhere, name: str) -> None:
    """RFC 9700 section 4.4: the mix-up."""
    other = {"issuer": "https://evil.example/", "token_endpoint": f"{issuer.side.url}/evil/token"}
    issuer.side.answers["GET", "/realms/main/.well-known/openid-configuration"] = lambda request: send_json(
        request, 200, other
    )
    done = issuer.run(name, f"{SECRET}\n")
    assert done.returncode == 1
    assert "names another issuer" in done.stderr
    assert not [each for each in issuer.side.requests if each[0] == "POST"]


def test_the_certificate_of_these_tests_is_the_keys_own(issuer: Elsewhere) -> None:
    """Otherwise verifying an assertion by it would say nothing."""
    public = (
        rsa_key()
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    own = issuer.certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert public == own
