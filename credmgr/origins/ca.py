"""CA certificates for one origin, as a person pastes or uploads them. No ORM here.

They are public; what must never come near this column is a private key, so that is looked for first (U-4).
"""

import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime

from credmgr.origins.errors import OriginError

CA_MAX_BYTES = 64 * 1024
_CERTIFICATES_MOST = 20
_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----", re.ASCII)
_DER_SEQUENCE = b"\x30"


def read_ca(given: bytes, *, field: str, now: datetime) -> str:
    """The certificates of the text or file as PEM, and nothing else of it. Raises OriginError.

    given: PEM with one or more certificates, or one certificate in DER. field: of the form, for the error.
    """
    if len(given) > CA_MAX_BYTES:
        raise _refusal("size", f"The CA is larger than {CA_MAX_BYTES // 1024} KB.", field)
    if holds_private_key(given):
        raise _refusal(
            "private_key",
            "This holds a private key. Give only the CA's certificate, without its key. Nothing was stored.",
            field,
        )
    blocks = _der_block(given) if given.startswith(_DER_SEQUENCE) else _blocks(given)
    if not blocks:
        raise _refusal(
            "form",
            "This holds no certificate. Give the CA in PEM form, which begins with "
            "-----BEGIN CERTIFICATE-----, or as a .cer or .der file.",
            field,
        )
    if len(blocks) > _CERTIFICATES_MOST:
        raise _refusal(
            "too_many",
            f"This holds {len(blocks)} certificates. Give at most {_CERTIFICATES_MOST}: those that signed "
            "the certificate of this origin.",
            field,
        )
    pem = "".join(f"{block}\n" for block in blocks)
    _try(pem, field, now)
    return pem


def holds_private_key(given: bytes) -> bool:
    """Whether the text or file holds one in PEM form; it must not be shown again then."""
    return b"PRIVATE KEY" in given


def _blocks(given: bytes) -> list[str]:
    text = given.decode("utf-8-sig", "replace").replace("\r\n", "\n")
    return [block.group(0) for block in _BLOCK.finditer(text)]


def _der_block(given: bytes) -> list[str]:
    return [ssl.DER_cert_to_PEM_cert(given).strip()]


def _try(pem: str, field: str, now: datetime) -> None:
    """Load them as a connection would."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=pem)
        count = context.cert_store_stats()["x509"]
        ends = [_end(each) for each in context.get_ca_certs()]
    except (ssl.SSLError, ValueError):
        count, ends = 0, []
    if not count:
        raise _refusal(
            "damaged", "This certificate is damaged or incomplete and cannot be read. Copy it again.", field
        )
    if ends and len(ends) == count and max(ends) <= now:
        raise _refusal(
            "expired",
            f"This CA certificate ended on {max(ends):%d %b %Y}. Give the one that is in use now.",
            field,
        )


def _end(certificate: Mapping[str, object]) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)


def _refusal(code: str, message: str, field: str) -> OriginError:
    return OriginError(f"ca_{code}", message, field=field)
