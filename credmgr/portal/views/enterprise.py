"""Enterprise applications: multitenant registrations of other directories that may be used in this one."""

import uuid
from datetime import datetime

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from credmgr.audit.recording import Actor
from credmgr.errors import DomainError
from credmgr.portal import listing
from credmgr.portal.access import directory_of, principal_or_404
from credmgr.portal.acting import carried_out, form_page, posted
from credmgr.portal.enterprise_rows import row_of, rows_of
from credmgr.portal.forms.applications import ConfirmedForm
from credmgr.portal.forms.base import PortalForm
from credmgr.portal.forms.enterprise import EnablePrincipalForm
from credmgr.portal.permission_rows import rows_of as permission_rows
from credmgr.portal.words import counted
from credmgr.registrations.models import ServicePrincipal
from credmgr.registrations.permissions import (
    grant_admin_consent,
    permission_of,
    permissions_of,
    revoke_permission,
)
from credmgr.registrations.queries import identifier_uri_of
from credmgr.registrations.service_principals import (
    holders_of,
    principals_in,
    remove_service_principal,
    set_principal_enabled,
)

PAGE_SIZE = 50


@require_safe
def enterprise_applications(request: HttpRequest) -> HttpResponse:
    """Those of the directory in use, by name."""
    search = listing.search_of(request)
    found = principals_in(directory_of(request), search)
    page = Paginator(found, PAGE_SIZE).get_page(listing.page_number(request))
    context = {
        "page": page,
        "rows": rows_of(page),
        "search": search,
        "clear_address": listing.address(request, search=None),
        **listing.beside(request, page.number, page.paginator.num_pages),
    }
    return render(request, "portal/enterprise/list.html", context)


@require_safe
def enterprise_application(request: HttpRequest, principal_id: uuid.UUID) -> HttpResponse:
    """Overview: ids, home, state, and what it may do in this directory."""
    principal = principal_or_404(request, principal_id)
    permissions = permissions_of(principal.application, principal.tenant_id)
    context = {
        "row": row_of(principal),
        "principal": principal,
        "application": principal.application,
        "identifier_uri": identifier_uri_of(principal.application),
        "permissions": permission_rows(permissions, principal.tenant.name),
        "to_grant": sum(each.can_be_granted for each in permissions),
        "holders": holders_of(principal),
    }
    return render(request, "portal/enterprise/overview.html", context)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def enterprise_application_enable(request: HttpRequest, principal_id: uuid.UUID) -> HttpResponse:
    """Let it sign in here, or not."""
    principal = principal_or_404(request, principal_id)
    initial = {"enabled": "no" if principal.is_enabled else "yes"}
    form = EnablePrincipalForm(posted(request), request=request, initial=initial)

    def act(actor: Actor, now: datetime) -> str:
        fresh = set_principal_enabled(
            principal,
            enabled=form.cleaned_data["enabled"],
            actor=actor,
            now=now,
        )
        state = "can get tokens here again" if fresh.is_enabled else "cannot get tokens here any more"
        return f"{principal.application.display_name} {state}."

    if done := carried_out(request, form, act, "portal:enterprise_application", principal.pk):
        return done
    context = _about(principal, form) | {"holders": holders_of(principal)}
    return _answer(request, "portal/enterprise/enable.html", context, form)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def enterprise_application_remove(request: HttpRequest, principal_id: uuid.UUID) -> HttpResponse:
    """Ask, then take it out of the directory."""
    principal = principal_or_404(request, principal_id)
    form = ConfirmedForm(posted(request), request=request)

    def act(actor: Actor, now: datetime) -> str:
        remove_service_principal(principal, actor=actor, now=now)
        return f"{principal.application.display_name} is removed from {principal.tenant.name}."

    if done := carried_out(request, form, act, "portal:enterprise_applications"):
        return done
    granted = [each for each in permissions_of(principal.application, principal.tenant_id) if each.granted_at]
    context = _about(principal, form) | {"granted": len(granted), "holders": holders_of(principal)}
    return _answer(request, "portal/enterprise/remove.html", context, form)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def enterprise_application_grant(request: HttpRequest, principal_id: uuid.UUID) -> HttpResponse:
    """Admin consent for everything that it asks for and this directory can give."""
    principal = principal_or_404(request, principal_id)
    form = ConfirmedForm(posted(request), request=request)

    def act(actor: Actor, now: datetime) -> str:
        granted = grant_admin_consent(
            principal.application,
            tenant_id=principal.tenant_id,
            actor=actor,
            now=now,
        )
        said = f"{counted(len(granted), 'permission')} granted for {principal.tenant.name}."
        return f"{said} The next token has them." if granted else "Nothing was left to grant."

    if done := carried_out(request, form, act, "portal:enterprise_application", principal.pk):
        return done
    permissions = permissions_of(principal.application, principal.tenant_id)
    rows = permission_rows([each for each in permissions if each.can_be_granted], principal.tenant.name)
    return _answer(request, "portal/enterprise/grant.html", _about(principal, form) | {"rows": rows}, form)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def enterprise_application_revoke(
    request: HttpRequest, principal_id: uuid.UUID, api_id: uuid.UUID, role_id: uuid.UUID
) -> HttpResponse:
    """Take a grant back in this directory."""
    principal = principal_or_404(request, principal_id)
    permission = permission_of(principal.application, api_id, role_id, principal.tenant_id)
    if permission is None or permission.granted_at is None:
        raise Http404
    form = ConfirmedForm(posted(request), request=request)
    if form.is_bound and form.is_valid():
        try:
            revoke_permission(
                principal.application,
                permission=permission,
                tenant_id=principal.tenant_id,
                actor=Actor.from_request(request),
                now=timezone.now(),
            )
        except DomainError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, "The consent is revoked. The next token is without it.")
        return redirect("portal:enterprise_application", principal.pk)
    context = _about(principal, form) | {"row": permission_rows([permission], principal.tenant.name)[0]}
    return _answer(request, "portal/enterprise/revoke.html", context, form)


def _about(principal: ServicePrincipal, form: PortalForm) -> dict[str, object]:
    return {
        "principal": principal,
        "application": principal.application,
        "form": form,
        "back": reverse("portal:enterprise_application", args=[principal.pk]),
    }


def _answer(
    request: HttpRequest, template: str, context: dict[str, object], form: PortalForm
) -> HttpResponse:
    return form_page(request, template, form, context)
