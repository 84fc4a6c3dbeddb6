"""App roles: what this API lets applications do."""

import uuid

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
    form = AppRoleForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_bound and form.is_valid():
        try:
            role = add_app_role(
                application,
                display_name=form.cleaned_data["display_name"],
                value=form.cleaned_data["value"],
                description=form.cleaned_data["description"],
                is_enabled=form.cleaned_data["is_enabled"],
                actor=Actor.from_request(request),
                now=timezone.now(),
            )
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, f"The app role {role.display_name} is defined.")
            return redirect("portal:application_roles", application.pk)
    return _panel(request, "app_role_new", application, {"form": form})


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def app_role(request: HttpRequest, application_id: uuid.UUID, role_id: uuid.UUID) -> HttpResponse:
    """Change a role's texts."""
    application = built_in_application_or_404(request, application_id)
    listed = _role_or_404(application, role_id)
    role = listed.role
    initial = {name: getattr(role, name) for name in ("display_name", "value", "description", "version")}
    form = AppRoleEditForm(
        request.POST if request.method == "POST" else None, request=request, initial=initial
    )
    if form.is_bound and form.is_valid():
        try:
            update_app_role(
                role,
                display_name=form.cleaned_data["display_name"],
                value=form.cleaned_data["value"],
                description=form.cleaned_data["description"],
                expected_version=form.cleaned_data["version"],
                actor=Actor.from_request(request),
                now=timezone.now(),
            )
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, "The app role is saved. A new value is in the next token.")
            return redirect("portal:application_roles", application.pk)
    return _panel(request, "app_role", application, {"form": form, "listed": listed})


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def app_role_enable(request: HttpRequest, application_id: uuid.UUID, role_id: uuid.UUID) -> HttpResponse:
    """Disable an enabled role, enable a disabled one."""
    application = built_in_application_or_404(request, application_id)
    listed = _role_or_404(application, role_id)
    initial = {"enabled": "no" if listed.role.is_enabled else "yes"}
    form = EnableRoleForm(
        request.POST if request.method == "POST" else None, request=request, initial=initial
    )
    if form.is_bound and form.is_valid():
        enabled = form.cleaned_data["enabled"]
        try:
            set_app_role_enabled(
                listed.role, enabled=enabled, actor=Actor.from_request(request), now=timezone.now()
            )
        except DomainError as error:
            form.refuse(error)
        else:
            words = "enabled" if enabled else "disabled"
            messages.success(request, f"The app role {listed.role.display_name} is {words}.")
            return redirect("portal:application_roles", application.pk)
    return _panel(request, "app_role_enable", application, {"form": form, "listed": listed})


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def app_role_delete(request: HttpRequest, application_id: uuid.UUID, role_id: uuid.UUID) -> HttpResponse:
    """Delete a disabled role; of an enabled one the page says what comes first."""
    application = built_in_application_or_404(request, application_id)
    listed = _role_or_404(application, role_id)
    form = ConfirmedForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_bound and form.is_valid():
        try:
            delete_app_role(listed.role, actor=Actor.from_request(request), now=timezone.now())
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, f"The app role {listed.role.display_name} is deleted.")
            return redirect("portal:application_roles", application.pk)
    return _panel(request, "app_role_delete", application, {"form": form, "listed": listed})


def _role_or_404(application: Application, role_id: uuid.UUID) -> ListedRole:
    found = next((each for each in app_roles_of(application) if each.role.pk == role_id), None)
    if found is None:
        raise Http404
    return found


def _panel(
    request: HttpRequest, template: str, application: Application, context: dict[str, object]
) -> HttpResponse:
    form = context["form"]
    status = 422 if getattr(form, "errors", None) else 200
    back = reverse("portal:application_roles", args=[application.pk])
    return render(
        request,
        f"portal/permissions/{template}.html",
        {"application": application, "back": back, **context},
        status=status,
    )
