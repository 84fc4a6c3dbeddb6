"""Look-ups of directories and registrations."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Lower

from credmgr.accounts.models import User
from credmgr.registrations.directory_sizes import live_registrations
from credmgr.registrations.errors import RegistrationNotFoundError
from credmgr.registrations.models import (
    BUILT_IN,
    MULTITENANT,
    Application,
    IdentifierUri,
    ServicePrincipal,
    Tenant,
    TenantDomain,
)

# ASCII only and the canonical form only: uuid.UUID() would also take braces, prefixes and full-width digits.
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class NamedDirectory:
    """A directory as a menu shows it. domain: its initial one, which tells namesakes apart."""

    id: uuid.UUID
    name: str
    domain: str


@dataclass(frozen=True)
class ListedDirectory:
    """A directory in a list. domains: the initial one first; registrations: those that are not deleted."""

    tenant: Tenant
    domains: tuple[str, ...]
    registrations: int

    @property
    def primary_domain(self) -> str:
        """The initial domain."""
        return self.domains[0] if self.domains else ""


def parse_guid(text: str) -> uuid.UUID | None:
    """The GUID that the text is in its canonical form, letters in any case; None for anything else."""
    return uuid.UUID(text) if _GUID.fullmatch(text) else None


def default_tenant() -> Tenant:
    """The directory that is there from the beginning. Raises RegistrationNotFoundError before the first
    start.
    """
    try:
        return Tenant.objects.get(is_default=True)
    except Tenant.DoesNotExist:
        raise RegistrationNotFoundError(
            "no_directory",
            "There is no directory yet. Start the server once: it creates the default directory.",
        ) from None


def directory_or_default(wanted: uuid.UUID | None) -> Tenant | None:
    """The wanted directory, the default one where it is not there (any more); None before the first start."""
    return Tenant.objects.filter(Q(pk=wanted) | Q(is_default=True)).order_by("is_default").first()


def named_directories(tenants: QuerySet[Tenant], most: int) -> list[NamedDirectory]:
    """Those directories by name, so many at most. One query."""
    initial = TenantDomain.objects.filter(tenant=OuterRef("pk"), is_initial=True).values("name")[:1]
    rows = tenants.order_by(Lower("name"), "pk").values_list("pk", "name", Subquery(initial))
    return [NamedDirectory(pk, name, domain or "") for pk, name, domain in rows[:most]]


def find_directory(text: str) -> Tenant:
    """The directory with that id or domain name. Raises RegistrationNotFoundError."""
    wanted = text.strip().lower()
    guid = parse_guid(wanted)
    rows = Tenant.objects.filter(pk=guid) if guid else Tenant.objects.filter(domains__name=wanted)
    found = rows.first()
    if found is None:
        raise RegistrationNotFoundError(
            "directory_unknown",
            f"There is no directory with the ID or domain {text}. Run list_directories to see all.",
        )
    return found


def describe_directories(tenants: Sequence[Tenant]) -> list[ListedDirectory]:
    """The same two queries for any number of directories, however large."""
    keys = [tenant.pk for tenant in tenants]
    domains: dict[uuid.UUID, list[str]] = {}
    rows = TenantDomain.objects.filter(tenant__in=keys).order_by("-is_initial", "name")
    for tenant_id, name in rows.values_list("tenant_id", "name"):
        domains.setdefault(tenant_id, []).append(name)
    live = live_registrations(keys)
    return [ListedDirectory(tenant, tuple(domains.get(tenant.pk, ())), live[tenant.pk]) for tenant in tenants]


def application_by_client_id(tenant: Tenant, client_id: uuid.UUID | str) -> Application | None:
    """The live registration with that application (client) id, disabled ones included; None for anything
    else.
    """
    wanted = client_id if isinstance(client_id, uuid.UUID) else parse_guid(client_id)
    if wanted is None:
        return None
    return Application.objects.filter(tenant=tenant, client_id=wanted, deleted_at=None).first()


def applications_in(tenant_id: uuid.UUID) -> QuerySet[Application]:
    """Live registrations that the built-in authority knows in a directory, disabled ones included: its own,
    and multitenant ones of others that have a service principal there.
    """
    consented = ServicePrincipal.objects.filter(tenant_id=tenant_id).values("application_id")
    return Application.objects.filter(
        Q(tenant_id=tenant_id) | Q(sign_in_audience=MULTITENANT, pk__in=consented),
        deleted_at=None,
        authority_kind=BUILT_IN,
    )


def identifier_uri_of(application: Application) -> str:
    """The registration's Application ID URI, "" when it has none."""
    row = IdentifierUri.objects.filter(application=application).order_by("pk").first()
    return row.uri if row else ""


def holder_of_uri(tenant: Tenant, uri: str) -> Application | None:
    """The live registration that has this URI, in whatever case it is written."""
    row = (
        IdentifierUri.objects.filter(tenant=tenant, uri__iexact=uri, is_released=False)
        .select_related("application")
        .first()
    )
    return row.application if row else None


def owners_of(application: Application) -> QuerySet[User]:
    """The people who own the registration, by user name."""
    return User.objects.filter(ownerships__application=application).order_by("username")
