"""Registrations that live at the peers, and the peers: over https with a CA of the tests, and over http."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from credmgr.credentials.models import Certificate, ClientSecret
from credmgr.env import AllowedOrigin
from credmgr.flowtest.models import FlowRun
from credmgr.flowtest.report import Report
from credmgr.jose.jwk import public_jwk
from credmgr.registrations.models import OIDC, Application
from tests.elsewhere import Elsewhere
from tests.flowtest.far_side import Client, make_ca, make_leaf
from tests.peers.processes import peer

SECRET = "peer-canary-secret+with/odd&signs=%41-0123456789"
API = "https://api.example/"
# (CA file, what a Node server takes)
Tls = tuple[Path, dict[str, str]]
RSA, CURVE = Client("rsa", number=1), Client("curve", curve=ec.SECP256R1())


def client(client_id: str, method: str, **more: Any) -> dict[str, Any]:
    """A client as oidc-provider has it."""
    return {
        "client_id": client_id,
        "grant_types": ["client_credentials"],
        "redirect_uris": [],
        "response_types": [],
        "scope": "routes.read",
        "token_endpoint_auth_method": method,
        **more,
    }


CLIENTS = [
    client("by-basic", "client_secret_basic", client_secret=SECRET),
    client("by-post", "client_secret_post", client_secret=SECRET),
    client("by-key", "private_key_jwt", jwks={"keys": [public_jwk(RSA.key.public_key())]}),
    client("by-curve", "private_key_jwt", jwks={"keys": [public_jwk(CURVE.key.public_key())]}),
    client(
        "by-kid",
        "private_key_jwt",
        jwks={"keys": [{**public_jwk(RSA.key.public_key()), "kid": "key of 2026"}]},
    ),
    client(
        "no-grant",
        "client_secret_basic",
        client_secret=SECRET,
        grant_types=["authorization_code"],
        response_types=["code"],
        redirect_uris=["https://app.example/"],
    ),
]


@dataclass(frozen=True)
class Peer:
    """A running peer: its issuer to the letter, and the CA behind its certificate."""

    issuer: str
    ca_file: Path

    def listed(self) -> AllowedOrigin:
        """Its entry on the list of allowed origins."""
        parts = urlsplit(self.issuer)
        return AllowedOrigin(parts.scheme, "localhost", parts.port or 0, True, str(self.ca_file))


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """(CA file, what a Node server takes)."""
    folder = tmp_path_factory.mktemp("peer-tls")
    ca_file, key, certificate = make_ca(folder, "peer-ca")
    both = make_leaf(folder, key, certificate, "localhost").read_text()
    at = both.index("-----BEGIN CERTIFICATE")
    return ca_file, {"key": both[:at], "cert": both[at:]}


def started(program: str, ca: Tls, *, https: bool, **told: Any) -> Iterator[Peer]:
    """One peer for a fixture."""
    with peer(program, tls=ca[1] if https else None, **told) as issuer:
        yield Peer(issuer, ca[0])


@pytest.fixture(scope="session")
def root_issuer(tls: Tls) -> Iterator[Peer]:
    """oidc-provider over https, an issuer without a path."""
    yield from started("oidc_provider.mjs", tls, https=True, path="", clients=CLIENTS)


@pytest.fixture(scope="session")
def http_issuer(tls: Tls) -> Iterator[Peer]:
    """oidc-provider over plain http on loopback."""
    yield from started("oidc_provider.mjs", tls, https=False, path="", clients=CLIENTS)


@pytest.fixture(scope="session")
def path_issuer(tls: Tls) -> Iterator[Peer]:
    """oidc-provider over https with a path in its issuer: MSAL can be pointed at it."""
    yield from started("oidc_provider.mjs", tls, https=True, path="/tenants/one", clients=CLIENTS)


class AtPeers(Elsewhere):
    """Registrations that live at a peer; a run brings the secret that all clients of the peers have."""

    def at(self, peer_: Peer, client_id: str, *, listed: bool = True) -> Application:
        """A registration whose clients are called so at the peer."""
        if listed:
            self.list_origin(peer_.listed())
        return self.register(OIDC, peer_.issuer, client_id)

    def run(
        self, credential: ClientSecret | Certificate, *, scope: str = "", value: str = "", **asked: str
    ) -> tuple[FlowRun, Report]:
        """One test."""
        value = value or (SECRET if isinstance(credential, ClientSecret) else "")
        return super().run(credential, scope=scope, value=value, **asked)


@pytest.fixture
def elsewhere(db: None, settings: Any) -> AtPeers:
    """A directory for registrations that live at the peers. The list of origins starts empty."""
    return AtPeers.prepared(settings)
