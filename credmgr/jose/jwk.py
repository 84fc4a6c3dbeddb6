"""Public keys in JSON (RFC 7517, RFC 7518 section 6), thumbprints (RFC 7638), keys of certificates."""

import base64
import json
from collections.abc import Mapping
from hashlib import sha1, sha256
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from credmgr.jose.encoding import base64url_decode, base64url_encode
from credmgr.jose.errors import JoseError, KeyFormatError, UnknownKeyError

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

_CURVES: dict[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
}
_CURVE_NAMES = {curve.name: name for name, curve in _CURVES.items()}
_RSA_ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_CURVE_ALGORITHMS = {
    _CURVES["P-256"].name: frozenset({"ES256"}),
    _CURVES["P-384"].name: frozenset({"ES384"}),
    _CURVES["P-521"].name: frozenset({"ES512"}),
}
RSA_BITS = (2048, 16384)
KEYS_AT_MOST = 100


def algorithms_of(key: PublicKey) -> frozenset[str]:
    """The algorithms that go with a key: one per EC curve, six of RSA (RFC 7518 section 3.1)."""
    if isinstance(key, rsa.RSAPublicKey):
        return _RSA_ALGORITHMS
    return _CURVE_ALGORITHMS.get(key.curve.name, frozenset())


def certificate_key(der: bytes) -> PublicKey:
    """The public key of a DER certificate, X.509 v1 included. Raises KeyFormatError."""
    try:
        key = x509.load_der_x509_certificate(der).public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFormatError("The certificate cannot be read.") from None
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise KeyFormatError("The certificate's key is neither RSA nor EC.")
    return key


def public_jwk(key: PublicKey) -> dict[str, str]:
    """The required members of the key and nothing else."""
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {"kty": "RSA", "n": _unsigned(numbers.n), "e": _unsigned(numbers.e)}
    if key.curve.name not in _CURVE_NAMES:
        raise KeyFormatError("The key is on a curve that no signature algorithm here uses.")
    point = key.public_numbers()
    size = (key.curve.key_size + 7) // 8
    return {
        "kty": "EC",
        "crv": _CURVE_NAMES[key.curve.name],
        "x": base64url_encode(point.x.to_bytes(size, "big")),
        "y": base64url_encode(point.y.to_bytes(size, "big")),
    }


def certificate_jwk(der: bytes) -> dict[str, Any]:
    """A signing certificate as Entra lists it: kid = x5t = base64url(SHA-1), x5c; public members only."""
    name = x5t(der)
    chain = [base64.b64encode(der).decode("ascii")]
    key = public_jwk(certificate_key(der))
    return {"kty": key.pop("kty"), "use": "sig", "kid": name, "x5t": name, **key, "x5c": chain}


def x5t(der: bytes) -> str:
    """SHA-1 thumbprint of a certificate, base64url without padding (RFC 7515 section 4.1.7)."""
    return base64url_encode(sha1(der, usedforsecurity=False).digest())


def x5t_s256(der: bytes) -> str:
    """SHA-256 thumbprint of a certificate, base64url without padding (RFC 7515 section 4.1.8)."""
    return base64url_encode(sha256(der).digest())


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """The SHA-256 thumbprint of a public key (RFC 7638 section 3). Raises KeyFormatError."""
    required = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}.get(str(jwk.get("kty")))
    if required is None or not all(isinstance(jwk.get(name), str) for name in required):
        raise KeyFormatError("The key lacks a required member.")
    canonical = json.dumps({name: jwk[name] for name in required}, separators=(",", ":"), sort_keys=True)
    return base64url_encode(sha256(canonical.encode()).digest())


def public_key(jwk: Mapping[str, Any]) -> PublicKey:
    """The key that a JWK describes; x5c and every address in it are ignored. Raises KeyFormatError."""
    kind, curve_name = jwk.get("kty"), jwk.get("crv")
    try:
        if kind == "RSA":
            numbers = rsa.RSAPublicNumbers(e=_number(jwk, "e"), n=_number(jwk, "n"))
            if not RSA_BITS[0] <= numbers.n.bit_length() <= RSA_BITS[1]:
                raise KeyFormatError("The RSA key is smaller or larger than is safe.")
            return numbers.public_key()
        if kind == "EC" and isinstance(curve_name, str) and curve_name in _CURVES:
            curve = _CURVES[curve_name]
            return ec.EllipticCurvePublicNumbers(_number(jwk, "x"), _number(jwk, "y"), curve).public_key()
    except ValueError:
        raise KeyFormatError("The key's numbers are not those of a key.") from None
    raise KeyFormatError("The key is neither RSA nor EC on a known curve.")


def find_key(key_set: object, kid: str) -> PublicKey:
    """The signing key of that id in a key set document (RFC 7517 section 5).

    Raises UnknownKeyError where there is none, KeyFormatError.

    Keys of unknown kinds are passed over, as the RFC asks; two keys of one id are refused.
    """
    keys = key_set.get("keys") if isinstance(key_set, Mapping) else None
    if not isinstance(keys, list) or len(keys) > KEYS_AT_MOST:
        raise KeyFormatError("The key set is not a list of keys.")
    named = [key for key in keys if isinstance(key, Mapping) and key.get("kid") == kid]
    signing = [key for key in named if key.get("use", "sig") == "sig"]
    if not signing:
        raise UnknownKeyError("The key set holds no signing key of that id.")
    if len(signing) > 1:
        raise KeyFormatError("The key set holds two signing keys of that id.")
    return public_key(signing[0])


def only_key(key_set: object, algorithm: str) -> PublicKey:
    """The one key that goes with an algorithm, for a token that names none (OpenID Connect Core 10.1).

    Raises UnknownKeyError where there is none or more than one, KeyFormatError.
    """
    keys = key_set.get("keys") if isinstance(key_set, Mapping) else None
    if not isinstance(keys, list) or len(keys) > KEYS_AT_MOST:
        raise KeyFormatError("The key set is not a list of keys.")
    kind = "EC" if algorithm.startswith("ES") else "RSA"
    fitting = [
        key
        for key in keys
        if isinstance(key, Mapping)
        and key.get("kty") == kind
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
    ]
    if len(fitting) != 1:
        raise UnknownKeyError(f"The token names no key, and {len(fitting)} of the key set could be meant.")
    return public_key(fitting[0])


def private_key(pem: str) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    """An unencrypted private key in PEM form. Raises KeyFormatError; its text holds nothing of the key."""
    try:
        key = load_pem_private_key(pem.encode("ascii"), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyFormatError("The private key cannot be read.") from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise KeyFormatError("The private key is neither RSA nor EC.")
    return key


def _unsigned(value: int) -> str:
    """Base64urlUInt (RFC 7518 section 2)."""
    return base64url_encode(value.to_bytes((value.bit_length() + 7) // 8 or 1, "big"))


def _number(jwk: Mapping[str, Any], name: str) -> int:
    value = jwk.get(name)
    if not isinstance(value, str):
        raise KeyFormatError(f"The key lacks '{name}'.")
    try:
        return int.from_bytes(base64url_decode(value), "big")
    except JoseError:
        raise KeyFormatError(f"The key's '{name}' is not base64url.") from None
