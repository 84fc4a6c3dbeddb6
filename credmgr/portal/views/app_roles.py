"""App roles: what this API lets applications do."""

import uuid
from collections.abc import Mapping
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from credmgr.audit.recording import Actor
from credmgr.portal.access import built_in_application_or_404
from credmgr.portal.acting import carried_out, form_page, posted
from credmgr.portal.forms.base import PortalForm
from credmgr.portal.forms.permissions import AppRoleEditForm, AppRoleForm, ConfirmedForm, EnableRoleForm
from credmgr.registrations.app_roles import (
    ListedRole,
    add_app_role,
    app_roles_of,
    delete_app_role,
    set_app_role_enabled,
    update_app_role,
)
from credmgr.registrations.models import Application


@require_safe
def application_roles(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """The roles with their values and states."""
    application = built_in_application_or_404(request, application_id)
    context = {"application": application, "roles": app_roles_of(application)}
    return render(request, "portal/permissions/app_roles.html", context)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def app_role_new(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """Define a role."""
    application = built_in_application_or_404(request, application_id)
    form = AppRoleForm(posted(request), request=request)

    def act(actor: Actor, now: datetime) -> str:
        role = add_app_role(
            application,
            display_name=form.cleaned_data["display_name"],
            value=form.cleaned_data["value"],
            description=form.cleaned_data["description"],
            is_enabled=form.cleaned_data["is_enabled"],
            actor=actor,
            now=now,
        )
        return f"The app role {role.display_name} is defined."

    if done := carried_out(request, form, act, "portal:application_roles", application.pk):
        return done
    return _panel(request, "app_role_new", application, form, {})


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def app_role(request: HttpRequest, application_id: uuid.UUID, role_id: uuid.UUID) -> HttpResponse:
    """Change a role's texts."""
    application = built_in_application_or_404(request, application_id)
    listed = _role_or_404(application, role_id)
    role = listed.role
    initial = {name: getattr(role, name) for name in ("display_name", "value", "description", "version")}
    form = AppRoleEditForm(posted(request), request=request, initial=initial)

    def act(actor: Actor, now: datetime) -> str:
        update_app_role(
            role,
            display_name=form.cleaned_data["display_name"],
            value=form.cleaned_data["value"],
            description=form.cleaned_data["description"],
            expected_version=form.cleaned_data["version"],
            actor=actor,
            now=now,
        )
        return "The app role is saved. A new value is in the next token."

    if done := carried_out(request, form, act, "portal:application_roles", application.pk):
        return done
    return _panel(request, "app_role", application, form, {"listed": listed})


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def app_role_enable(request: HttpRequest, application_id: uuid.UUID, role_id: uuid.UUID) -> HttpResponse:
    """Disable an enabled role, enable a disabled one."""
    application = built_in_application_or_404(request, application_id)
    listed = _role_or_404(application, role_id)
    initial = {"enabled": "no" if listed.role.is_enabled else "yes"}
    form = EnableRoleForm(posted(request), request=request, initial=initial)

    def act(actor: Actor, now: datetime) -> str:
        enabled = form.cleaned_data["enabled"]
        set_app_role_enabled(listed.role, enabled=enabled, actor=actor, now=now)
        words = "enabled" if enabled else "disabled"
        return f"The app role {listed.role.display_name} is {words}."

    if done := carried_out(request, form, act, "portal:application_roles", application.pk):
        return done
    return _panel(request, "app_role_enable", application, form, {"listed": listed})


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def app_role_delete(request: HttpRequest, application_id: uuid.UUID, role_id: uuid.UUID) -> HttpResponse:
    """Delete a disabled role; of an enabled one the page says what comes first."""
    application = built_in_application_or_404(request, application_id)
    listed = _role_or_404(application, role_id)
    form = ConfirmedForm(posted(request), request=request)

    def act(actor: Actor, now: datetime) -> str:
        delete_app_role(listed.role, actor=actor, now=now)
        return f"The app role {listed.role.display_name} is deleted."

    if done := carried_out(request, form, act, "portal:application_roles", application.pk):
        return done
    return _panel(request, "app_role_delete", application, form, {"listed": listed})


def _role_or_404(application: Application, role_id: uuid.UUID) -> ListedRole:
    found = next((each for each in app_roles_of(application) if each.role.pk == role_id), None)
    if found is None:
        raise Http404
    return found


def _panel(
    request: HttpRequest,
    template: str,
    application: Application,
    form: PortalForm,
    context: Mapping[str, object],
) -> HttpResponse:
    back = reverse("portal:application_roles", args=[application.pk])
    about = {"application": application, "back": back, **context}
    return form_page(request, f"portal/permissions/{template}.html", form, about)
