"""Register an application; change what it is called and what it is."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from credmgr.audit.recording import Actor
from credmgr.errors import DomainError
from credmgr.portal.access import application_or_404, directory_of
from credmgr.portal.forms.applications import PropertiesForm, RegisterForm
from credmgr.registrations.errors import ChangedMeanwhileError, DuplicateFormError
from credmgr.registrations.models import Application
from credmgr.registrations.queries import identifier_uri_of
from credmgr.registrations.registering import register_application, update_application

_NEXT_PAGE = {"certificate": "portal:certificate_new", "secret": "portal:secret_new"}


@require_http_methods(["GET", "HEAD", "POST"])
def application_new(request: HttpRequest) -> HttpResponse:
    """The form, and what it makes."""
    form = RegisterForm(request.POST if request.method == "POST" else None, in_use=directory_of(request))
    if form.is_bound and form.is_valid():
        made = _register(request, form)
        if made is not None:
            return redirect(_after_registering(made, form.cleaned_data["start_with"]))
    status = 422 if form.errors else 200
    return render(request, "portal/applications/new.html", {"form": form}, status=status)


def _register(request: HttpRequest, form: RegisterForm) -> Application | None:
    """What the form made, now or when it was sent before; None when it was refused."""
    typed = form.cleaned_data
    try:
        made = register_application(
            tenant=directory_of(request),
            display_name=typed["display_name"],
            sign_in_audience=typed["sign_in_audience"],
            identifier_uri=typed["identifier_uri"],
            notes=typed["notes"],
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
    messages.success(request, f"{made.display_name} is registered.")
    return made


def _after_registering(made: Application, start_with: str) -> str:
    return reverse(_NEXT_PAGE.get(start_with, "portal:application"), args=[made.pk])


@require_http_methods(["GET", "HEAD", "POST"])
def application_properties(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """Branding & properties."""
    application = application_or_404(request, application_id)
    if request.method == "POST":
        typed = request.POST.copy()
        form = PropertiesForm(typed)
        if form.is_valid() and _update(request, application, form, typed):
            return redirect("portal:application_properties", application.pk)
    else:
        form = PropertiesForm(initial=_as_stored(application))
    context = {"application": application, "form": form}
    status = 422 if form.errors else 200
    return render(request, "portal/applications/properties.html", context, status=status)


def _update(request: HttpRequest, application: Application, form: PropertiesForm, data: QueryDict) -> bool:
    typed = form.cleaned_data
    try:
        update_application(
            application,
            display_name=typed["display_name"],
            notes=typed["notes"],
            identifier_uri=typed["identifier_uri"],
            sign_in_audience=typed["sign_in_audience"],
            access_token_version=typed["access_token_version"],
            expected_version=typed["version"],
            actor=Actor.from_request(request),
            now=timezone.now(),
        )
    except ChangedMeanwhileError:
        _show_what_changed(application, form, data)
        return False
    except DomainError as error:
        form.refuse(error)
        return False
    messages.success(request, "The properties are saved.")
    return True


def _show_what_changed(application: Application, form: PropertiesForm, data: QueryDict) -> None:
    """Keep what was typed, say what it is now, and let the next press of Save decide."""
    stored = _as_stored(Application.objects.get(pk=application.pk))
    data["version"] = str(stored["version"])
    form.add_error(
        None,
        "Someone else changed this registration meanwhile. Nothing was saved, and what you typed is still "
        "here. Look at the values that differ, then save again to replace them.",
    )
    for name, label in (
        ("display_name", "name"),
        ("identifier_uri", "URI"),
        ("sign_in_audience", "choice"),
        ("access_token_version", "choice"),
        ("notes", "text"),
    ):
        if form.cleaned_data.get(name) != stored[name]:
            form.add_error(name, f"The {label} is now: {_in_words(form, name, stored[name])}")


def _in_words(form: PropertiesForm, name: str, value: object) -> str:
    choices = dict(getattr(form.fields[name], "choices", []))
    return str(choices.get("" if value is None else str(value), value)) or "empty"


def _as_stored(application: Application) -> dict[str, object]:
    return {
        "display_name": application.display_name,
        "identifier_uri": identifier_uri_of(application),
        "sign_in_audience": application.sign_in_audience,
        "access_token_version": application.access_token_version,
        "notes": application.notes,
        "version": application.version,
    }
