"""The `roles` of a token: one indexed statement, asked only for clients that were granted anything at all.

Like the directory's statement nothing is remembered: a revoked, disabled or deleted role is missing from the
very next token, in every process.
"""

import uuid

from credmgr.audit.token_database import Statement, to_uuid
from credmgr.registrations.graph_roles import GRAPH_ROLES
from credmgr.registrations.models import AppRole, AppRoleAssignment
from credmgr.registrations.resources import GRAPH_CLIENT_ID, Resource

_ASSIGNMENT, _ROLE = AppRoleAssignment._meta.db_table, AppRole._meta.db_table
_OF_CLIENT = (
    "WHERE g.tenant_id = %(tenant)s AND g.application_id = %(client)s AND g.resource_client_id = %(resource)s"
)
_OF_WELL_KNOWN = Statement(
    f'SELECT g.role_id FROM "{_ASSIGNMENT}" g {_OF_CLIENT}'  # noqa: S608 - the models' own names
)
_OF_REGISTRATION = Statement(
    f'SELECT r.value FROM "{_ASSIGNMENT}" g '  # noqa: S608 - the models' own names
    f'JOIN "{_ROLE}" r ON r.id = g.role_id AND r.application_id = %(api)s AND r.is_enabled {_OF_CLIENT}'
)
_WELL_KNOWN_VALUES = {(GRAPH_CLIENT_ID, role.id): role.value for role in GRAPH_ROLES}


def granted_roles(tenant_id: uuid.UUID, application_id: uuid.UUID, resource: Resource) -> tuple[str, ...]:
    """Values of the enabled app roles of the resource that the client was granted in this directory, sorted.

    application_id: the client's object id.
    """
    api = resource.client_id
    asked = {"tenant": tenant_id, "client": application_id, "resource": api, "api": resource.application_id}
    if resource.application_id is None:
        ids = [to_uuid(role_id) for (role_id,) in _OF_WELL_KNOWN.run(asked)]
        return tuple(sorted(_WELL_KNOWN_VALUES[api, id_] for id_ in ids if (api, id_) in _WELL_KNOWN_VALUES))
    return tuple(sorted(value for (value,) in _OF_REGISTRATION.run(asked)))
