"""Start and end of the credentials of many registrations at once; sealed values stay in the database."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count

from credmgr.credentials.lifecycle import ApplicationStatus, Dated, application_status
from credmgr.credentials.models import Certificate, ClientSecret, FederatedCredential


@dataclass(frozen=True, slots=True)
class Dates:
    """Of one credential, aware UTC. end_at: None where nobody here knows it."""

    start_at: datetime
    end_at: datetime | None


@dataclass(slots=True)
class CredentialDates:
    """The credentials of one registration. federated: how many; they have no dates."""

    secrets: list[Dated] = field(default_factory=list)
    certificates: list[Dated] = field(default_factory=list)
    federated: int = 0

    @property
    def all(self) -> list[Dated]:
        """Secrets and certificates together."""
        return [*self.secrets, *self.certificates]

    def status(self, now: datetime) -> ApplicationStatus:
        """The registration's credential status at that moment."""
        return application_status(self.all, now, federated=self.federated)


def dates_of(keys: Collection[uuid.UUID]) -> Mapping[uuid.UUID, CredentialDates]:
    """The dates by registration, of each of these. Three queries."""
    found = {key: CredentialDates() for key in keys}
    columns = ("application_id", "start_at", "end_at")
    for key, start, end in ClientSecret.objects.filter(application__in=keys).values_list(*columns):
        found[key].secrets.append(Dates(start, end))
    for key, start, end in Certificate.objects.filter(application__in=keys).values_list(*columns):
        found[key].certificates.append(Dates(start, end))
    federated = FederatedCredential.objects.filter(application__in=keys).values_list("application_id")
    for key, count in federated.annotate(Count("pk")):
        found[key].federated = count
    return found
