"""Expose an API: the name that tokens are asked for with, and what the tokens depend on and say."""

import uuid
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from credmgr.audit.recording import Actor
from credmgr.portal.access import built_in_application_or_404
from credmgr.portal.acting import carried_out, form_page, posted
from credmgr.portal.forms.permissions import ExposureForm, IdentifierUriForm
from credmgr.registrations.app_roles import app_roles_of
from credmgr.registrations.queries import identifier_uri_of
from credmgr.registrations.registering import update_application


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def application_expose(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """The page, and its two switches."""
    application = built_in_application_or_404(request, application_id)
    stored = {
        "app_role_assignment_required": application.app_role_assignment_required,
        "includes_idtyp": application.includes_idtyp,
        "version": application.version,
    }
    form = ExposureForm(posted(request), request=request, initial=stored)

    def act(actor: Actor, now: datetime) -> str:
        update_application(
            application,
            app_role_assignment_required=form.cleaned_data["app_role_assignment_required"],
            includes_idtyp=form.cleaned_data["includes_idtyp"],
            expected_version=form.cleaned_data["version"],
            actor=actor,
            now=now,
        )
        return "Saved. It holds for the next token."

    if done := carried_out(request, form, act, "portal:application_expose", application.pk):
        return done
    context = {
        "application": application,
        "identifier_uri": identifier_uri_of(application),
        "enabled_roles": [listed for listed in app_roles_of(application) if listed.role.is_enabled],
        "form": form,
    }
    return form_page(request, "portal/permissions/expose.html", form, context)


@require_http_methods(["GET", "HEAD", "POST"])
def application_identifier_uri(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """Add, change or remove the Application ID URI; where there is none, api://{client ID} is offered."""
    application = built_in_application_or_404(request, application_id)
    stored = identifier_uri_of(application)
    initial = {
        "identifier_uri": stored or f"api://{application.client_id}",
        "version": application.version,
    }
    form = IdentifierUriForm(posted(request), initial=initial)

    def act(actor: Actor, now: datetime) -> str:
        update_application(
            application,
            identifier_uri=form.cleaned_data["identifier_uri"],
            expected_version=form.cleaned_data["version"],
            actor=actor,
            now=now,
        )
        words = "is saved" if form.cleaned_data["identifier_uri"] else "is removed"
        return f"The Application ID URI {words}."

    if done := carried_out(request, form, act, "portal:application_expose", application.pk):
        return done
    context = {
        "application": application,
        "stored": stored,
        "form": form,
        "back": reverse("portal:application_expose", args=[application.pk]),
    }
    return form_page(request, "portal/permissions/identifier_uri.html", form, context)
