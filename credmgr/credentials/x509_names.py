"""Names, serial numbers and algorithms of certificates as text that is safe to show (U-6). No ORM here.

Names come from strangers: control characters, NUL and marks that reorder text are written as escapes; a field
that cannot be read says so and breaks nothing.
"""

import ipaddress
import unicodedata

from cryptography import x509
from cryptography.x509.oid import NameOID

NOT_READABLE = "not readable"
ALTERNATIVE_NAMES_MAX = 200
_CLASSES_TO_ESCAPE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_LABELS = {NameOID.EMAIL_ADDRESS: "emailAddress", NameOID.SERIAL_NUMBER: "serialNumber"}

# Signature algorithms by OID (RFC 3279, 4055, 5758, 8410).
_SIGNATURES = {
    "1.2.840.113549.1.1.4": "MD5 with RSA",
    "1.2.840.113549.1.1.5": "SHA-1 with RSA",
    "1.2.840.113549.1.1.14": "SHA-224 with RSA",
    "1.2.840.113549.1.1.11": "SHA-256 with RSA",
    "1.2.840.113549.1.1.12": "SHA-384 with RSA",
    "1.2.840.113549.1.1.13": "SHA-512 with RSA",
    "1.2.840.113549.1.1.10": "RSASSA-PSS",
    "1.2.840.10045.4.1": "SHA-1 with ECDSA",
    "1.2.840.10045.4.3.1": "SHA-224 with ECDSA",
    "1.2.840.10045.4.3.2": "SHA-256 with ECDSA",
    "1.2.840.10045.4.3.3": "SHA-384 with ECDSA",
    "1.2.840.10045.4.3.4": "SHA-512 with ECDSA",
    "1.2.840.10040.4.3": "SHA-1 with DSA",
    "2.16.840.1.101.3.4.3.2": "SHA-256 with DSA",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
}


def shown(text: str) -> str:
    """The text with control characters, invisible marks and unassigned characters written as escapes."""
    return "".join(
        character if unicodedata.category(character) not in _CLASSES_TO_ESCAPE else _escape(character)
        for character in text
    )


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def subject_of(certificate: x509.Certificate) -> str:
    """The subject, most specific part first; "" for an empty one."""
    try:
        return _name(certificate.subject)
    except ValueError:
        return NOT_READABLE


def issuer_of(certificate: x509.Certificate) -> str:
    """The issuer, most specific part first."""
    try:
        return _name(certificate.issuer)
    except ValueError:
        return NOT_READABLE


def is_self_issued(certificate: x509.Certificate) -> bool:
    """Whether subject and issuer are the same name."""
    try:
        return certificate.subject == certificate.issuer
    except ValueError:
        return False


def _name(name: x509.Name) -> str:
    parts = ("+".join(part.rfc4514_string(_LABELS) for part in group) for group in reversed(name.rdns))
    return shown(", ".join(parts))


def alternative_names_of(certificate: x509.Certificate) -> list[str]:
    """Subject alternative names as "DNS: ...", "IP: ...", the first 200 of them."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = [_general_name(name) for name in extension.value]
    except x509.ExtensionNotFound:
        return []
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return [NOT_READABLE]
    left_out = len(names) - ALTERNATIVE_NAMES_MAX
    return [*names[:ALTERNATIVE_NAMES_MAX], *([f"and {left_out:,} more"] if left_out > 0 else [])]


def _general_name(name: x509.GeneralName) -> str:
    match name:
        case x509.DNSName():
            return f"DNS: {shown(name.value)}"
        case x509.IPAddress(value=ipaddress.IPv4Address() | ipaddress.IPv6Address() as address):
            return f"IP: {address}"
        case x509.RFC822Name():
            return f"Email: {shown(name.value)}"
        case x509.UniformResourceIdentifier():
            return f"URI: {shown(name.value)}"
        case x509.DirectoryName():
            return f"Directory: {_name(name.value)}"
        case x509.RegisteredID():
            return f"Registered ID: {name.value.dotted_string}"
        case x509.OtherName():
            return f"Other: {name.type_id.dotted_string}"
        case _:
            return NOT_READABLE


def serial_number_of(certificate: x509.Certificate) -> str:
    """Hex pairs with colons, as OpenSSL prints long serial numbers; a minus in front of a negative one."""
    number = certificate.serial_number
    digits = f"{abs(number):X}"
    digits = digits.rjust(len(digits) + len(digits) % 2, "0")
    pairs = ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))
    return f"-{pairs}" if number < 0 else pairs


def signature_algorithm_of(certificate: x509.Certificate) -> str:
    """The algorithm that the issuer signed with, its OID when it has no common name."""
    dotted = certificate.signature_algorithm_oid.dotted_string
    return _SIGNATURES.get(dotted, dotted)
