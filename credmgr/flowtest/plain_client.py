"""A plain OAuth client for authorities that MSAL cannot be pointed at: RFC 6749 section 4.4 and RFC 7523.

Nothing is remembered and nothing retried: one request, one answer.
"""

import base64
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

from django.views.decorators.debug import sensitive_variables

from credmgr.flowtest.redaction import Redactor
from credmgr.flowtest.shapes import CertificateMaterial
from credmgr.flowtest.wire import RecordingClient
from credmgr.jose.jwk import algorithms_of, private_key
from credmgr.jose.jws import sign

CLIENT_NAME = "Plain OAuth client"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 300
_BASIC = "Basic "
# Where an issuer publishes nothing: OpenID Connect Core 10.1 makes RS256 the one that all must know.
_BY_PREFERENCE = ("RS256", "PS256", "ES256", "ES384", "ES512")


class NoAlgorithmError(Exception):
    """The key makes none of the signatures that the authority says it takes. Safe to show."""


@dataclass(frozen=True)
class BasicProof:
    """The secret in the Authorization header."""

    secret: str = field(repr=False)

    def request(self, client_id: str) -> tuple[dict[str, str], dict[str, str]]:
        """(headers, form fields). Both parts are form-encoded before base64 (RFC 6749 section 2.3.1)."""
        pair = f"{quote_plus(client_id)}:{quote_plus(self.secret)}"
        return {"Authorization": _BASIC + base64.b64encode(pair.encode()).decode()}, {}


@dataclass(frozen=True)
class PostProof:
    """The secret in the body."""

    secret: str = field(repr=False)

    def request(self, client_id: str) -> tuple[dict[str, str], dict[str, str]]:
        """(headers, form fields)."""
        return {}, {"client_id": client_id, "client_secret": self.secret}


@dataclass(frozen=True)
class AssertionProof:
    """An assertion signed here with the certificate's key. key_id: the `kid` to send, empty for none."""

    material: CertificateMaterial = field(repr=False)
    audience: str
    algorithms: tuple[str, ...] = ()
    key_id: str = ""

    def request(self, client_id: str) -> tuple[dict[str, str], dict[str, str]]:
        """(headers, form fields). Raises NoAlgorithmError, and JoseError for a key that cannot be read."""
        assertion = self._signed(client_id)
        return {}, {
            "client_id": client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        }

    @sensitive_variables("key")
    def _signed(self, client_id: str) -> str:
        key = private_key(self.material.private_key)
        header = self.material.thumbprint_headers() | ({"kid": self.key_id} if self.key_id else {})
        now = int(time.time())
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": self.audience,
            "jti": str(uuid.uuid4()),
            "iat": now,
            "nbf": now,
            "exp": now + ASSERTION_SECONDS,
        }
        return sign(
            claims, key, algorithm=_algorithm(algorithms_of(key.public_key()), self.algorithms), header=header
        )


@dataclass(frozen=True)
class OutsideTokenProof:
    """An outside issuer's token as the assertion."""

    token: str = field(repr=False)

    def request(self, client_id: str) -> tuple[dict[str, str], dict[str, str]]:
        """(headers, form fields)."""
        return {}, {
            "client_id": client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.token,
        }


Proof = BasicProof | PostProof | AssertionProof | OutsideTokenProof


@sensitive_variables("proof", "headers", "fields")
def acquire(
    token_endpoint: str,
    client_id: str,
    proof: Proof,
    parameters: Mapping[str, str],
    http_client: RecordingClient,
    redactor: Redactor,
) -> dict[str, Any]:
    """The token endpoint's answer. parameters: scope, resource, audience; empty ones are not sent.

    Raises NoAlgorithmError and JoseError before anything is sent; what the wire raises goes through.
    """
    headers, fields = proof.request(client_id)
    redactor.remember("secret", headers.get("Authorization", "").removeprefix(_BASIC))
    form = {
        "grant_type": "client_credentials",
        **{name: value for name, value in parameters.items() if value},
        **fields,
    }
    return http_client.post_json(token_endpoint, form, {"Accept": "application/json", **headers})


def _algorithm(possible: frozenset[str], accepted: tuple[str, ...]) -> str:
    """The first by our preference that the key can make and the authority takes."""
    for name in _BY_PREFERENCE:
        if name in possible and (not accepted or name in accepted):
            return name
    raise NoAlgorithmError(
        f"The authority takes assertions signed with {', '.join(accepted)}; this key makes "
        f"{', '.join(sorted(possible))}."
    )
