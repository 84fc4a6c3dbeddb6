"""A directory with an application, its credentials, and a way to ask for tokens over HTTP."""

import json
import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.test import Client

from credmgr.audit.models import SignIn
from credmgr.audit.recording import Actor
from credmgr.authority.models import SigningKey
from credmgr.authority.signing_keys import ensure_signing_key
from credmgr.credentials.client_secrets import add_client_secret
from credmgr.credentials.models import Certificate, ClientSecret
from credmgr.registrations.directories import ensure_default_tenant
from credmgr.registrations.models import Application, Tenant
from credmgr.registrations.registering import register_application
from credmgr.vault.sealing import seal_into
from tests.authority.assertion_maker import TYPE, KeyPair, b64, claims_of, compact, key_pair

GRAPH = "https://graph.microsoft.com/.default"
FORM = "application/x-www-form-urlencoded"
GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_TAIL = re.compile(
    rf" Trace ID: ({GUID}) Correlation ID: ({GUID}) Timestamp: (\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\dZ)\Z"
)


@dataclass
class Answer:
    """One HTTP answer of the authority."""

    response: Any

    @property
    def status(self) -> int:
        """HTTP status."""
        status: int = self.response.status_code
        return status

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object; every answer must be one."""
        assert self.response["Content-Type"] == "application/json; charset=utf-8"
        parsed: dict[str, Any] = json.loads(self.response.content)
        return parsed

    @property
    def token(self) -> str:
        """The access token."""
        assert self.status == 200, self.body
        value: str = self.body["access_token"]
        return value

    def refused(self, status: int, error: str, code: int) -> str:
        """Assert the exact code, status and shape of the body; the sentence without its
        ids.
        """
        body = self.body
        assert (self.status, body["error"], body["error_codes"]) == (status, error, [code]), body
        assert set(body) == {
            "error",
            "error_description",
            "error_codes",
            "timestamp",
            "trace_id",
            "correlation_id",
            "error_uri",
        }
        description: str = body["error_description"]
        assert description.startswith(f"AADSTS{code}: ")
        assert description.isprintable()
        tail = _TAIL.search(description)
        assert tail
        assert tail.groups() == (body["trace_id"], body["correlation_id"], body["timestamp"])
        assert body["error_uri"] == f"{settings.AUTHORITY_URL}/error?code={code}"
        headers = self.response.headers
        assert headers["Cache-Control"] == "no-store, no-cache"
        assert headers["x-ms-request-id"] == body["trace_id"]
        assert "Set-Cookie" not in headers
        assert not self.response.cookies
        assert ("Retry-After" in headers) == (status == 429)
        assert ("Allow" in headers) == (status == 405)
        assert "Access-Control-Allow-Origin" not in headers
        return description[: tail.start()]


@dataclass
class Directory:
    """The default directory, one application in it, and the authority that answers for it."""

    tenant: Tenant
    app: Application
    now: datetime
    client: Client = field(default_factory=Client)

    @property
    def path(self) -> str:
        """Of the token endpoint."""
        return f"/{self.tenant.id}/oauth2/v2.0/token"

    @property
    def audience(self) -> str:
        """What discovery names."""
        return settings.AUTHORITY_URL + self.path

    def register(self, name: str = "API", **options: Any) -> Application:
        """Another registration."""
        return register_application(
            tenant=self.tenant, display_name=name, actor=Actor.command(), now=self.now, **options
        )

    def add_secret(
        self,
        app: Application | None = None,
        *,
        start: timedelta = timedelta(days=-1),
        end: timedelta = timedelta(days=30),
    ) -> tuple[ClientSecret, str]:
        """A client secret with a start and end around now."""
        return add_client_secret(
            app or self.app,
            description="",
            start_at=self.now + start,
            end_at=self.now + end,
            allow_past_end=True,
            actor=Actor.command(),
            now=self.now,
        )

    def add_certificate(
        self,
        pair: KeyPair,
        app: Application | None = None,
        *,
        start: timedelta = timedelta(days=-1),
        end: timedelta = timedelta(days=30),
    ) -> Certificate:
        """Store a certificate directly: also one that is out of its dates, which no upload accepts."""
        row = Certificate(
            application=app or self.app,
            thumbprint_sha1=pair.sha1.hex().upper(),
            thumbprint_sha256=pair.sha256.hex().upper(),
            key_type="RSA",
            key_size=2048,
            start_at=self.now + start,
            end_at=self.now + end,
            created_at=self.now,
        )
        seal_into(row, "der", pair.der)
        row.save(force_insert=True)
        return row

    def form(self, **changes: Any) -> dict[str, str]:
        """A good form without a credential; a change to None leaves a field out."""
        form: dict[str, str | None] = {
            "grant_type": "client_credentials",
            "client_id": str(self.app.client_id),
            "scope": GRAPH,
            **changes,
        }
        return {name: value for name, value in form.items() if value is not None}

    def ask(self, *, path: str = "", headers: dict[str, str] | None = None, **changes: Any) -> Answer:
        """POST a form to the token endpoint."""
        return self.post(urlencode(self.form(**changes)), path=path, headers=headers)

    def post(
        self,
        body: str | bytes,
        *,
        path: str = "",
        content_type: str = FORM,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """POST any body."""
        data = body.encode() if isinstance(body, str) else body
        sent = self.client.generic(
            "POST", path or self.path, data, content_type=content_type, headers=headers or {}
        )
        return Answer(sent)

    def get(self, path: str, **headers: str) -> Answer:
        """GET from the authority."""
        return Answer(self.client.get(path, headers=headers))

    def assertion(
        self, pair: KeyPair, *, header: dict[str, Any] | None = None, padded: bool = False, **changes: Any
    ) -> str:
        """MSAL for Python's older shape unless told otherwise: RS256, x5t with padding, float times."""
        head = (
            header
            if header is not None
            else {"alg": "RS256", "typ": "JWT", "x5t": b64(pair.sha1, padded=True)}
        )
        claims = claims_of(str(self.app.client_id), self.audience, datetime.now(UTC), **changes)
        return compact(head, claims, pair.key, padded=padded)

    def present(self, assertion: str, **changes: Any) -> Answer:
        """POST with a client assertion."""
        given: dict[str, Any] = {"client_assertion_type": TYPE, "client_assertion": assertion, **changes}
        return self.ask(**given)

    def last_sign_in(self) -> SignIn:
        """The newest row of the log."""
        row = SignIn.objects.order_by("-sequence").first()
        assert row is not None
        return row


@pytest.fixture(scope="session")
def pair() -> KeyPair:
    """One RSA key with certificate for the whole run."""
    return key_pair()


@pytest.fixture(scope="session")
def other_pair() -> KeyPair:
    """Another one."""
    return key_pair()


_kept: list[SigningKey] = []


def _signing_key(now: datetime) -> None:
    """Make one signing key for the process and store it again for each test: a new one takes a third of a
    second.
    """
    if not _kept:
        _kept.append(ensure_signing_key(lambda: now))
        return
    row = _kept[0]
    copy = SigningKey(
        **{field.attname: getattr(row, field.attname) for field in SigningKey._meta.concrete_fields}
    )
    copy.save(force_insert=True)


@pytest.fixture
def directory(db: None) -> Directory:
    """A directory that answers."""
    now = datetime.now(UTC)
    tenant = ensure_default_tenant(now)
    _signing_key(now)
    app = register_application(
        tenant=tenant, display_name="Harbor Sync Worker", actor=Actor.command(), now=now
    )
    return Directory(tenant, app, now)


@pytest.fixture
def secret(directory: Directory) -> str:
    """The value of a live secret of the directory's application."""
    return directory.add_secret()[1]


def unknown_guid() -> str:
    """A GUID that nothing here has."""
    return str(uuid.uuid4())
