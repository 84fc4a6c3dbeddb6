"""Signing in and out, and the set-up of the first administrator."""

from datetime import datetime, timedelta
from typing import Any

from allauth.account.views import LoginView, LogoutView
from django.conf import settings
from django.contrib.auth import login as start_session
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from credmgr.accounts import administrators, middleware, sessions, setup_links, throttling
from credmgr.accounts.models import SetupLink
from credmgr.accounts.public import public
from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.errors import DomainError
from credmgr.portal.acting import form_page, posted
from credmgr.portal.forms.account import SetupForm, SignInForm
from credmgr.registrations.queries import directory_or_default
from credmgr.signon.configuration import configured

BACKEND = settings.AUTHENTICATION_BACKENDS[0]
# Row id of the set-up link whose token was moved out of the address.
SETUP_LINK = "setup_link"
MINUTE = 60
# Which password was given in the first step; one that was changed since then counts no more in the second.
PROVED = "proved_password"


def _attempt(request: HttpRequest, user_name: str, now: datetime) -> throttling.Attempt:
    """One try to sign in: per person and address, and per address (L-3)."""
    address = throttling.source_of(request.META.get("REMOTE_ADDR", ""))
    person = throttling.Limit("sign-in", settings.LOGIN_FAILURES_PER_ACCOUNT, 15 * MINUTE)
    anybody = throttling.Limit("sign-in-address", settings.LOGIN_FAILURES_PER_ADDRESS, 60 * MINUTE)
    return throttling.Attempt(
        [
            (person, throttling.key_of(person.purpose, user_name.strip().casefold(), address)),
            (anybody, throttling.key_of(anybody.purpose, address)),
        ],
        now,
    )


class SignInView(LoginView):  # type: ignore[misc] # allauth publishes no types
    """allauth's sign-in behind our own throttle."""

    form_class = SignInForm
    attempt: throttling.Attempt | None = None

    def get_form_class(self) -> type[SignInForm]:
        """Ours."""
        return SignInForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Count first; without a name or a password there is nothing to count."""
        if request.POST.get("login", "").strip() and request.POST.get("password"):
            self.attempt = _attempt(request, request.POST["login"], timezone.now())
            if wait := self.attempt.admit():
                return wait_page(request, wait)
        response: HttpResponse = super().post(request, *args, **kwargs)
        return response

    def form_valid(self, form: SignInForm) -> HttpResponse:
        """The attempt was none to count."""
        if self.attempt:
            self.attempt.succeeded()
        sessions.forget_provider(self.request.session)  # of a single sign-on that stopped half-way
        self.request.session[PROVED] = form.user.get_session_auth_hash()
        response: HttpResponse = super().form_valid(form)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Why somebody may be here, and what to do where nobody can sign in yet."""
        return {
            **super().get_context_data(**kwargs),
            "session_ended": self.request.session.pop(middleware.ENDED, False),
            "idle_minutes": settings.SESSION_IDLE_SECONDS // MINUTE,
            "needs_setup": not administrators.exists(),
            "directory": directory_or_default(None),
            "provider": configured(),
        }


sign_in = public(SignInView.as_view(template_name="account/login.html"))
sign_out = LogoutView.as_view(template_name="account/logout.html")


def wait_page(request: HttpRequest, seconds: int) -> HttpResponse:
    """429: refused too often; when it is worth trying again."""
    context = {"until": timezone.now() + timedelta(seconds=seconds), "minutes": -(-seconds // MINUTE)}
    answer = render(request, "account/throttled.html", context, status=429)
    answer["Retry-After"] = str(seconds)
    return answer


@public
@never_cache
@require_safe
@sensitive_variables("token")
def setup_link(request: HttpRequest, token: str) -> HttpResponse:
    """The link that `serve` prints: moves the token out of the address, then shows the form."""
    try:
        link = setup_links.find_link(token, timezone.now())
    except setup_links.SetupLinkError as error:
        return _no_setup(request, error)
    if request.method == "GET":  # a HEAD must leave no trace
        request.session[SETUP_LINK] = link.pk
    return redirect("account_setup_form")


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
def setup(request: HttpRequest) -> HttpResponseBase:
    """The form for the first administrator, for whoever came by the link."""
    try:
        link = setup_links.open_link(request.session.get(SETUP_LINK), timezone.now())
        form = SetupForm(posted(request))
        if form.is_bound and form.is_valid():
            return _finish(request, form, link)
    except setup_links.SetupLinkError as error:
        return _no_setup(request, error)
    return form_page(request, "account/setup.html", form, {})


@sensitive_variables()
def _finish(request: HttpRequest, form: SetupForm, link: SetupLink) -> HttpResponse:
    given = form.cleaned_data
    try:
        user = administrators.new_person(given["user_name"], given["full_name"], given["password1"])
    except DomainError as error:
        form.refuse(error)
        return form_page(request, "account/setup.html", form, {})
    now = timezone.now()
    with transaction.atomic():
        setup_links.use_link(link, user, now)
        actor = Actor(
            user.shown_name,
            user,
            request.META.get("REMOTE_ADDR", ""),
            Actor.from_request(request).correlation_id,
        )
        for tag in (EventTag.SETUP_LINK_USED, EventTag.ADMINISTRATOR_CREATED):
            record_event(
                tag, actor=actor, now=now, object_type="user", object_id=user.pk, object_name=user.username
            )
    request.session.pop(SETUP_LINK, None)
    start_session(request, user, backend=BACKEND)
    return redirect(settings.LOGIN_REDIRECT_URL)


def _no_setup(request: HttpRequest, error: setup_links.SetupLinkError) -> HttpResponse:
    context = {"text": error.message, "can_sign_in": administrators.exists()}
    return render(request, "account/setup_unavailable.html", context, status=404)
