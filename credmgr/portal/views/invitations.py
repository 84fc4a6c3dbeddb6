"""Inviting people, and the way in for somebody who was invited."""

import uuid
from datetime import datetime

from django.conf import settings
from django.contrib.auth import login as start_session
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from credmgr.accounts import administrators
from credmgr.accounts.models import Invitation
from credmgr.accounts.public import public
from credmgr.accounts.roles import ROLE_NAMES, Role
from credmgr.audit.recording import Actor
from credmgr.errors import DomainError
from credmgr.membership import invitations
from credmgr.membership.errors import InvitationError
from credmgr.membership.queries import open_invitations
from credmgr.portal.access import directory_of
from credmgr.portal.acting import carried_out, form_page, posted
from credmgr.portal.forms.account import SetupForm
from credmgr.portal.forms.applications import ConfirmedForm
from credmgr.portal.forms.people import InviteForm
from credmgr.portal.views.sign_in import BACKEND
from credmgr.registrations.models import Tenant

# Row id of the invitation whose token was moved out of the address.
INVITATION = "invitation"


@never_cache
@sensitive_variables("token", "link")
@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation_new(request: HttpRequest) -> HttpResponse:
    """The form; the answer to it shows the link, once."""
    directory = directory_of(request)
    form = InviteForm(posted(request), request=request)
    context = {"form": form, "directory": directory, "back": reverse("portal:people")}
    if form.is_bound and form.is_valid():
        try:
            made, token = invitations.invite(
                name=form.cleaned_data["name"],
                tenant=directory,
                roles=form.cleaned_data["roles"],
                actor=Actor.from_request(request),
                now=timezone.now(),
            )
        except DomainError as error:
            form.refuse(error)
        else:
            link = request.build_absolute_uri(reverse("account_invitation", args=[token]))
            answer = render(
                request, "portal/people/invited.html", context | {"invitation": made, "link": link}
            )
            answer["Cache-Control"] = "no-store"
            return answer
    return form_page(request, "portal/people/invite.html", form, context)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation_withdraw(request: HttpRequest, invitation_id: uuid.UUID) -> HttpResponse:
    """Ask, then end an invitation."""
    directory = directory_of(request)
    found = open_invitations(directory).filter(pk=invitation_id).first()
    if found is None:
        raise Http404
    form = ConfirmedForm(posted(request), request=request)

    def act(actor: Actor, now: datetime) -> str:
        invitations.withdraw(found, actor=actor, now=now)
        return f"The invitation for {found.invited_name} is withdrawn."

    if done := carried_out(request, form, act, "portal:people"):
        return done
    context = {"form": form, "invitation": found, "back": reverse("portal:people")}
    return form_page(request, "portal/people/withdraw.html", form, context)


@public
@never_cache
@require_safe
@sensitive_variables("token")
def invitation_link(request: HttpRequest, token: str) -> HttpResponse:
    """The link that was handed over: moves the token out of the address, then shows the form."""
    try:
        found = invitations.find_invitation(token, timezone.now())
    except InvitationError as error:
        return _unusable(request, error)
    if request.method == "GET":  # a HEAD must leave no trace
        request.session[INVITATION] = str(found.pk)
    return redirect("account_invitation_form")


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
def invitation(request: HttpRequest) -> HttpResponseBase:
    """Choose user name and password, for whoever came by the link."""
    try:
        found = invitations.open_invitation(request.session.get(INVITATION), timezone.now())
        form = SetupForm(posted(request))
        if form.is_bound and form.is_valid() and (answer := _accept(request, form, found)):
            return answer
    except InvitationError as error:
        return _unusable(request, error)
    directory = Tenant.objects.filter(pk=found.tenant_id).first() if found.tenant_id else None
    roles = ", ".join(ROLE_NAMES[role] for role in Role if role in found.roles)
    context = {"form": form, "directory": directory, "roles": roles}
    return form_page(request, "account/invitation.html", form, context)


@sensitive_variables()
def _accept(request: HttpRequest, form: SetupForm, found: Invitation) -> HttpResponse | None:
    """Signed in and on the way, or None with the refusal in the form."""
    given, now = form.cleaned_data, timezone.now()
    try:
        user = administrators.new_person(given["user_name"], given["full_name"], given["password1"])
        actor = Actor(
            user.shown_name,
            user,
            request.META.get("REMOTE_ADDR", ""),
            Actor.from_request(request).correlation_id,
        )
        invitations.accept(found, user, actor=actor, now=now)
    except InvitationError:
        raise
    except DomainError as error:
        form.refuse(error)
        return None
    request.session.pop(INVITATION, None)
    start_session(request, user, backend=BACKEND)
    return redirect(settings.LOGIN_REDIRECT_URL)


def _unusable(request: HttpRequest, error: InvitationError) -> HttpResponse:
    return render(request, "account/invitation_unusable.html", {"text": error.message}, status=404)
