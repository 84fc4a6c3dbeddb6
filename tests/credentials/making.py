"""Makes certificates and keys of every kind, good and bad, with our own library calls and with openssl."""

import base64
import subprocess
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from tests.factories import NOW

PASSWORD = "hunter22 is long"
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | dsa.DSAPrivateKey | ed25519.Ed25519PrivateKey

# The seed's three commands, subject given by flag.
SEED_COMMANDS = """
openssl genrsa -out server.pem 2048
openssl req -new -key server.pem -out server.csr -subj "/CN=example"
openssl x509 -req -days 365 -in server.csr -signkey server.pem -out server.crt
"""


@cache
def rsa_key(name: str = "main", bits: int = 2048) -> rsa.RSAPrivateKey:
    """One key per name; making them is what takes time."""
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key(curve: str = "SECP256R1") -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(getattr(ec, curve)())


@cache
def ed_key() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


@cache
def dsa_key() -> dsa.DSAPrivateKey:
    return dsa.generate_private_key(2048)


def public_of_size(bits: int) -> rsa.RSAPublicKey:
    """A public key with a modulus of so many bits, made without the work of finding primes."""
    return rsa.RSAPublicNumbers(65537, (1 << bits) - 159).public_key()


def certificate(
    *,
    key: Any = None,
    public_key: Any = None,
    names: list[x509.NameAttribute[str | bytes]] | None = None,
    start: datetime = NOW - timedelta(days=1),
    end: datetime = NOW + timedelta(days=365),
    alternative_names: Sequence[x509.GeneralName] | None = None,
    serial: int = 0x60584E9E,
    algorithm: Any = None,
) -> bytes:
    """A self-signed X.509 v3 certificate in DER."""
    key = key or rsa_key()
    name = x509.Name(names if names is not None else [x509.NameAttribute(NameOID.COMMON_NAME, "example")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public_key or key.public_key())
        .serial_number(serial)
        .not_valid_before(start.astimezone(UTC))
        .not_valid_after(end.astimezone(UTC))
    )
    if alternative_names:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternative_names), critical=False)
    chosen = None if isinstance(key, ed25519.Ed25519PrivateKey) else algorithm or hashes.SHA256()
    return builder.sign(key, chosen).public_bytes(Encoding.DER)


def pem(der: bytes, label: str = "CERTIFICATE") -> bytes:
    """Any bytes as one PEM block."""
    body = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n".encode()


def key_pem(key: Key, form: PrivateFormat = PrivateFormat.PKCS8, password: str = "") -> bytes:
    """A private key in PEM."""
    protection = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, form, protection)


def key_der(key: Key, form: PrivateFormat = PrivateFormat.PKCS8, password: str = "") -> bytes:
    """A private key in DER."""
    protection = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return key.private_bytes(Encoding.DER, form, protection)


def public_pem(key: Key) -> bytes:
    """A public key in PEM."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def request(key: Any = None, encoding: Encoding = Encoding.PEM) -> bytes:
    """A certificate signing request."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    return builder.sign(key or rsa_key(), hashes.SHA256()).public_bytes(encoding)


def revocation_list(encoding: Encoding = Encoding.PEM) -> bytes:
    """An empty revocation list."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example")])
    builder = x509.CertificateRevocationListBuilder().issuer_name(name)
    builder = builder.last_update(NOW).next_update(NOW + timedelta(days=1))
    return builder.sign(rsa_key(), hashes.SHA256()).public_bytes(encoding)


def pfx(der: bytes, key: Any = None, *, password: str = PASSWORD, others: list[bytes] | None = None) -> bytes:
    """A PKCS #12 file with a certificate, its key and other certificates."""
    protection = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return pkcs12.serialize_key_and_certificates(
        b"example",
        key or rsa_key(),
        x509.load_der_x509_certificate(der),
        [x509.load_der_x509_certificate(other) for other in others or []],
        protection,
    )


def run(folder: Path, commands: str) -> None:
    """Run openssl commands in a shell."""
    subprocess.run(["sh", "-e", "-c", commands], cwd=folder, check=True, capture_output=True)


def fingerprint(file: Path, digest: str, form: str = "PEM") -> str:
    """openssl's own fingerprint, upper-case hex without colons."""
    done = subprocess.run(
        ["openssl", "x509", "-in", file, "-inform", form, "-noout", "-fingerprint", f"-{digest}"],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip().split("=", 1)[1].replace(":", "")
