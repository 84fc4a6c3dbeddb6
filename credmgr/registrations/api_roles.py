"""The app roles that can be asked for: those of Microsoft Graph, and those that registrations define."""

import uuid
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from credmgr.registrations.graph_roles import GRAPH_ROLES
from credmgr.registrations.models import AppRole
from credmgr.registrations.queries import applications_in
from credmgr.registrations.resources import GRAPH_CLIENT_ID, well_known


@dataclass(frozen=True)
class Role:
    """One app role of an API, whoever defines it. name: for people, empty where there is only the value."""

    api_client_id: uuid.UUID
    api_name: str
    id: uuid.UUID
    value: str
    name: str
    description: str
    is_enabled: bool = True


@dataclass(frozen=True)
class Api:
    """An API with the roles that can be asked for."""

    client_id: uuid.UUID
    name: str
    roles: tuple[Role, ...]


def apis_of(tenant_id: uuid.UUID) -> list[Api]:
    """Every API that the directory knows and that has roles to ask for: Microsoft Graph, then by name.

    One query.
    """
    rows = _defined_in(tenant_id).filter(is_enabled=True)
    found: dict[uuid.UUID, list[Role]] = {GRAPH_CLIENT_ID: list(_graph_roles().values())}
    for row in rows.select_related("application").order_by("application__display_name", "value"):
        role = _of(row)
        found.setdefault(role.api_client_id, []).append(role)
    return [Api(client_id, roles[0].api_name, tuple(roles)) for client_id, roles in found.items()]


def roles_in(tenant_id: uuid.UUID, ids: set[uuid.UUID]) -> dict[tuple[uuid.UUID, uuid.UUID], Role]:
    """{(client id of the API, role id): role}, disabled ones included; of APIs that the directory knows."""
    found = {(GRAPH_CLIENT_ID, role.id): role for role in _graph_roles().values() if role.id in ids}
    rows = _defined_in(tenant_id).filter(pk__in=ids).select_related("application")
    return found | {(row.application.client_id, row.pk): _of(row) for row in rows}


def _defined_in(tenant_id: uuid.UUID) -> QuerySet[AppRole]:
    """App roles of the registrations that the directory knows."""
    # Asked of each role's own; told which registrations there may be, the database would read all of them.
    return AppRole.objects.filter(Exists(applications_in(tenant_id).filter(pk=OuterRef("application_id"))))


def _graph_roles() -> dict[uuid.UUID, Role]:
    name = well_known(settings.AUTHORITY_URL)[0].name
    return {
        each.id: Role(GRAPH_CLIENT_ID, name, each.id, each.value, "", each.description)
        for each in GRAPH_ROLES
    }


def _of(row: AppRole) -> Role:
    return Role(
        api_client_id=row.application.client_id,
        api_name=row.application.display_name,
        id=row.pk,
        value=row.value,
        name=row.display_name,
        description=row.description,
        is_enabled=row.is_enabled,
    )
