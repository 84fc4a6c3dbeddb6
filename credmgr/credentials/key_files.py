"""Opens private key files: PEM and DER keys, encrypted or not, PEM bundles and PKCS #12.

The work is done by a child process with a limit of one second of CPU and 256 MB, over pipes: nothing touches
a disk, and a hostile file costs no worker. No ORM here.
"""

import base64
import json
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from credmgr.credentials.errors import CertificateError

# Wall clock; the child's own CPU limit ends it sooner unless the machine is starved.
SECONDS_MOST = 10
SENTENCES = {
    "empty": "The key file is empty.",
    "too_large": "The key file is larger than {detail} KB. Check that this is the right file.",
    "no_key": "This file holds no private key that can be read. "
    "Choose the key file in PEM, DER or PKCS #12 form.",
    "key_damaged": "The private key in this file is damaged: what it signs cannot be verified. "
    "Export it again.",
    "key_type": "The key in this file is neither an RSA nor an EC key. "
    "Choose the key that belongs to the certificate.",
    "openssh": "This is a key in OpenSSH's own form. "
    "Convert a copy with ssh-keygen -p -m PKCS8 and choose that.",
    "utf16": "This file is saved as UTF-16 text. Save it as UTF-8 and upload it again.",
    "damaged": "This PKCS #12 file is damaged or incomplete and cannot be read. Export it again.",
    "cipher": "This file is protected with an outdated cipher. Export it again with AES-256.",
    "password": "The password does not open this file.",
    "password_needed": "This file needs its password. Enter the password it was exported with.",
    "rounds": "This file asks for {detail} rounds of key derivation. At most 1,000,000 are supported: "
    "export it again with fewer.",
    "limits": "This file takes too much time or memory to open. "
    "Export certificate and key as PEM files and choose those.",
}
_COMMAND = (sys.executable, "-E", "-s", "-B", "-m", "credmgr.credentials.key_process")
_ABOUT_PASSWORD = {"password", "password_needed"}


@dataclass(frozen=True)
class OpenedKey:
    """pem: PKCS #8 without a password. public_key: its normalised SubjectPublicKeyInfo in DER."""

    pem: bytes = field(repr=False)
    public_key: bytes


@dataclass(frozen=True)
class OpenedFile:
    """What a file held. certificates: DER, as found."""

    keys: list[OpenedKey]
    certificates: list[bytes]


@sensitive_variables("data", "password", "opened")
def open_key(data: bytes, password: str, *, public_key: bytes | None = None) -> bytes:
    """The private key of a file as unencrypted PKCS #8 PEM.

    public_key: prefer the key with this public half (ParsedCertificate.public_key); the first one otherwise.
    Raises CertificateError when the file cannot be opened or holds no key.
    """
    opened = open_bundle(data, password)
    if not opened.keys:
        raise refusal("no_key")
    matching = [key for key in opened.keys if key.public_key == public_key]
    return (matching or opened.keys)[0].pem


@sensitive_variables("data", "password", "secret", "request", "answer")
def open_bundle(data: bytes, password: str, *, about: str = "key_file") -> OpenedFile:
    """Every private key and certificate of a file. A password that is not needed is passed over.

    about: the form field that the file came from. Raises CertificateError with one of SENTENCES.
    """
    if not data.strip():
        raise refusal("empty", about=about)
    if len(data) > settings.UPLOAD_MAX_BYTES:
        raise refusal("too_large", str(settings.UPLOAD_MAX_BYTES // 1024), about=about)
    secret = password.encode("utf-8", "surrogatepass")
    answer = _ask_child(len(secret).to_bytes(4, "big") + secret + data)
    if "error" in answer:
        raise refusal(answer["error"], answer["detail"], about=about)
    return OpenedFile(
        [OpenedKey(key["pem"].encode(), base64.b64decode(key["public_key"])) for key in answer["keys"]],
        [base64.b64decode(der) for der in answer["certificates"]],
    )


def refusal(name: str, detail: str = "", *, about: str = "key_file") -> CertificateError:
    """The error for one of SENTENCES."""
    at = "password" if name in _ABOUT_PASSWORD else about
    return CertificateError(f"key_{name}", SENTENCES[name].format(detail=detail), field=at)


@sensitive_variables("request", "done")
def _ask_child(request: bytes) -> dict[str, Any]:
    try:
        done = subprocess.run(  # noqa: S603 - our own module in our own interpreter, fixed arguments
            _COMMAND,
            input=request,
            capture_output=True,
            timeout=SECONDS_MOST,
            cwd=settings.BASE_DIR,
            env={},
            check=True,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError, OSError):
        # Killed by a limit, out of memory in a library, or not to be started.
        return {"error": "limits", "detail": ""}
    return answer
