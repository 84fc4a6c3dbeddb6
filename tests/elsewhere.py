"""Registrations that live at another authority than the built-in one, for tests of the tester."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from django.utils import timezone

from credmgr.accounts.models import User
from credmgr.audit.recording import Actor
from credmgr.credentials.certificates import add_certificate
from credmgr.credentials.client_secrets import add_client_secret
from credmgr.credentials.existing_secrets import add_existing_secret
from credmgr.credentials.findings import examine
from credmgr.credentials.models import Certificate, ClientSecret
from credmgr.env import AllowedOrigin
from credmgr.flowtest import testing
from credmgr.flowtest.material import Brought
from credmgr.flowtest.models import FlowRun
from credmgr.flowtest.report import Report
from credmgr.flowtest.spec import Asked
from credmgr.registrations.directories import ensure_default_tenant
from credmgr.registrations.models import Application
from credmgr.registrations.places import Place
from credmgr.registrations.registering import register_application
from tests.flowtest.far_side import Client


@dataclass
class Elsewhere:
    """A directory whose registrations live elsewhere, and how they are tested. settings: pytest-django's."""

    actor: Actor
    now: datetime
    settings: Any

    @classmethod
    def prepared(cls, settings: Any) -> Self:
        """With nothing on the list of origins but what is always there."""
        settings.ALLOWED_ORIGINS = []
        user = User.objects.create_user("robin", password=None, first_name="Robin", last_name="Vale")
        return cls(Actor("Robin Vale", user), timezone.now(), settings)

    def list_origin(self, entry: AllowedOrigin) -> None:
        """Put an origin on the list."""
        self.settings.ALLOWED_ORIGINS = [*self.settings.ALLOWED_ORIGINS, entry]

    def register(self, kind: str, authority: str, client_id: str) -> Application:
        """A registration whose clients are called so there."""
        return register_application(
            tenant=ensure_default_tenant(self.now),
            display_name=f"{client_id} elsewhere"[:100],
            place=Place(kind, authority, client_id),
            actor=self.actor,
            now=self.now,
        )

    def secret(self, application: Application) -> ClientSecret:
        """A client secret; its value is given to each run."""
        given: dict[str, Any] = {
            "description": "pasted",
            "start_at": self.now - timedelta(days=1),
            "end_at": self.now + timedelta(days=30),
            "actor": self.actor,
            "now": self.now,
        }
        if not application.is_external:
            return add_client_secret(application, **given)[0]
        return add_existing_secret(application, value=f"pasted-by-the-tests-{uuid.uuid4()}", **given)

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
        self, credential: ClientSecret | Certificate, *, scope: str = "", value: str = "", **asked: str
    ) -> tuple[FlowRun, Report]:
        """One test."""
        run, _ = testing.test_credential(
            credential.application,
            credential,
            asked=Asked(scope, **asked),
            brought=Brought(value),
            actor=self.actor,
            now=timezone.now(),
        )
        return run, Report.from_json(run.report)
