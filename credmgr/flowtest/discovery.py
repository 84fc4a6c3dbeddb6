"""Where an authority publishes its metadata, and what that must say before anything is sent where it points.

OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3. The checks are the mix-up defence of RFC 9700
section 4.4: whoever could bend the document would otherwise be sent the credential.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

ISSUER_DIFFERS = "issuer-differs"
ENDPOINT_MISSING = "endpoint-missing"
ENDPOINT_NOT_LISTED = "endpoint-not-listed"
NO_METADATA = "no-metadata"
NOT_JSON = "not-json"
OTHER_CLOUD = "other-cloud"
NO_TENANT = "no-tenant"
# The step before reads as failed when a run ends with one of these, although its status was 200.
USELESS_DOCUMENT = {
    ISSUER_DIFFERS,
    ENDPOINT_MISSING,
    ENDPOINT_NOT_LISTED,
    NOT_JSON,
    OTHER_CLOUD,
    NO_TENANT,
}
_OIDC = "/.well-known/openid-configuration"
_OAUTH = "/.well-known/oauth-authorization-server"


class UnusableAnswerError(Exception):
    """An answer came, and nothing can be done with it. failure: a short stable name, stored in reports.

    value: what in the answer did not fit, at most 300 characters.
    """

    def __init__(self, failure: str, detail: str, value: str = "") -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail
        self.value = value[:300]


@dataclass(frozen=True)
class Metadata:
    """A metadata document that a run may fetch. name: of the step; issuer: what it must name."""

    name: str
    issuer: str
    needs_keys: bool = True

    def check(self, document: Mapping[str, Any], is_listed: Callable[[str], bool]) -> None:
        """Raise UnusableAnswerError unless the document fits and points to listed origins only (O-7)."""
        self.check_issuer(document)
        for member in ("token_endpoint", "jwks_uri"):
            address = document.get(member)
            if not isinstance(address, str) or not address:
                if member == "token_endpoint" or self.needs_keys:
                    raise UnusableAnswerError(ENDPOINT_MISSING, f"The discovery document has no {member}.")
            elif not is_listed(address):
                raise UnusableAnswerError(
                    ENDPOINT_NOT_LISTED,
                    f"The {member} in the discovery document is on an origin that is not listed.",
                    address,
                )

    def check_issuer(self, document: Mapping[str, Any]) -> None:
        """Raise UnusableAnswerError unless the document is that of the issuer asked for."""
        found = document.get("issuer")
        if found != self.issuer:
            raise UnusableAnswerError(
                ISSUER_DIFFERS,
                f"The discovery document names another issuer than {self.issuer}, which was asked for.",
                str(found or ""),
            )


def entra_metadata_url(authority: str, version: str) -> str:
    """Where an Entra-shaped authority publishes its metadata: v1 and v2 differ in path and issuer."""
    return f"{authority}{'/v2.0' if version == '2.0' else ''}{_OIDC}"


def issuer_metadata(issuer: str) -> dict[str, Metadata]:
    """The addresses at which an issuer's metadata may lie, OpenID Connect's first, then RFC 8414's."""
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    origin = f"{parts.scheme}://{parts.netloc}"
    return {
        f"{origin}{path}{_OIDC}": Metadata("Discovery", issuer, needs_keys=False),
        f"{origin}{_OAUTH}{path}": Metadata("Discovery, RFC 8414", issuer, needs_keys=False),
    }
