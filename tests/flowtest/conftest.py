"""A far side for each test of the wire, and a directory whose authority it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from credmgr.accounts.models import User
from credmgr.audit.recording import Actor
from credmgr.credentials.certificates import add_certificate
from credmgr.credentials.client_secrets import add_client_secret
from credmgr.credentials.findings import examine
from credmgr.credentials.models import Certificate, ClientSecret, FederatedCredential
from credmgr.flowtest import testing
from credmgr.flowtest.material import Brought
from credmgr.flowtest.models import FlowRun
from credmgr.flowtest.spec import Asked
from credmgr.registrations.directories import ensure_default_tenant
from credmgr.registrations.models import Application, Tenant
from credmgr.registrations.registering import register_application
from tests.factories import administrator
from tests.flowtest.far_side import Client, FarSide, entra_error, send_json


@pytest.fixture
def far_side(tmp_path: Path) -> Iterator[FarSide]:
    """An https server on localhost that does what the test says."""
    side = FarSide(tmp_path)
    yield side
    side.close()


@dataclass
class Directory:
    """A directory with one application in it, whose authority is the far side."""

    tenant: Tenant
    application: Application
    actor: Actor
    now: datetime
    side: FarSide
    user: User

    def register(self, name: str, uri: str = "") -> Application:
        """A further application."""
        return register_application(
            tenant=self.tenant, display_name=name, identifier_uri=uri, actor=self.actor, now=self.now
        )

    def secret(self, application: Application | None = None, **changes: Any) -> tuple[ClientSecret, str]:
        """A client secret with its value."""
        values = {
            "description": "worker",
            "start_at": self.now - timedelta(minutes=1),
            "end_at": self.now + timedelta(days=90),
            **changes,
        }
        return add_client_secret(
            application or self.application, actor=self.actor, now=self.now, allow_past_end=True, **values
        )

    def certificate(
        self, client: Client, application: Application | None = None, *, keep: bool = True
    ) -> Certificate:
        """An uploaded certificate, with its key kept or not."""
        target = application or self.application
        found = examine(
            target,
            certificate_file=client.pem,
            keep_private_key=keep,
            key_file=client.key_pem if keep else None,
            password="",
            now=self.now,
        )
        return add_certificate(target, examination=found, description="sync", actor=self.actor, now=self.now)

    def run(self, credential: ClientSecret | Certificate | FederatedCredential, **given: Any) -> FlowRun:
        """One test of a credential."""
        asked = {name: given.pop(name) for name in ("resource", "audience", "key_id") if name in given}
        scope = given.pop("scope", "https://graph.microsoft.com/.default")
        names = ("secret_value", "private_key_file", "password", "outside_token")
        brought = {name: given.pop(name) for name in names if name in given}
        run, _ = testing.test_credential(
            credential.application,
            credential,
            asked=Asked(scope, **asked),
            brought=Brought(**brought),
            actor=self.actor,
            now=self.now,
            **given,
        )
        return run

    def refuse(self, code: int, error: str = "invalid_client", text: str = "No.", status: int = 401) -> None:
        """Let the far side refuse every token request with this code."""
        body = entra_error(code, error, text)
        self.side.answers["POST", "/token"] = lambda request: send_json(request, status, body)


@pytest.fixture
def directory(db: None, far_side: FarSide, settings: Any) -> Directory:
    """A directory whose authority is the far side, in place of the built-in one."""
    settings.AUTHORITY_URL = far_side.url
    settings.CA_FILE = far_side.ca_file
    settings.TEST_DEADLINE_SECONDS = 3
    now = timezone.now()
    tenant = ensure_default_tenant(now)
    user = administrator(
        User.objects.create_user("robin", password=None, first_name="Robin", last_name="Vale")
    )
    actor = Actor("Robin Vale", user)
    application = register_application(
        tenant=tenant, display_name="Harbor Sync Worker", identifier_uri="api://harbor", actor=actor, now=now
    )
    return Directory(tenant, application, actor, now, far_side, user)
