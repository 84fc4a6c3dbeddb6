"""Answers as Entra shapes them: token and error JSON, documents, small pages. The one translator of
refusals.
"""

import http.client
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpResponse

from credmgr.authority.access_tokens import Validity
from credmgr.authority.exchange import Exchange
from credmgr.authority.refusals import RefusalError

_JSON = {"Content-Type": "application/json; charset=utf-8"}
_HTML = {"Content-Type": "text/html; charset=utf-8"}
_NEVER_STORED = {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache", "Expires": "-1"}
_ANYONE = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, OPTIONS",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
# The authority answers before the middlewares that close the portal's pages, so it closes its own answers.
_CLOSED = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "credmgr",
    "x-ms-ests-server": "credmgr",
}
# A page of ours may use our own styles and nothing else; above all no script and no frame around it.
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


_TOKEN_HEADERS = {**_CLOSED, **_JSON, **_NEVER_STORED}
_STATUS_LINES = {status: f"{status} {reason}" for status, reason in http.client.responses.items()}


class Answer(NamedTuple):
    """What goes back: status, headers by name, body. Not Django's object: every token would pay for it."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def status_line(self) -> str:
        """Status and reason as WSGI takes them."""
        return _STATUS_LINES[self.status]

    def to_http_response(self) -> HttpResponse:
        """The same for Django's middlewares."""
        response = HttpResponse(self.body, status=self.status, headers=self.headers)
        # Django would write a warning with the path for every refusal; the sign-in log has it already.
        response._has_been_logged = True  # type: ignore[attr-defined] # django.utils.log looks for it
        return response


def token_response(token: str, *, lifetime: int, exchange: Exchange) -> Answer:
    """The success body of the v2.0 endpoint. lifetime: seconds. Nothing in a compact JWT needs an escape."""
    body = (
        f'{{"token_type": "Bearer", "expires_in": {lifetime}, "ext_expires_in": {lifetime}, '
        f'"access_token": "{token}"}}'
    )
    return Answer(200, _headers(exchange, _TOKEN_HEADERS), body.encode("ascii"))


def token_response_v1(token: str, *, validity: Validity, resource: str, exchange: Exchange) -> Answer:
    """The success body of the v1.0 endpoint: every member is text, the times are seconds since 1970.

    resource: as it was asked for.
    """
    body = {
        "token_type": "Bearer",
        "expires_in": str(validity.lifetime),
        "ext_expires_in": str(validity.lifetime),
        "expires_on": str(validity.ends),
        "not_before": str(validity.begins),
        "resource": resource,
        "access_token": token,
    }
    return _json(body, 200, exchange, _NEVER_STORED)


def error_response(refusal: RefusalError, exchange: Exchange, *, basic: bool = False) -> Answer:
    """The error body and its headers. basic: the client used HTTP Basic, so a 401 names that scheme (RFC
    6749 5.2).
    """
    timestamp = f"{exchange.now:%Y-%m-%d %H:%M:%S}Z"
    trace, correlation = str(exchange.trace_id), str(exchange.correlation_id)
    body = {
        "error": refusal.error,
        "error_description": (
            f"AADSTS{refusal.code}: {refusal.text} Trace ID: {trace} Correlation ID: {correlation} "
            f"Timestamp: {timestamp}"
        ),
        "error_codes": [refusal.code],
        "timestamp": timestamp,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"{settings.AUTHORITY_URL}/error?code={refusal.code}",
    }
    headers = dict(_NEVER_STORED)
    if refusal.allow:
        headers["Allow"] = refusal.allow
    if refusal.retry_after:
        headers["Retry-After"] = str(refusal.retry_after)
    if basic and refusal.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="token", charset="UTF-8"'
    return _json(body, refusal.status, exchange, headers)


def document_response(
    body: Mapping[str, Any], exchange: Exchange, *, max_age: int, is_open: bool = False
) -> Answer:
    """A published document. max_age: seconds that caches may keep it. is_open: scripts of any origin may
    read it.
    """
    headers = {"Cache-Control": f"max-age={max_age}, {'public' if is_open else 'private'}"}
    return _json(body, 200, exchange, {**headers, **(_ANYONE if is_open else {})})


def preflight_response(exchange: Exchange) -> Answer:
    """The answer to a browser that asks whether a script may read a document."""
    headers = {**_ANYONE, "Allow": "GET, HEAD, OPTIONS", "Access-Control-Max-Age": "86400"}
    return Answer(204, _headers(exchange, _CLOSED | _HTML | headers), b"")


def page_response(html: str, exchange: Exchange, *, status: int = 200) -> Answer:
    """A small page for people who followed a link here."""
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": _PAGE_POLICY,
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
    }
    return Answer(status, _headers(exchange, _CLOSED | _HTML | headers), html.encode())


def _json(body: Mapping[str, Any], status: int, exchange: Exchange, headers: dict[str, str]) -> Answer:
    return Answer(status, _headers(exchange, _CLOSED | _JSON | headers), json.dumps(body).encode("ascii"))


def _headers(exchange: Exchange, fixed: dict[str, str]) -> dict[str, str]:
    """The fixed headers and those of this one request."""
    headers = {**fixed, "x-ms-request-id": str(exchange.trace_id)}
    if settings.PUBLIC_URL:
        # Not on loopback: it would reach every other port of this host.
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    if exchange.echo:
        headers["client-request-id"] = str(exchange.correlation_id)
    return headers
