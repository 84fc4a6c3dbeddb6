"""Writes the audit of sign-ins and step-ups. Signals bring them: allauth and `accounts` know no audit."""

from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from credmgr.accounts import administrators, sessions
from credmgr.accounts.models import User
from credmgr.accounts.signals import step_up_refused, stepped_up
from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event

_UID = "credmgr.portal.account_events"


@receiver(user_logged_in, dispatch_uid=f"{_UID}.in")
def signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    """Somebody is in."""
    if sessions.is_from_provider(request.session, user):
        _record(EventTag.SIGNED_IN, request, user, changes={"signedInWith": ["", settings.SSO_NAME]})
    else:
        _record(EventTag.SIGNED_IN, request, user)


@receiver(user_login_failed, dispatch_uid=f"{_UID}.failed")
def sign_in_failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """Somebody was refused. An unknown name is not kept: people type passwords into the wrong field."""
    if request is not None:
        user = administrators.find(str(credentials.get("username", "")))
        _record(EventTag.SIGN_IN_FAILED, request, user, succeeded=False)


@receiver(user_logged_out, dispatch_uid=f"{_UID}.out")
def signed_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    """Somebody left by himself."""
    if user is not None:
        _record(EventTag.SIGNED_OUT, request, user)


@receiver(stepped_up, dispatch_uid=f"{_UID}.step_up")
def confirmed(request: HttpRequest, user: User, **_: Any) -> None:
    """The password was given again, or the person signed in again at their provider."""
    if sessions.is_from_provider(request.session, user):
        _record(EventTag.STEPPED_UP, request, user, changes={"confirmedWith": ["", settings.SSO_NAME]})
    else:
        _record(EventTag.STEPPED_UP, request, user)


@receiver(step_up_refused, dispatch_uid=f"{_UID}.step_up_refused")
def not_confirmed(request: HttpRequest, user: User, **_: Any) -> None:
    """The password that was given again was wrong, or the provider did not confirm."""
    _record(EventTag.STEP_UP_FAILED, request, user, succeeded=False)


def _record(
    tag: EventTag,
    request: HttpRequest,
    user: User | None,
    *,
    succeeded: bool = True,
    changes: dict[str, Any] | None = None,
) -> None:
    record_event(
        tag,
        actor=Actor.from_request(request),
        now=timezone.now(),
        object_type="user" if user else "",
        object_id=user.pk if user else "",
        object_name=user.username if user else "",
        succeeded=succeeded,
        changes=changes,
    )
