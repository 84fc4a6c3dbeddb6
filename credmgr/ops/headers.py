"""Headers of every answer that Django's own middlewares do not set (security rules H-2 and H-3)."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

PERMISSIONS = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"
SIGN_OUT = "account_logout"


class HeadersMiddleware:
    """Closes every answer against other origins and against caches, unless a view said otherwise."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add what is missing; a header that a view has set stays."""
        response = self.get_response(request)
        headers = response.headers
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", PERMISSIONS)
        # Static files and the key set name their own lifetime; everything else may hold something private.
        headers.setdefault("Cache-Control", "no-store")
        if settings.PUBLIC_URL and _signed_out(request):
            # Not on loopback: it would clear what other programs on other ports of localhost have stored.
            headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
        return response


def _signed_out(request: HttpRequest) -> bool:
    match = request.resolver_match
    return request.method == "POST" and match is not None and match.url_name == SIGN_OUT
