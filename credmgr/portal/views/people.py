"""The people of the directory in use: who they are, what they may do, switching them off, their sessions."""

import uuid
from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from credmgr.accounts import administrators, sessions
from credmgr.accounts.models import User
from credmgr.accounts.roles import Right
from credmgr.audit.recording import Actor
from credmgr.errors import DomainError
from credmgr.factors.queries import factors_of
from credmgr.membership.people import (
    end_sessions_of,
    may_govern,
    remove_factors_of,
    set_person_disabled,
    set_roles,
    set_roles_here_and_everywhere,
)
from credmgr.membership.queries import Member, members_of, open_invitations, with_roles
from credmgr.portal import listing
from credmgr.portal.access import directory_of, may
from credmgr.portal.acting import carried_out, form_page, posted
from credmgr.portal.forms.applications import ConfirmedForm
from credmgr.portal.forms.people import AddPersonForm, RolesForm
from credmgr.registrations.models import Tenant

PAGE_SIZE = 50


@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """Everybody with a role here, and the invitations that nobody has used yet."""
    directory = directory_of(request)
    search = listing.search_of(request)
    rows = members_of(directory)
    if search:
        rows = rows.filter(username__icontains=search) | rows.filter(first_name__icontains=search)
    page = Paginator(rows, PAGE_SIZE).get_page(listing.page_number(request))
    context = {
        "page": page,
        "rows": with_roles(page, directory),
        "search": search,
        "invitations": open_invitations(directory)[:PAGE_SIZE],
        "now": timezone.now(),
        **listing.beside(request, page.number, page.paginator.num_pages),
    }
    return render(request, "portal/people/list.html", context)


@require_safe
def person(request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
    """One person: roles, state, sessions."""
    member, directory = _member_or_404(request, user_id)
    actor = Actor.from_request(request)
    context = {
        "member": member,
        "directory": directory,
        "sessions": sessions.sessions_of(member.user, timezone.now()),
        "factors": factors_of(member.user),
        "may_govern": may_govern(actor, member.user),
        "is_oneself": request.user == member.user,
    }
    return render(request, "portal/people/person.html", context)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def person_roles(request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
    """Which roles the person has here, and everywhere."""
    member, directory = _member_or_404(request, user_id)
    form = RolesForm(
        posted(request),
        request=request,
        may_give_everywhere=may(request, Right.OPERATE),
        initial={
            "here": member.given_by_hand(everywhere=False),
            "everywhere": member.given_by_hand(everywhere=True),
        },
    )

    def act(actor: Actor, now: datetime) -> str:
        set_roles_here_and_everywhere(
            member.user,
            tenant=directory,
            here=form.cleaned_data["here"],
            everywhere=form.cleaned_data.get("everywhere"),
            actor=actor,
            now=now,
        )
        return f"The roles of {member.user.shown_name} are saved."

    if done := carried_out(request, form, act, "portal:people"):
        return done
    context = _about(member, form) | {"directory": directory}
    return form_page(request, "portal/people/roles.html", form, context)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def person_add(request: HttpRequest) -> HttpResponse:
    """Give somebody who has an account roles in this directory."""
    directory = directory_of(request)
    form = AddPersonForm(posted(request), request=request)
    if form.is_bound and form.is_valid():
        found = administrators.find(form.cleaned_data["user_name"])
        if found is None:
            form.add_error(
                "user_name", "Nobody here has this user name. Check the spelling, or invite the person."
            )
        else:
            try:
                set_roles(
                    found,
                    tenant=directory,
                    roles=form.cleaned_data["roles"],
                    actor=Actor.from_request(request),
                    now=timezone.now(),
                )
            except DomainError as error:
                form.refuse(error)
            else:
                messages.success(request, f"{found.shown_name} has roles in {directory.name} now.")
                return redirect("portal:people")
    context = {"form": form, "directory": directory, "back": reverse("portal:people")}
    return form_page(request, "portal/people/add.html", form, context)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def person_disable(request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
    """Ask, then switch sign-in off; every session of the person ends at once."""

    def act(user: User, actor: Actor, now: datetime) -> str:
        ended = set_person_disabled(user, disabled=True, actor=actor, now=now)
        return f"{user.shown_name} can no longer sign in. Sessions ended: {ended}."

    return _confirmed(request, user_id, "portal/people/disable.html", act)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def person_enable(request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
    """Ask, then let the person sign in again."""

    def act(user: User, actor: Actor, now: datetime) -> str:
        set_person_disabled(user, disabled=False, actor=actor, now=now)
        return f"{user.shown_name} can sign in again."

    return _confirmed(request, user_id, "portal/people/enable.html", act)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def person_end_sessions(request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
    """Ask, then sign the person out everywhere."""

    def act(user: User, actor: Actor, now: datetime) -> str:
        ended = end_sessions_of(user, actor=actor, now=now)
        return f"Sessions of {user.shown_name} that ended: {ended}."

    return _confirmed(request, user_id, "portal/people/end_sessions.html", act)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def person_remove_factors(request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
    """Ask, then remove the second factors of somebody who lost them."""

    def act(user: User, actor: Actor, now: datetime) -> str:
        if remove_factors_of(user, actor=actor, now=now):
            return f"{user.shown_name} signs in with the password alone from now on."
        return f"{user.shown_name} had no second factor."

    return _confirmed(request, user_id, "portal/people/remove_factors.html", act)


def _confirmed(
    request: HttpRequest, user_id: uuid.UUID, template: str, act: Callable[[User, Actor, datetime], str]
) -> HttpResponse:
    member, _ = _member_or_404(request, user_id)
    form = ConfirmedForm(posted(request), request=request)

    def act_on_member(actor: Actor, now: datetime) -> str:
        return act(member.user, actor, now)

    if done := carried_out(request, form, act_on_member, "portal:people"):
        return done
    return form_page(request, template, form, _about(member, form))


def _member_or_404(request: HttpRequest, user_id: uuid.UUID) -> tuple[Member, Tenant]:
    """Somebody with a role here. People of other directories alone are not known of."""
    directory = directory_of(request)
    user = members_of(directory).filter(pk=user_id).first()
    if user is None:
        raise Http404
    return with_roles([user], directory)[0], directory


def _about(member: Member, form: RolesForm | ConfirmedForm) -> dict[str, object]:
    return {"member": member, "form": form, "back": reverse("portal:person", args=[member.user.pk])}
