"""The invented rows of `generate_demo`, numbered from 0: what a row looks like follows from its number, but
for ids, keys and secrets. Nothing is saved here.

Number 0 is the busy one: it has as many credentials as there may be, and a twentieth of all that happens.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from cryptography import x509 as library
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from django.db import models

from credmgr.audit.events import EventTag
from credmgr.audit.models import AuditEvent
from credmgr.audit.sign_ins import CERTIFICATE, CLIENT_SECRET, SignInRecord
from credmgr.credentials import secret_values
from credmgr.credentials.certificates import row_of
from credmgr.credentials.lifecycle import end_of
from credmgr.credentials.models import Certificate, ClientSecret, FederatedCredential
from credmgr.credentials.x509 import parse_certificate
from credmgr.registrations.models import ENTRA, MULTITENANT, Application, IdentifierUri, Tenant
from credmgr.vault.sealing import seal_into, verifier_for

_FIRST = ("Harbor", "Customs", "Berth", "Tariff", "Pallet", "Convoy", "Lantern", "Quay", "Ledger", "Beacon")
_SECOND = ("Sync", "Import", "Export", "Billing", "Label", "Route", "Archive", "Alert", "Report", "Gateway")
_THIRD = ("Worker", "Service", "Job", "Agent", "API", "Bridge", "Portal")
_PEOPLE = ("Robin Vale (demo)", "Kit Almgren (demo)", "Noor Hadley (demo)")
_GRAPH = "https://graph.microsoft.com"
_REFUSALS = (7000215, 7000222, 700027, 500011)
_BUSY_SHARE = 20
_BUSY_CREDENTIALS = 40
_LOGGED, _AUDITED = timedelta(days=30), timedelta(days=365)
_BUSY_HOSTS = 40
_STRIDE = 7919  # a prime: neighbours in time are not neighbours in the table

Model = TypeVar("Model", bound=models.Model)


@dataclass(frozen=True)
class Made:
    """A registration and what hangs on it."""

    application: Application
    rows: list[models.Model] = field(default_factory=list)
    used: ClientSecret | Certificate | None = None

    def of(self, model: type[Model]) -> list[Model]:
        """The rows of that kind."""
        return [row for row in self.rows if isinstance(row, model)]

    @property
    def signs_in(self) -> bool:
        """Whether the built-in authority may give it tokens."""
        return self.used is not None and self.application.deleted_at is None

    def remembered(self) -> "Made":
        """The same without what only the database needs."""
        return Made(self.application, used=None if self.application.is_external else self.used)


class Maker:
    """Makes registrations with their credentials."""

    def __init__(self, tenant: Tenant, registrations: int, credentials: int, now: datetime) -> None:
        self._tenant = tenant
        self._registrations = registrations
        self._credentials = credentials
        self._now = now
        self._key = ec.generate_private_key(ec.SECP256R1())

    def registrations(self) -> Iterator[Made]:
        """All of them in their order."""
        busy = min(_BUSY_CREDENTIALS, self._credentials)
        each, more = divmod(self._credentials - busy, max(1, self._registrations - 1))
        number = 0
        for position in range(self._registrations):
            count = busy if position == 0 else each + (position <= more)
            application = self._application(position)
            made = [self._credential(application, number + step) for step in range(count)]
            number += count
            if position % 50 == 1 and not application.is_external and application.deleted_at is None:
                made.append(
                    IdentifierUri(
                        application=application, tenant=self._tenant, uri=f"api://{application.client_id}"
                    )
                )
            yield Made(application, made, self._used(made))

    def _used(self, made: list[models.Model]) -> ClientSecret | Certificate | None:
        """The one that the sign-ins name: by preference one in force all that time, then one that is now."""
        rows = [row for row in made if isinstance(row, ClientSecret | Certificate)]
        rows.sort(key=lambda row: (end_of(row) <= self._now, row.start_at > self._now - _LOGGED))
        return rows[0] if rows else None

    def _application(self, number: int) -> Application:
        words = (_FIRST[number % 10], _SECOND[number // 10 % 10], _THIRD[number // 100 % 7])
        application = Application(
            tenant=self._tenant,
            display_name=f"{' '.join(words)} {number:06}",
            is_demo=True,
            is_disabled=number % 100 == 3,
            created_at=self._now - timedelta(days=number % 1500 + 366),
            created_by_name=_PEOPLE[number % 3],
            deleted_at=self._now - timedelta(days=number % 29) if number % 100 == 7 else None,
        )
        if number % 50 == 9:
            application.authority_kind = ENTRA
            application.authority_url = f"https://login.microsoftonline.com/{uuid.uuid4()}"
            application.external_client_id = str(uuid.uuid4())
        elif number % 50 == 5:
            application.sign_in_audience = MULTITENANT
        return application

    def _credential(self, application: Application, number: int) -> models.Model:
        if number % 100 == 99:
            return self._federated(application, number)
        end = self._now + timedelta(days=number * _STRIDE % 760 - 60, hours=1)
        start = min(end - timedelta(days=365), self._now)
        make = self._certificate if number % 3 == 2 else self._secret
        row = make(application, number, start, end)
        row.created_at = start
        row.created_by_name = _PEOPLE[number % 3]
        return row

    def _secret(
        self, application: Application, number: int, start: datetime, end: datetime
    ) -> ClientSecret | Certificate:
        value = secret_values.generate()
        row = ClientSecret(
            application=application,
            description=f"secret {number}",
            hint=secret_values.hint_of(value),
            start_at=start,
            end_at=end,
        )
        row.verifier = verifier_for(row.pk, value)
        seal_into(row, "value", value.encode())
        return row

    def _certificate(
        self, application: Application, number: int, start: datetime, end: datetime
    ) -> Certificate:
        name = library.Name(
            [
                library.NameAttribute(NameOID.ORGANIZATION_NAME, "Norrvik Freight (demo)"),
                library.NameAttribute(NameOID.COMMON_NAME, f"demo-{number}.norrvik.example"),
            ]
        )
        made = (
            library.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(library.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .sign(self._key, hashes.SHA256())
        )
        row = row_of(application, parse_certificate(made.public_bytes(Encoding.DER)), f"certificate {number}")
        seal_into(row, "der", made.public_bytes(Encoding.DER))
        return row

    def _federated(self, application: Application, number: int) -> FederatedCredential:
        return FederatedCredential(
            application=application,
            name=f"pipeline-{number}",
            issuer="https://token.actions.githubusercontent.com",
            subject=f"repo:norrvik/service-{number}:ref:refs/heads/main",
            audience="api://AzureADTokenExchange",
            created_at=self._now - timedelta(days=number % 300),
            created_by_name=_PEOPLE[number % 3],
        )


def sign_ins(tenant: Tenant, signing: list[Made], count: int, now: datetime) -> Iterator[SignInRecord]:
    """Of the last 30 days, oldest first; one in 33 was refused."""
    if not signing:
        return
    for number in range(count):
        which = _which(number, len(signing))
        made = signing[which]
        application, used = made.application, made.used
        yield SignInRecord(
            at=now - _LOGGED * ((count - number) / count),
            trace_id=uuid.uuid4(),
            correlation_id=uuid.uuid4(),
            tenant_id=tenant.pk,
            client_id=str(application.client_id),
            address=_host(number, which),
            application_id=application.pk,
            service_principal_id=application.service_principal_id,
            resource=_GRAPH,
            error_code=_REFUSALS[number // 33 % 4] if number % 33 == 32 else 0,
            credential_id=used.pk if used else None,
            credential_type=CERTIFICATE if isinstance(used, Certificate) else CLIENT_SECRET,
            thumbprint=used.thumbprint_sha1 if isinstance(used, Certificate) else "",
        )


def audit_events(tenant: Tenant, made: list[Made], count: int, now: datetime) -> Iterator[AuditEvent]:
    """Of the last year, oldest first, by invented people; not yet stored."""
    for number in range(count if made else 0):
        each = made[_which(number, len(made))]
        tag, kind, key, name, changes = _act(number, each)
        yield AuditEvent(
            at=now - _AUDITED * ((count - number) / count),
            tenant_id=tenant.pk,
            application_id=each.application.pk,
            actor_name=_PEOPLE[number % 3],
            address=f"10.24.0.{number % 251}",
            tag=tag.value,
            object_type=kind,
            object_id=str(key),
            object_name=name,
            changes=changes,
        )


def _act(number: int, made: Made) -> tuple[EventTag, str, uuid.UUID, str, dict[str, Any]]:
    """Tag, object and changes of an event."""
    application, used = made.application, made.used
    if number % 3 == 0 and used is not None:
        is_certificate = isinstance(used, Certificate)
        tag = EventTag.CERTIFICATE_ADDED if is_certificate else EventTag.SECRET_ADDED
        kind = "certificate" if is_certificate else "secret"
        return tag, kind, used.pk, used.description, {"endDateTime": [None, _iso(used.end_at)]}
    of_application = ("application", application.pk, application.display_name)
    if number % 3 == 1:
        changes = {"notes": ["", f"Looked at in round {number}"]}
        return EventTag.APPLICATION_UPDATED, *of_application, changes
    changes_made: dict[str, Any] = {"displayName": [None, application.display_name]}
    return EventTag.APPLICATION_REGISTERED, *of_application, changes_made


def _host(number: int, which: int) -> str:
    """The address of a request: an application shares its host with another, the busiest one has many."""
    host = number // _BUSY_SHARE % _BUSY_HOSTS if which == 0 else which // 2
    return f"10.{24 + host // 62_500}.{host // 250 % 250}.{host % 250}"


def _which(number: int, of: int) -> int:
    return 0 if number % _BUSY_SHARE == 0 else number * _STRIDE % of


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
