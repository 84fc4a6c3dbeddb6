"""What time and a choice do to a session, done at once; and the pages that no address leads to."""

from datetime import timedelta
from importlib import import_module

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import OperationalError
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils import timezone

from credmgr.accounts import sessions
from credmgr.accounts.models import User
from credmgr.factors import secrets, totp
from credmgr.factors.models import APP, PASSKEY, RECOVERY_CODES
from credmgr.portal.views import errors


def age(session_key: str, seconds: int, *moments: str) -> None:
    """Move moments of a session (names of accounts.sessions) into the past."""
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    for moment in moments:
        session[moment] = session[moment] - seconds
    session.save()


def age_confirmation(session_key: str) -> None:
    """The password was given too long ago for step-up."""
    age(session_key, settings.STEP_UP_SECONDS + 60, sessions.CONFIRMED_AT)


def end_by_idleness(session_key: str) -> None:
    """Nothing was done for longer than a session lasts."""
    age(session_key, settings.SESSION_IDLE_SECONDS + 60, sessions.SEEN_AT)


def work_in(session_key: str, directory_id: str) -> None:
    """Another directory is in use, in this session alone."""
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    session[sessions.DIRECTORY] = directory_id
    session.save()


def session_of(user_name: str) -> str:
    """The key of a new session of somebody, as a sign-in makes one."""
    user = User.objects.get(username=user_name)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    sessions.start(session, user, timezone.now())
    session.save()
    return str(session.session_key)


def error_pages() -> dict[str, str]:
    """HTML of the error pages that only a fault of the server brings about."""
    return {
        "error-500": _answer(RuntimeError("a fault")),
        "error-503": _answer(OperationalError("the database is away")),
    }


def _request() -> HttpRequest:
    request = RequestFactory().get("/applications")
    request.request_id = "3f6c1f0e-5f0a-4f5e-9d59-0c1f2d6f7a10"  # type: ignore[attr-defined]
    return request


def _answer(failure: Exception) -> str:
    try:
        raise failure
    except type(failure):
        return errors.server_error(_request()).content.decode()


def give_second_factors(user_name: str) -> str:
    """An app, a passkey and recovery codes, without the act, which would end every session. The app's id."""
    user, now = User.objects.get(username=user_name), timezone.now() - timedelta(days=3)
    named = secrets.keep(user, APP, totp.new_secret(), now=now)
    app = Authenticator.objects.create(user=user, type=APP, data={"secret": named}, created_at=now)
    Authenticator.objects.create(user=user, type=PASSKEY, data={"name": "Laptop"}, created_at=now)
    named = secrets.keep(user, RECOVERY_CODES, "00" * 40, now=now)
    Authenticator.objects.create(
        user=user, type=RECOVERY_CODES, data={"seed": named, "used_mask": 0b1011}, created_at=now
    )
    return str(app.pk)
