"""One's own account: name and password."""

from datetime import UTC, datetime
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from credmgr.accounts import sessions
from credmgr.accounts.models import User
from credmgr.accounts.passwords import save_password
from credmgr.accounts.step_up import recently_signed_in
from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.membership.queries import with_roles
from credmgr.portal.access import directory_in_use, person_of
from credmgr.portal.acting import form_page, posted
from credmgr.portal.forms.account import AccountForm, ChangePasswordForm


@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Who I am here, and my name."""
    user = person_of(request)
    form = AccountForm(posted(request), initial={"full_name": user.get_full_name()})
    if form.is_bound and form.is_valid():
        _rename(request, user, form.cleaned_data["full_name"])
        messages.success(request, "Your name was saved.")
        return redirect("account")
    started = request.session.get(sessions.SIGNED_IN_AT)
    directory = directory_in_use(request)
    is_from_provider = sessions.is_from_provider(request.session, user)
    context = {
        "provider_name": settings.SSO_NAME if is_from_provider else "",
        "has_password": user.has_usable_password() or not is_from_provider,
        "roles": with_roles([user], directory)[0].words if directory else "",
        "sessions": sessions.sessions_of(user, timezone.now(), current=request.session.session_key),
        "signed_in_at": datetime.fromtimestamp(started, UTC) if started else None,
        "idle_minutes": settings.SESSION_IDLE_SECONDS // 60,
        "absolute_hours": settings.SESSION_ABSOLUTE_SECONDS // 3600,
    }
    return form_page(request, "account/account.html", form, context)


@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """Sign me out everywhere, here as well; or end the one session that the button names. Whoever took over
    this browser must not put the others out: the password comes first where it was given too long ago.
    """
    if not recently_signed_in(request):
        return redirect(f"{reverse('account_confirm')}?{urlencode({'next': reverse('account')})}")
    user = person_of(request)
    if handle := request.POST.get("session"):
        return _end_one(request, user, handle)
    with transaction.atomic():
        ended = sessions.end_sessions(user)
        record_event(
            EventTag.SESSIONS_ENDED,
            actor=Actor.from_request(request),
            now=timezone.now(),
            object_type="user",
            object_id=user.pk,
            object_name=user.username,
            changes={"endedSessions": [0, ended]},
        )
    request.session.flush()
    return redirect("account_login")


def _end_one(request: HttpRequest, user: User, handle: str) -> HttpResponse:
    with transaction.atomic():
        if sessions.end_session(user, handle):
            record_event(
                EventTag.SESSION_ENDED,
                actor=Actor.from_request(request),
                now=timezone.now(),
                object_type="user",
                object_id=user.pk,
                object_name=user.username,
            )
            messages.success(request, "The session is ended.")
        else:
            messages.info(request, "That session had ended already.")
    return redirect("account")


def _rename(request: HttpRequest, user: User, full_name: str) -> None:
    before = user.get_full_name()
    if full_name == before:
        return
    actor = Actor.from_request(request)
    with transaction.atomic():
        user.first_name, user.last_name = full_name, ""
        user.save(update_fields=["first_name", "last_name"])
        record_event(
            EventTag.ACCOUNT_UPDATED,
            actor=actor,
            now=timezone.now(),
            object_type="user",
            object_id=user.pk,
            object_name=user.username,
            changes={"fullName": [before, full_name]},
        )


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    """A new password; every other session of the person ends with it (L-1)."""
    user = person_of(request)
    if sessions.is_from_provider(request.session, user) and not user.has_usable_password():
        messages.info(request, f"You have no password here: you sign in with {settings.SSO_NAME}.")
        return redirect("account")
    form = ChangePasswordForm(posted(request), request=request)
    if form.is_bound and form.is_valid():
        ended = _change(request, form)
        others = f" {ended} other session{'' if ended == 1 else 's'} ended." if ended else ""
        messages.success(request, f"Your password was changed.{others}")
        return redirect("account")
    return form_page(request, "account/password_change.html", form, {})


@sensitive_variables()
def _change(request: HttpRequest, form: ChangePasswordForm) -> int:
    user = person_of(request)
    now = timezone.now()
    user.set_password(form.cleaned_data["password1"])
    with transaction.atomic():
        ended = save_password(user, keep_session=request.session.session_key)
        record_event(
            EventTag.PASSWORD_CHANGED,
            actor=Actor.from_request(request),
            now=now,
            object_type="user",
            object_id=user.pk,
            object_name=user.username,
            changes={"endedSessions": [0, ended]},
        )
    update_session_auth_hash(request, user)  # a new session id, and the hash of the new password
    sessions.confirm(request.session, now)
    return ended
