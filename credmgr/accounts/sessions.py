"""How long a session lasts, and when its person last proved who he is. Kept on the server (rule L-1)."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

SIGNED_IN = "signed_in_at"
SEEN = "seen_at"
CONFIRMED = "confirmed_at"
# Writing the session on every page would cost a commit each; a minute is exact enough for half an hour of idleness.
SEEN_STEP_SECONDS = 60


@receiver(user_logged_in, dispatch_uid="credmgr.accounts.sessions")
def begin(sender: object, request: HttpRequest, **_: Any) -> None:
    """A sign-in is also a fresh proof of who is there."""
    now = timezone.now().timestamp()
    request.session[SIGNED_IN] = request.session[SEEN] = request.session[CONFIRMED] = now


def is_over(request: HttpRequest, now: datetime) -> bool:
    """Whether the session has been idle, or has lasted, longer than the settings allow."""
    moment = now.timestamp()
    idle = moment - request.session.get(SEEN, 0.0)
    lasted = moment - request.session.get(SIGNED_IN, 0.0)
    return bool(idle > settings.SESSION_IDLE_SECONDS or lasted > settings.SESSION_ABSOLUTE_SECONDS)


def note_seen(request: HttpRequest, now: datetime) -> None:
    """Remember that the person is there, at most once a minute."""
    if now.timestamp() - request.session.get(SEEN, 0.0) > SEEN_STEP_SECONDS:
        request.session[SEEN] = now.timestamp()
