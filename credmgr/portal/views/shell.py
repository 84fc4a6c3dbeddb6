"""The pages of the frame itself: the theme, help."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from credmgr.portal.navigation import THEME_COOKIE, THEMES

_A_YEAR = timedelta(days=365)


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Keys and where to read more."""
    return render(request, "portal/help.html")


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember light or dark in a cookie; anything else means as the system. For people without script."""
    goal = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(goal, allowed_hosts=None):
        goal = ""
    answer = redirect(goal or "portal:applications")
    chosen = request.POST.get("theme", "")
    if chosen in THEMES:
        # Not HttpOnly: the page's own script switches the theme without a round trip.
        answer.set_cookie(
            THEME_COOKIE, chosen, max_age=_A_YEAR, secure=settings.SESSION_COOKIE_SECURE, samesite="Lax"
        )
    else:
        answer.delete_cookie(THEME_COOKIE, samesite="Lax")
    return answer
