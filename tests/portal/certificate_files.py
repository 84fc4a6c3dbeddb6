"""Certificates, keys and broken files of every class that an upload may meet."""

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

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

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | dsa.DSAPrivateKey
PFX_PASSWORD = "invented-Pfx-passw0rd"

# Named apart from their content, which takes seconds to make: pytest asks for names while it collects.
BAD_UPLOADS = (
    "empty",
    "blank",
    "too large",
    "private key",
    "private key, encrypted",
    "private key, DER",
    "certificate and key",
    "pfx",
    "several",
    "request",
    "public key",
    "UTF-16",
    "prose",
    "zeros",
    "PNG",
    "cut off, DER",
    "cut off, PEM",
    "no base64",
    "RSA 1024",
    "Ed25519",
    "P-192 kin",
    "expired",
)

# The three commands of Microsoft's page, as written there; the subject is answered by flag.
SEED_COMMANDS = """
openssl genrsa -out server.pem 2048
openssl req -new -key server.pem -out server.csr -subj "/CN=example"
openssl x509 -req -days 365 -in server.csr -signkey server.pem -out server.crt
openssl x509 -in server.crt -outform DER -out server.der
openssl x509 -in server.crt -noout -fingerprint -sha1 > sha1
openssl x509 -in server.crt -noout -fingerprint -sha256 > sha256
"""


@dataclass(frozen=True)
class Seed:
    """What the three commands leave behind, and openssl's own fingerprints of it in upper-case hex."""

    key: bytes
    request: bytes
    certificate: bytes
    der: bytes
    sha1: str
    sha256: str


@cache
def seed() -> Seed:
    """Run the three commands in a real shell, once per process."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(["sh", "-e", "-c", SEED_COMMANDS], cwd=folder, check=True, capture_output=True)

        def fingerprint(file: str) -> str:
            return (folder / file).read_text().strip().split("=", 1)[1].replace(":", "")

        return Seed(
            key=(folder / "server.pem").read_bytes(),
            request=(folder / "server.csr").read_bytes(),
            certificate=(folder / "server.crt").read_bytes(),
            der=(folder / "server.der").read_bytes(),
            sha1=fingerprint("sha1"),
            sha256=fingerprint("sha256"),
        )


@cache
def rsa_key(bits: int = 2048, serial: int = 0) -> rsa.RSAPrivateKey:
    """An RSA key; the same for the same arguments."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def certificate(
    key: Key | None = None,
    *,
    common_name: str = "harbor-sync",
    start: timedelta = timedelta(days=-1),
    end: timedelta = timedelta(days=200),
) -> x509.Certificate:
    """A self-signed certificate; start and end from now."""
    own = key or rsa_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + start)
        .not_valid_after(now + end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("harbor.example")]), critical=False)
    )
    return built.sign(own, None if isinstance(own, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def pem(made: x509.Certificate) -> bytes:
    """The certificate as PEM."""
    return made.public_bytes(Encoding.PEM)


def key_pem(key: Key, password: str = "") -> bytes:
    """The private key as PKCS #8 PEM."""
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def pfx(key: rsa.RSAPrivateKey, made: x509.Certificate) -> bytes:
    """A PKCS #12 file with both, under PFX_PASSWORD."""
    return pkcs12.serialize_key_and_certificates(
        b"harbor", key, made, None, BestAvailableEncryption(PFX_PASSWORD.encode())
    )


@cache
def bad_uploads() -> dict[str, tuple[bytes, str]]:
    """Files that must be refused without the key box, each with a part of the sentence it is refused with."""
    good = pem(certificate())
    return {
        "empty": (b"", "The file is empty."),
        "blank": (b" \n\t\n", "The file is empty."),
        "too large": (good + b"#" * 65536, "larger than 64 KB"),
        "private key": (seed().key, "This file contains a private key."),
        "private key, encrypted": (key_pem(rsa_key(), "pw"), "This file contains a private key."),
        "private key, DER": (
            rsa_key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
            "This file contains a private key.",
        ),
        "certificate and key": (good + key_pem(rsa_key()), "This file contains a private key."),
        "pfx": (pfx(rsa_key(), certificate()), "This is a PKCS #12 file"),
        "several": (good + pem(certificate(common_name="other")), "This file holds 2 certificates."),
        "request": (seed().request, "This is a certificate signing request"),
        "public key": (
            rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "not a certificate.",
        ),
        "UTF-16": (good.decode().encode("utf-16"), "saved as UTF-16"),
        "prose": (b"Dear sir or madam,\n" * 20, "This is not a certificate."),
        "zeros": (bytes(4096), "This is not a certificate."),
        "PNG": (b"\x89PNG\r\n\x1a\n" + bytes(64), "This is not a certificate."),
        "cut off, DER": (seed().der[:-40], "damaged or incomplete"),
        "cut off, PEM": (good[: len(good) // 2], ""),
        "no base64": (
            b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
            "damaged or incomplete",
        ),
        "RSA 1024": (pem(certificate(rsa_key(1024))), "RSA key of 1024 bits"),
        "Ed25519": (pem(certificate(ed25519.Ed25519PrivateKey.generate())), "cannot be used to sign in"),
        "P-192 kin": (
            pem(certificate(ec.generate_private_key(ec.SECP256K1()))),
            "cannot be used to sign in",
        ),
        "expired": (
            pem(certificate(start=timedelta(days=-20), end=timedelta(days=-2))),
            "This certificate expired on",
        ),
    }
