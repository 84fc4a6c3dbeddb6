"""Directories: the list, switching to one, a new one; one directory with its domains."""

import uuid
from datetime import datetime

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models.functions import Lower
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from credmgr.accounts import sessions
from credmgr.accounts.models import User
from credmgr.audit.recording import Actor
from credmgr.errors import DomainError
from credmgr.membership.queries import directories_for
from credmgr.portal import listing
from credmgr.portal.access import any_directory_or_404, standing_in
from credmgr.portal.acting import carried_out, form_page, posted
from credmgr.portal.forms.applications import ConfirmedForm
from credmgr.portal.forms.base import PortalForm
from credmgr.portal.forms.directories import AddDomainForm, CreateDirectoryForm, RenameDirectoryForm
from credmgr.registrations.directories import (
    add_domain,
    create_directory,
    delete_directory,
    remove_domain,
    rename_directory,
)
from credmgr.registrations.directory_sizes import live_registrations
from credmgr.registrations.models import Application, ServicePrincipal, Tenant, TenantDomain
from credmgr.registrations.queries import describe_directories, parse_guid

PAGE_SIZE = 50


@require_safe
def directories(request: HttpRequest) -> HttpResponse:
    """All of them, by name."""
    everything = directories_for(standing_in(request)).order_by(Lower("name"), "pk")
    page = Paginator(everything, PAGE_SIZE).get_page(listing.page_number(request))
    context = {
        "page": page,
        "rows": describe_directories(list(page)),
        **listing.beside(request, page.number, page.paginator.num_pages),
    }
    return render(request, "portal/directories/list.html", context)


@require_POST
def directory_switch(request: HttpRequest) -> HttpResponse:
    """Work in another directory from now on; one lands on its registrations."""
    wanted = parse_guid(request.POST.get("directory", ""))
    found = directories_for(standing_in(request)).filter(pk=wanted).first() if wanted else None
    if found is None:
        messages.error(request, "That directory is not there any more. Nothing was changed.")
        return redirect("portal:directories")
    if isinstance(request.user, User):
        sessions.work_in(request.session, request.user, found.pk)
    return redirect("portal:applications")


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def directory_new(request: HttpRequest) -> HttpResponse:
    """The form, and what it makes. One stays in the directory in use."""
    form = CreateDirectoryForm(posted(request), request=request)
    if form.is_bound and form.is_valid():
        try:
            made = create_directory(
                name=form.cleaned_data["name"],
                domain=form.cleaned_data["domain"],
                actor=Actor.from_request(request),
                now=timezone.now(),
            )
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, f"{made.name} is created. Switch to it to register applications there.")
            return redirect("portal:directory", made.pk)
    context = {"form": form, "back": reverse("portal:directories")}
    return _answer(request, "portal/directories/new.html", context, form)


@require_safe
def directory(request: HttpRequest, directory_id: uuid.UUID) -> HttpResponse:
    """Overview: ids, counts, domains."""
    found = any_directory_or_404(request, directory_id)
    context = {
        "directory": found,
        "listed": describe_directories([found])[0],
        "deleted": Application.objects.filter(tenant=found, deleted_at__isnull=False).count(),
        "principals": ServicePrincipal.objects.filter(tenant=found).count(),
        "domains": TenantDomain.objects.filter(tenant=found).order_by("-is_initial", "name"),
    }
    return render(request, "portal/directories/overview.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def directory_rename(request: HttpRequest, directory_id: uuid.UUID) -> HttpResponse:
    """Another name."""
    found = any_directory_or_404(request, directory_id)
    initial = {"name": found.name, "version": found.version}
    form = RenameDirectoryForm(posted(request), initial=initial)

    def act(actor: Actor, now: datetime) -> str:
        fresh = rename_directory(
            found,
            name=form.cleaned_data["name"],
            expected_version=form.cleaned_data["version"],
            actor=actor,
            now=now,
        )
        return f"The directory is called {fresh.name}."

    if done := carried_out(request, form, act, "portal:directory", found.pk):
        return done
    return _answer(request, "portal/directories/rename.html", _about(found, form), form)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def directory_domain_new(request: HttpRequest, directory_id: uuid.UUID) -> HttpResponse:
    """A further domain."""
    found = any_directory_or_404(request, directory_id)
    form = AddDomainForm(posted(request), request=request)

    def act(actor: Actor, now: datetime) -> str:
        added = add_domain(
            found,
            domain=form.cleaned_data["domain"],
            actor=actor,
            now=now,
        )
        return f"{added.name} is verified and can be used."

    if done := carried_out(request, form, act, "portal:directory", found.pk):
        return done
    return _answer(request, "portal/directories/domain_new.html", _about(found, form), form)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def directory_domain_remove(request: HttpRequest, directory_id: uuid.UUID, domain_id: int) -> HttpResponse:
    """Ask, then take the domain away. The initial one has no such page."""
    found = any_directory_or_404(request, directory_id)
    domain = TenantDomain.objects.filter(tenant=found, pk=domain_id, is_initial=False).first()
    if domain is None:
        raise Http404
    form = ConfirmedForm(posted(request), request=request)

    def act(actor: Actor, now: datetime) -> str:
        remove_domain(found, domain=domain, actor=actor, now=now)
        return f"{domain.name} is removed."

    if done := carried_out(request, form, act, "portal:directory", found.pk):
        return done
    context = _about(found, form) | {"domain": domain}
    return _answer(request, "portal/directories/domain_remove.html", context, form)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def directory_delete(request: HttpRequest, directory_id: uuid.UUID) -> HttpResponse:
    """Ask, then delete an empty directory for good."""
    found = any_directory_or_404(request, directory_id)
    form = ConfirmedForm(posted(request), request=request)

    def act(actor: Actor, now: datetime) -> str:
        delete_directory(found, actor=actor, now=now)
        return f"{found.name} is deleted."

    if done := carried_out(request, form, act, "portal:directories"):
        return done
    rows = Application.objects.filter(tenant=found)
    context = _about(found, form) | {
        "live": live_registrations([found.pk])[found.pk],
        "deleted": rows.filter(deleted_at__isnull=False).count(),
    }
    return _answer(request, "portal/directories/delete.html", context, form)


def _about(found: Tenant, form: PortalForm) -> dict[str, object]:
    return {"directory": found, "form": form, "back": reverse("portal:directory", args=[found.pk])}


def _answer(
    request: HttpRequest, template: str, context: dict[str, object], form: PortalForm
) -> HttpResponse:
    return form_page(request, template, form, context)
