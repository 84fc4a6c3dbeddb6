"""base64url (RFC 7515 section 2) and JSON objects: strict where it matters, liberal where clients differ."""

import base64
import binascii
import json
import math
import re
from typing import Any

from credmgr.jose.errors import MalformedTokenError

# azure-identity's asynchronous client pads every part, MSAL for Python its thumbprints.
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*={0,2}", re.ASCII)
# Far more than any real token nests or lists; far fewer than would exhaust the parser's stack.
BRACKETS_AT_MOST = 200


def base64url_encode(data: bytes) -> str:
    """Without padding, as RFC 7515 wants it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def base64url_decode(text: str) -> bytes:
    """With or without padding. Raises MalformedTokenError for any other character or an impossible length."""
    if not _BASE64URL.fullmatch(text):
        raise MalformedTokenError("A part is not base64url.")
    bare = text.rstrip("=")
    try:
        return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except (binascii.Error, ValueError):
        raise MalformedTokenError("A part is not base64url.") from None


def parse_object(data: bytes, what: str) -> dict[str, Any]:
    """A JSON object. Raises MalformedTokenError for bad UTF-8, other JSON, a name given twice, deep nesting,
    NaN, infinities and numbers of thousands of digits. what: "header" or "payload", for the message.
    """
    if data.count(b"{") + data.count(b"[") > BRACKETS_AT_MOST:
        raise MalformedTokenError(f"The {what} is nested too deeply.")
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_once,
            parse_float=_finite,
            parse_constant=_no_constant,
        )
    except (ValueError, RecursionError):
        raise MalformedTokenError(f"The {what} is not a JSON object in UTF-8.") from None
    if not isinstance(value, dict):
        raise MalformedTokenError(f"The {what} is not a JSON object.")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Names must be unique (RFC 7515 section 4, RFC 7519 section 4): readers might pick different ones."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("A name is given twice.")
    return found


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("A number is out of range.")
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON.")
