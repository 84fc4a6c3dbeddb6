"""Access tokens for applications: claims by the resource's format (Microsoft identity platform, "access
tokens").
"""

import os
import uuid
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from credmgr.audit.token_database import guid_text
from credmgr.authority.directory import Client
from credmgr.authority.signing_keys import opened_signer
from credmgr.jose.encoding import base64url_encode
from credmgr.registrations.resources import Resource

BY_SECRET, BY_ASSERTION = "1", "2"
# Entra's tokens begin five minutes early, for APIs whose clock runs behind.
BEGINS_EARLY_SECONDS = 300


@dataclass(slots=True)
class Validity:
    """When a token counts. begins, ends: seconds since 1970; lifetime: seconds that a client may count on."""

    begins: int
    ends: int
    lifetime: int


def validity_from(now: datetime, lifetime: int = 0) -> Validity:
    """Of a token made at that moment (aware UTC). lifetime: seconds, 0 for the usual ones."""
    moment, lifetime = int(now.timestamp()), lifetime or settings.TOKEN_LIFETIME_SECONDS
    return Validity(moment - BEGINS_EARLY_SECONDS, moment + lifetime + 1, lifetime)


@dataclass(slots=True)
class Grant:
    """Who gets a token for what. identifier: the resource as asked for; proof: BY_SECRET or BY_ASSERTION;
    roles: values of the granted app roles.
    """

    tenant_id: uuid.UUID
    client: Client
    resource: Resource
    identifier: str
    proof: str
    roles: tuple[str, ...] = ()


def issuer(tenant_id: uuid.UUID | str, *, version: int) -> str:
    """The iss of a directory's tokens: with a slash at the end in v1, with /v2.0 and no slash in v2."""
    return f"{settings.AUTHORITY_URL}/{tenant_id}/{'v2.0' if version == 2 else ''}"


def mint_access_token(
    grant: Grant, *, signing_key_id: uuid.UUID, trace_id: uuid.UUID, validity: Validity
) -> tuple[str, str]:
    """(token, its uti). The format follows the resource, not the endpoint. Raises VaultError."""
    version = 2 if grant.resource.access_token_version == 2 else 1
    tenant, client_id = guid_text(grant.tenant_id), guid_text(grant.client.client_id)
    principal = guid_text(grant.client.service_principal_id)
    iss = issuer(tenant, version=version)
    # As in Entra: the request's id again, so that a token leads to its row in the sign-in log.
    uti = base64url_encode(trace_id.bytes_le)
    claims: dict[str, object] = {
        "aud": guid_text(grant.resource.client_id) if version == 2 else grant.identifier,
        "iss": iss,
        "iat": validity.begins,
        "nbf": validity.begins,
        "exp": validity.ends,
        "aio": base64url_encode(os.urandom(33)),
    }
    if version == 2:
        claims |= {"azp": client_id, "azpacr": grant.proof, "xms_ftd": base64url_encode(os.urandom(33))}
    else:
        claims |= {"appid": client_id, "appidacr": grant.proof, "idp": iss}
    claims |= {
        "oid": principal,
        "rh": f"1.{base64url_encode(grant.tenant_id.bytes_le + grant.resource.client_id.bytes_le)}.",
        "sub": principal,
        "tid": tenant,
        "uti": uti,
        "ver": f"{version}.0",
    }
    if grant.roles:
        claims["roles"] = list(grant.roles)
    if grant.resource.includes_idtyp:
        claims["idtyp"] = "app"
    return opened_signer(signing_key_id, with_x5t=version == 1).sign(claims), uti
