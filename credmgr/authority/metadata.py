"""What the authority says about itself: discovery (OpenID Connect Discovery 1.0, RFC 8414), key sets,
instance
discovery, and the two documents that Azure CLI asks for besides. Only endpoints that answer are published
(W6).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from credmgr.authority.access_tokens import issuer
from credmgr.authority.audiences import token_endpoint
from credmgr.jose.jwk import certificate_jwk
from credmgr.jose.jws import ALGORITHMS

# Addresses for any directory; their documents carry this text in place of the directory's id.
ANY_TENANT = ("common", "organizations", "consumers")
PLACEHOLDER = "{tenantid}"
DISCOVERY_MAX_AGE = 86400
KEYS_MAX_AGE = 3600

_CLAIMS = ["sub", "iss", "aud", "exp", "iat", "nbf", "tid", "oid", "ver"]


def openid_configuration(tenant: str, *, version: int) -> dict[str, Any]:
    """The discovery document. tenant: a directory's id, or one of ANY_TENANT."""
    base = f"{settings.AUTHORITY_URL}/{tenant}"
    shown = PLACEHOLDER if tenant in ANY_TENANT else tenant
    v2 = "v2.0/" if version == 2 else ""
    document: dict[str, Any] = {
        "token_endpoint": token_endpoint(tenant, version=version),
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "private_key_jwt",
            "client_secret_basic",
        ],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "jwks_uri": f"{base}/discovery/{v2}keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"] if version == 2 else ["openid"],
        "issuer": issuer(shown, version=version),
        "request_uri_parameter_supported": False,
        "authorization_endpoint": f"{base}/oauth2/{v2}authorize",
        "claims_supported": [
            *_CLAIMS,
            *(["azp", "azpacr"] if version == 2 else ["appid", "appidacr", "idp"]),
        ],
        "tenant_region_scope": None if tenant in ANY_TENANT else "WW",
        "cloud_instance_name": authority_host(),
    }
    if version == 1:
        document["response_types_supported"] += ["token id_token", "token"]
    return document


def key_set(certificates: Sequence[bytes], tenant: str, *, version: int) -> dict[str, Any]:
    """The public keys (RFC 7517 section 5). v2.0 names the issuer with each key, as Entra does."""
    keys = [dict(_jwk(der)) for der in certificates]
    if version == 2:
        shown = PLACEHOLDER if tenant in ANY_TENANT else tenant
        for key in keys:
            key["issuer"] = issuer(shown, version=2)
    return {"keys": keys}


@lru_cache(maxsize=16)
def _jwk(der: bytes) -> dict[str, Any]:
    return certificate_jwk(der)


def instance_discovery(tenant: str) -> dict[str, Any]:
    """Where the directory's metadata is, and by which names this authority is known."""
    host, base = authority_host(), f"{settings.AUTHORITY_URL}/{tenant}"
    return {
        "tenant_discovery_endpoint": f"{base}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }


def cloud_endpoints() -> dict[str, Any]:
    """What `az cloud register --endpoint-resource-manager` reads.

    The first audience is the Graph resource too: az picks a resource by origin, and here both share one.
    """
    root = f"{settings.AUTHORITY_URL}/"
    return {
        "name": "CredentialManager",
        "portal": settings.PORTAL_URL,
        "authentication": {
            "loginEndpoint": settings.AUTHORITY_URL,
            "audiences": [root],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "resourceManager": root,
        "graphAudience": root,
        "microsoftGraphResourceId": root,
        "suffixes": {},
    }


def authority_host() -> str:
    """Host and port of the authority, as clients know it."""
    return urlsplit(settings.AUTHORITY_URL).netloc


def authority_names() -> tuple[str, str]:
    """How instance discovery is asked about this authority: MSAL for Python leaves the port out."""
    return authority_host(), urlsplit(settings.AUTHORITY_URL).hostname or ""
