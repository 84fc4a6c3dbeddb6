"""The second step of sign-in, for people who have a second factor."""

from datetime import datetime
from typing import Any

from allauth.account.internal.decorators import login_stage_required
from allauth.mfa.stages import AuthenticateStage
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from credmgr.accounts import throttling
from credmgr.accounts.models import User
from credmgr.accounts.public import public
from credmgr.audit.recording import Actor
from credmgr.factors.passkeys import begin_proving, prove_passkey
from credmgr.factors.proving import prove_code
from credmgr.factors.queries import factors_of
from credmgr.portal.acting import posted
from credmgr.portal.forms.factors import CodeForm, PasskeyForm
from credmgr.portal.views.sign_in import MINUTE, PROVED, wait_page

# What a passkey has to answer to.
PROVING = "passkey_proving"


@public
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@login_stage_required(stage=AuthenticateStage.key, redirect_urlname="account_login")  # type: ignore[untyped-decorator] # allauth publishes no types
def second_factor(request: HttpRequest) -> HttpResponse:
    """Ask for a code after the right password; then the sign-in goes on."""
    stage: Any = request._login_stage  # type: ignore[attr-defined] # set by the decorator
    user = User.objects.filter(pk=stage.login.user.pk, is_active=True).first()
    proved = request.session.get(PROVED)
    if user is None or proved != user.get_session_auth_hash() or "cancel" in request.POST:
        answer: HttpResponse = stage.abort()
        return answer
    if "credential" in request.POST:
        return _judge_passkey(request, stage, user)
    form = CodeForm(posted(request))
    if form.is_bound and form.is_valid():
        return _judge(request, stage, user, form)
    return _page(request, user, form)


@sensitive_variables("form")
def _judge(request: HttpRequest, stage: Any, user: User, form: CodeForm) -> HttpResponse:
    now = timezone.now()
    attempt = _attempt(request, user, now)
    if wait := attempt.admit():
        return wait_page(request, wait)
    if prove_code(user, form.cleaned_data["code"], actor=_actor(request, user), now=now):
        return _go_on(request, stage, attempt)
    form.add_error(
        "code", "This code is not right, or was used before. Enter the one that the app shows now."
    )
    return _page(request, user, form)


def _judge_passkey(request: HttpRequest, stage: Any, user: User) -> HttpResponse:
    now = timezone.now()
    attempt = _attempt(request, user, now)
    if wait := attempt.admit():
        return wait_page(request, wait)
    form, state = PasskeyForm(request.POST), request.session.pop(PROVING, None)
    if form.is_valid() and prove_passkey(
        user, form.cleaned_data["credential"], state=state, actor=_actor(request, user), now=now
    ):
        return _go_on(request, stage, attempt)
    return _page(request, user, CodeForm(), refused="This passkey was not accepted. Try again.")


def _go_on(request: HttpRequest, stage: Any, attempt: throttling.Attempt) -> HttpResponse:
    attempt.succeeded()
    request.session.pop(PROVED, None)
    answer: HttpResponse = stage.exit()
    return answer


def _attempt(request: HttpRequest, user: User, now: datetime) -> throttling.Attempt:
    """Per person and address, and per person: only who knows the password comes here, from wherever."""
    here = throttling.Limit("second-factor", settings.LOGIN_FAILURES_PER_ACCOUNT, 15 * MINUTE)
    anywhere = throttling.Limit("second-factor-person", settings.LOGIN_FAILURES_PER_ADDRESS, 60 * MINUTE)
    address = throttling.source_of(request.META.get("REMOTE_ADDR", ""))
    return throttling.Attempt(
        [
            (here, throttling.key_of(here.purpose, user.pk, address)),
            (anywhere, throttling.key_of(anywhere.purpose, user.pk)),
        ],
        now,
    )


def _actor(request: HttpRequest, user: User) -> Actor:
    stranger = Actor.from_request(request)
    return Actor(user.shown_name, user, stranger.address, stranger.correlation_id)


def _page(request: HttpRequest, user: User, form: CodeForm, *, refused: str = "") -> HttpResponse:
    found = factors_of(user)
    context: dict[str, Any] = {"form": form, "factors": found, "refused": refused}
    if found.passkeys:
        context["options"], request.session[PROVING] = begin_proving(user)
        context["passkey_form"] = PasskeyForm()
    status = 422 if form.errors or refused else 200
    return render(request, "account/second_factor.html", context, status=status)
