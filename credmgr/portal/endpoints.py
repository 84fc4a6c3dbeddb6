"""The addresses of its authority that an application may need. Only those that answer stand here."""

from dataclasses import dataclass

from credmgr.registrations.models import OIDC, Application
from credmgr.registrations.places import authority_of, entra_parts
from credmgr.registrations.queries import parse_guid

_ISSUER = "Issuer (v2.0 tokens)"


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


def endpoints_of(application: Application) -> list[Endpoint]:
    """The addresses of its authority, the one that most libraries begin with first."""
    if application.authority_kind == OIDC:
        return _of_issuer(application.authority_url)
    found = _entra_shaped(authority_of(application))
    if not application.is_external:
        return found
    place = entra_parts(application.authority_url)
    if parse_guid(place.tenant) is None:
        # An issuer names the tenant's id, and here only a domain is known.
        found = [endpoint for endpoint in found if endpoint.label != _ISSUER]
    if place.cloud:
        hint = "The API of this cloud; with /.default behind it, its scope."
        found.append(Endpoint("Microsoft Graph", place.cloud.graph_url, hint))
    return found


def _of_issuer(issuer: str) -> list[Endpoint]:
    """OpenID Connect Discovery 1.0, section 4: the other addresses stand in the document."""
    return [
        Endpoint("Issuer", issuer, "The iss claim of its tokens, to the letter."),
        Endpoint(
            "OpenID Connect metadata document",
            f"{issuer.removesuffix('/')}/.well-known/openid-configuration",
            "Names the token endpoint, the signing keys and what this issuer supports.",
        ),
    ]


def _entra_shaped(base: str) -> list[Endpoint]:
    """The same in every Entra cloud (Microsoft identity platform, "National clouds") and here."""
    return [
        Endpoint("Authority", base, "What MSAL asks for. It reads the other addresses from the metadata."),
        Endpoint(
            "OpenID Connect metadata document",
            f"{base}/v2.0/.well-known/openid-configuration",
            "Most libraries need only this one or the authority.",
        ),
        Endpoint(
            _ISSUER,
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
