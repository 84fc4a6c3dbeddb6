"""Reads a token request: method, size, form, one way to authenticate (RFC 6749 sections 2.3, 3.2, 4.4). No
ORM.

Everything here is decided before a client is known; a refusal leaves a log line and a counter, no sign-in
row.
"""

import base64
import binascii
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote_plus

from django.http import HttpRequest
from django.http.request import RawPostDataException, UnreadablePostError
from django.views.decorators.debug import sensitive_variables

from credmgr.authority.refusals import RefusalError, malformed
from credmgr.bodies import drain

BODY_MAX_BYTES = 64 * 1024
# So much of a larger one is still read and dropped, so that its sender sees the refusal.
_DRAINED_BYTES = 1024 * 1024
FIELDS_AT_MOST = 100
FORM = "application/x-www-form-urlencoded"
GRANT_TYPE = "client_credentials"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_SAID_BY_MANY = frozenset({"scope", "resource", "client_assertion_type"})
_SHORT = 200


@dataclass(slots=True)
class TokenRequest:
    """A request of the right form with exactly one credential: secret or assertion is set, the other empty.

    scope and resource may be empty: they are judged after the credential.
    """

    client_id: str
    scope: str
    resource: str
    secret: str = field(default="", repr=False)
    assertion: str = field(default="", repr=False)


@sensitive_variables()
def read_token_request(request: HttpRequest) -> TokenRequest:
    """Check in the order of ruling W1 up to the client id. Raises RefusalError."""
    form = _form(_body(request))
    basic = _basic_credentials(request) if uses_basic(request) else None
    if (basic and basic[1] and (form.get("client_secret") or form.get("client_assertion"))) or (
        form.get("client_secret") and form.get("client_assertion")
    ):
        raise malformed("Two credentials are sent; a request takes one")
    grant_type = form.get("grant_type")
    if not grant_type:
        raise RefusalError(900144, name="grant_type")
    if grant_type != GRANT_TYPE:
        raise RefusalError(70003, grant_type=grant_type)
    secret, assertion = form.get("client_secret", ""), form.get("client_assertion", "")
    client_id = form.get("client_id", "")
    if basic:
        secret = basic[1] or secret
        if client_id and basic[0] and client_id != basic[0]:
            raise malformed("The client_id of the body is not the user name of HTTP Basic")
        client_id = client_id or basic[0]
    if not secret and not assertion:
        raise RefusalError(7000216)
    if assertion:
        _check_assertion_type(form)
    if not client_id:
        raise RefusalError(900144, name="client_id")
    return TokenRequest(client_id, form.get("scope", ""), form.get("resource", ""), secret, assertion)


def uses_basic(request: HttpRequest) -> bool:
    """Whether the client tried HTTP Basic."""
    given: str = request.META.get("HTTP_AUTHORIZATION", "")
    return given.partition(" ")[0].lower() == "basic"


def _check_assertion_type(form: dict[str, str]) -> None:
    kind = form.get("client_assertion_type")
    if not kind:
        raise RefusalError(900144, name="client_assertion_type")
    if kind != ASSERTION_TYPE:
        raise malformed("The client_assertion_type is not the one of RFC 7523")


def _body(request: HttpRequest) -> bytes:
    """The body, judged by its headers before a byte of it is looked at."""
    if request.method != "POST":
        raise RefusalError(900561, allowed="POST", method=request.method or "", allow="POST")
    headers = request.META
    if headers.get("HTTP_TRANSFER_ENCODING"):
        raise malformed("The body has no Content-Length", status=411)
    length = headers.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        raise malformed("The Content-Length is not a number")
    if len(length) > 9 or int(length) > BODY_MAX_BYTES:
        drain(request, int(length[:10]), at_most=_DRAINED_BYTES)
        raise malformed(f"The body is larger than {BODY_MAX_BYTES} bytes", status=413)
    if headers.get("HTTP_CONTENT_ENCODING"):
        raise malformed("The body is compressed")
    size = int(length)
    kind = headers.get("CONTENT_TYPE", "")
    if size and kind != FORM and not _is_form(kind):
        raise malformed(f"The Content-Type is not {FORM} in UTF-8")
    try:
        body = request.read(size)
    except (OSError, RawPostDataException, UnreadablePostError):
        raise malformed("The body could not be read") from None
    if len(body) != size:
        raise malformed("The body is shorter than its Content-Length")
    return bytes(body)


def _is_form(content_type: str) -> bool:
    kind, _, parameters = content_type.partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('" ')
    return kind.strip().lower() == FORM and charset in ("", "utf-8", "utf8")


@sensitive_variables()
def _form(body: bytes) -> dict[str, str]:
    """Parameters by name. A name given twice is refused, whether it is known or not (RFC 6749 section
    3.2).
    """
    form: dict[str, str] = {}
    try:
        text = body.decode("utf-8")
        if text.count("&") >= FIELDS_AT_MOST:
            raise malformed(f"The body has more than {FIELDS_AT_MOST} parameters")
        pieces = [piece for piece in text.split("&") if piece]
        for piece in pieces:
            name, _, value = piece.partition("=")
            if "%" not in piece and "+" not in piece:
                form[name] = value
            elif name in _SAID_BY_MANY and len(value) <= _SHORT:
                form[name] = _decoded_once(value)
            else:
                form[unquote_plus(name, errors="strict")] = unquote_plus(value, errors="strict")
    except UnicodeDecodeError:
        raise malformed("The body is not UTF-8") from None
    if len(form) != len(pieces):
        raise malformed("A parameter is given twice")
    return form


@lru_cache(maxsize=256)
def _decoded_once(value: str) -> str:
    """Decoding costs as much as all the rest of the form: what is alike in most requests is remembered. Never
    asked for a secret or an assertion.
    """
    return unquote_plus(value, errors="strict")


@sensitive_variables()
def _basic_credentials(request: HttpRequest) -> tuple[str, str]:
    """Client id and secret of HTTP Basic, each form-encoded before base64 (RFC 6749 section 2.3.1)."""
    encoded = request.META["HTTP_AUTHORIZATION"].partition(" ")[2].strip()
    try:
        pair = base64.b64decode(encoded, validate=True).decode("utf-8")
        client_id, colon, secret = pair.partition(":")
        decoded = unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
    except (binascii.Error, ValueError):
        raise malformed("The HTTP Basic credentials cannot be read") from None
    if not colon:
        raise malformed("The HTTP Basic credentials have no colon")
    return decoded
