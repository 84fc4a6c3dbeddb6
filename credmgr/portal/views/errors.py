"""Error pages: what happened, what to do, a reference number. Never details, never what was typed."""

import sys
from dataclasses import dataclass

from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from credmgr.accounts.models import User
from credmgr.portal.navigation import THEME_COOKIE, THEMES
from credmgr.vault.errors import VaultError


@dataclass(frozen=True)
class _Page:
    """The words of one error page."""

    status: int
    heading: str
    text: str


_BAD_REQUEST = _Page(
    400,
    "The request could not be read",
    "The browser sent something that this server does not accept. Go back and try again, with less text or a "
    "smaller file if you sent one.",
)
_FORBIDDEN = _Page(
    403,
    "You may not open this page",
    "Your account lacks the permission for it. Ask an administrator of this directory.",
)
_FORM_REFUSED = _Page(
    403,
    "The form was not accepted",
    "It was open for too long, or you signed in or out in another tab meanwhile. Nothing was changed. "
    "Go back, reload the page and send the form again.",
)
_NOT_FOUND = _Page(
    404,
    "There is nothing at this address",
    "It may have been deleted, or the address is incomplete. Search for it by name or ID.",
)
_TOO_LARGE = _Page(
    413,
    "That was more than this server accepts",
    "A request may have 1 MB, an uploaded file 64 KB; a certificate is usually smaller than 4 KB. "
    "Nothing was stored. Go back and check that this is the right file.",
)
_FAILED = _Page(
    500,
    "Something went wrong on the server",
    "The fault is not yours, and what you sent was not saved. Try again; if it happens once more, report the "
    "reference number.",
)
_UNAVAILABLE = _Page(
    503,
    "The server cannot reach its data",
    "Its database or its encryption keys are not available at the moment. Nothing was changed. "
    "Try again in a minute.",
)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """400. Without the frame: the request may be one that the frame cannot be drawn from."""
    return _alone(request, _BAD_REQUEST)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """403."""
    return _framed(request, _FORBIDDEN)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's signature
    """403 for a form without its token."""
    return _alone(request, _FORM_REFUSED)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """404."""
    return _framed(request, _NOT_FOUND)


def too_large(request: HttpRequest) -> HttpResponse:
    """413. Answered before anyone is known to be signed in, hence without the frame."""
    return _alone(request, _TOO_LARGE)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 where the database or the vault is what failed. Neither page asks the database anything."""
    failure = sys.exc_info()[1]
    return _alone(request, _UNAVAILABLE if isinstance(failure, DatabaseError | VaultError) else _FAILED)


def _context(request: HttpRequest, page: _Page) -> dict[str, object]:
    return {
        "heading": page.heading,
        "text": page.text,
        "reference": getattr(request, "request_id", None),
    }


def _framed(request: HttpRequest, page: _Page) -> HttpResponse:
    """Inside the portal's frame for people who are signed in; others learn nothing of it."""
    if not isinstance(getattr(request, "user", None), User):
        return _alone(request, page)
    return render(request, "errors/framed.html", _context(request, page), status=page.status)


def _alone(request: HttpRequest, page: _Page) -> HttpResponse:
    theme = request.COOKIES.get(THEME_COOKIE, "")
    context = _context(request, page) | {"theme": theme if theme in THEMES else ""}
    answer = HttpResponse(render_to_string("errors/alone.html", context), status=page.status)
    answer["Cache-Control"] = "no-store"
    if page.status == 503:
        answer["Retry-After"] = "60"
    return answer
