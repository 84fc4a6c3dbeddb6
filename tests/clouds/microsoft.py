"""The Microsoft clouds on one TLS server of this machine: their hosts, paths, issuers and refusals.

The shapes are those of the public documentation: discovery v1.0 and v2.0 under a GUID or a domain name,
instance discovery, key sets, the v2.0 token endpoint, v1.0 tokens with a nonce for Microsoft Graph.
"""

import hashlib
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt

from credmgr.clouds import CLOUDS
from tests.flowtest.far_side import FarSide, Handler, entra_error, send_json

DIRECTORY = "9a1f1aa4-ba53-4474-9c4b-39bc906bfc3a"
DOMAIN = "contoso.example"
# A directory of the US Government's cloud, asked for at the public one.
ELSEWHERE = "b7d9f2c0-1e5a-4c1e-9d3f-2f0a6c1d9e10"
TOKEN_SERVICES = {
    "login.microsoftonline.com": "sts.windows.net",
    "login.microsoftonline.us": "sts.windows.net",
    "login.partner.microsoftonline.cn": "sts.chinacloudapi.cn",
}
GRAPH = "00000003-0000-0000-c000-000000000000"


class MicrosoftClouds(FarSide):
    """All clouds at once: which one is asked, the Host header says."""

    hosts = tuple(cloud.host for cloud in CLOUDS)

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, *self.hosts)

    def _authority(self, request: Handler, path: str, body: str) -> None:
        host = request.headers["Host"]
        tenant, _, rest = path[1:].partition("/")
        if path == "/common/discovery/instance":
            send_json(request, 200, instances())
        elif tenant not in (DIRECTORY, DOMAIN, ELSEWHERE, "common"):
            error = "invalid_tenant" if path.endswith("openid-configuration") else "invalid_request"
            send_json(request, 400, entra_error(90002, error, f"Tenant '{tenant}' not found."))
        elif rest.endswith(".well-known/openid-configuration"):
            send_json(request, 200, discovery(host, tenant, "2.0" if rest.startswith("v2.0/") else "1.0"))
        elif rest in ("discovery/v2.0/keys", "discovery/keys"):
            send_json(request, 200, {"keys": [self.jwk()]})
        elif rest == "oauth2/v2.0/token":
            form = {name: values[0] for name, values in parse_qs(body).items()}
            issued = self.token(host, form)
            answer = {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599}
            send_json(request, 200, {**answer, "access_token": issued})
        else:
            send_json(request, 404, {})

    def token(self, tenant: str, form: dict[str, str]) -> str:
        """As the API's own format has it: v1.0 with a nonce for Microsoft Graph, v2.0 for all else.

        tenant: the host, here. self.claims bends the claims; None removes one.
        """
        resource, proof = form["scope"].removesuffix("/.default"), "1" if "client_secret" in form else "2"
        is_graph = resource == GRAPH or "graph" in urlsplit(resource).netloc
        now = int(time.time())
        common = {"tid": DIRECTORY, "iat": now - 300, "nbf": now - 300, "exp": now + 3599, "idtyp": "app"}
        if is_graph:
            service = TOKEN_SERVICES.get(tenant, f"sts.{tenant.removeprefix('login.')}")
            own = {
                "ver": "1.0",
                "aud": resource,
                "iss": f"https://{service}/{DIRECTORY}/",
                "appid": form["client_id"],
                "appidacr": proof,
                "xms_tcdt": now - 90_000,
            }
        else:
            own = {
                "ver": "2.0",
                "aud": resource.removeprefix("api://"),
                "iss": f"https://{tenant}/{DIRECTORY}/v2.0",
                "azp": form["client_id"],
                "azpacr": proof,
            }
        claims = {**common, **own, "uti": uuid.uuid4().hex[:22], **self.claims}
        kept = {name: value for name, value in claims.items() if value is not None}
        headers = {"kid": "far-1"}
        if not is_graph:
            return jwt.encode(kept, self.signing_key, algorithm="RS256", headers=headers)
        # What is signed has the nonce's digest; what is sent has the nonce itself.
        nonce = uuid.uuid4().hex
        digest = hashlib.sha256(nonce.encode()).hexdigest()
        signed = jwt.encode(kept, self.signing_key, algorithm="RS256", headers={**headers, "nonce": digest})
        sent = jwt.encode(kept, self.signing_key, algorithm="RS256", headers={**headers, "nonce": nonce})
        return f"{sent.split('.')[0]}.{signed.split('.', 1)[1]}"


def discovery(host: str, tenant: str, version: str) -> dict[str, Any]:
    """A directory's metadata. A government directory is told of at the public cloud, and leads to its own."""
    guid = {DOMAIN: DIRECTORY, "common": "{tenantid}"}.get(tenant, tenant)
    if tenant == ELSEWHERE:
        host = "login.microsoftonline.us"
    service = TOKEN_SERVICES.get(host, f"sts.{host.removeprefix('login.')}")
    is_v2 = version == "2.0"
    middle = "/v2.0" if is_v2 else ""
    return {
        "token_endpoint": f"https://{host}/{guid}/oauth2{middle}/token",
        "authorization_endpoint": f"https://{host}/{guid}/oauth2{middle}/authorize",
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "private_key_jwt",
            "client_secret_basic",
        ],
        "jwks_uri": f"https://{host}/{guid}/discovery/v2.0/keys"
        if is_v2
        else f"https://{host}/common/discovery/keys",
        "issuer": f"https://{host}/{guid}/v2.0" if is_v2 else f"https://{service}/{guid}/",
        "cloud_instance_name": host.removeprefix("login."),
        "tenant_region_scope": "EU",
    }


def instances() -> dict[str, Any]:
    """Instance discovery: which hosts are one cloud."""
    groups = [
        {
            "preferred_network": "login.microsoftonline.com",
            "preferred_cache": "login.windows.net",
            "aliases": ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com"],
        },
        *(
            {"preferred_network": cloud.host, "preferred_cache": cloud.host, "aliases": [cloud.host]}
            for cloud in CLOUDS[1:]
        ),
    ]
    return {
        "tenant_discovery_endpoint": f"https://login.microsoftonline.com/{DIRECTORY}/v2.0"
        "/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": groups,
    }
