"""Keeps large request bodies away from the pages (security rules, section 11): 413 and a sentence.

Django's own limit leaves files out of its count. This one stands before anything that reads the body.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from credmgr.bodies import drain
from credmgr.portal.views.errors import too_large

# So much of an oversized body is still read and dropped: a browser that is cut off shows no page.
_DRAINED_BYTES = 8 * 1024 * 1024


class BodyLimitMiddleware:
    """Answers 413 to a request whose body is larger than any page accepts."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Judge by the declared length; the server hands over no more than that."""
        length = _declared_length(request)
        if length <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return self.get_response(request)
        drain(request, length, at_most=_DRAINED_BYTES)
        return too_large(request)


def _declared_length(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdigit() else 0
