"""The addresses of the built-in authority that an application may need. Only those that answer stand here."""

import uuid
from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class Endpoint:
    """An address and what asks for it."""

    label: str
    address: str
    hint: str

    @property
    def copy_label(self) -> str:
        """What its copy button says."""
        return f"Copy {self.label}"


def endpoints_of(tenant_id: uuid.UUID) -> list[Endpoint]:
    """The addresses of a directory, the one that most libraries begin with first."""
    base = f"{settings.AUTHORITY_URL}/{tenant_id}"
    return [
        Endpoint("Authority", base, "What MSAL asks for. It reads the other addresses from the metadata."),
        Endpoint(
            "OpenID Connect metadata document",
            f"{base}/v2.0/.well-known/openid-configuration",
            "Most libraries need only this one or the authority.",
        ),
        Endpoint(
            "Issuer (v2.0 tokens)",
            f"{base}/v2.0",
            "The iss claim of v2.0 tokens, and the root of the metadata.",
        ),
        Endpoint("OAuth 2.0 token endpoint (v2)", f"{base}/oauth2/v2.0/token", "Where tokens are asked for."),
        Endpoint(
            "OAuth 2.0 token endpoint (v1)",
            f"{base}/oauth2/token",
            "For older clients, which send resource in place of scope.",
        ),
        Endpoint(
            "Signing keys (JWKS)", f"{base}/discovery/v2.0/keys", "An API verifies the tokens with them."
        ),
        Endpoint(
            "Metadata document for v1.0 tokens",
            f"{base}/.well-known/openid-configuration",
            "For an API that receives v1.0 tokens.",
        ),
        Endpoint(
            "Signing keys for v1.0 tokens", f"{base}/discovery/keys", "The same keys at the v1.0 address."
        ),
    ]
