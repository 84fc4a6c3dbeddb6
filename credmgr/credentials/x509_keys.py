"""Which public keys may sign in: RSA of 2048 to 8192 bits, EC on P-256, P-384 or P-521 (U-2). No ORM here.

RSA numbers are read from the DER itself: a parser would first do arithmetic on a modulus of any size.
"""

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from credmgr.credentials import der
from credmgr.credentials.errors import CertificateError

RSA, EC = "RSA", "EC"
RSA_LEAST, RSA_MOST = 2048, 8192
EXPONENT_LEAST = 65537
# OpenSSL refuses to verify with a larger exponent once the modulus is above 3072 bits.
EXPONENT_BITS_MOST = 64
CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_CURVE_BY_SIZE = {256: "P-256", 384: "P-384", 521: "P-521"}
_RSA_OID, _EC_OID = "1.2.840.113549.1.1.1", "1.2.840.10045.2.1"
_TYPE_NAMES = {
    "1.2.840.113549.1.1.10": "RSASSA-PSS",
    "1.2.840.113549.1.1.7": "RSAES-OAEP",
    "1.2.840.10040.4.1": "DSA",
    "1.2.840.10046.2.1": "Diffie-Hellman",
    "1.3.101.110": "X25519",
    "1.3.101.111": "X448",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
    "2.16.840.1.101.3.4.3.17": "ML-DSA-44",
    "2.16.840.1.101.3.4.3.18": "ML-DSA-65",
    "2.16.840.1.101.3.4.3.19": "ML-DSA-87",
}


def shown_key(key_type: str, key_size: int) -> str:
    """ "RSA 2048", "EC P-256"."""
    return f"{key_type} {_CURVE_BY_SIZE.get(key_size, key_size) if key_type == EC else key_size}"


def judge_key(certificate: x509.Certificate) -> tuple[str, int]:
    """(RSA or EC, size in bits) of a key that may sign in.

    Raises CertificateError with the sentence for one that may not, ValueError for one that cannot be read.
    """
    algorithm = certificate.public_key_algorithm_oid.dotted_string
    if algorithm == _RSA_OID:
        modulus, exponent = _rsa_numbers(certificate)
        return RSA, _judge_rsa(modulus, exponent)
    if algorithm == _EC_OID:
        return EC, _judge_ec(certificate)
    raise _wrong_type(_TYPE_NAMES.get(algorithm, algorithm))


def normalised_public_key(certificate: x509.Certificate) -> bytes:
    """The key as SubjectPublicKeyInfo in the one spelling that our own software writes."""
    return certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _judge_rsa(modulus: int, exponent: int) -> int:
    bits = modulus.bit_length()
    if bits < RSA_LEAST:
        raise CertificateError(
            "rsa_too_small",
            f"This certificate has an RSA key of {bits} bits. At least {RSA_LEAST} bits are needed.",
            field="certificate_file",
        )
    if bits > RSA_MOST:
        raise CertificateError(
            "rsa_too_big",
            f"This certificate has an RSA key of {bits} bits. At most {RSA_MOST} bits are supported.",
            field="certificate_file",
        )
    if exponent < EXPONENT_LEAST or exponent % 2 == 0 or exponent.bit_length() > EXPONENT_BITS_MOST:
        raise CertificateError(
            "rsa_exponent",
            "The RSA key in this certificate has an unsafe public exponent.",
            field="certificate_file",
        )
    return bits


def _judge_ec(certificate: x509.Certificate) -> int:
    try:
        key = certificate.public_key()
    except UnsupportedAlgorithm:
        raise _wrong_type("EC on another curve") from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("not an EC key")
    if key.curve.name not in CURVES:
        raise _wrong_type(f"EC on {key.curve.name}")
    return key.curve.key_size


def _rsa_numbers(certificate: x509.Certificate) -> tuple[int, int]:
    """Modulus and exponent (RFC 8017 appendix A.1.1).

    Raises ValueError when they are not where they belong.
    """
    signed = [
        element
        for element in der.elements(_content(certificate.tbs_certificate_bytes))
        if element.tag != 0xA0
    ]
    if len(signed) < 6:
        raise ValueError("no public key")
    algorithm_and_key = der.elements(signed[5].content)
    if len(algorithm_and_key) != 2 or algorithm_and_key[1].content[:1] != b"\x00":
        raise ValueError("no public key")
    numbers = der.elements(_content(algorithm_and_key[1].content[1:]))
    if [number.tag for number in numbers] != [der.INTEGER, der.INTEGER]:
        raise ValueError("no RSA numbers")
    modulus, exponent = (der.integer(number) for number in numbers)
    if modulus <= 0 or exponent <= 0 or modulus % 2 == 0:
        raise ValueError("impossible RSA numbers")
    return modulus, exponent


def _content(data: bytes) -> bytes:
    element = der.read(data)
    if element is None or element.tag != der.SEQUENCE:
        raise ValueError("not a sequence")
    return element.content


def _wrong_type(name: str) -> CertificateError:
    return CertificateError(
        "key_type",
        f"Keys of type {name} cannot be used to sign in. "
        "Use RSA (2048 to 8192 bits) or EC on P-256, P-384 or P-521.",
        field="certificate_file",
    )
