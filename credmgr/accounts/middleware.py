"""Everything needs sign-in unless marked public; sessions end when they are over."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, resolve_url
from django.utils import timezone

from credmgr.accounts import sessions


class SignInRequiredMiddleware:
    """Turns away whoever is not signed in, before the view runs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: list[Any], _kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """None lets the view run."""
        now = timezone.now()
        if request.user.is_authenticated:
            if sessions.is_over(request, now):
                logout(request)
            else:
                sessions.note_seen(request, now)
                return None
        if getattr(view, "public", False):
            return None
        return _ask_to_sign_in(request)


def _ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """To the sign-in page and back. Programs, which ask for JSON, get a 401."""
    if "text/html" not in request.headers.get("Accept", "text/html") and "json" in request.headers.get("Accept", ""):
        return JsonResponse({"error": "Sign in first."}, status=401)
    # The query may hold what was searched for: fine to come back to. A body cannot come back.
    return redirect(f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': request.get_full_path()})}")
