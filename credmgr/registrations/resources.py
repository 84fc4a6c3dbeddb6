"""What a token may be for: the well-known resources of every directory, its registrations, and multitenant
registrations of other directories that have a service principal there.

find_resource stands on the token endpoint's hot path: well-known names need no query, all others one.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models.functions import Lower

from credmgr.audit.token_database import Statement, to_uuid
from credmgr.registrations.models import (
    BUILT_IN,
    MULTITENANT,
    Application,
    IdentifierUri,
    ServicePrincipal,
)
from credmgr.registrations.naming import URI_MAX
from credmgr.registrations.queries import parse_guid
from credmgr.registrations.visible import OF_LIVE

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
    resource. is_disabled: the registration is switched off, or its service principal in the directory that
    was asked; no token may be made for it (AADSTS500014).
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
    and those that live elsewhere are no resources; disabled ones are returned and say so.
    """
    known = _well_known_by_name(settings.AUTHORITY_URL).get(identifier)
    if known is not None:
        return known
    guid = parse_guid(identifier)
    if guid in (GRAPH_CLIENT_ID, RESOURCE_MANAGER_CLIENT_ID, EXCHANGE_CLIENT_ID):
        return _well_known_by_name(settings.AUTHORITY_URL)[str(guid)]
    if guid is not None:
        return _found(_BY_CLIENT_ID.run({"tenant": tenant_id, "identifier": guid}), str(guid))
    if not identifier.isascii() or not identifier.isprintable() or len(identifier) > URI_MAX:
        return None  # nothing like it can have been registered, and PostgreSQL refuses NUL
    return _found(_BY_URI.run({"tenant": tenant_id, "identifier": identifier}), identifier)


def first_resources_of(tenant_id: uuid.UUID, most: int) -> list[Resource]:
    """What a token can be asked for: well-known resources, then the first so many registrations by name.

    Three queries, however many there are.
    """
    switched_off = ServicePrincipal.objects.filter(tenant_id=tenant_id, is_enabled=False)
    usable = (
        Application.objects.filter(deleted_at=None, authority_kind=BUILT_IN, is_disabled=False)
        .exclude(pk__in=switched_off.values("application_id"))
        .order_by(OF_LIVE, Lower("display_name"), "pk")
    )
    # Asked for both at once, the database would sort the whole directory.
    consented = usable.exclude(tenant_id=tenant_id).filter(
        sign_in_audience=MULTITENANT, service_principals__tenant_id=tenant_id
    )
    rows = [*usable.filter(tenant_id=tenant_id)[:most], *consented[:most]]
    rows = sorted(rows, key=lambda row: (row.display_name.lower(), row.pk.hex))[:most]
    return [*well_known(settings.AUTHORITY_URL), *described(rows)]


def described(applications: Sequence[Application]) -> list[Resource]:
    """These registrations as resources, in their order. One query."""
    uris: dict[uuid.UUID, str] = dict(
        IdentifierUri.objects.filter(is_released=False, application__in=applications).values_list(
            "application_id", "uri"
        )
    )
    return [_of(row, uris.get(row.pk, "")) for row in applications]


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


_URI, _APPLICATION, _PRINCIPAL = (
    model._meta.db_table for model in (IdentifierUri, Application, ServicePrincipal)
)
_COLUMNS = (
    "a.id, a.client_id, a.display_name, a.access_token_version, a.is_disabled, "
    "a.app_role_assignment_required, a.includes_idtyp, a.tenant_id = %(tenant)s, p.is_enabled"
)
# Live and here: at home, or multitenant with a service principal in the directory.
_HERE = (
    f'LEFT JOIN "{_PRINCIPAL}" p ON p.application_id = a.id AND p.tenant_id = %(tenant)s '
    f"WHERE a.deleted_at IS NULL AND a.authority_kind = '{BUILT_IN}' "
    f"AND (a.tenant_id = %(tenant)s OR (a.sign_in_audience = '{MULTITENANT}' AND p.id IS NOT NULL)) "
)
_BY_CLIENT_ID = Statement(
    f'SELECT {_COLUMNS} FROM "{_APPLICATION}" a {_HERE} AND a.client_id = %(identifier)s'  # noqa: S608 - names of models
)
# A URI is unique at home only: one's own comes first, then what was consented to first.
_BY_URI = Statement(
    f'SELECT {_COLUMNS} FROM "{_URI}" u JOIN "{_APPLICATION}" a ON a.id = u.application_id '  # noqa: S608 - names of models
    f"{_HERE} AND u.uri = %(identifier)s AND NOT u.is_released "
    "ORDER BY a.tenant_id = %(tenant)s DESC, p.created_at, p.id LIMIT 1"
)


def _found(rows: list[tuple[Any, ...]], identifier: str) -> Resource | None:
    if not rows:
        return None
    id_, client_id, name, version, disabled, assignment, idtyp, is_home, principal_enabled = rows[0]
    client = to_uuid(client_id)
    return Resource(
        name=name,
        client_id=client,
        names=tuple(dict.fromkeys((identifier, str(client)))),
        access_token_version=version,
        application_id=to_uuid(id_),
        is_disabled=bool(disabled) or not (is_home or principal_enabled),
        demands_assignment=bool(assignment),
        includes_idtyp=bool(idtyp),
    )


def _of(application: Application, uri: str) -> Resource:
    names = dict.fromkeys(name for name in (uri, str(application.client_id)) if name)
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
