"""What a token may be for: the well-known resources of every directory, then its registrations.

find_resource stands on the token endpoint's hot path: well-known names need no query, a registration needs
one.
"""

import uuid
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models.functions import Lower

from credmgr.registrations.models import Application, IdentifierUri
from credmgr.registrations.naming import URI_MAX
from credmgr.registrations.queries import parse_guid

GRAPH_CLIENT_ID = uuid.UUID("00000003-0000-0000-c000-000000000000")
# "Windows Azure Service Management API", the same GUID in every Entra directory.
RESOURCE_MANAGER_CLIENT_ID = uuid.UUID("797f4846-ba00-4fd7-ba43-dac1f8f63013")

# "AAD Token Exchange Endpoint: Public": its tokens stand as federated assertions at other applications. They
# say this GUID where a federated credential has the name.
EXCHANGE_CLIENT_ID = uuid.UUID("fb60f99c-7a34-4190-8149-302f77469936")
EXCHANGE_NAME = "api://AzureADTokenExchange"


@dataclass(frozen=True)
class Resource:
    """An API that tokens are made for.

    names: every identifier that finds it, the preferred one first. access_token_version: what its tokens look
    like (None and 1: v1 format). application_id: object id of the registration, None for a well-known
    resource. is_disabled: the registration is switched off; no token may be made for it (AADSTS500014).
    demands_assignment: no token for clients without one of its app roles (AADSTS501051). includes_idtyp: its
    tokens say idtyp "app".
    """

    name: str
    client_id: uuid.UUID
    names: tuple[str, ...]
    access_token_version: int | None
    application_id: uuid.UUID | None
    is_disabled: bool = False
    demands_assignment: bool = False
    includes_idtyp: bool = False


def find_resource(tenant_id: uuid.UUID, identifier: str) -> Resource | None:
    """The resource of that identifier: a well-known name, an identifier URI or a client id.

    None when unknown.

    GUIDs compare in any case, everything else to the letter, trailing slash included. Deleted registrations
    are no resources; disabled ones are returned and say so.
    """
    known = _well_known_by_name(settings.AUTHORITY_URL).get(identifier)
    if known is not None:
        return known
    guid = parse_guid(identifier)
    if guid is None:
        return _by_uri(tenant_id, identifier)
    if guid in (GRAPH_CLIENT_ID, RESOURCE_MANAGER_CLIENT_ID, EXCHANGE_CLIENT_ID):
        return _well_known_by_name(settings.AUTHORITY_URL)[str(guid)]
    application = Application.objects.filter(tenant_id=tenant_id, client_id=guid, deleted_at=None).first()
    return _of(application, str(guid)) if application else None


def resources_of(tenant_id: uuid.UUID) -> list[Resource]:
    """Everything a token can be asked for, well-known resources first, registrations by name. Two queries."""
    applications = Application.objects.filter(tenant_id=tenant_id, deleted_at=None, is_disabled=False)
    uris: dict[uuid.UUID, str] = dict(
        IdentifierUri.objects.filter(tenant_id=tenant_id, is_released=False).values_list(
            "application_id", "uri"
        )
    )
    by_name = applications.order_by(Lower("display_name"), "pk")
    registered = [_of(row, uris.get(row.pk, "")) for row in by_name]
    return [*well_known(settings.AUTHORITY_URL), *registered]


def is_well_known_name(identifier: str) -> bool:
    """Whether a registration may not take this name because every directory has it already."""
    return identifier.rstrip("/") in _well_known_by_name(settings.AUTHORITY_URL)


@lru_cache(maxsize=4)
def well_known(authority_url: str) -> tuple[Resource, ...]:
    """Microsoft Graph, Azure Resource Manager and the token exchange under every name that clients ask for.

    The server's own root is Microsoft Graph: Azure CLI asks for it with port and slash, kiota without port.
    """
    parts = urlsplit(authority_url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    root, bare_root = f"{parts.scheme}://{parts.netloc}", f"{parts.scheme}://{host}"
    graph = ("https://graph.microsoft.com", root, bare_root)
    manager = ("https://management.azure.com", "https://management.core.windows.net")
    return (
        _known("Microsoft Graph", GRAPH_CLIENT_ID, graph),
        _known("Azure Resource Manager", RESOURCE_MANAGER_CLIENT_ID, manager),
        replace(
            _known("Azure AD Token Exchange", EXCHANGE_CLIENT_ID, (EXCHANGE_NAME,)),
            access_token_version=2,
            includes_idtyp=True,
        ),
    )


def _known(name: str, client_id: uuid.UUID, addresses: tuple[str, ...]) -> Resource:
    spelled = [spelling for address in addresses for spelling in (address, f"{address}/")]
    spelled.insert(2, str(client_id))
    return Resource(
        name, client_id, tuple(dict.fromkeys(spelled)), access_token_version=1, application_id=None
    )


@lru_cache(maxsize=4)
def _well_known_by_name(authority_url: str) -> dict[str, Resource]:
    return {name: resource for resource in well_known(authority_url) for name in resource.names}


def _by_uri(tenant_id: uuid.UUID, uri: str) -> Resource | None:
    if not uri.isascii() or not uri.isprintable() or len(uri) > URI_MAX:
        return None  # nothing like it can have been registered, and PostgreSQL refuses NUL
    row = (
        IdentifierUri.objects.filter(
            tenant_id=tenant_id, uri=uri, is_released=False, application__deleted_at=None
        )
        .select_related("application")
        .first()
    )
    return _of(row.application, row.uri) if row else None


def _of(application: Application, identifier: str) -> Resource:
    names = dict.fromkeys(name for name in (identifier, str(application.client_id)) if name)
    return Resource(
        name=application.display_name,
        client_id=application.client_id,
        names=tuple(names),
        access_token_version=application.access_token_version,
        application_id=application.pk,
        is_disabled=application.is_disabled,
        demands_assignment=application.app_role_assignment_required,
        includes_idtyp=application.includes_idtyp,
    )
