"""What a rule may look at, and the parts that rules share. A rule answers None where it does not apply."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from credmgr.credentials.models import Certificate, ClientSecret, FederatedCredential
from credmgr.flowtest.report import Diagnosis, ShapeResult, Step
from credmgr.flowtest.spec import Asked
from credmgr.flowtest.targets import Target
from credmgr.registrations.models import Application
from credmgr.registrations.near_resources import Near

SKEW = timedelta(minutes=5)


@dataclass
class Case:
    """One failed run and everything stored here that it can be compared with, read after the run.

    owner_id: the registration that the credential is on; application_id, client_id and the like: the one in
    whose place it was tried, nearly always the same. application None: deleted permanently meanwhile;
    credential None: deleted meanwhile. tenant_id, tenant_name: the directory that was asked; is_at_home: it
    is the registration's own, home_name. api_elsewhere: an API of another directory that the scope names and
    that may come into this one by consent; disabled_api: the registration of an API that the authority called
    disabled, with its home. near: what can be asked for there, all or
    beside the scope. presented: the secret's clear value, never put into a text. key_matches: None where no
    key was at hand to compare. shapes: all that was tried, result among them.
    """

    target: Target
    owner_id: uuid.UUID
    application_id: uuid.UUID
    client_id: uuid.UUID
    tenant_id: uuid.UUID
    tenant_name: str
    home_name: str
    is_at_home: bool
    application: Application | None
    credential_id: uuid.UUID
    credential_name: str
    credential: ClientSecret | Certificate | FederatedCredential | None
    is_secret: bool
    thumbprint: str
    presented: str = field(repr=False)
    key_matches: bool | None
    asked: Asked
    near: Near
    api_elsewhere: Application | None
    disabled_api: Application | None
    deadline_seconds: float
    result: ShapeResult
    shapes: list[ShapeResult]
    now: datetime

    @property
    def scope(self) -> str:
        """The scope as sent."""
        return self.asked.scope

    @property
    def code(self) -> int:
        """The AADSTS number of the refusal, 0 where there is none."""
        return self.result.error.code if self.result.error else 0

    @property
    def description(self) -> str:
        """The refusal's text as the authority wrote it."""
        return self.result.error.description if self.result.error else ""

    @property
    def resource(self) -> str:
        """The scope without its "/.default"."""
        return self.scope.removesuffix("/.default")

    @property
    def page(self) -> dict[str, str]:
        """Arguments of a page of the registration in whose place the test ran."""
        return {"application_id": str(self.application_id)}

    @property
    def owner_page(self) -> dict[str, str]:
        """Arguments of a page of the credential's own registration."""
        return {"application_id": str(self.owner_id)}

    @property
    def secret(self) -> ClientSecret | None:
        """The stored secret, where this run used one."""
        return self.credential if isinstance(self.credential, ClientSecret) else None

    @property
    def dated(self) -> ClientSecret | Certificate | None:
        """The stored credential, where it is of a kind that has dates."""
        return None if isinstance(self.credential, FederatedCredential) else self.credential

    @property
    def federated(self) -> FederatedCredential | None:
        """The stored federated credential, where this run used one."""
        return self.credential if isinstance(self.credential, FederatedCredential) else None

    @property
    def certificate(self) -> Certificate | None:
        """The stored certificate, where this run used one."""
        return self.credential if isinstance(self.credential, Certificate) else None


Rule = Callable[[Case], Diagnosis | None]


def run_again(
    case: Case, text: str = "A change here counts with the very next request.", *, scope: str = ""
) -> Step:
    """The last step of every cure. scope: another one than this run's."""
    return Step(
        "Run the test again",
        text,
        "portal:test_new",
        case.owner_page,
        "Test acquire token",
        scope=scope or case.scope,
    )


def new_secret(case: Case, text: str) -> Step:
    """Make a new client secret."""
    return Step("Add a new client secret", text, "portal:secret_new", case.page, "New client secret")


def upload(case: Case, text: str) -> Step:
    """Upload a certificate."""
    return Step("Upload the certificate", text, "portal:certificate_new", case.page, "Upload certificate")


def same_guid(text: str, known: uuid.UUID) -> bool:
    """Whether the text is this id, in any spelling that people paste."""
    try:
        return uuid.UUID(text.strip()) == known
    except ValueError:
        return False
