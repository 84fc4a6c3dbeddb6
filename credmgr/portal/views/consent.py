"""Consent: bring a multitenant application of another directory into one. First which, then what it gives."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from credmgr.audit.recording import Actor
from credmgr.errors import DomainError
from credmgr.portal.access import any_directory_or_404, directory_of
from credmgr.portal.acting import form_page, posted
from credmgr.portal.forms.applications import ConfirmedForm
from credmgr.portal.forms.enterprise import FindApplicationForm
from credmgr.portal.permission_rows import rows_of
from credmgr.portal.words import counted
from credmgr.registrations.models import ServicePrincipal, Tenant
from credmgr.registrations.permissions import permissions_of
from credmgr.registrations.queries import identifier_uri_of
from credmgr.registrations.service_principals import add_service_principal, consentable


@require_safe
def enterprise_application_new(request: HttpRequest) -> HttpResponse:
    """Consent in the directory in use, for links that name none; ?client_id= goes along."""
    address = reverse("portal:directory_consent", args=[directory_of(request).pk])
    query = request.META.get("QUERY_STRING", "")
    return redirect(f"{address}?{query}" if query else address)


@require_http_methods(["GET", "HEAD", "POST"])
def directory_consent(request: HttpRequest, directory_id: uuid.UUID) -> HttpResponse:
    """Which application: by its client id, also from ?client_id= of a link."""
    directory = any_directory_or_404(request, directory_id)
    linked = request.GET.get("client_id", "")[:200]
    data = request.POST if request.method == "POST" else {"client_id": linked} if linked else None
    form = FindApplicationForm(data)
    if form.is_bound and form.is_valid():
        try:
            application = consentable(directory, form.cleaned_data["client_id"])
        except DomainError as error:
            form.refuse(error)
        else:
            return redirect("portal:directory_consent_review", directory.pk, application.client_id)
    context = {"directory": directory, "form": form, "back": _back(request, directory)}
    return form_page(request, "portal/enterprise/consent.html", form, context)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def directory_consent_review(
    request: HttpRequest, directory_id: uuid.UUID, client_id: uuid.UUID
) -> HttpResponse:
    """What consent gives; accepting puts the service principal into the directory."""
    directory = any_directory_or_404(request, directory_id)
    context: dict[str, object] = {"directory": directory, "back": _back(request, directory)}
    try:
        application = consentable(directory, str(client_id))
    except DomainError as error:
        there = ServicePrincipal.objects.filter(tenant=directory, application__client_id=client_id).first()
        context |= {"refusal": error.message, "client_id": client_id, "there": there}
        status = 422 if request.method == "POST" else 200
        return render(request, "portal/enterprise/consent_refused.html", context, status=status)
    form = ConfirmedForm(posted(request), request=request)
    if form.is_bound and form.is_valid():
        try:
            principal, granted = add_service_principal(
                directory, client_id=str(client_id), actor=Actor.from_request(request), now=timezone.now()
            )
        except DomainError as error:
            form.refuse(error)
        else:
            with_roles = f" with {counted(len(granted), 'permission')}" if granted else ""
            said = f"{application.display_name} can be used in {directory.name}{with_roles}."
            messages.success(request, said)
            return redirect(_after(request, principal))
    permissions = [each for each in permissions_of(application, directory.pk) if each.is_requested]
    context |= {
        "application": application,
        "form": form,
        "rows": rows_of(permissions, directory.name),
        "identifier_uri": identifier_uri_of(application),
    }
    return form_page(request, "portal/enterprise/consent_review.html", form, context)


def _back(request: HttpRequest, directory: Tenant) -> str:
    if directory_of(request).pk == directory.pk:
        return reverse("portal:enterprise_applications")
    return reverse("portal:directory", args=[directory.pk])


def _after(request: HttpRequest, principal: ServicePrincipal) -> str:
    """A page of the directory in use: one may consent for another one than that."""
    in_use = directory_of(request).pk
    if in_use == principal.tenant_id:
        return reverse("portal:enterprise_application", args=[principal.pk])
    if in_use == principal.application.tenant_id:
        return reverse("portal:application", args=[principal.application_id])
    return reverse("portal:directory", args=[principal.tenant_id])
