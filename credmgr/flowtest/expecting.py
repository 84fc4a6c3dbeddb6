"""What a right token of a target says, from what is stored here about it."""

import uuid

from credmgr.flowtest.cloud_tokens import CloudExpectations
from credmgr.flowtest.issuer_tokens import IssuerExpectations
from credmgr.flowtest.shapes import Material, SecretMaterial
from credmgr.flowtest.spec import Asked
from credmgr.flowtest.targets import Target
from credmgr.flowtest.verification import Expectations, ExpectedToken
from credmgr.registrations.models import ENTRA
from credmgr.registrations.resources import find_resource


def expected_token(target: Target, asked: Asked, material: Material) -> ExpectedToken:
    """Claims and audiences by the kind of the target."""
    if not target.has_tenants:
        audiences = tuple(item for item in (asked.resource, asked.audience) if item)
        return IssuerExpectations(target.client_id, audiences)
    if target.kind == ENTRA:
        return CloudExpectations(target.client_id, _proof(material), asked.scope)
    return _built_in(target, asked.scope, material)


def _built_in(target: Target, scope: str, material: Material) -> Expectations:
    """Audiences by the resource's token format (W5)."""
    identifier = scope.removesuffix("/.default")
    resource = find_resource(uuid.UUID(target.tenant), identifier)
    return Expectations(
        tenant_id=target.tenant,
        client_id=target.client_id,
        proof=_proof(material),
        resource_name=resource.name if resource else identifier or "the resource",
        audience_v2=str(resource.client_id) if resource else "",
        audiences_v1=frozenset({identifier, str(resource.client_id), *resource.names} if resource else ()),
    )


def _proof(material: Material) -> str:
    """As the acr claim of a token has it."""
    return "1" if isinstance(material, SecretMaterial) else "2"
