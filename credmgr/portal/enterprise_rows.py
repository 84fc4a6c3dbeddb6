"""Enterprise applications as people see them: a service principal's state, and where an application is."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import QuerySet

from credmgr.registrations.models import MULTITENANT, Application, ServicePrincipal, Tenant
from credmgr.registrations.queries import NamedDirectory, named_directories
from credmgr.registrations.service_principals import principals_elsewhere

# Directories without the application that its Overview offers consent for; the rest have a page of their own.
_OFFERED = 8
_DIRECTORIES_MOST = 200


@dataclass(frozen=True)
class PrincipalRow:
    """A service principal with its state in words. tone: ok, bad or none."""

    principal: ServicePrincipal
    words: str
    tone: str

    @property
    def application(self) -> Application:
        """The registration it stands for."""
        return self.principal.application


@dataclass(frozen=True)
class PlaceRow:
    """A directory other than an application's home. row is None where nobody consented."""

    directory: NamedDirectory
    row: PrincipalRow | None


@dataclass(frozen=True)
class Places:
    """Where an application may be used. more: directories without it that are not listed.

    consent_url: what an administrator of whichever directory opens to grant consent.
    """

    rows: list[PlaceRow]
    more: int
    consent_url: str


def rows_of(principals: Iterable[ServicePrincipal]) -> list[PrincipalRow]:
    """One row each, in the order given."""
    return [row_of(principal) for principal in principals]


def row_of(principal: ServicePrincipal) -> PrincipalRow:
    """Whether it gets tokens in its directory, and if not, why."""
    application = principal.application
    if application.deleted_at is not None:
        return PrincipalRow(principal, "Registration deleted", "none")
    if application.sign_in_audience != MULTITENANT:
        return PrincipalRow(principal, "No effect: single tenant now", "none")
    if not principal.is_enabled:
        return PrincipalRow(principal, "Disabled", "bad")
    if application.is_disabled:
        return PrincipalRow(principal, "Disabled by its home directory", "bad")
    return PrincipalRow(principal, "Enabled", "ok")


def places_of(application: Application, directories: QuerySet[Tenant]) -> Places:
    """The other ones among those directories, those with a service principal first. Two queries."""
    found: dict[uuid.UUID, ServicePrincipal] = principals_elsewhere(application)
    for principal in found.values():
        principal.application = application
    named = named_directories(directories, _DIRECTORIES_MOST)
    others = [each for each in named if each.id != application.tenant_id]
    with_one = [PlaceRow(each, row_of(found[each.id])) for each in others if each.id in found]
    without = [PlaceRow(each, None) for each in others if each.id not in found]
    return Places(
        [*with_one, *without[:_OFFERED]],
        more=max(len(without) - _OFFERED, 0),
        consent_url=f"{settings.AUTHORITY_URL}/organizations/adminconsent?client_id={application.client_id}",
    )
