"""The base of every error that a person is told in words.

Each subject package derives its own classes; three places translate them (page, command, token answer).
"""


class DomainError(Exception):
    """A refused act: nothing was changed.

    code: short stable identifier ("duplicate_certificate"); message: one or two plain sentences that say what
    happened and what to do, free of secret material; field: form field it belongs to, None for the whole
    form.
    """

    def __init__(self, code: str, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field


class NotFoundError(DomainError):
    """The object does not exist, or may not be known of."""
