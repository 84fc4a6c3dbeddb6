"""The key ring: 32-byte master keys held outside the database. No ORM here."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from credmgr.vault.errors import KeyRingError, UnknownKeyError

KEY_BYTES = 32
KEY_ID_BYTES = 8


def _derive(master: bytes, purpose: str, length: int) -> bytes:
    """HKDF-SHA256 (RFC 5869) without salt."""
    return HKDF(SHA256(), length=length, salt=None, info=f"credmgr/1/{purpose}".encode()).derive(master)


@dataclass(frozen=True)
class VaultKey:
    """One master key and what is derived from it. The id follows from the key: it cannot be mislabelled."""

    key_id: bytes
    encrypt: bytes = field(repr=False)
    verify: bytes = field(repr=False)
    audit: bytes = field(repr=False)
    backup: bytes = field(repr=False)

    @classmethod
    def from_master(cls, master: bytes) -> "VaultKey":
        """Derive the working keys from a master key of 32 bytes. Raises KeyRingError for another length."""
        if len(master) != KEY_BYTES:
            raise KeyRingError(f"a key has {len(master)} bytes instead of {KEY_BYTES}")
        return cls(
            key_id=_derive(master, "key-id", KEY_ID_BYTES),
            encrypt=_derive(master, "encrypt", 32),
            verify=_derive(master, "verify", 32),
            audit=_derive(master, "audit", 32),
            backup=_derive(master, "backup", 32),
        )


class KeyRing:
    """The first key seals, every key opens."""

    def __init__(self, keys: Iterable[VaultKey]) -> None:
        self._keys = {key.key_id: key for key in keys}
        if not self._keys:
            raise KeyRingError("it holds no key")
        self.primary = next(iter(self._keys.values()))

    def get(self, key_id: bytes) -> VaultKey:
        """The key of that id. Raises UnknownKeyError when the ring does not hold it."""
        try:
            return self._keys[bytes(key_id)]
        except KeyError:
            raise UnknownKeyError(bytes(key_id)) from None

    def key_ids(self) -> list[bytes]:
        """Ids of all keys, the primary one first."""
        return list(self._keys)


def parse_key_ring(text: str) -> KeyRing:
    """Read one base64url key a line; blank lines and lines that begin with # are passed over.

    Raises KeyRingError, whose text never holds key material.
    """
    keys: list[VaultKey] = []
    for number, line in enumerate(text.splitlines(), start=1):
        encoded = line.strip()
        if not encoded or encoded.startswith("#"):
            continue
        try:
            master = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise KeyRingError(f"line {number} is not base64url") from None
        key = VaultKey.from_master(master)
        if any(key.key_id == other.key_id for other in keys):
            raise KeyRingError(f"line {number} repeats an earlier key")
        keys.append(key)
    return KeyRing(keys)
