"""The sealed form of a value: version, key id, nonce, AES-256-GCM ciphertext and tag. No ORM here.

Layout in bytes: 1 version | 8 key id | 12 nonce | n ciphertext | 16 tag. The associated data binds an
envelope to its table, column and row, so that a copy elsewhere does not open.
"""

import hmac
import os
import uuid
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from credmgr.vault.errors import SealError
from credmgr.vault.keyring import KEY_ID_BYTES, KeyRing, VaultKey

VERSION = b"\x01"
NONCE_BYTES = 12
TAG_BYTES = 16
HEADER_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES
VERIFIER_BYTES = 1 + KEY_ID_BYTES + 32
_PREFIX = b"credmgr/1\x00"


@dataclass(frozen=True)
class Place:
    """Where a sealed value lives. table and column are fixed labels, not Python names; row is its UUID."""

    table: str
    column: str
    row: uuid.UUID


def _lp(part: bytes) -> bytes:
    return len(part).to_bytes(2, "big") + part


def _associated_data(key_id: bytes, place: Place) -> bytes:
    parts = (place.table.encode(), place.column.encode(), place.row.bytes)
    return _PREFIX + VERSION + key_id + b"".join(_lp(part) for part in parts)


def seal(key: VaultKey, place: Place, plaintext: bytes) -> bytes:
    """Seal plaintext of any length for exactly that place, with a fresh random nonce."""
    return _seal_with_nonce(key, place, plaintext, os.urandom(NONCE_BYTES))


def _seal_with_nonce(key: VaultKey, place: Place, plaintext: bytes, nonce: bytes) -> bytes:
    body = AESGCM(key.encrypt).encrypt(nonce, plaintext, _associated_data(key.key_id, place))
    return VERSION + key.key_id + nonce + body


def open_sealed(ring: KeyRing, place: Place, envelope: bytes) -> bytes:
    """The plaintext. Raises UnknownKeyError for a key that is not in the ring, SealError for all else."""
    if not is_envelope(envelope):
        raise SealError
    key = ring.get(key_id_of(envelope))
    nonce = envelope[1 + KEY_ID_BYTES : HEADER_BYTES]
    try:
        associated = _associated_data(key.key_id, place)
        return AESGCM(key.encrypt).decrypt(nonce, envelope[HEADER_BYTES:], associated)
    except InvalidTag:
        raise SealError from None


def is_envelope(value: bytes) -> bool:
    """Whether the bytes have the outer form of a sealed value."""
    return len(value) >= HEADER_BYTES + TAG_BYTES and value[:1] == VERSION


def is_verifier(value: bytes) -> bool:
    """Whether the bytes have the outer form of a keyed digest."""
    return len(value) == VERIFIER_BYTES and value[:1] == VERSION


def key_id_of(value: bytes) -> bytes:
    """The 8-byte key id that an envelope or a verifier names."""
    return bytes(value[1 : 1 + KEY_ID_BYTES])


def make_verifier(key: VaultKey, credential_id: uuid.UUID, secret: str) -> bytes:
    """The keyed digest of a client secret, 41 bytes, bound to its credential."""
    return VERSION + key.key_id + _digest(key, credential_id, secret)


def verifier_matches(ring: KeyRing, verifier: bytes, credential_id: uuid.UUID, presented: str) -> bool:
    """Compare in constant time. Raises UnknownKeyError; a malformed verifier matches nothing."""
    if not is_verifier(verifier):
        return False
    key = ring.get(key_id_of(verifier))
    return hmac.compare_digest(verifier[1 + KEY_ID_BYTES :], _digest(key, credential_id, presented))


def _digest(key: VaultKey, credential_id: uuid.UUID, secret: str) -> bytes:
    message = _PREFIX + credential_id.bytes + secret.encode("utf-8", "surrogatepass")
    return hmac.new(key.verify, message, sha256).digest()
