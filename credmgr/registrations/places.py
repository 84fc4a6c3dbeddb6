"""Where a registration can live: the built-in authority, an Entra cloud, another OpenID Connect issuer.

No ORM here. What a person typed becomes the form that is stored, or a RegistrationError.
"""

import re
import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from credmgr.clouds import CLOUDS, Cloud, cloud_of_host, cloud_of_key
from credmgr.registrations.domain_names import clean_domain
from credmgr.registrations.errors import RegistrationError
from credmgr.registrations.issuers import issuer_refusal
from credmgr.registrations.models import BUILT_IN, ENTRA, OIDC, Application
from credmgr.registrations.naming import has_control_characters

CLIENT_ID_MAX = 255
# Addresses that stand for many directories: an application that acts as itself has no use for them.
_MANY = {"common", "organizations", "consumers"}
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_BARE_GUID = "12345678-90ab-4cde-8f01-234567890abc"


@dataclass(frozen=True)
class Place:
    """kind: BUILT_IN, ENTRA or OIDC. authority_url: https://host/tenant, or an issuer to the letter.

    client_id: what the application is called there. Both are empty for the built-in authority.
    """

    kind: str = BUILT_IN
    authority_url: str = ""
    client_id: str = ""


HERE = Place()


@dataclass(frozen=True)
class EntraPlace:
    """The parts of an Entra place. tenant: a tenant id or a domain. cloud: None where the host is unknown."""

    cloud: Cloud | None
    tenant: str


def entra_place(*, cloud: str, tenant: str, client_id: str) -> Place:
    """A place in an Entra cloud. cloud: its key; tenant: tenant id or domain; client_id: a GUID."""
    chosen = cloud_of_key(cloud)
    if chosen is None:
        raise RegistrationError("cloud_unknown", "Choose one of the listed clouds.", field="cloud")
    cleaned = _tenant(tenant)
    return Place(ENTRA, f"https://{chosen.host}/{cleaned}", _entra_client_id(client_id, cleaned))


def oidc_place(*, issuer: str, client_id: str) -> Place:
    """A place at another issuer. Both are kept to the letter; a slash at the issuer's end counts."""
    refusal = issuer_refusal(issuer)
    if refusal is not None:
        raise RegistrationError(*refusal, field="issuer")
    cloud = cloud_of_host(urlsplit(issuer).hostname or "")
    if cloud is not None:
        raise RegistrationError(
            "issuer_of_entra",
            f"This is an issuer of Microsoft Entra ID, {cloud.in_a_sentence}. Choose Microsoft Entra ID as "
            "the place, and enter its directory there.",
            field="issuer",
        )
    return Place(OIDC, issuer, _oidc_client_id(client_id))


def place_of(application: Application) -> Place:
    """Where it lives."""
    if not application.is_external:
        return HERE
    return Place(application.authority_kind, application.authority_url, application.external_client_id)


def authority_of(application: Application) -> str:
    """The address of its authority, or its issuer to the letter."""
    return application.authority_url or f"{settings.AUTHORITY_URL}/{application.tenant_id}"


def entra_parts(authority_url: str) -> EntraPlace:
    """The parts of a stored Entra address."""
    parts = urlsplit(authority_url)
    return EntraPlace(cloud_of_host(parts.hostname or ""), parts.path.strip("/"))


def place_words(application: Application) -> str:
    """The place in a few words: "Built-in authority", "Entra ID, public cloud", "idp.example.com"."""
    if application.authority_kind == ENTRA:
        cloud = entra_parts(application.authority_url).cloud
        return f"Entra ID, {cloud.in_a_sentence}" if cloud else urlsplit(application.authority_url).netloc
    if application.authority_kind == OIDC:
        return urlsplit(application.authority_url).netloc
    return "Built-in authority"


def refuse_elsewhere(application: Application, what: str) -> None:
    """Raise RegistrationError where the registration does not live here. what: "App roles are"."""
    if application.is_external:
        raise RegistrationError(
            "lives_elsewhere",
            f"{application.display_name} lives at {place_words(application)}. {what} set up there.",
        )


def _tenant(typed: str) -> str:
    tenant = typed.strip().lower()
    if not tenant:
        raise _tenant_error("tenant_missing", "Enter the directory (tenant) ID or one of its domains.")
    if tenant in _MANY:
        raise _tenant_error(
            "tenant_of_many",
            f"{tenant} stands for many directories, and an application that acts as itself belongs to one. "
            "Enter its directory (tenant) ID or a domain.",
        )
    if _GUID.fullmatch(tenant):
        return tenant
    if "/" in tenant or ":" in tenant or "@" in tenant:
        raise _tenant_error(
            "tenant_is_address",
            f"Enter the directory (tenant) ID or a domain alone, such as {_BARE_GUID} or "
            "contoso.onmicrosoft.com.",
        )
    try:
        return clean_domain(tenant)
    except RegistrationError:
        raise _tenant_error(
            "tenant_form",
            f"This is neither a directory (tenant) ID nor a domain. Enter one such as {_BARE_GUID} or "
            "contoso.onmicrosoft.com.",
        ) from None


def _entra_client_id(typed: str, tenant: str) -> str:
    client_id = typed.strip().lower()
    if not client_id:
        raise _client_id_error("client_id_missing", "Enter the application (client) ID.")
    if not _GUID.fullmatch(client_id) or uuid.UUID(client_id).int == 0:
        raise _client_id_error(
            "client_id_form", f"An application (client) ID of Entra is a GUID such as {_BARE_GUID}."
        )
    if client_id == tenant:
        raise _client_id_error(
            "client_id_is_tenant",
            "This is the directory (tenant) ID. Enter the application (client) ID, which stands beside it on "
            "the registration's page.",
        )
    return client_id


def _oidc_client_id(typed: str) -> str:
    if not typed.strip():
        raise _client_id_error("client_id_missing", "Enter the client ID.")
    if len(typed) > CLIENT_ID_MAX:
        raise _client_id_error(
            "client_id_too_long",
            f"The client ID has {len(typed)} characters. Shorten it to {CLIENT_ID_MAX} or fewer.",
        )
    if typed != typed.strip() or has_control_characters(typed):
        raise _client_id_error(
            "client_id_characters",
            "The client ID begins or ends with a space, or holds line breaks or invisible control "
            "characters. Remove them.",
        )
    return typed


def _tenant_error(code: str, message: str) -> RegistrationError:
    return RegistrationError(code, message, field="tenant")


def _client_id_error(code: str, message: str) -> RegistrationError:
    return RegistrationError(code, message, field="client_id")


CLOUD_CHOICES = [(cloud.key, cloud.label) for cloud in CLOUDS]
