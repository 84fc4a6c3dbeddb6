"""Client assertions as real clients make them, built with cryptography alone: nothing of credmgr is used
here.
"""

import base64
import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha1, sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def b64(data: bytes, *, padded: bool = False) -> str:
    """base64url; padded as azure-identity's asynchronous client and MSAL for Python leave it."""
    text = base64.urlsafe_b64encode(data).decode()
    return text if padded else text.rstrip("=")


@dataclass(frozen=True)
class KeyPair:
    """A private key and its self-signed certificate."""

    key: PrivateKey = field(repr=False)
    der: bytes = field(repr=False)

    @property
    def sha1(self) -> bytes:
        """Thumbprint as in x5t."""
        return sha1(self.der, usedforsecurity=False).digest()

    @property
    def sha256(self) -> bytes:
        """Thumbprint as in x5t#S256."""
        return sha256(self.der).digest()


def key_pair(key: PrivateKey | None = None) -> KeyPair:
    """An RSA-2048 key, or the one given, with a certificate; whether that is in date is for the stored row
    to say.
    """
    key = key or rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
    certificate = builder.sign(key, hashes.SHA256())
    return KeyPair(key, certificate.public_bytes(serialization.Encoding.DER))


def signature(key: PrivateKey, algorithm: str, message: bytes) -> bytes:
    """RFC 7518 section 3, by hand."""
    digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[algorithm[2:]]
    if isinstance(key, ec.EllipticCurvePrivateKey):
        size = (key.curve.key_size + 7) // 8
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(digest)))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    if algorithm.startswith("PS"):
        return key.sign(message, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
    return key.sign(message, padding.PKCS1v15(), digest)


def compact(
    header: dict[str, Any] | str, claims: dict[str, Any] | str, key: PrivateKey, *, padded: bool = False
) -> str:
    """A compact JWS. header and claims: objects, or the JSON text to sign as it stands."""
    head = header if isinstance(header, str) else json.dumps(header)
    body = claims if isinstance(claims, str) else json.dumps(claims)
    algorithm = json.loads(head).get("alg") if isinstance(header, str) else header.get("alg")
    message = f"{b64(head.encode(), padded=padded)}.{b64(body.encode(), padded=padded)}"
    known = isinstance(algorithm, str) and algorithm[2:] in ("256", "384", "512") and algorithm[:2] != "HS"
    used = str(algorithm) if known else "RS256"
    return f"{message}.{b64(signature(key, used, message.encode()), padded=padded)}"


def claims_of(client_id: str, audience: str, now: datetime, **changes: Any) -> dict[str, Any]:
    """What MSAL for Python signs: float times, no nbf. A change to None leaves the claim out."""
    claims: dict[str, Any] = {
        "aud": audience,
        "iss": client_id,
        "sub": client_id,
        "exp": now.timestamp() + 600.5,
        "iat": now.timestamp() + 0.25,
        "jti": str(uuid.uuid4()),
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}
