"""Microsoft's own client library, run once: a new object each time, because MSAL remembers answers."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msal

from credmgr.flowtest.wire import RecordingClient

CLIENT_NAME = f"MSAL Python {msal.__version__}"


class ClientRefusedError(Exception):
    """The client itself refused, or could make nothing of an answer. Its text may repeat what was given."""


def acquire(
    authority: str,
    client_id: str,
    credential: object,
    scope: str,
    http_client: RecordingClient,
    *,
    is_issuer: bool = False,
    instance_discovery: bool = False,
) -> dict[str, Any]:
    """MSAL's answer, a token or an OAuth error. is_issuer: the authority is an OpenID Connect issuer.

    instance_discovery: the authority is one of Microsoft's clouds, whose aliases MSAL may ask for.

    Raises ClientRefusedError; then the last recorded exchange may say why. What the wire raises goes through.
    """
    where = {"oidc_authority": authority} if is_issuer else {"authority": authority}
    try:
        app = msal.ConfidentialClientApplication(
            client_id,
            client_credential=credential,
            http_client=http_client,
            instance_discovery=instance_discovery,
            azure_region=False,  # else MSAL_FORCE_REGION in the environment would bend the host
            **where,
        )
        answer: dict[str, Any] = app.acquire_token_for_client(scopes=scope.split() if is_issuer else [scope])
    except (ValueError, TypeError, KeyError, RuntimeError, msal.exceptions.MsalError) as error:
        raise ClientRefusedError(str(error)) from None
    return answer


def unfit_issuer(issuer: str, metadata: Mapping[str, Any]) -> str:
    """Why MSAL cannot be pointed at this issuer, as the end of a sentence that begins with "because".

    Empty where it can. The reasons are those of msal.authority.Authority.
    """
    parts = urlsplit(issuer)
    if parts.scheme != "https":
        return "MSAL refuses an issuer without https"
    if not parts.path.strip("/"):
        return "MSAL needs a path in the issuer's address"
    if issuer.endswith("/"):
        return "MSAL cannot find the metadata of an issuer that ends with a slash"
    if not metadata.get("authorization_endpoint"):
        return "MSAL needs an authorization_endpoint in the metadata"
    endpoint = urlsplit(str(metadata.get("token_endpoint")))
    if endpoint.scheme != "https" or not endpoint.path.strip("/"):
        return "MSAL needs a token endpoint with https and a path"
    return ""
