"""Error pages."""

from django.http import HttpRequest, HttpResponse


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400."""
    return HttpResponse("Bad request", status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    return HttpResponse("Forbidden", status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form without its token."""
    return HttpResponse("Forbidden", status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404."""
    return HttpResponse("Not found", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500."""
    return HttpResponse("Server error", status=500)
