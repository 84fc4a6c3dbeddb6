"""Signing in, and confirming that it is oneself, at an OpenID Connect provider. Without one: 404."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib.auth import login as start_session
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_safe

from credmgr.accounts import sessions, throttling
from credmgr.accounts.models import User
from credmgr.accounts.public import public
from credmgr.accounts.signals import step_up_refused, stepped_up
from credmgr.audit.recording import Actor
from credmgr.authority.waiting import waiting
from credmgr.factors.queries import has_second_factor
from credmgr.origins.queries import allowed_origins
from credmgr.portal.access import person_of
from credmgr.portal.views.sign_in import BACKEND, MINUTE, PROVED, wait_page
from credmgr.signon import flow, people
from credmgr.signon.configuration import Provider, configured
from credmgr.signon.errors import SignOnError, message_of
from credmgr.signon.id_tokens import Identity

logger = logging.getLogger(__name__)
# Why the last try came to nothing: a code of SignOnError; and the page it was for.
REFUSED, REFUSED_GOAL = "single_sign_on_refused", "single_sign_on_goal"
_ELSEWHERE = {"cross-site", "same-site"}


@public
@never_cache
@require_GET
def begin(request: HttpRequest) -> HttpResponse:
    """The button of the sign-in page: on to the provider, and after that to ?next=."""
    provider, goal = _provider_or_404(), _goal(request)
    if isinstance(request.user, User):
        return redirect(goal)
    at_sign_in = f"{reverse('account_login')}?{urlencode({'next': goal})}"
    if settings.LISTENER == "secure" and not settings.PUBLIC_URL:
        # The provider sends people back to the portal's own address, where this cookie is not known.
        return redirect(f"{settings.PORTAL_URL}{at_sign_in}")
    if _comes_from_elsewhere(request):
        return redirect(at_sign_in)  # only a button of ours signs in: a session is never begun unasked
    now = timezone.now()
    # Each is a row of a session for a stranger: the many people of an office may come, a flood may not.
    limit = throttling.Limit("single-sign-on-begun", 20 * settings.LOGIN_FAILURES_PER_ADDRESS, 60 * MINUTE)
    key = throttling.key_of(limit.purpose, throttling.source_of(request.META.get("REMOTE_ADDR", "")))
    if wait := throttling.admit(key, limit, now):
        return wait_page(request, wait)
    return _sent_on(request, provider, goal)


@never_cache
@require_GET
def confirm(request: HttpRequest) -> HttpResponse:
    """The password's place for whoever has none here: sign in at the provider once more, and come back."""
    provider, person = configured(), person_of(request)
    is_theirs = provider is not None and sessions.is_from_provider(request.session, person)
    if provider is None or not is_theirs or _comes_from_elsewhere(request):
        return redirect("account")
    return _sent_on(request, provider, _goal(request), person)


@public
@never_cache
@require_GET
@sensitive_variables()
def callback(request: HttpRequest) -> HttpResponse:
    """Where the provider sends people back to. Always answered with a redirect: no code stays in sight."""
    provider = _provider_or_404()
    now, address = timezone.now(), throttling.source_of(request.META.get("REMOTE_ADDR", ""))
    limit = throttling.Limit("single-sign-on", settings.LOGIN_FAILURES_PER_ADDRESS, 60 * MINUTE)
    key = throttling.key_of(limit.purpose, address)
    pending: flow.Pending | None = None
    try:
        pending = flow.take_pending(request.session, request.GET, now)
        if throttling.admit(key, limit, now):
            raise SignOnError("throttled")
        with _patience():
            identity = flow.finish(
                pending,
                provider,
                request.GET,
                redirect_uri=_redirect_uri(),
                origins=allowed_origins(),
                now=now,
            )
        answer = _judged(request, provider, pending, identity)
    except SignOnError as error:
        return _refused(request, error, pending)
    throttling.take_back(key, limit.window_seconds, now)
    return answer


@public
@never_cache
@require_safe
def refused(request: HttpRequest) -> HttpResponse:
    """Why nobody was signed in, or nothing confirmed."""
    provider = _provider_or_404()
    code = request.session.get(REFUSED)
    if code is None:
        return redirect("account_login")
    context = {
        "text": message_of(code),
        "provider": provider,
        "goal": request.session.get(REFUSED_GOAL, ""),
        "is_signed_in": isinstance(request.user, User),
    }
    return render(request, "account/single_sign_on_refused.html", context, status=403)


def _judged(
    request: HttpRequest, provider: Provider, pending: flow.Pending, identity: Identity
) -> HttpResponse:
    """Confirm, or sign in. Raises SignOnError."""
    now = timezone.now()
    if pending.person:
        user = request.user
        if not isinstance(user, User) or str(user.pk) != pending.person:
            raise SignOnError("begin_again", "signed out meanwhile")
        if not people.is_person(user, identity):
            raise SignOnError("other_person")
        sessions.confirm(request.session, now)
        stepped_up.send(sender=User, request=request, user=user)
        return redirect(pending.goal)
    user = people.admit(identity, provider, actor=_stranger(request), now=now)
    return _entered(request, provider, user, identity, pending.goal)


def _entered(
    request: HttpRequest, provider: Provider, user: User, identity: Identity, goal: str
) -> HttpResponse:
    """Begin the session; ask for a second factor of this server where the person has one and it is due."""
    session = request.session
    if sessions.belongs_to_somebody(session):
        session.flush()
        request.user = AnonymousUser()
    is_proof = provider.second_factor == "ALWAYS" or (
        provider.second_factor == "AMR" and identity.has_second_factor
    )
    for name in (REFUSED, REFUSED_GOAL):
        session.pop(name, None)
    sessions.came_by_provider(session, user, counts_as_factor=is_proof)
    if is_proof or not has_second_factor(user):
        start_session(request, user, backend=BACKEND)
        return redirect(goal)
    session[PROVED] = user.get_session_auth_hash()
    answer: HttpResponse = perform_login(request, user, email_verification="none", redirect_url=goal)
    return answer


def _sent_on(request: HttpRequest, provider: Provider, goal: str, person: User | None = None) -> HttpResponse:
    try:
        with _patience():
            address = flow.begin(
                request.session,
                provider,
                goal=goal,
                redirect_uri=_redirect_uri(),
                origins=allowed_origins(),
                now=timezone.now(),
                person=person,
            )
    except SignOnError as error:
        return _told(request, error, goal)
    return redirect(address)


def _refused(request: HttpRequest, error: SignOnError, pending: flow.Pending | None) -> HttpResponse:
    """On record, then to the page that says why. The acts record what they refuse themselves.

    What a stranger can repeat for ever leaves no row: an answer to nothing, and what is over the limit.
    """
    if pending is None and request.session.session_key is None:
        logger.warning("An answer of the single sign-on provider came without a session.")
        return redirect("account_login")
    if pending is not None and error.code != "throttled":
        if pending.person and isinstance(request.user, User):
            step_up_refused.send(sender=User, request=request, user=request.user)
        elif error.code not in ("no_role", "disabled"):
            people.record_refusal(error.code, actor=Actor.from_request(request), now=timezone.now())
    return _told(request, error, pending.goal if pending else "")


def _told(request: HttpRequest, error: SignOnError, goal: str) -> HttpResponse:
    logger.warning("Single sign-on came to nothing: %s (%s).", error.code, error.detail or "no more to tell")
    request.session[REFUSED], request.session[REFUSED_GOAL] = error.code, goal
    return redirect("account_sso_refused")


@contextmanager
def _patience() -> Iterator[None]:
    """A thread that waits for the provider is one of the few that may wait. Raises SignOnError."""
    if not waiting.acquire(blocking=False):
        raise SignOnError("busy")
    try:
        yield
    finally:
        waiting.release()


def _provider_or_404() -> Provider:
    provider = configured()
    if provider is None:
        raise Http404
    return provider


def _redirect_uri() -> str:
    """Of the configured address, never of the Host header."""
    return f"{settings.PORTAL_URL}{reverse('account_sso_callback')}"


def _goal(request: HttpRequest) -> str:
    """A path of this server alone."""
    goal = request.GET.get("next", "")
    is_ours = goal.startswith("/") and url_has_allowed_host_and_scheme(goal, allowed_hosts=None)
    return goal if is_ours else resolve_url(settings.LOGIN_REDIRECT_URL)


def _comes_from_elsewhere(request: HttpRequest) -> bool:
    """Whether another site's page led here (Fetch Metadata; every browser that is supported sends it)."""
    return request.headers.get("Sec-Fetch-Site", "") in _ELSEWHERE


def _stranger(request: HttpRequest) -> Actor:
    found = Actor.from_request(request)
    return Actor("Not signed in", None, found.address, found.correlation_id)
