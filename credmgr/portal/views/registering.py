"""Register an application."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from credmgr.audit.recording import Actor
from credmgr.errors import DomainError
from credmgr.portal.access import directory_of
from credmgr.portal.acting import form_page, posted
from credmgr.portal.forms.applications import RegisterForm
from credmgr.portal.views.properties import say_saved
from credmgr.registrations.errors import DuplicateFormError
from credmgr.registrations.models import BUILT_IN, Application
from credmgr.registrations.registering import register_application

_NEXT_PAGE = {"certificate": "portal:certificate_new", "secret": "portal:secret_new"}


@require_http_methods(["GET", "HEAD", "POST"])
def application_new(request: HttpRequest) -> HttpResponse:
    """The form, and what it makes."""
    form = RegisterForm(posted(request), in_use=directory_of(request))
    if form.is_bound and form.is_valid():
        made = _register(request, form)
        if made is not None:
            return redirect(_after_registering(made, form.cleaned_data["start_with"]))
    return form_page(request, "portal/applications/new.html", form, {})


def _register(request: HttpRequest, form: RegisterForm) -> Application | None:
    """What the form made, now or when it was sent before; None when it was refused."""
    typed = form.cleaned_data
    try:
        made = register_application(
            tenant=directory_of(request),
            display_name=typed["display_name"],
            sign_in_audience=typed["sign_in_audience"],
            identifier_uri="" if form.chosen_place.kind != BUILT_IN else typed["identifier_uri"],
            notes=typed["notes"],
            place=form.chosen_place,
            form_token=typed["form_token"],
            actor=Actor.from_request(request),
            now=timezone.now(),
        )
    except DuplicateFormError as error:
        messages.info(request, error.message)
        return error.application
    except DomainError as error:
        form.refuse(error)
        return None
    say_saved(request, made, f"{made.display_name} is registered.")
    return made


def _after_registering(made: Application, start_with: str) -> str:
    return reverse(_NEXT_PAGE.get(start_with, "portal:application"), args=[made.pk])
