"""Registrations that live at the peers, and the peers: over https with a CA of the tests, and over http."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone

from credmgr.accounts.models import User
from credmgr.audit.recording import Actor
from credmgr.credentials.certificates import add_certificate
from credmgr.credentials.client_secrets import add_client_secret
from credmgr.credentials.findings import examine
from credmgr.credentials.models import Certificate, ClientSecret
from credmgr.env import AllowedOrigin
from credmgr.flowtest import testing
from credmgr.flowtest.material import Brought
from credmgr.flowtest.models import FlowRun
from credmgr.flowtest.report import Report
from credmgr.flowtest.spec import Asked
from credmgr.jose.jwk import public_jwk
from credmgr.registrations.directories import ensure_default_tenant
from credmgr.registrations.models import OIDC, Application
from credmgr.registrations.registering import register_application
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


@dataclass
class Elsewhere:
    """Registrations that live at a peer, and how they are tested."""

    actor: Actor
    now: datetime
    list_origin: Callable[[AllowedOrigin], None]

    def register(self, at: Peer, client_id: str, *, listed: bool = True) -> Application:
        """A registration whose clients are called so at the peer."""
        application = register_application(
            tenant=ensure_default_tenant(self.now),
            display_name=f"{client_id} elsewhere",
            actor=self.actor,
            now=self.now,
        )
        application.authority_kind = OIDC
        application.authority_url = at.issuer
        application.external_client_id = client_id
        application.save()
        if listed:
            self.list_origin(at.listed())
        return application

    def secret(self, application: Application) -> ClientSecret:
        """A client secret; its value is given to each run."""
        row, _ = add_client_secret(
            application,
            description="pasted",
            start_at=self.now - timedelta(days=1),
            end_at=self.now + timedelta(days=30),
            actor=self.actor,
            now=self.now,
        )
        return row

    def certificate(self, application: Application, key: Client) -> Certificate:
        """A certificate with its key kept."""
        found = examine(
            application,
            certificate_file=key.pem,
            keep_private_key=True,
            key_file=key.key_pem,
            password="",
            now=self.now,
        )
        return add_certificate(application, examination=found, description="", actor=self.actor, now=self.now)

    def run(
        self,
        credential: ClientSecret | Certificate,
        *,
        scope: str = "",
        value: str = SECRET,
        **asked: str,
    ) -> tuple[FlowRun, Report]:
        """One test."""
        run, _ = testing.test_credential(
            credential.application,
            credential,
            asked=Asked(scope, **asked),
            brought=Brought(value if isinstance(credential, ClientSecret) else ""),
            actor=self.actor,
            now=timezone.now(),
        )
        return run, Report.from_json(run.report)


@pytest.fixture
def elsewhere(db: None, settings: Any) -> Elsewhere:
    """A directory for registrations that live elsewhere. The list of origins starts empty."""
    settings.ALLOWED_ORIGINS = []
    user = User.objects.create_user("robin", password=None, first_name="Robin", last_name="Vale")

    def list_origin(entry: AllowedOrigin) -> None:
        settings.ALLOWED_ORIGINS = [*settings.ALLOWED_ORIGINS, entry]

    return Elsewhere(Actor("Robin Vale", user), timezone.now(), list_origin)
