"""Stamps the session at every sign-in, whichever way it happened."""

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from credmgr.accounts import sessions
from credmgr.accounts.models import User


@receiver(user_logged_in, dispatch_uid="credmgr.accounts.sessions")
def stamp_session(request: HttpRequest, user: User, **_: Any) -> None:
    """The limits and the step-up count from here."""
    sessions.start(
        request.session,
        user,
        timezone.now(),
        address=request.META.get("REMOTE_ADDR", ""),
        agent=request.headers.get("User-Agent", ""),
    )
