"""Branding & properties: what a registration is called, what it is, and where it lives if not here."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from credmgr.audit.recording import Actor
from credmgr.errors import DomainError
from credmgr.origins.queries import is_allowed
from credmgr.portal.access import application_or_404
from credmgr.portal.acting import form_page
from credmgr.portal.forms.applications import ExternalPropertiesForm, PropertiesForm
from credmgr.portal.origin_rows import unlisted_warning
from credmgr.registrations.errors import ChangedMeanwhileError
from credmgr.registrations.models import ENTRA, Application
from credmgr.registrations.places import entra_parts
from credmgr.registrations.queries import identifier_uri_of
from credmgr.registrations.registering import update_application

_LABELS = {
    "display_name": "name",
    "identifier_uri": "URI",
    "sign_in_audience": "choice",
    "access_token_version": "choice",
    "cloud": "cloud",
    "tenant": "directory",
    "issuer": "issuer",
    "client_id": "client ID",
    "notes": "text",
}


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def application_properties(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """The form, and what it changes."""
    application = application_or_404(request, application_id)
    typed = request.POST.copy() if request.method == "POST" else None
    form = _form(request, application, typed)
    if typed is not None and form.is_valid() and _update(request, application, form, typed):
        return redirect("portal:application_properties", application.pk)
    context = {
        "application": application,
        "form": form,
        "secret_count": application.client_secrets.count() if application.is_external else 0,
    }
    return form_page(request, "portal/applications/properties.html", form, context)


def say_saved(request: HttpRequest, application: Application, sentence: str) -> None:
    """What was saved, and whether the place where it lives may be called at all (decision 16)."""
    if not application.is_external or is_allowed(application.authority_url):
        messages.success(request, sentence)
        return
    consequence = "no test of it can be run yet"
    messages.warning(request, unlisted_warning(request, sentence, application.authority_url, consequence))


def _form(
    request: HttpRequest, application: Application, typed: QueryDict | None
) -> PropertiesForm | ExternalPropertiesForm:
    stored = _as_stored(application)
    if application.is_external:
        kind = application.authority_kind
        return ExternalPropertiesForm(typed, initial=stored, request=request, kind=kind)
    return PropertiesForm(typed, initial=stored)


def _update(
    request: HttpRequest,
    application: Application,
    form: PropertiesForm | ExternalPropertiesForm,
    data: QueryDict,
) -> bool:
    typed = form.cleaned_data
    wanted: dict[str, Any]
    if isinstance(form, ExternalPropertiesForm):
        wanted = {"place": form.chosen_place}
    else:
        names = ("identifier_uri", "sign_in_audience", "access_token_version")
        wanted = {name: typed[name] for name in names}
    try:
        fresh = update_application(
            application,
            display_name=typed["display_name"],
            notes=typed["notes"],
            **wanted,
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
    say_saved(request, fresh, "The properties are saved.")
    return True


def _show_what_changed(
    application: Application, form: PropertiesForm | ExternalPropertiesForm, data: QueryDict
) -> None:
    """Keep what was typed, say what it is now, and let the next press of Save decide."""
    stored = _as_stored(Application.objects.get(pk=application.pk))
    data["version"] = str(stored["version"])
    form.add_error(
        None,
        "Someone else changed this registration meanwhile. Nothing was saved, and what you typed is still "
        "here. Look at the values that differ, then save again to replace them.",
    )
    for name, label in _LABELS.items():
        if name in form.fields and form.cleaned_data.get(name) != stored[name]:
            form.add_error(name, f"The {label} is now: {_in_words(form, name, stored[name])}")


def _in_words(form: PropertiesForm | ExternalPropertiesForm, name: str, value: object) -> str:
    choices = dict(getattr(form.fields[name], "choices", []))
    return str(choices.get("" if value is None else str(value), value)) or "empty"


def _as_stored(application: Application) -> dict[str, object]:
    stored: dict[str, object] = {
        "display_name": application.display_name,
        "notes": application.notes,
        "version": application.version,
    }
    if not application.is_external:
        return stored | {
            "identifier_uri": identifier_uri_of(application),
            "sign_in_audience": application.sign_in_audience,
            "access_token_version": application.access_token_version,
        }
    stored["client_id"] = application.external_client_id
    if application.authority_kind == ENTRA:
        parts = entra_parts(application.authority_url)
        return stored | {"cloud": parts.cloud.key if parts.cloud else "", "tenant": parts.tenant}
    return stored | {"issuer": application.authority_url}
