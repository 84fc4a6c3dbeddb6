"""Where a test goes, and as which client: the place where a registration lives."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from credmgr.registrations.models import BUILT_IN, ENTRA, OIDC, Application, Tenant


@dataclass(frozen=True)
class Target:
    """kind: BUILT_IN, ENTRA or OIDC. authority: https://host/tenant, or an issuer to the letter.

    name: what a person calls it. client_id: as the client sends it. tenant: in the authority's address.
    """

    kind: str
    name: str
    authority: str
    client_id: str
    tenant: str = ""

    @property
    def host(self) -> str:
        """Host and port of the authority."""
        return urlsplit(self.authority).netloc

    @property
    def has_tenants(self) -> bool:
        """Whether it is Entra-shaped: a tenant in the path, v1 and v2 tokens, AADSTS codes."""
        return self.kind != OIDC


def target_of(application: Application, directory: Tenant | None = None) -> Target:
    """Where this registration lives and what its clients call themselves there.

    directory: another one of the built-in authority than the home directory; says nothing to others.
    """
    client_id = application.shown_client_id
    if application.authority_kind == OIDC:
        issuer = application.authority_url
        return Target(OIDC, urlsplit(issuer).netloc, issuer, client_id)
    if application.authority_kind == ENTRA:
        authority = application.authority_url.rstrip("/")
        host, tenant = urlsplit(authority).netloc, authority.rpartition("/")[2]
        return Target(ENTRA, f"Microsoft Entra ID, {host}", authority, client_id, tenant)
    name, tenant = "Built-in authority", str(application.tenant_id)
    if directory is not None and directory.pk != application.tenant_id:
        name, tenant = f"{name}, {directory.name}", str(directory.pk)
    return Target(BUILT_IN, name, f"{settings.AUTHORITY_URL}/{tenant}", client_id, tenant)
