"""The child process that opens protected key files: `python -m credmgr.credentials.key_process`.

It limits itself to one second of CPU and 256 MB before it reads anything, writes no file, and knows no
Django. It reads from standard input four bytes of length, the password, the file; it answers on standard
output with JSON: {"keys": [{"pem", "public_key"}], "certificates": [...]} (binary as base64) or {"error":
name, "detail": text}.
"""

import base64
import json
import resource
import sys
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
    pkcs12,
)

from credmgr.credentials import file_kinds
from credmgr.credentials.kdf_rounds import ROUNDS_MOST, rounds_asked_for

CPU_SECONDS = 1
MEMORY_BYTES = 256 * 1024 * 1024
_PROOF = b"This key can sign and its public half can verify."


class RefusedError(Exception):
    """Why the file was not opened. name: one of key_files.SENTENCES."""

    def __init__(self, name: str, detail: str = "") -> None:
        super().__init__(name)
        self.name = name
        self.detail = detail


def open_file(data: bytes, password: bytes) -> dict[str, Any]:
    """All private keys and certificates of a file. Raises RefusedError."""
    if file_kinds.is_utf16(data):
        raise RefusedError("utf16")
    if file_kinds.is_pkcs12(data):
        return _open_pkcs12(data, password)
    blocks = file_kinds.pem_blocks(data)
    if blocks or file_kinds.pem_labels(data):
        return _open_pem(blocks, password)
    _check_rounds(data)
    return _answer([_load(load_der_private_key, data, password)], [])


def _open_pkcs12(data: bytes, password: bytes) -> dict[str, Any]:
    _check_rounds(data)
    try:
        bundle = pkcs12.load_pkcs12(data, password or None)
    except UnsupportedAlgorithm:
        raise RefusedError("cipher") from None
    except ValueError as error:
        raise _refused_by_parser(error, password) from None
    certificates = [bundle.cert, *bundle.additional_certs] if bundle.cert else bundle.additional_certs
    ders = [entry.certificate.public_bytes(Encoding.DER) for entry in certificates]
    return _answer([bundle.key] if bundle.key else [], ders)


def _open_pem(blocks: list[file_kinds.PemBlock], password: bytes) -> dict[str, Any]:
    keys: list[Any] = []
    certificates: list[bytes] = []
    for block in blocks:
        if block.label in file_kinds.CERTIFICATE_LABELS:
            certificates.append(block.content or b"")
        elif block.label == "OPENSSH PRIVATE KEY":
            raise RefusedError("openssh")
        elif block.label.endswith("PRIVATE KEY"):
            _check_rounds(block.content or b"")
            keys.append(_load(load_pem_private_key, block.text.encode("latin-1"), password))
    return _answer(keys, certificates)


def _load(loader: Any, data: bytes, password: bytes) -> Any:
    """One key. A password that is not needed is passed over."""
    # The check of an RSA key's primes takes seconds for a large key; _proves_itself shows that the key works.
    options = {"unsafe_skip_rsa_key_validation": True}
    try:
        return loader(data, None, **options)
    except TypeError:
        if not password:
            raise RefusedError("password_needed") from None
    except UnsupportedAlgorithm:
        raise RefusedError("key_type") from None
    except ValueError:
        raise RefusedError("no_key") from None
    try:
        return loader(data, password, **options)
    except UnsupportedAlgorithm:
        raise RefusedError("cipher") from None
    except (ValueError, TypeError):
        raise RefusedError("password") from None


def _refused_by_parser(error: ValueError, password: bytes) -> RefusedError:
    if "password" not in str(error).lower():
        return RefusedError("damaged")
    return RefusedError("password" if password else "password_needed")


def _check_rounds(data: bytes) -> None:
    rounds = rounds_asked_for(data)
    if rounds > ROUNDS_MOST:
        raise RefusedError("rounds", f"{rounds:,}" if rounds < 10**15 else "more than 1,000,000,000,000,000")


def _answer(keys: list[Any], certificates: list[bytes]) -> dict[str, Any]:
    return {
        "keys": [_described(key) for key in keys],
        "certificates": [base64.b64encode(der).decode() for der in certificates],
    }


def _described(key: Any) -> dict[str, str]:
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise RefusedError("key_type")
    if not _proves_itself(key):
        raise RefusedError("key_damaged")
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {"pem": pem.decode("ascii"), "public_key": base64.b64encode(public).decode()}


def _proves_itself(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bool:
    try:
        if isinstance(key, rsa.RSAPrivateKey):
            signature = key.sign(_PROOF, padding.PKCS1v15(), hashes.SHA256())
            key.public_key().verify(signature, _PROOF, padding.PKCS1v15(), hashes.SHA256())
        else:
            signature = key.sign(_PROOF, ec.ECDSA(hashes.SHA256()))
            key.public_key().verify(signature, _PROOF, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return True


def limit_resources() -> None:
    """One second of CPU for the whole process, 256 MB, no file, no core dump that could hold a key."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Answer one request."""
    limit_resources()
    request = sys.stdin.buffer.read()
    split = 4 + int.from_bytes(request[:4], "big")
    try:
        answer = open_file(request[split:], request[4:split])
    except RefusedError as refused:
        answer = {"error": refused.name, "detail": refused.detail}
    except MemoryError:
        answer = {"error": "limits", "detail": ""}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
