"""Why a request was not sent, or brought no usable answer."""

from enum import StrEnum


class Failure(StrEnum):
    """Why no usable answer came. Stable names; they are stored in reports."""

    NOT_LISTED = "not-listed"
    NAME = "name-unknown"
    ADDRESS = "address-not-allowed"
    REFUSED = "connection-refused"
    TLS = "tls-not-trusted"
    NO_CA = "ca-file-missing"
    TIMEOUT = "timeout"
    BROKEN = "connection-broken"
    REDIRECT = "redirect"
    ENCODED = "encoded"
    TOO_LARGE = "too-large"


class OutboundError(Exception):
    """A request that was not sent, or brought no usable answer. detail: a plain sentence, free of secrets."""

    def __init__(self, failure: Failure, detail: str) -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail
