"""The local certificate authority: https on localhost without a warning for whoever trusts one file.

Its key lives sealed in the vault, the leaf's key in a file that only a password from the vault opens. Every
certificate follows RFC 5280 to the letter, because newer Python versions refuse sloppier ones.
"""

import ipaddress
import secrets
from datetime import datetime, timedelta
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from django.conf import settings
from django.db import transaction

from credmgr.localca.files import write_atomically
from credmgr.localca.models import LocalAuthority
from credmgr.vault.sealing import open_from, seal_into

CA_LIFETIME = timedelta(days=3650)
LEAF_LIFETIME = timedelta(days=397)  # the longest that browsers take
RENEW_BEFORE = timedelta(days=30)
BACKDATED = timedelta(hours=1)  # a client whose clock is a little behind still accepts it

_ADDRESSES = (ipaddress.ip_network("127.0.0.1/32"), ipaddress.ip_network("::1/128"))


def tls_folder() -> Path:
    """Where the CA, the bundle and the leaf are written."""
    return Path(settings.DATA_DIR) / "tls"


def leaf_certificate_file() -> Path:
    """The certificate that the https listener presents."""
    return tls_folder() / "leaf.pem"


def leaf_key_file() -> Path:
    """The leaf's private key, encrypted PKCS #8; leaf_password() opens it."""
    return tls_folder() / "leaf-key.pem"


def ensure_local_tls(now: datetime) -> bool:
    """Make what is missing of CA, bundle and leaf, and renew a leaf with less than 30 days left.

    Call it from one process at a time. Returns whether the leaf is new: a running listener must load it.
    Raises KeyRingError, UnknownKeyError or SealError when the vault cannot open the CA's key.
    """
    authority = _ensure_authority(now)
    certificate = x509.load_der_x509_certificate(bytes(authority.certificate))
    pem = certificate.public_bytes(Encoding.PEM)
    tls_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(Path(settings.CA_FILE), pem, mode=0o644)
    write_atomically(Path(settings.CA_BUNDLE_FILE), _bundle(pem), mode=0o644)
    password = open_from(authority, "leaf_password")
    if _leaf_is_good(certificate, password, now):
        return False
    _issue_leaf(authority, certificate, password, now)
    return True


def leaf_password() -> str:
    """The password of the leaf's key file. Raises LocalAuthority.DoesNotExist before ensure_local_tls."""
    return open_from(_current(), "leaf_password").decode("ascii")


def leaf_key_pem() -> bytes:
    """The leaf's private key as clear PEM, for the memory of the process that serves.

    Never write it anywhere. Raises LocalAuthority.DoesNotExist and OSError before ensure_local_tls,
    ValueError when file and vault disagree.
    """
    key = load_pem_private_key(leaf_key_file().read_bytes(), leaf_password().encode("ascii"))
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def ca_certificate_pem() -> bytes | None:
    """The CA's certificate as PEM; None where a public certificate takes its place."""
    if settings.TLS_CERTIFICATE_FILE:
        return None
    authority = LocalAuthority.objects.order_by("created_at").first()
    if authority is None:
        return None
    return x509.load_der_x509_certificate(bytes(authority.certificate)).public_bytes(Encoding.PEM)


def _current() -> LocalAuthority:
    return LocalAuthority.objects.order_by("created_at")[:1].get()


def _ensure_authority(now: datetime) -> LocalAuthority:
    """The CA in force; a new one when there is none or the old one would end before its next leaf."""
    newest = LocalAuthority.objects.order_by("created_at").first()
    if newest is not None:
        ends = x509.load_der_x509_certificate(bytes(newest.certificate)).not_valid_after_utc
        if ends > now + RENEW_BEFORE:
            return newest
    with transaction.atomic():
        LocalAuthority.objects.all().delete()
        return _create_authority(now)


def _create_authority(now: datetime) -> LocalAuthority:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _ca_certificate(key, now)
    authority = LocalAuthority(certificate=certificate.public_bytes(Encoding.DER), created_at=now)
    clear = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    seal_into(authority, "private_key", clear)
    seal_into(authority, "leaf_password", secrets.token_urlsafe(32).encode("ascii"))
    authority.save(force_insert=True)
    return authority


def _ca_certificate(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    """A root that may vouch for this machine's own names only (RFC 5280 section 4.2.1.10)."""
    # A name of its own: two installations in one trust store must not be mistaken for each other.
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Credential Manager"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Credential Manager local CA {secrets.token_hex(4)}"),
        ]
    )
    permitted: list[x509.GeneralName] = [x509.DNSName("localhost")]
    permitted += [x509.IPAddress(network) for network in _ADDRESSES]
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + CA_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, SHA256())
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _bundle(ca_pem: bytes) -> bytes:
    """Public roots and the local CA: for clients whose setting replaces the usual roots instead of adding."""
    return Path(certifi.where()).read_bytes().rstrip() + b"\n\n# Credential Manager local CA\n" + ca_pem


def listener_certificate_end() -> datetime | None:
    """When the certificate that the https listener presents ends, the operator's own or the local one; None
    where its file cannot be read.
    """
    file = Path(settings.TLS_CERTIFICATE_FILE) if settings.TLS_CERTIFICATE_FILE else leaf_certificate_file()
    try:
        return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return None


def _leaf_is_good(ca: x509.Certificate, password: bytes, now: datetime) -> bool:
    """Whether both files are there, belong together, come from this CA and last another 30 days."""
    try:
        leaf = x509.load_pem_x509_certificate(leaf_certificate_file().read_bytes())
        leaf.verify_directly_issued_by(ca)
        key = load_pem_private_key(leaf_key_file().read_bytes(), password)
    except (OSError, ValueError, TypeError, InvalidSignature):
        return False
    same_key = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == (
        leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    in_force = leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc - RENEW_BEFORE
    untouched = (
        not leaf_key_file().stat().st_mode & 0o077 and not leaf_certificate_file().stat().st_mode & 0o022
    )
    return same_key and in_force and untouched


def _issue_leaf(authority: LocalAuthority, ca: x509.Certificate, password: bytes, now: datetime) -> None:
    ca_key = load_der_private_key(open_from(authority, "private_key"), None)
    if not isinstance(ca_key, ec.EllipticCurvePrivateKey):
        raise TypeError("The local CA's key is not an elliptic-curve key.")
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    names += [x509.IPAddress(network.network_address) for network in _ADDRESSES]
    leaf = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]))
        .issuer_name(ca.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(min(now - BACKDATED + LEAF_LIFETIME, ca.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, SHA256())
    )
    encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password))
    # Key before certificate: a crash in between leaves a pair that does not match; the next start renews it.
    write_atomically(leaf_key_file(), encrypted, mode=0o600)
    write_atomically(leaf_certificate_file(), leaf.public_bytes(Encoding.PEM), mode=0o644)
