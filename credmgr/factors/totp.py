"""Time-based one-time codes (RFC 6238 on RFC 4226): SHA-1, six digits, 30 seconds, as every app has them."""

import base64
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

from django.views.decorators.debug import sensitive_variables

PERIOD_SECONDS = 30
DIGITS = 6
# A code of the period before and the one after is taken as well: clocks differ, and typing takes time.
TOLERANCE = 1
SECRET_BYTES = 20


def new_secret() -> str:
    """160 random bits in base32, as apps take them."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


@sensitive_variables()
def code_at(secret: str, counter: int) -> str:
    """The code of a period (RFC 4226 5.3). counter: periods since the epoch."""
    digest = hmac.digest(base64.b32decode(secret), counter.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


@sensitive_variables()
def period_of(secret: str, code: str, *, now: datetime, after: int = 0) -> int | None:
    """The period that a code belongs to, None for a wrong one.

    after: the period of the last code that was taken. An earlier one, or the same again, is wrong (RFC 6238
    5.2). All candidates are compared, in constant time.
    """
    present = int(now.timestamp()) // PERIOD_SECONDS
    found = None
    for period in range(present - TOLERANCE, present + TOLERANCE + 1):
        if hmac.compare_digest(code_at(secret, period).encode(), code.encode()) and period > after:
            found = period
    return found


@sensitive_variables()
def key_uri(secret: str, *, user_name: str, issuer: str) -> str:
    """What an app reads from the QR code (Key URI Format)."""
    named = {"secret": secret, "issuer": issuer}
    return f"otpauth://totp/{quote(issuer)}:{quote(user_name)}?{urlencode(named, quote_via=quote)}"
