"""Sealed under a passphrase, for files that leave the installation: scrypt and AES-256-GCM. No ORM here.

Layout in bytes: 8 magic "credmgr" NUL | 1 version | 1 kind | 1 log2(n) | 1 r | 1 p | 16 salt | 12 nonce |
ciphertext | 16 tag. All before the ciphertext is the associated data. scrypt is RFC 7914.
"""

import os
import unicodedata
from enum import Enum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from django.views.decorators.debug import sensitive_variables

from credmgr.vault.errors import VaultError

PASSPHRASE_CHARACTERS = 12
PASSPHRASE_CHARACTERS_MAX = 1024
_MAGIC = b"credmgr\x00"
_VERSION = 1
_SALT_BYTES = 16
_NONCE_BYTES = 12
_TAG_BYTES = 16
_HEADER_BYTES = len(_MAGIC) + 5 + _SALT_BYTES + _NONCE_BYTES
_LOG_N, _R, _P = 17, 8, 1  # 128 MB and less than a second
# What a file may ask for before anything is computed: at most twice that memory and four times that work.
_LOG_N_BOUNDS = range(14, 19)
_P_BOUNDS = range(1, 3)


class Kind(Enum):
    """What is inside; one kind of file does not pass for another."""

    REGISTRATION = ord("R")
    KEY_RING = ord("K")


class PassphraseError(VaultError):
    """The passphrase or the file is refused. Its text is ready to be shown.

    is_about_passphrase: whether another passphrase might help.
    """

    def __init__(self, text: str, *, is_about_passphrase: bool = False) -> None:
        super().__init__(text)
        self.is_about_passphrase = is_about_passphrase


@sensitive_variables("passphrase")
def require_good_passphrase(passphrase: str) -> None:
    """Raise PassphraseError for one that is too short to guard a file, or too long to be one."""
    if len(passphrase) < PASSPHRASE_CHARACTERS:
        raise PassphraseError(
            f"The passphrase has fewer than {PASSPHRASE_CHARACTERS} characters. Choose a longer one: whoever "
            "has the file can try as many as they like.",
            is_about_passphrase=True,
        )
    if len(passphrase) > PASSPHRASE_CHARACTERS_MAX:
        raise PassphraseError(
            f"The passphrase has more than {PASSPHRASE_CHARACTERS_MAX:,} characters. Choose a shorter one.",
            is_about_passphrase=True,
        )


@sensitive_variables()
def seal_with_passphrase(kind: Kind, passphrase: str, plaintext: bytes) -> bytes:
    """The whole file. Takes about half a second and 128 MB. Raises PassphraseError for a weak passphrase."""
    require_good_passphrase(passphrase)
    parameters = bytes([_VERSION, kind.value, _LOG_N, _R, _P])
    nonce = os.urandom(_NONCE_BYTES)
    header = _MAGIC + parameters + os.urandom(_SALT_BYTES) + nonce
    return header + AESGCM(_key(passphrase, header)).encrypt(nonce, plaintext, header)


@sensitive_variables()
def open_with_passphrase(kind: Kind, passphrase: str, content: bytes) -> bytes:
    """What was sealed. Raises PassphraseError; form and cost are judged before anything is computed."""
    _require_form(kind, content)
    require_good_passphrase(passphrase)
    header = content[:_HEADER_BYTES]
    try:
        key = _key(passphrase, header)
        return AESGCM(key).decrypt(header[-_NONCE_BYTES:], content[_HEADER_BYTES:], header)
    except InvalidTag:
        raise PassphraseError(
            "The passphrase does not open this file, or the file is damaged. Type it again; if it is right, "
            "copy the file anew.",
            is_about_passphrase=True,
        ) from None


def _require_form(kind: Kind, content: bytes) -> None:
    if len(content) < _HEADER_BYTES + _TAG_BYTES or not content.startswith(_MAGIC):
        raise PassphraseError("This is not a file that Credential Manager has sealed under a passphrase.")
    version, found, log_n, r, p = content[len(_MAGIC) : len(_MAGIC) + 5]
    if version != _VERSION:
        raise PassphraseError(
            f"This file has the format version {version}; this program reads version {_VERSION}. "
            "Use the version that wrote it, or a newer one."
        )
    if found != kind.value:
        raise PassphraseError("This is a sealed file of another kind than the one that is asked for here.")
    if log_n not in _LOG_N_BOUNDS or r != _R or p not in _P_BOUNDS:
        raise PassphraseError("This file asks for work that no file of Credential Manager asks for.")


@sensitive_variables("passphrase")
def _key(passphrase: str, header: bytes) -> bytes:
    """scrypt as the header says; the same passphrase typed on another system gives the same key (NFC)."""
    log_n, r, p = header[len(_MAGIC) + 2 : len(_MAGIC) + 5]
    salt = header[len(_MAGIC) + 5 : len(_MAGIC) + 5 + _SALT_BYTES]
    typed = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
    return Scrypt(salt=salt, length=32, n=1 << log_n, r=r, p=p).derive(typed)
