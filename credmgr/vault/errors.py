"""What can go wrong in the vault. No text here ever holds plaintext, ciphertext or key material."""


class VaultError(Exception):
    """Base of the vault's errors."""


class KeyRingError(VaultError):
    """The key ring cannot be used: missing, unreadable, malformed or readable by others."""


class UnknownKeyError(VaultError):
    """A sealed value names a key that the ring does not hold."""

    def __init__(self, key_id: bytes) -> None:
        super().__init__(f"The key ring holds no key with the id {key_id.hex()}.")
        self.key_id = key_id


class SealError(VaultError):
    """A sealed value cannot be opened here. One error and one text, whatever was wrong with it."""

    def __init__(self) -> None:
        super().__init__("The sealed value cannot be opened.")
