"""The ways in which one credential is tried at one authority: by which client, in which form, and why.

An Entra-shaped authority must take every form that MSAL has for the credential, so all are run. At any other
issuer a client is registered for one way of proving itself, which only the issuer knows: those that its
metadata allows are tried in turn until one works.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from credmgr.flowtest import msal_client, plain_client
from credmgr.flowtest.plain_client import AssertionProof, BasicProof, OutsideTokenProof, PostProof, Proof
from credmgr.flowtest.report import Shape
from credmgr.flowtest.shapes import CertificateMaterial, Material, OutsideTokenMaterial, SecretMaterial
from credmgr.flowtest.spec import Asked
from credmgr.flowtest.targets import Target
from credmgr.registrations.models import ENTRA

BASIC, POST, KEY_JWT = "client_secret_basic", "client_secret_post", "private_key_jwt"
_METHODS = "token_endpoint_auth_methods_supported"
_ALGORITHMS = "token_endpoint_auth_signing_alg_values_supported"


class NoWayError(Exception):
    """The authority's metadata leaves no way to present this credential. Safe to show."""


@dataclass(frozen=True)
class Way:
    """One try. credential: MSAL's client_credential; proof: the plain client's. reason: why not MSAL."""

    shape: Shape
    credential: object = field(default=None, repr=False)
    proof: Proof | None = field(default=None, repr=False)
    reason: str = ""

    @property
    def client(self) -> str:
        """The client's name, empty for a way that was not chosen yet."""
        if self.proof is not None:
            return plain_client.CLIENT_NAME
        return msal_client.CLIENT_NAME if self.credential is not None else ""


def entra_ways(target: Target, material: Material) -> list[Way]:
    """MSAL in every form it has for the credential; where it cannot sign, the plain client.

    Raises NoWayError.
    """
    if isinstance(material, CertificateMaterial) and not material.is_rsa:
        if target.kind == ENTRA:
            raise NoWayError("Microsoft Entra ID takes assertions signed with RSA keys; this is another.")
        reason = "MSAL for Python makes RSA signatures only"
        proof = AssertionProof(material, f"{target.authority}/v2.0")
        return [Way(Shape.KEY_JWT, proof=proof, reason=reason)]
    return [Way(shape, credential) for shape, credential in material.shapes()]


def issuer_ways(target: Target, material: Material, asked: Asked, metadata: Mapping[str, Any]) -> list[Way]:
    """What the issuer's metadata allows, the likeliest first. Raises NoWayError."""
    methods = _listed(metadata, _METHODS)
    unfit = msal_client.unfit_issuer(target.authority, metadata) or _unfit_request(asked)
    if isinstance(material, SecretMaterial):
        return list(_secret_ways(material, methods, unfit))
    if isinstance(material, OutsideTokenMaterial):
        if not unfit:
            return [Way(shape, credential) for shape, credential in material.shapes()]
        return [Way(Shape.OUTSIDE_TOKEN, proof=OutsideTokenProof(material.token), reason=unfit)]
    if not unfit and asked.key_id:
        unfit = "MSAL cannot name a key by kid"
    if methods and KEY_JWT not in methods:
        raise NoWayError(
            f"This issuer takes {', '.join(methods)} at its token endpoint, and no assertion signed with a "
            "certificate's key (private_key_jwt)."
        )
    return list(_key_ways(target, material, asked, metadata, unfit))


def _secret_ways(material: SecretMaterial, methods: tuple[str, ...], unfit: str) -> Iterator[Way]:
    # Without a list Basic is meant (OpenID Discovery section 3); a list of "none" alone is a test server's.
    takes_post = POST in methods
    takes_basic = BASIC in methods or not set(methods) - {"none"}
    if not (takes_post or takes_basic):
        raise NoWayError(
            f"This issuer takes {', '.join(methods)} at its token endpoint, and no client secret."
        )
    with_msal = takes_post and not unfit
    basic_reason = unfit or (
        "MSAL sends a secret in the body alone, and there this issuer refused it"
        if takes_post
        else "MSAL sends a secret in the body alone, and this issuer wants it in the Authorization header"
    )
    if with_msal:
        yield Way(Shape.SECRET, credential=material.value)
    if takes_basic:
        yield Way(Shape.BASIC, proof=BasicProof(material.value), reason=basic_reason)
    if takes_post and not with_msal:
        yield Way(Shape.POST, proof=PostProof(material.value), reason=unfit)


def _key_ways(
    target: Target, material: CertificateMaterial, asked: Asked, metadata: Mapping[str, Any], unfit: str
) -> Iterator[Way]:
    algorithms = _listed(metadata, _ALGORITHMS)
    if not unfit and not material.is_rsa:
        unfit = "MSAL for Python makes RSA signatures only"
    if not unfit:
        signed = {Shape.THUMBPRINT: "RS256", Shape.PUBLIC_CERTIFICATE: "PS256"}
        for shape, credential in material.shapes():
            if not algorithms or signed[shape] in algorithms:
                yield Way(shape, credential)
        unfit = "MSAL names the token endpoint as the assertion's audience, and this issuer refused that"
    # The issuer as sole audience is what the revision of RFC 7523 asks for; older servers want the endpoint.
    yield Way(
        Shape.KEY_JWT,
        proof=AssertionProof(material, target.authority, algorithms, asked.key_id),
        reason=unfit,
    )
    endpoint = str(metadata["token_endpoint"])
    yield Way(
        Shape.KEY_JWT_ENDPOINT,
        proof=AssertionProof(material, endpoint, algorithms, asked.key_id),
        reason=unfit,
    )


def _unfit_request(asked: Asked) -> str:
    """Why MSAL cannot send this request, empty where it can."""
    if not asked.scope:
        return "MSAL needs a scope"
    return "MSAL has no parameter for a resource or an audience" if asked.resource or asked.audience else ""


def _listed(metadata: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = metadata.get(name)
    return tuple(item for item in found if isinstance(item, str)) if isinstance(found, list) else ()
