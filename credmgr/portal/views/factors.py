"""One's own second factors: an authenticator app, passkeys, recovery codes."""

import base64
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from credmgr.accounts.models import User
from credmgr.audit.recording import Actor
from credmgr.errors import DomainError
from credmgr.factors import changing, passkeys, totp
from credmgr.factors.adapter import FactorAdapter
from credmgr.factors.queries import factors_of
from credmgr.membership.second_factor_rule import demanding_directories
from credmgr.portal.access import person_of, standing_in
from credmgr.portal.acting import carried_out, form_page, posted
from credmgr.portal.forms.applications import ConfirmedForm
from credmgr.portal.forms.factors import AddPasskeyForm, ConfirmAppForm
from credmgr.registrations.models import EVERYBODY, Tenant

# What a new passkey has to answer to.
ADDING = "passkey_adding"


@require_safe
def factors(request: HttpRequest) -> HttpResponse:
    """What is asked for beside the password."""
    found = factors_of(person_of(request))
    context: dict[str, Any] = {"factors": found}
    if not found.is_on:
        context["demand"] = _demand(demanding_directories(standing_in(request)).first())
    return render(request, "account/factors.html", context)


def _demand(directory: Tenant | None) -> str:
    """Who asks for a second factor, and of whom, in a sentence; empty where nobody does."""
    if directory is None:
        return ""
    asked = "everybody" if directory.second_factor_for == EVERYBODY else "its administrators"
    return f"{directory.name} asks one of {asked}. Set it up here, then everything else opens."


@sensitive_variables("secret")
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def factor_app(request: HttpRequest) -> HttpResponse:
    """Set up an authenticator app: begin, then give its first code."""
    user = person_of(request)
    if factors_of(user).app is not None:
        messages.info(request, "You have an authenticator app already. Remove it before you set up another.")
        return redirect("account_factors")
    if "code" in request.POST:
        return _confirm_app(request, user)
    form = ConfirmedForm(posted(request), request=request)
    if form.is_bound and form.is_valid():
        try:
            secret = changing.begin_app(user, now=timezone.now())
        except DomainError as error:
            form.refuse(error)
        else:
            return _app_page(request, user, secret, ConfirmAppForm(request=request))
    return form_page(request, "account/factor_app.html", form, {})


@sensitive_variables("secret", "codes")
def _confirm_app(request: HttpRequest, user: User) -> HttpResponse:
    now = timezone.now()
    form = ConfirmAppForm(request.POST, request=request)
    if form.is_valid():
        try:
            codes = changing.confirm_app(
                user,
                form.cleaned_data["code"],
                keep_session=request.session.session_key,
                actor=Actor.from_request(request),
                now=now,
            )
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, "The authenticator app is asked for from your next sign-in on.")
            return codes_page(request, codes) if codes else redirect("account_factors")
    secret = changing.secret_being_set_up(user, now=now)
    if secret is None:
        messages.info(request, "The set-up was begun more than 15 minutes ago. Begin again.")
        return redirect("account_factor_app")
    return _app_page(request, user, secret, form)


@sensitive_variables()
def _app_page(request: HttpRequest, user: User, secret: str, form: ConfirmAppForm) -> HttpResponse:
    uri = totp.key_uri(secret, user_name=user.username, issuer=f"Credential Manager {request.get_host()}")
    context = {
        "groups": [secret[at : at + 4] for at in range(0, len(secret), 4)],
        "image": base64.b64encode(FactorAdapter().build_totp_svg(uri).encode()).decode(),
    }
    return _once(form_page(request, "account/factor_app_secret.html", form, context))


@sensitive_variables("codes")
@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def factor_passkey(request: HttpRequest) -> HttpResponse:
    """Ask for the password where it is due, then for a new passkey."""
    user = person_of(request)
    if "credential" in request.POST:
        return _add_passkey(request, user)
    form = ConfirmedForm(posted(request), request=request)
    if form.is_bound and form.is_valid():
        return redirect("account_factor_passkey")
    if form.asks_password:
        return form_page(request, "account/factor_passkey.html", form, {})
    return _passkey_page(request, user, AddPasskeyForm(request=request))


def _add_passkey(request: HttpRequest, user: User) -> HttpResponse:
    form = AddPasskeyForm(request.POST, request=request)
    if form.is_valid():
        try:
            codes = passkeys.add_passkey(
                user,
                name=form.cleaned_data["name"],
                answer=form.cleaned_data["credential"],
                state=request.session.pop(ADDING, None),
                keep_session=request.session.session_key,
                actor=Actor.from_request(request),
                now=timezone.now(),
            )
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, "The passkey is asked for from your next sign-in on.")
            return codes_page(request, codes) if codes else redirect("account_factors")
    return _passkey_page(request, user, form)


def _passkey_page(request: HttpRequest, user: User, form: AddPasskeyForm) -> HttpResponse:
    options, request.session[ADDING] = passkeys.begin_adding(user)
    form.data = {name: value for name, value in form.data.items() if name != "credential"}
    return form_page(request, "account/factor_passkey.html", form, {"options": options})


@sensitive_variables("codes")
@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Ask, then make new recovery codes and show them, once."""
    user = person_of(request)
    form = ConfirmedForm(posted(request), request=request)
    if form.is_bound and form.is_valid():
        try:
            codes = changing.make_recovery_codes(user, actor=Actor.from_request(request), now=timezone.now())
        except DomainError as error:
            form.refuse(error)
        else:
            return codes_page(request, codes)
    context = {"factors": factors_of(user), "back": reverse("account_factors")}
    return form_page(request, "account/recovery_codes_new.html", form, context)


@sensitive_variables("codes")
def codes_page(request: HttpRequest, codes: list[str]) -> HttpResponse:
    """The one page that shows recovery codes."""
    return _once(render(request, "account/recovery_codes.html", {"codes": codes}))


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def factor_remove(request: HttpRequest) -> HttpResponse:
    """Ask, then remove the second factor that ?factor= names."""
    user = person_of(request)
    before = factors_of(user)
    wanted = request.GET.get("factor", "")
    found = next((each for each in [before.app, *before.passkeys] if each and str(each.id) == wanted), None)
    if found is None:
        messages.info(request, "This second factor is not there any more.")
        return redirect("account_factors")
    form = ConfirmedForm(posted(request), request=request)

    def act(actor: Actor, now: datetime) -> str:
        changing.remove_factor(
            user,
            found.id,
            keep_session=request.session.session_key,
            actor=actor,
            now=now,
        )
        return f"{found.name} is not asked for any more."

    if done := carried_out(request, form, act, "account_factors"):
        return done
    context: dict[str, Any] = {
        "factor": found,
        "is_last": len(before.passkeys) + bool(before.app) == 1,
        "back": reverse("account_factors"),
    }
    return form_page(request, "account/factor_remove.html", form, context)


def _once(answer: HttpResponse) -> HttpResponse:
    """No copy of it is kept anywhere."""
    answer["Cache-Control"] = "no-store"
    return answer
