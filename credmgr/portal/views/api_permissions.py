"""API permissions: what this application asks for, and what an administrator granted."""

import uuid
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from credmgr.audit.recording import Actor
from credmgr.errors import DomainError
from credmgr.portal.access import built_in_application_or_404
from credmgr.portal.acting import carried_out, form_page, posted
from credmgr.portal.forms.permissions import ConfirmedForm, RequestPermissionsForm
from credmgr.portal.permission_rows import rows_of
from credmgr.portal.words import counted
from credmgr.registrations.api_roles import Api, apis_of
from credmgr.registrations.models import Application
from credmgr.registrations.permissions import (
    Permission,
    grant_admin_consent,
    permission_of,
    permissions_of,
    remove_permission,
    request_permissions,
    revoke_permission,
)
from credmgr.registrations.queries import parse_guid


@require_safe
def api_permissions(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """What is asked for with its state, then what is granted without being asked for."""
    application = built_in_application_or_404(request, application_id)
    permissions = permissions_of(application)
    rows = rows_of(permissions, application.tenant.name)
    context = {
        "application": application,
        "asked": [row for row in rows if row.permission.is_requested],
        "others": [row for row in rows if not row.permission.is_requested],
        "to_grant": sum(permission.can_be_granted for permission in permissions),
    }
    return render(request, "portal/permissions/api_permissions.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def api_permission_new(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """Choose roles of one API; ?api= is its client id, Microsoft Graph where it is missing or unknown."""
    application = built_in_application_or_404(request, application_id)
    apis = apis_of(application.tenant_id)
    wanted = parse_guid(request.GET.get("api", ""))
    api = next((each for each in apis if each.client_id == wanted), apis[0])
    form = RequestPermissionsForm(posted(request), api=api)
    if form.is_bound and form.is_valid() and _request(request, application, api, form):
        return redirect("portal:api_permissions", application.pk)
    asked = {
        permission.role_id
        for permission in permissions_of(application)
        if permission.is_requested and permission.api_client_id == api.client_id
    }
    ticked = set(form.data.getlist("roles")) if form.is_bound else set()  # type: ignore[attr-defined] # POST
    context = {
        "application": application,
        "apis": apis,
        "api": api,
        "roles": [(role, role.id in asked, str(role.id) in ticked) for role in api.roles],
        "form": form,
        "back": reverse("portal:api_permissions", args=[application.pk]),
    }
    return form_page(request, "portal/permissions/api_permission_new.html", form, context)


def _request(request: HttpRequest, application: Application, api: Api, form: RequestPermissionsForm) -> bool:
    try:
        new = request_permissions(
            application,
            api_client_id=api.client_id,
            role_ids=form.cleaned_data["roles"],
            actor=Actor.from_request(request),
            now=timezone.now(),
        )
    except DomainError as error:
        form.refuse(error)
        return False
    said = (
        f"{counted(len(new), 'permission')} of {api.name} requested. An administrator has to grant consent."
    )
    messages.success(request, said if new else "These permissions were requested already.")
    return True


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def api_permissions_grant(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """Admin consent for everything that is asked for."""
    application = built_in_application_or_404(request, application_id)
    form = ConfirmedForm(posted(request), request=request)

    def act(actor: Actor, now: datetime) -> str:
        granted = grant_admin_consent(application, actor=actor, now=now)
        said = f"{counted(len(granted), 'permission')} granted for {application.tenant.name}."
        return f"{said} The next token has them." if granted else "Nothing was left to grant."

    if done := carried_out(request, form, act, "portal:api_permissions", application.pk):
        return done
    permissions = [permission for permission in permissions_of(application) if permission.can_be_granted]
    context = {
        "application": application,
        "rows": rows_of(permissions, application.tenant.name),
        "form": form,
        "back": reverse("portal:api_permissions", args=[application.pk]),
    }
    return form_page(request, "portal/permissions/grant.html", form, context)


@require_http_methods(["GET", "HEAD", "POST"])
def api_permission_remove(
    request: HttpRequest, application_id: uuid.UUID, api_id: uuid.UUID, role_id: uuid.UUID
) -> HttpResponse:
    """Ask for it no longer. It takes nothing away, so no password is asked for."""
    application = built_in_application_or_404(request, application_id)
    permission = _permission_or_404(application, api_id, role_id)
    if not permission.is_requested:
        raise Http404
    if request.method == "POST":
        try:
            remove_permission(
                application, permission=permission, actor=Actor.from_request(request), now=timezone.now()
            )
        except DomainError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, "The permission is no longer requested.")
        return redirect("portal:api_permissions", application.pk)
    return render(request, "portal/permissions/remove.html", _about(application, permission) | {"form": None})


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def api_permission_revoke(
    request: HttpRequest, application_id: uuid.UUID, api_id: uuid.UUID, role_id: uuid.UUID
) -> HttpResponse:
    """Take a grant back."""
    application = built_in_application_or_404(request, application_id)
    permission = _permission_or_404(application, api_id, role_id)
    if permission.granted_at is None:
        raise Http404
    form = ConfirmedForm(posted(request), request=request)
    if form.is_bound and form.is_valid():
        try:
            revoke_permission(
                application, permission=permission, actor=Actor.from_request(request), now=timezone.now()
            )
        except DomainError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, "The consent is revoked. The next token is without it.")
        return redirect("portal:api_permissions", application.pk)
    context = _about(application, permission) | {"form": form}
    return form_page(request, "portal/permissions/revoke.html", form, context)


def _permission_or_404(application: Application, api_id: uuid.UUID, role_id: uuid.UUID) -> Permission:
    found = permission_of(application, api_id, role_id)
    if found is None:
        raise Http404
    return found


def _about(application: Application, permission: Permission) -> dict[str, object]:
    return {
        "application": application,
        "row": rows_of([permission], application.tenant.name)[0],
        "back": reverse("portal:api_permissions", args=[application.pk]),
    }
