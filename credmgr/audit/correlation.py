"""Gives every request an id that logs, error pages, audit rows and token answers share."""

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# The canonical form only, in ASCII: anything else is not worth repeating in headers and rows.
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


class CorrelationMiddleware:
    """Sets request.request_id and request.correlation_id; see name_request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Set it and pass on."""
        name_request(request)
        return self.get_response(request)


def name_request(request: HttpRequest) -> tuple[uuid.UUID, uuid.UUID]:
    """Give the request its ids, and return them: request_id, a GUID of our own that no client can choose, and
    correlation_id, the GUID of the client-request-id header (Microsoft's clients send one), else the same.
    """
    given = request.META.get("HTTP_CLIENT_REQUEST_ID", "")
    request_id = uuid.uuid4()
    correlation_id = uuid.UUID(given) if _GUID.fullmatch(given) else request_id
    request.request_id = request_id  # type: ignore[attr-defined] # ours to add
    request.correlation_id = correlation_id  # type: ignore[attr-defined] # ours to add
    return request_id, correlation_id
