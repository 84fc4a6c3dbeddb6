"""Who owns a registration."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from credmgr.audit.recording import Actor
from credmgr.errors import DomainError
from credmgr.portal.access import application_or_404
from credmgr.portal.forms.applications import AddOwnerForm, ConfirmedForm
from credmgr.registrations.ownership import add_owner, remove_owner
from credmgr.registrations.queries import owners_of


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def application_owners(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """The owners, and adding one."""
    application = application_or_404(request, application_id)
    form = AddOwnerForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_bound and form.is_valid():
        person = form.cleaned_data["user"]
        try:
            add_owner(application, user=person, actor=Actor.from_request(request), now=timezone.now())
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, f"{person.shown_name} is now an owner.")
            return redirect("portal:application_owners", application.pk)
    context = {"application": application, "owners": owners_of(application), "form": form}
    status = 422 if form.errors else 200
    return render(request, "portal/applications/owners.html", context, status=status)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def application_owner_remove(
    request: HttpRequest, application_id: uuid.UUID, user_id: uuid.UUID
) -> HttpResponse:
    """Ask, then take the ownership away."""
    application = application_or_404(request, application_id)
    person = owners_of(application).filter(pk=user_id).first()
    if person is None:
        raise Http404
    form = ConfirmedForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_bound and form.is_valid():
        try:
            remove_owner(application, user=person, actor=Actor.from_request(request), now=timezone.now())
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, f"{person.shown_name} is no longer an owner.")
            return redirect("portal:application_owners", application.pk)
    context = {
        "application": application,
        "owner": person,
        "is_last": owners_of(application).count() == 1,
        "form": form,
        "back": reverse("portal:application_owners", args=[application.pk]),
    }
    status = 422 if form.errors else 200
    return render(request, "portal/applications/owner_remove.html", context, status=status)
