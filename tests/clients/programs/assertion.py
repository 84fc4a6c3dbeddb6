"""A client assertion as a program of the user's own would make it: PyJWT, PS256 and x5t#S256."""

import base64
import time
import uuid
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate


def make_assertion(facts: dict[str, str], name: str = "worker") -> str:
    """Signed with <name>.key.pem, valid for five minutes (RFC 7523 section 3)."""
    folder = Path(facts["folder"])
    certificate = load_pem_x509_certificate((folder / f"{name}.crt.pem").read_bytes())
    thumbprint = base64.urlsafe_b64encode(certificate.fingerprint(SHA256())).rstrip(b"=").decode()
    now = int(time.time())
    claims = {
        "aud": f"{facts['authority']}/oauth2/v2.0/token",
        "iss": facts["client_id"],
        "sub": facts["client_id"],
        "jti": str(uuid.uuid4()),
        "nbf": now,
        "exp": now + 300,
    }
    key = (folder / f"{name}.key.pem").read_text()
    return jwt.encode(claims, key, algorithm="PS256", headers={"x5t#S256": thumbprint})
