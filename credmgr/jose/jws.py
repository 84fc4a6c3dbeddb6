"""Signed tokens in compact form (RFC 7515 section 7.1): making, reading without trust, verifying.

The only importer of PyJWT, whose algorithms do the mathematics. Reading is ours, because it is what strangers
reach: sizes, nesting and types are bounded before any key is looked up, and padding that some clients leave
on is accepted, the signature being over the text as it came.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import Algorithm, get_default_algorithms

from credmgr.jose.claims import VerifiedClaims
from credmgr.jose.encoding import base64url_decode, base64url_encode, parse_object
from credmgr.jose.errors import AlgorithmError, MalformedTokenError, SignatureError
from credmgr.jose.jwk import PublicKey, algorithms_of

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "ES512")
# What tokens of other issuers may be signed with; nothing here is signed or accepted with the further ones.
ISSUER_ALGORITHMS = (*ALGORITHMS, "RS384", "RS512", "PS384", "PS512")
TOKEN_MAX_CHARACTERS = 16 * 1024
# Claims are made here of texts, numbers and lists of texts: none can hold itself.
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_DEFAULTS = get_default_algorithms()
# An allow-list of our own: what PyJWT knows besides ("none", HMAC) cannot be named here.
_ALGORITHMS: dict[str, Algorithm] = {name: _DEFAULTS[name] for name in ISSUER_ALGORITHMS}


class Signer:
    """Signs many tokens with one key: the header is encoded once."""

    def __init__(self, key: PrivateKey, *, algorithm: str = "RS256", header: Mapping[str, str]) -> None:
        """header: members besides alg and typ, such as kid. Raises AlgorithmError for another key type."""
        _require(algorithm, [algorithm], key.public_key())
        full = {"typ": "JWT", "alg": algorithm, **header}
        self._prefix = base64url_encode(_encode(full).encode()) + "."
        self._sign = _ALGORITHMS[algorithm].sign
        self._key = key

    def sign(self, claims: Mapping[str, Any]) -> str:
        """The compact token over these claims."""
        signing_input = self._prefix + base64url_encode(_encode(claims).encode())
        signature = self._sign(signing_input.encode("ascii"), self._key)
        return f"{signing_input}.{base64url_encode(signature)}"


def sign(
    claims: Mapping[str, Any], key: PrivateKey, *, algorithm: str, header: Mapping[str, str] | None = None
) -> str:
    """One compact token. Raises AlgorithmError."""
    return Signer(key, algorithm=algorithm, header=header or {}).sign(claims)


@dataclass(frozen=True)
class UnverifiedToken:
    """A token that was read and not believed: nothing in it is proven until `verify`."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signing_input: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    @property
    def algorithm(self) -> str:
        """The alg header, empty when it is not a text."""
        value = self.header.get("alg")
        return value if isinstance(value, str) else ""

    @classmethod
    def parse(cls, text: str, *, max_characters: int = TOKEN_MAX_CHARACTERS) -> "UnverifiedToken":
        """Read a compact JWS over a JSON object. Raises MalformedTokenError, whatever the text.

        A critical extension (RFC 7515 section 4.1.11) is refused: none is understood here.
        """
        if len(text) > max_characters:
            raise MalformedTokenError(f"The token is longer than {max_characters} characters.")
        parts = text.split(".")
        if len(parts) != 3 or not text.isascii():
            raise MalformedTokenError("The token does not have the three parts of a signed JWT.")
        header = parse_object(base64url_decode(parts[0]), "header")
        if "crit" in header or header.get("b64") is False:
            raise MalformedTokenError("The header asks for an extension that is not understood here.")
        claims = parse_object(base64url_decode(parts[1]), "payload")
        signature = base64url_decode(parts[2])
        return cls(header, claims, f"{parts[0]}.{parts[1]}".encode("ascii"), signature)


def require_algorithm(token: UnverifiedToken, algorithms: Collection[str]) -> None:
    """Before any key is looked up: refuse all but the allowed ones. Raises AlgorithmError."""
    if token.algorithm not in algorithms or token.algorithm not in _ALGORITHMS:
        raise AlgorithmError(f"The algorithm is not one of {', '.join(sorted(algorithms))}.")


def verify(token: UnverifiedToken, key: PublicKey, *, algorithms: Collection[str]) -> VerifiedClaims:
    """The claims, once the signature holds (RFC 7515 section 5.2). Times and audience are left to the caller.

    algorithms: the allowed ones, never read from the token. Raises AlgorithmError, SignatureError.
    """
    require_algorithm(token, algorithms)
    _require(token.algorithm, algorithms, key)
    if not _ALGORITHMS[token.algorithm].verify(token.signing_input, key, token.signature):
        raise SignatureError("The signature does not match the key.")
    return VerifiedClaims(token.claims)


def _require(name: str, allowed: Collection[str], key: PublicKey) -> None:
    if name not in allowed or name not in _ALGORITHMS or name not in algorithms_of(key):
        raise AlgorithmError("The algorithm does not go with the key.")
