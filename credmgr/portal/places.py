"""What pages say of the place where a registration lives, if it does not live here."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from credmgr.registrations.models import ENTRA, Application
from credmgr.registrations.places import entra_parts
from credmgr.registrations.queries import parse_guid


@dataclass(frozen=True)
class PlaceFacts:
    """kind_words: the kind of authority. cloud_words and tenant: of an Entra place, else empty.

    host: with the port where it is not the usual one.
    """

    kind_words: str
    authority_label: str
    host: str
    cloud_words: str = ""
    tenant: str = ""

    @property
    def copy_label(self) -> str:
        """What the copy button of the authority says."""
        return f"Copy {self.authority_label.lower()}"

    @property
    def tenant_label(self) -> str:
        """What the tenant was given as."""
        return "Directory (tenant) ID" if parse_guid(self.tenant) else "Directory domain"

    @property
    def copy_tenant_label(self) -> str:
        """What the copy button of the tenant says."""
        return f"Copy {self.tenant_label[0].lower()}{self.tenant_label[1:]}"


def facts_of(application: Application) -> PlaceFacts | None:
    """Of a registration that lives elsewhere; None for one of the built-in authority."""
    if not application.is_external:
        return None
    host = urlsplit(application.authority_url).netloc
    if application.authority_kind == ENTRA:
        parts = entra_parts(application.authority_url)
        words = parts.cloud.in_a_sentence if parts.cloud else ""
        return PlaceFacts("Microsoft Entra ID", "Authority", host, words, parts.tenant)
    return PlaceFacts("OpenID Connect issuer", "Issuer", host)
