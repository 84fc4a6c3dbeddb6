"""An OpenID Connect provider that can be bent, and a browser that goes there and back."""

import base64
import hashlib
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from credmgr.env import AllowedOrigin
from credmgr.registrations.directories import ensure_default_tenant
from credmgr.registrations.models import Tenant
from credmgr.signon import provider
from tests.flowtest.far_side import FarSide, Handler, send_json

CLIENT_ID, SECRET = "credmgr client", "sso-canary-secret/with+signs&=%"
CALLBACK = "/account/single-sign-on/callback"
Query = dict[str, str]


class Provider(FarSide):
    """claims: what the next ID token says besides, None for what it leaves out. document: the same for the
    discovery document. token: answers in place of a signed ID token.
    """

    def begin(self) -> None:
        """Answer as a provider of people."""
        self.issuer = f"{self.url}/idp/v2.0"
        self.document: dict[str, Any] = {}
        self.asked: dict[str, Query] = {}
        self.algorithm, self.key = "RS256", self.signing_key
        self.answers[("GET", "openid-configuration")] = self._discover
        self.answers[("POST", "/token")] = self._exchange

    def authorize(self, address: str) -> Query:
        """Somebody signs in at the address that the browser was sent to: the answer's parameters."""
        assert address.startswith(f"{self.url}/idp/oauth2/v2.0/authorize?")
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = f"canary-code-{len(self.asked)}"
        self.asked[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def _discover(self, request: Handler) -> None:
        base = f"{self.url}/idp"
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "authorization_response_iss_parameter_supported": True,
            **self.document,
        }
        send_json(request, 200, {name: value for name, value in told.items() if value is not None})

    def _exchange(self, request: Handler) -> None:
        form = {name: values[0] for name, values in parse_qs(self.requests[-1][3]).items()}
        asked = self.asked.pop(form["code"], None)
        verifier = hashlib.sha256(form["code_verifier"].encode()).digest()
        if (
            asked is None
            or base64.urlsafe_b64encode(verifier).decode().rstrip("=") != asked["code_challenge"]
            or form["redirect_uri"] != asked["redirect_uri"]
        ):
            send_json(request, 400, {"error": "invalid_grant"})
            return
        send_json(request, 200, {"access_token": "canary-access-token", "id_token": self.id_token(asked)})

    def id_token(self, asked: Query) -> str:
        """Signed, with the claims as they are bent."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": "subject-1",
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            "auth_time": now,
            "nonce": asked["nonce"],
            "preferred_username": "kim@contoso.example",
            "name": "Kim Abel",
            "roles": ["Credential.Reader"],
            **self.claims,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, self.key, algorithm=self.algorithm, headers={"kid": "far-1"})


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """One server for the tests of a file."""
    made = Provider(tmp_path_factory.mktemp("provider"))
    yield made
    made.close()


@pytest.fixture
def idp(far: Provider, settings: Settings, db: None) -> Iterator[Provider]:
    """The provider, set up here: readers and administrators come by single sign-on."""
    far.answers.clear()
    far.requests.clear()
    far.claims = {}
    far.begin()
    provider.forget()
    ensure_default_tenant(timezone.now())
    settings.LISTENER = "portal"
    settings.ALLOWED_ORIGINS = [AllowedOrigin("https", "localhost", far.port, True, str(far.ca_file))]
    settings.SSO_ISSUER, settings.SSO_CLIENT_ID, settings.SSO_CLIENT_SECRET = far.issuer, CLIENT_ID, SECRET
    settings.SSO_NAME = "Contoso"
    settings.SSO_ROLE_MAP = [
        "Credential.Reader=reader",
        "Credential.Auditor=auditor@*",
        "Credential.Admin=directory-administrator@*",
    ]
    yield far
    provider.forget()


@pytest.fixture
def directory(idp: Provider) -> Tenant:
    """The default one."""
    return Tenant.objects.get(is_default=True)


def leave(client: Client, goal: str = "/account") -> str:
    """Press the button; the provider's address."""
    answer: Any = client.get("/account/single-sign-on", {"next": goal})
    assert answer.status_code == 302
    return str(answer["Location"])


def come_back(client: Client, given: Query) -> Any:
    """The provider sends the browser back. Where that leads to, nothing of the answer is left."""
    answer: Any = client.get(CALLBACK, given)
    assert answer.status_code == 302
    assert "canary" not in answer["Location"]
    assert "state" not in answer["Location"]
    return answer


def sign_on(client: Client, idp: Provider, goal: str = "/account") -> Any:
    """There and back; the answer to coming back."""
    return come_back(client, idp.authorize(leave(client, goal)))


def told(client: Client) -> str:
    """What the page says to somebody who was not let in."""
    page: Any = client.get("/account/single-sign-on/refused")
    assert page.status_code == 403
    return str(page.content.decode())
