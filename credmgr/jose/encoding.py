"""base64url (RFC 7515 section 2) and JSON objects: strict where it matters, liberal where clients differ."""

import binascii
import json
import math
from typing import Any

from credmgr.jose.errors import MalformedTokenError

# The two letters of base64url in those of base64, and everything that is no letter of base64url in one that
# is no letter of either, so that the strict decoder refuses it.
_LETTERS = bytes(
    {"-": 0x2B, "_": 0x2F}.get(chr(code), code if chr(code).isalnum() and code < 128 else 0x21)
    for code in range(256)
)
_TO_URL = bytes.maketrans(b"+/", b"-_")
# Far more than any real token nests or lists; far fewer than would exhaust the parser's stack.
BRACKETS_AT_MOST = 200


def base64url_encode(data: bytes) -> str:
    """Without padding, as RFC 7515 wants it."""
    letters = binascii.b2a_base64(data, newline=False)
    return letters.translate(_TO_URL).rstrip(b"=").decode("ascii")


def base64url_decode(text: str) -> bytes:
    """With or without padding: azure-identity's asynchronous client pads every part, MSAL for Python its
    thumbprints.

    Raises MalformedTokenError for any other character or an impossible length.
    """
    bare = text.rstrip("=")
    if len(text) - len(bare) > 2:
        raise MalformedTokenError("A part is not base64url.")
    try:
        letters = bare.encode("ascii").translate(_LETTERS) + b"=" * (-len(bare) % 4)
        return binascii.a2b_base64(letters, strict_mode=True)
    except ValueError:
        raise MalformedTokenError("A part is not base64url.") from None


def parse_object(data: bytes, what: str) -> dict[str, Any]:
    """A JSON object. Raises MalformedTokenError for bad UTF-8, other JSON, a name given twice, deep nesting,
    NaN, infinities and numbers of thousands of digits. what: "header" or "payload", for the message.
    """
    if data.count(b"{") + data.count(b"[") > BRACKETS_AT_MOST:
        raise MalformedTokenError(f"The {what} is nested too deeply.")
    try:
        value = _DECODER.decode(data.decode("utf-8"))
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


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_float=_finite, parse_constant=_no_constant)
