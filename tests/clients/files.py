"""Key and certificate files in the forms that clients are given, made once per stage.

For every name in NAMES: <name>.key.pem (PKCS #8), <name>.crt.pem, <name>.pem (key and certificate), and with
the passphrase in PASSPHRASE: <name>.locked-key.pem, <name>.locked.pem and <name>.pfx. mixed.pem holds the
stranger's key beside the worker's certificate.
"""

import datetime as dt
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import NameOID

PASSPHRASE = "a passphrase of the tests"
# worker: registered. stranger: registered nowhere. expired: registered while it was valid.
NAMES = ("worker", "stranger", "expired")
_DAY = dt.timedelta(days=1)


def write_credential_files(folder: Path, now: dt.datetime) -> None:
    """Write every file named above. The expired certificate ended yesterday; the others last for a month."""
    for name in NAMES:
        end = now - _DAY if name == "expired" else now + 30 * _DAY
        _write(folder, name, now - 10 * _DAY, end)
    mixed = (folder / "stranger.key.pem").read_bytes() + (folder / "worker.crt.pem").read_bytes()
    (folder / "mixed.pem").write_bytes(mixed)


def _write(folder: Path, name: str, start: dt.datetime, end: dt.datetime) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    certificate = builder.not_valid_before(start).not_valid_after(end).sign(key, SHA256())
    locked = BestAvailableEncryption(PASSPHRASE.encode())

    def pem(encryption: KeySerializationEncryption) -> bytes:
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)

    public = certificate.public_bytes(Encoding.PEM)
    for suffix, content in {
        "key.pem": pem(NoEncryption()),
        "crt.pem": public,
        "pem": pem(NoEncryption()) + public,
        "locked-key.pem": pem(locked),
        "locked.pem": pem(locked) + public,
        "pfx": serialize_key_and_certificates(b"credential", key, certificate, None, locked),
    }.items():
        (folder / f"{name}.{suffix}").write_bytes(content)
