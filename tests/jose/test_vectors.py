"""What the RFCs print must come out here, and what one library signs the other must accept."""

import base64
import json
from pathlib import Path
from typing import Any

import joserfc.jwk
import joserfc.jws
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from credmgr.jose import jwk, jws
from credmgr.jose.errors import KeyFormatError, MalformedTokenError, SignatureError

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "jose.json").read_text())


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    """One RSA-2048 key for this file."""
    return rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize("vector", VECTORS["signatures"], ids=lambda vector: vector["name"])
def test_printed_signatures(vector: dict[str, Any]) -> None:
    """RFC 7515 appendix A: accepted by the printed key, refused when any part is changed."""
    key = jwk.public_key(vector["key"])
    assert jwk.public_jwk(key) == vector["key"]
    if vector["claims"] is None:  # the payload is not a JSON object, so this is no JWT
        with pytest.raises(MalformedTokenError):
            jws.UnverifiedToken.parse(vector["token"])
        head, body, mark = vector["token"].split(".")
        token = jws.UnverifiedToken(
            {"alg": vector["algorithm"]}, {}, f"{head}.{body}".encode(), base64.urlsafe_b64decode(mark + "==")
        )
    else:
        token = jws.UnverifiedToken.parse(vector["token"])
    verified = jws.verify(token, key, algorithms=[vector["algorithm"]])
    assert dict(verified) == (vector["claims"] or {})
    changed = bytearray(token.signature)
    changed[-1] ^= 1
    for other in (
        jws.UnverifiedToken(token.header, token.claims, token.signing_input + b"x", token.signature),
        jws.UnverifiedToken(token.header, token.claims, token.signing_input, bytes(changed)),
        jws.UnverifiedToken(token.header, token.claims, token.signing_input, token.signature[:-1]),
        jws.UnverifiedToken(token.header, token.claims, token.signing_input, b""),
    ):
        with pytest.raises(SignatureError):
            jws.verify(other, key, algorithms=[vector["algorithm"]])


def test_printed_thumbprint() -> None:
    """RFC 7638 section 3.1: optional members do not count."""
    vector = VECTORS["thumbprint"]
    assert jwk.thumbprint(vector["key"]) == vector["value"]
    assert jwk.thumbprint(jwk.public_jwk(jwk.public_key(vector["key"]))) == vector["value"]


def test_printed_key_set() -> None:
    """RFC 7517 appendix A.1: the signing key is found, the one for encryption is not."""
    key = jwk.find_key(VECTORS["key_set"], "2011-04-29")
    assert isinstance(key, rsa.RSAPublicKey)
    with pytest.raises(KeyFormatError):
        jwk.find_key(VECTORS["key_set"], "1")


def test_printed_certificate() -> None:
    """RFC 7517 appendix B: the certificate and the numbers beside it are one key; X.509 v1 with SHA-1 is
    readable.
    """
    vector = VECTORS["certificate"]
    der = base64.b64decode(vector["x5c"])
    listed = jwk.certificate_jwk(der)
    assert (listed["n"], listed["e"], listed["x5c"]) == (vector["n"], vector["e"], [vector["x5c"]])
    other = joserfc.jwk.RSAKey.import_key({"kty": "RSA", "n": vector["n"], "e": vector["e"]})
    assert jwk.thumbprint(listed) == other.thumbprint()


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_rsa_both_ways(rsa_key: rsa.RSAPrivateKey, algorithm: str) -> None:
    """We sign, joserfc verifies; joserfc signs, we verify."""
    pem = rsa_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    other = joserfc.jwk.RSAKey.import_key(pem)
    _both_ways(rsa_key, other, algorithm)


@pytest.mark.parametrize(
    ("curve", "algorithm"), [(ec.SECP256R1(), "ES256"), (ec.SECP384R1(), "ES384"), (ec.SECP521R1(), "ES512")]
)
def test_ec_both_ways(curve: ec.EllipticCurve, algorithm: str) -> None:
    """As above, for each curve; the coordinates keep their leading zeros."""
    for _ in range(5):
        key = ec.generate_private_key(curve)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        other = joserfc.jwk.ECKey.import_key(pem)
        assert jwk.public_jwk(key.public_key()) == other.as_dict(private=False) | {"kty": "EC"}
        _both_ways(key, other, algorithm)


def _both_ways(key: jws.PrivateKey, other: Any, algorithm: str) -> None:
    claims = {"iss": "a", "exp": 1.5, "text": "grün \u2028 <&>"}
    ours = jws.sign(claims, key, algorithm=algorithm, header={"kid": "k"})
    read = joserfc.jws.deserialize_compact(ours, other, algorithms=[algorithm])
    assert json.loads(read.payload) == claims
    assert read.headers() == {"typ": "JWT", "alg": algorithm, "kid": "k"}
    theirs = joserfc.jws.serialize_compact(
        {"alg": algorithm}, json.dumps(claims), other, algorithms=[algorithm]
    )
    assert (
        dict(jws.verify(jws.UnverifiedToken.parse(theirs), key.public_key(), algorithms=[algorithm]))
        == claims
    )
