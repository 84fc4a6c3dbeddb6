"""What kind of file is this? Judged by content alone, names are not looked at. No ORM and no parser here.

find_private_key runs before anything else looks at an upload (U-4).
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from itertools import pairwise

from credmgr.credentials import der

CERTIFICATE_LABELS = ("CERTIFICATE", "X509 CERTIFICATE")
# OpenSSL, OpenSSH, PGP and SSH2 spellings: BEGIN, up to a few words, PRIVATE KEY.
_PEM_PRIVATE_KEY = re.compile(rb"BEGIN[ A-Z0-9.]{0,40}PRIVATE KEY", re.IGNORECASE)
_PUTTY_KEY = b"PuTTY-User-Key-File-"
_PEM_LINE = re.compile(r"-----(BEGIN|END) ([^\r\n-]{1,64})-----")
_BASE64_TEXT = re.compile(rb"[A-Za-z0-9+/=_\s-]+")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK = b"\xef\xbb\xbf"

_PKCS7 = "1.2.840.113549.1.7"
# Other things that people take for certificates, by their PEM label.
_OTHER_LABELS = {
    "PUBLIC KEY": "a public key",
    "RSA PUBLIC KEY": "a public key",
    "SSH2 PUBLIC KEY": "a public key",
    "X509 CRL": "a revocation list",
    "PKCS7": "a PKCS #7 bundle",
    "CMS": "a PKCS #7 bundle",
    "TRUSTED CERTIFICATE": "an OpenSSL trust record",
    "ATTRIBUTE CERTIFICATE": "an attribute certificate",
    "DH PARAMETERS": "a set of Diffie-Hellman parameters",
    "X9.42 DH PARAMETERS": "a set of Diffie-Hellman parameters",
    "EC PARAMETERS": "a set of EC parameters",
    "DSA PARAMETERS": "a set of DSA parameters",
    "PGP PUBLIC KEY BLOCK": "a PGP public key",
    "PGP MESSAGE": "a PGP message",
    "PGP SIGNATURE": "a PGP signature",
    "SSL SESSION PARAMETERS": "a TLS session",
}
_REQUEST_LABELS = ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")
_KEY_STORES = (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce")


@dataclass(frozen=True)
class PemBlock:
    """One PEM block (RFC 7468). content: its DER, None when the base64 between the lines is broken."""

    label: str
    content: bytes | None
    text: str


def plain_text(data: bytes) -> str:
    """The bytes as text, one character per byte, without a UTF-8 mark: enough to find PEM blocks."""
    return data.removeprefix(_UTF8_MARK).decode("latin-1")


def pem_blocks(data: bytes) -> list[PemBlock]:
    """The complete PEM blocks of a file, in order; text around them is passed over (RFC 7468 section 5.2).

    One pass over the BEGIN and END lines: a search for each BEGIN's own END takes seconds on a hostile file.
    """
    text = plain_text(data)
    lines = list(_PEM_LINE.finditer(text))
    return [
        PemBlock(begin[2], _unarmour(text[begin.end() : end.start()]), text[begin.start() : end.end()])
        for begin, end in pairwise(lines)
        if (begin[1], end[1]) == ("BEGIN", "END") and begin[2] == end[2]
    ]


def pem_labels(data: bytes) -> list[str]:
    """The labels of all BEGIN lines, whether or not their block is complete."""
    return [line[2] for line in _PEM_LINE.finditer(plain_text(data)) if line[1] == "BEGIN"]


def is_utf16(data: bytes) -> bool:
    """Whether this is text saved as UTF-16, with or without a byte order mark."""
    return data[:2] in _UTF16_MARKS or b"-\x00-\x00-\x00" in data


def find_private_key(data: bytes) -> bool:
    """Whether there is a private key anywhere in the file: PEM, in UTF-16 too, DER, base64, JWK."""
    texts = [data, data.replace(b"\x00", b"")]
    if any(_PEM_PRIVATE_KEY.search(text) or _PUTTY_KEY in text for text in texts):
        return True
    candidates = [data.removeprefix(_UTF8_MARK)]
    candidates += [block.content for block in pem_blocks(data) if block.content]
    candidates += [decoded] if (decoded := _bare_base64(data)) else []
    return any(_holds_private_der(candidate) for candidate in candidates) or _is_private_jwk(data)


def is_pkcs12(data: bytes) -> bool:
    """Whether this is a PKCS #12 file (RFC 7292 section 4), in DER or in the BER that some tools write."""
    if data[:5] == b"\x30\x80\x02\x01\x03":
        return True
    outer = der.read(data)
    if outer is None:
        # A file that was cut short is still recognised by how it begins.
        return bool(re.match(rb"\x30[\x81-\x84].{1,4}?\x02\x01\x03\x30", data, re.DOTALL))
    children = der.elements(outer.content)
    return (
        outer.tag == der.SEQUENCE
        and len(children) >= 2
        and (children[0].tag, children[0].content) == (der.INTEGER, b"\x03")
        and children[1].tag == der.SEQUENCE
    )


def is_request(data: bytes) -> bool:
    """Whether this is a certificate signing request (PKCS #10), PEM or DER."""
    labels = pem_labels(data)
    return any(label in _REQUEST_LABELS for label in labels) if labels else _is_request_der(data)


def other_kind(data: bytes) -> str | None:
    """In words what the file is when it is a known thing but no certificate; None when that is not known."""
    for label in pem_labels(data):
        if label in _OTHER_LABELS:
            return _OTHER_LABELS[label]
    if data[:4] in _KEY_STORES:
        return "a Java key store"
    if data.lstrip().startswith((b"ssh-", b"ecdsa-sha2-")):
        return "an SSH public key"
    return _other_der(data)


def _other_der(data: bytes) -> str | None:
    outer = der.read(data)
    if outer is None or outer.tag != der.SEQUENCE:
        return None
    children = der.elements(outer.content)
    tags = [child.tag for child in children]
    if tags[:1] == [der.OID] and der.oid(children[0]).startswith(_PKCS7):
        return "a PKCS #7 bundle"
    if tags == [der.SEQUENCE, der.BIT_STRING] or (
        tags == [der.INTEGER, der.INTEGER] and len(children[0].content) > 32
    ):
        return "a public key"
    if tags == [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING] and _is_revocation_list(children[0].content):
        return "a revocation list"
    return None


def _is_revocation_list(signed: bytes) -> bool:
    """TBSCertList (RFC 5280 section 5.1): after version and algorithm comes a name, then a time."""
    tags = [child.tag for child in der.elements(signed)]
    tags = tags[1:] if tags[:1] == [der.INTEGER] else tags
    return tags[:2] == [der.SEQUENCE, der.SEQUENCE] and tags[2:3] in ([0x17], [0x18])


def _is_request_der(data: bytes) -> bool:
    """CertificationRequestInfo (RFC 2986 section 4.1): version 0, name, key, then the tagged attributes."""
    outer = der.read(data)
    if outer is None or der.shape(data) != [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING]:
        return False
    signed = der.elements(der.elements(outer.content)[0].content)
    tags = [child.tag for child in signed]
    return tags[:3] == [der.INTEGER, der.SEQUENCE, der.SEQUENCE] and tags[3:] in ([], [0xA0])


def _holds_private_der(data: bytes) -> bool:
    """Whether one of the DER elements in a row is a private key."""
    return any(
        element.tag == der.SEQUENCE and _is_private_der(der.elements(element.content))
        for element in der.elements(data)
    )


def _is_private_der(children: list[der.Element]) -> bool:
    tags = [child.tag for child in children]
    if tags[:3] == [der.INTEGER, der.SEQUENCE, der.OCTET_STRING]:
        return True  # PKCS #8, RFC 5208
    if tags[:2] == [der.INTEGER, der.OCTET_STRING] and children[0].content == b"\x01":
        return True  # an EC key, RFC 5915
    if len(tags) >= 6 and set(tags[:6]) == {der.INTEGER} and children[0].content in (b"\x00", b"\x01"):
        return True  # an RSA or DSA key, RFC 8017 appendix A.1.2
    if tags == [der.SEQUENCE, der.OCTET_STRING]:
        first = der.elements(children[0].content)
        return bool(first) and first[0].tag == der.OID  # encrypted PKCS #8
    return False


def _is_private_jwk(data: bytes) -> bool:
    if b'"kty"' not in data or b'"d"' not in data:
        return False
    try:
        parsed = json.loads(data.removeprefix(_UTF8_MARK))
    except (ValueError, RecursionError):
        return True  # names both members of a private key; better refused than kept
    keys = parsed.get("keys", [parsed]) if isinstance(parsed, dict) else parsed
    return isinstance(keys, list) and any(
        isinstance(key, dict) and {"kty", "d"} <= key.keys() for key in keys
    )


def _bare_base64(data: bytes) -> bytes | None:
    """The content of a file that is base64 from end to end."""
    if not _BASE64_TEXT.fullmatch(data):
        return None
    return _decode(b"".join(data.split()))


def _unarmour(body: str) -> bytes | None:
    try:
        return _decode("".join(body.split()).encode("ascii"))
    except UnicodeEncodeError:
        return None


def _decode(encoded: bytes) -> bytes | None:
    try:
        return base64.b64decode(encoded, validate=True) or None
    except binascii.Error:
        return None


def looks_like_der(data: bytes) -> bool:
    """Whether the bytes are, or begin as, one DER SEQUENCE: then a fault in them is damage."""
    outer = der.read(data)
    return (
        der.is_cut_off(data) or data[:2] == b"\x30\x80" or (outer is not None and outer.tag == der.SEQUENCE)
    )
