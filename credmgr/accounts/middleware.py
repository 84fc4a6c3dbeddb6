"""Everything needs sign-in unless marked public, and sessions end when their time is over."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone

from credmgr.accounts import sessions
from credmgr.accounts.models import User
from credmgr.accounts.public import is_public

ENDED = "session_ended"


class SignInRequiredMiddleware:
    """Default-deny: a view answers a stranger only where `@public` says so."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """First end a session whose time is over, or whose person may no longer be here."""
        now = timezone.now()
        session = request.session
        if sessions.belongs_to_somebody(session):
            if not isinstance(request.user, User):
                _end(request)  # disabled, deleted, or the password was changed elsewhere
            elif sessions.is_over(session, now):
                _end(request)
                session[ENDED] = True
            else:
                sessions.touch(session, now)
        return self.get_response(request)

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., Any],
        _arguments: list[Any],
        _named: dict[str, Any],
    ) -> HttpResponse | None:
        """Send a stranger to the sign-in page, or say 401 to a program."""
        if is_public(view) or isinstance(request.user, User):
            return None
        if _is_program(request):
            message = "Sign in first, then repeat the request."
            answer = JsonResponse({"error": "sign_in_required", "message": message}, status=401)
            answer["WWW-Authenticate"] = 'Form realm="Credential Manager"'
            return answer
        return HttpResponseRedirect(f"{reverse('account_login')}?{urlencode({'next': _way_back(request)})}")


def _end(request: HttpRequest) -> None:
    request.session.flush()
    request.user = AnonymousUser()


def _is_program(request: HttpRequest) -> bool:
    """Browsers that load a page, or send a form, ask for HTML."""
    accepted = request.headers.get("Accept", "*/*")
    asks_json = "json" in (request.content_type or "") or (
        "application/json" in accepted and "text/html" not in accepted
    )
    return asks_json or request.method not in {"GET", "HEAD", "POST"}


def _way_back(request: HttpRequest) -> str:
    """Where to go after sign-in: this page, or for a form that was sent the page it stood on."""
    if request.method in {"GET", "HEAD"}:
        return request.get_full_path()
    before = urlsplit(request.headers.get("Referer", ""))
    if before.netloc == request.get_host() and before.path.startswith("/"):
        return before.path + (f"?{before.query}" if before.query else "")
    return reverse("portal:home")
