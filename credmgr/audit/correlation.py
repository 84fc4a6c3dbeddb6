"""Gives every request an id that logs, error pages, audit rows and token answers share."""

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# The canonical form only, in ASCII: anything else is not worth repeating in headers and rows.
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


class CorrelationMiddleware:
    """Sets request.correlation_id: the GUID of the client-request-id header if it is one, else a fresh
    one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Set it and pass on."""
        request.correlation_id = correlation_id_of(request)  # type: ignore[attr-defined] # ours to add
        return self.get_response(request)


def correlation_id_of(request: HttpRequest) -> uuid.UUID:
    """What the client calls this request (Microsoft's clients send a GUID), else a random GUID."""
    given = request.META.get("HTTP_CLIENT_REQUEST_ID", "")
    return uuid.UUID(given) if _GUID.fullmatch(given) else uuid.uuid4()
