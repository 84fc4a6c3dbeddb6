"""The way into Certificates & secrets; federated credentials: the tab, adding, changing and deleting one."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from credmgr.audit.recording import Actor
from credmgr.authority.access_tokens import issuer as issuer_of
from credmgr.credentials.federated import (
    PER_APPLICATION,
    add_federated_credential,
    delete_federated_credential,
    update_federated_credential,
)
from credmgr.credentials.models import FederatedCredential
from credmgr.errors import DomainError, NotFoundError
from credmgr.origins.queries import is_allowed
from credmgr.portal.access import application_or_404, built_in_application_or_404
from credmgr.portal.acting import form_page, posted
from credmgr.portal.credential_lists import tab_to_open, tabs_of
from credmgr.portal.federated_rows import federated_rows, impact_of_federated, room_in, rows_of
from credmgr.portal.forms.applications import ConfirmedForm
from credmgr.portal.forms.federated import FederatedEditForm, FederatedForm
from credmgr.portal.origin_rows import unlisted_warning
from credmgr.registrations.models import Application
from credmgr.registrations.places import place_words

_TRUST = ("issuer", "subject", "audience", "description")


@require_safe
def credentials(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """The tab with the nearest expiry."""
    application = application_or_404(request, application_id)
    return redirect(f"portal:{tab_to_open(application, timezone.now())}", application.pk)


@require_safe
def federated(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """The tab: whom the application trusts."""
    application = application_or_404(request, application_id)
    now = timezone.now()
    rows = federated_rows(application, now)
    context = {
        "application": application,
        "now": now,
        "tabs": tabs_of(application, "federated"),
        "rows": rows,
        "room": PER_APPLICATION - len(rows),
        "limit": PER_APPLICATION,
        "elsewhere": "Which workloads may sign in as this application with tokens of their own is decided at "
        f"{place_words(application)}. Nothing of it is kept here.",
    }
    return render(request, "portal/credentials/federated.html", context)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def federated_new(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """The form. "preview" shows it again with the generated subject, for browsers without script."""
    application = built_in_application_or_404(request, application_id)
    is_preview = "preview" in request.POST
    form = FederatedForm(
        request.POST if request.method == "POST" and not is_preview else None,
        request=request,
        own_issuer=issuer_of(application.tenant_id, version=2),
    )
    if is_preview:
        form.initial = {name: request.POST[name] for name in form.fields if name in request.POST}
        form.initial.pop("current_password", None)
    if form.is_bound and form.is_valid():
        given = {name: form.cleaned_data[name] for name in ("name", *_TRUST)}
        try:
            made = add_federated_credential(
                application, **given, actor=Actor.from_request(request), now=timezone.now()
            )
        except NotFoundError:
            raise Http404 from None  # the application was deleted meanwhile
        except DomainError as error:
            form.refuse(error)
        else:
            return _saved(request, made, f"Added the federated credential {made.name}.")
    context = {
        "application": application,
        "room": room_in(application),
        "limit": PER_APPLICATION,
        "back": reverse("portal:federated", args=[application.pk]),
    }
    return form_page(request, "portal/credentials/federated_new.html", form, context)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def federated_edit(request: HttpRequest, application_id: uuid.UUID, credential_id: uuid.UUID) -> HttpResponse:
    """Issuer, subject, audience, description; the name stays."""
    application = built_in_application_or_404(request, application_id)
    credential = _credential_or_404(application, credential_id)
    shown = {name: getattr(credential, name) for name in (*_TRUST, "version")}
    data = posted(request)
    form = FederatedEditForm(data, request=request, initial=shown)
    if request.method == "POST" and form.is_valid():
        try:
            fresh = update_federated_credential(
                credential,
                **{name: form.cleaned_data[name] for name in _TRUST},
                expected_version=form.cleaned_data["version"],
                actor=Actor.from_request(request),
                now=timezone.now(),
            )
        except NotFoundError as error:
            messages.error(request, error.message)
            return redirect("portal:federated", application.pk)
        except DomainError as error:
            form.refuse(error)
        else:
            return _saved(request, fresh, f"Saved the federated credential {fresh.name}.")
    context = {
        "application": application,
        "credential": credential,
        "back": reverse("portal:federated", args=[application.pk]),
    }
    return form_page(request, "portal/credentials/federated_edit.html", form, context)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def federated_delete(
    request: HttpRequest, application_id: uuid.UUID, credential_id: uuid.UUID
) -> HttpResponse:
    """What breaks without it; then the deletion, for good."""
    application = built_in_application_or_404(request, application_id)
    credential = _credential_or_404(application, credential_id)
    now = timezone.now()
    form = ConfirmedForm(posted(request), request=request)
    if request.method == "POST" and form.is_valid():
        try:
            delete_federated_credential(credential, actor=Actor.from_request(request), now=now)
        except NotFoundError as error:
            messages.error(request, error.message)
        else:
            sentence = f"Deleted the federated credential {credential.name} of {application.display_name}."
            messages.success(request, sentence)
        return redirect("portal:federated", application.pk)
    context = {
        "application": application,
        "now": now,
        "credential": credential,
        "row": rows_of([credential], now)[0],
        "impact": impact_of_federated(credential, now),
        "back": reverse("portal:federated", args=[application.pk]),
    }
    return form_page(request, "portal/credentials/federated_delete.html", form, context)


def _saved(request: HttpRequest, credential: FederatedCredential, sentence: str) -> HttpResponse:
    """Back to the tab; an issuer that may not be called is kept, and said."""
    if is_allowed(credential.issuer):
        messages.success(request, sentence)
    else:
        consequence = "no token of this issuer can be verified yet"
        messages.warning(request, unlisted_warning(request, sentence, credential.issuer, consequence))
    return redirect("portal:federated", credential.application_id)


def _credential_or_404(application: Application, credential_id: uuid.UUID) -> FederatedCredential:
    found = application.federated_credentials.filter(pk=credential_id).first()
    if found is None:
        raise Http404
    return found
