"""Reads an uploaded certificate: one X.509 certificate, strict DER, or a sentence that says what it is
instead.

No ORM here. The rules and sentences are those of docs/security.md, "Certificate upload"; X.509 version 1 is
as good as version 3, for trust comes from the upload and not from a chain.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from django.conf import settings

from credmgr.credentials import file_kinds, x509_keys, x509_names
from credmgr.credentials.errors import CertificateError
from credmgr.credentials.lifecycle import day

NOT_ONE = "This is not a certificate. Upload an X.509 certificate in PEM or DER form."
DAMAGED = "This certificate is damaged or incomplete and cannot be read."
PRIVATE_KEY = (
    "This file contains a private key. Upload only the certificate, without its key. Nothing was stored."
)
PKCS12 = (
    "This is a PKCS #12 file (.pfx or .p12), which holds a private key. "
    "Export the certificate alone as .cer or .pem. Nothing was stored."
)
REQUEST = (
    "This is a certificate signing request, not a certificate. Upload the certificate that was issued for it."
)
UTF16 = "This file is saved as UTF-16 text. Save it as UTF-8 and upload it again."


@dataclass(frozen=True)
class ParsedCertificate:
    """One certificate. Thumbprints are upper-case hex over `der`, the bytes as uploaded (U-5).

    key_size in bits. subject is "" when empty. public_key is the normalised SubjectPublicKeyInfo in DER, by
    which a private key is found to belong. version: 1 or 3. Times are aware UTC.
    """

    der: bytes
    thumbprint_sha1: str
    thumbprint_sha256: str
    subject: str
    issuer: str
    is_self_issued: bool
    alternative_names: list[str]
    serial_number: str
    key_type: str
    key_size: int
    signature_algorithm: str
    version: int
    start_at: datetime
    end_at: datetime
    public_key: bytes

    @property
    def key_name(self) -> str:
        """ "RSA 2048", "EC P-256"."""
        return x509_keys.shown_key(self.key_type, self.key_size)

    @property
    def shown_subject(self) -> str:
        """The subject, or words that say there is none."""
        return self.subject or "Empty subject"


def read_certificate(data: bytes) -> ParsedCertificate:
    """The one certificate in a file, PEM or DER. Raises CertificateError with a sentence.

    A private key anywhere in the file is found first, before anything is parsed (U-4). Whether the
    certificate is in date is not judged here: see check_in_date.
    """
    check_size(data)
    if file_kinds.find_private_key(data):
        raise CertificateError("private_key", PRIVATE_KEY, field="certificate_file")
    if file_kinds.is_pkcs12(data):
        raise CertificateError("pkcs12", PKCS12, field="certificate_file")
    return parse_certificate(_only_certificate(data))


def certificate_ders(data: bytes) -> list[bytes]:
    """The DER of every certificate of a PEM file, or of the one in a DER file.

    Raises CertificateError for none.
    """
    blocks = _certificate_blocks(data)
    return blocks if len(blocks) > 1 else [_only_certificate(data)]


def check_size(data: bytes) -> None:
    """Refuse what is empty or larger than a certificate can reasonably be (U-1)."""
    if not data.removeprefix(b"\xef\xbb\xbf").strip():
        raise CertificateError("empty", "The file is empty.", field="certificate_file")
    if len(data) > settings.UPLOAD_MAX_BYTES:
        raise CertificateError(
            "too_large",
            f"The file is larger than {settings.UPLOAD_MAX_BYTES // 1024} KB. A certificate is usually "
            "smaller than 4 KB; check that this is the right file.",
            field="certificate_file",
        )


def parse_certificate(der: bytes) -> ParsedCertificate:
    """Read one DER certificate and judge its key and its dates' order (U-2). Raises CertificateError."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        start_at, end_at = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        key_type, key_size = x509_keys.judge_key(certificate)
        parsed = ParsedCertificate(
            der=der,
            thumbprint_sha1=hashlib.sha1(der, usedforsecurity=False).hexdigest().upper(),
            thumbprint_sha256=hashlib.sha256(der).hexdigest().upper(),
            subject=x509_names.subject_of(certificate),
            issuer=x509_names.issuer_of(certificate),
            is_self_issued=x509_names.is_self_issued(certificate),
            alternative_names=x509_names.alternative_names_of(certificate),
            serial_number=x509_names.serial_number_of(certificate),
            key_type=key_type,
            key_size=key_size,
            signature_algorithm=x509_names.signature_algorithm_of(certificate),
            version=certificate.version.value + 1,
            start_at=start_at,
            end_at=end_at,
            public_key=x509_keys.normalised_public_key(certificate),
        )
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, OverflowError):
        raise CertificateError("damaged", DAMAGED, field="certificate_file") from None
    if end_at < start_at:
        raise CertificateError(
            "never_valid",
            "This certificate is never valid: it ends before it begins.",
            field="certificate_file",
        )
    return parsed


def check_in_date(parsed: ParsedCertificate, now: datetime) -> None:
    """Refuse an expired certificate; one that is not valid yet may be stored (U-3)."""
    if parsed.end_at <= now:
        raise CertificateError(
            "expired",
            f"This certificate expired on {day(parsed.end_at)}. Upload one that is still valid.",
            field="certificate_file",
        )


def _only_certificate(data: bytes) -> bytes:
    """The DER of the only certificate in the file.

    Raises CertificateError that says what is there instead.
    """
    if file_kinds.is_utf16(data):
        raise CertificateError("utf16", UTF16, field="certificate_file")
    blocks = _certificate_blocks(data)
    if len(blocks) > 1:
        raise CertificateError(
            "several",
            f"This file holds {len(blocks)} certificates. Upload only the application's own certificate.",
            field="certificate_file",
        )
    if blocks:
        return blocks[0]
    if file_kinds.is_request(data):
        raise CertificateError("request", REQUEST, field="certificate_file")
    if kind := file_kinds.other_kind(data):
        raise CertificateError("other_kind", f"This is {kind}, not a certificate.", field="certificate_file")
    labels = file_kinds.pem_labels(data)
    if any(label in file_kinds.CERTIFICATE_LABELS for label in labels):
        raise CertificateError("damaged", DAMAGED, field="certificate_file")
    if labels or not file_kinds.looks_like_der(data):
        raise CertificateError("not_one", NOT_ONE, field="certificate_file")
    return data


def _certificate_blocks(data: bytes) -> list[bytes]:
    blocks = [block for block in file_kinds.pem_blocks(data) if block.label in file_kinds.CERTIFICATE_LABELS]
    if len(blocks) == 1 and blocks[0].content is None:
        raise CertificateError("damaged", DAMAGED, field="certificate_file")
    return [block.content or b"" for block in blocks]


@dataclass(frozen=True)
class Spelling:
    """One way to write a thumbprint, and who asks for it in that form."""

    label: str
    value: str
    asked_by: str


def spellings(thumbprint_sha1: str, thumbprint_sha256: str) -> list[Spelling]:
    """Both thumbprints (hex, any case) in every spelling in use."""
    sha1, sha256 = bytes.fromhex(thumbprint_sha1), bytes.fromhex(thumbprint_sha256)
    return [
        Spelling(
            "SHA-1, hex",
            sha1.hex().upper(),
            "Entra admin center, Windows certificate store, Azure CLI, MSAL Python",
        ),
        Spelling("SHA-1, lower case", sha1.hex(), "sha1sum, scripts that compare text"),
        Spelling("SHA-1, colons", sha1.hex(":").upper(), "OpenSSL, keytool, browsers"),
        Spelling("SHA-1, base64", _base64(sha1), "customKeyIdentifier in the application manifest"),
        Spelling("x5t", _base64url(sha1), "Header of a client assertion, SHA-1 in base64url"),
        Spelling("SHA-256, hex", sha256.hex().upper(), "MSAL Node thumbprintSha256, many gateways"),
        Spelling("SHA-256, lower case", sha256.hex(), "sha256sum, scripts that compare text"),
        Spelling("SHA-256, colons", sha256.hex(":").upper(), "OpenSSL -sha256, browsers"),
        Spelling("SHA-256, base64", _base64(sha256), "Configuration files, pins"),
        Spelling("x5t#S256", _base64url(sha256), "Header of a client assertion, SHA-256 in base64url"),
    ]


def thumbprints_in(text: str) -> list[str]:
    """Upper-case hex of the thumbprints that the text may be, in whichever spelling it was pasted."""
    compact = "".join(text.split())
    found: list[str] = []
    bare = compact.replace(":", "").replace("-", "")
    if len(bare) in (40, 64) and all(character in "0123456789abcdefABCDEF" for character in bare):
        found.append(bare.upper())
    encoded = compact.rstrip("=")
    if len(encoded) in (27, 43) and encoded.isascii():
        try:
            found.append(base64.b64decode(encoded + "=", altchars=b"-_", validate=True).hex().upper())
        except ValueError:
            return found
    return found


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
