"""What can be wrong with a signed token. No text here ever holds the token or a part of its signature."""


class JoseError(Exception):
    """Base. The message is one plain sentence about the token's form, safe to show to whoever sent it."""


class MalformedTokenError(JoseError):
    """Not a JWS in compact form that can be read (RFC 7515 section 7.1, RFC 7519 section 7.2)."""


class AlgorithmError(JoseError):
    """An algorithm that the caller does not allow or that does not fit the key (RFC 8725 section 3.1)."""


class SignatureError(JoseError):
    """The signature was not made by this key over these bytes."""


class KeyFormatError(JoseError):
    """Not a public key or certificate of a kind that signs tokens here."""


class UnknownKeyError(KeyFormatError):
    """The key set is readable and holds no signing key of that id."""


class ClaimError(JoseError):
    """A claim has the wrong type or form (RFC 7519 section 4.1). name: the claim."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class TokenTimeError(JoseError):
    """Now lies outside the time a token gives itself. reason: "expired", "too-early" or "too-long"."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
