"""Client secrets: the tab, adding one, showing its value once, confirming that it is stored, deleting one."""

import uuid
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from credmgr.audit.recording import Actor
from credmgr.credentials.client_secrets import add_client_secret, confirm_stored, delete_client_secret
from credmgr.credentials.errors import DuplicateFormError
from credmgr.credentials.existing_secrets import add_existing_secret
from credmgr.credentials.models import ClientSecret
from credmgr.errors import DomainError, NotFoundError
from credmgr.portal.access import application_or_404
from credmgr.portal.acting import form_page, posted
from credmgr.portal.credential_impact import impact_of
from credmgr.portal.credential_lists import name_of, notice_for, secret_rows, single_row, tabs_of
from credmgr.portal.forms.applications import ConfirmedForm
from credmgr.portal.forms.secrets import ExistingSecretForm, SecretForm, StoredForm
from credmgr.portal.secret_destinations import destinations_for
from credmgr.registrations.models import Application


@require_safe
def secrets(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """The tab: hint and mask of every client secret, never a value."""
    application = application_or_404(request, application_id)
    now = timezone.now()
    rows = secret_rows(application, now)
    context = {
        "application": application,
        "now": now,
        "tabs": tabs_of(application, "secrets"),
        "rows": rows,
        "expired": [row for row in rows if row.status.kind == "expired"],
        "notice": notice_for(rows, application, now),
    }
    return render(request, "portal/credentials/secrets.html", context)


@sensitive_post_parameters("current_password", "value")
@sensitive_variables("value")
@require_http_methods(["GET", "HEAD", "POST"])
def secret_new(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """The form; its answer shows the value, once and only there (S-1).

    Of a registration that lives elsewhere: the form that takes a value from there.
    """
    application = application_or_404(request, application_id)
    now = timezone.now()
    if application.is_external:
        return _existing(request, application, now)
    form = SecretForm(posted(request), request=request, now=now)
    if request.method == "POST" and form.is_valid():
        try:
            start_at, end_at = form.period()
            secret, value = add_client_secret(
                application,
                description=form.cleaned_data["description"],
                start_at=start_at,
                end_at=end_at,
                verify_only=form.cleaned_data["verify_only"],
                form_token=form.cleaned_data["form_token"],
                actor=Actor.from_request(request),
                now=now,
            )
        except DuplicateFormError as error:
            return _already_made(request, application, error)
        except NotFoundError:
            raise Http404 from None  # the application was deleted meanwhile
        except DomainError as error:
            form.refuse(error)
        else:
            return _shown_once(request, application, secret, value)
    context = {
        "application": application,
        "back": reverse("portal:secrets", args=[application.pk]),
    }
    return form_page(request, "portal/credentials/secret_new.html", form, context)


def _existing(request: HttpRequest, application: Application, now: datetime) -> HttpResponse:
    form = ExistingSecretForm(posted(request), request=request)
    if form.is_bound and form.is_valid():
        try:
            start_at, end_at = form.period()
            secret = add_existing_secret(
                application,
                value=form.cleaned_data["value"],
                as_is=form.cleaned_data["as_is"],
                description=form.cleaned_data["description"],
                start_at=start_at,
                end_at=end_at,
                form_token=form.cleaned_data["form_token"],
                actor=Actor.from_request(request),
                now=now,
            )
        except DuplicateFormError as error:
            messages.info(request, error.message)
            return redirect("portal:secrets", application.pk)
        except NotFoundError:
            raise Http404 from None  # the application was deleted meanwhile
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, f"{name_of(secret)} is kept, sealed. Its value is never shown.")
            return redirect("portal:secrets", application.pk)
    context = {
        "application": application,
        "back": reverse("portal:secrets", args=[application.pk]),
    }
    return form_page(request, "portal/credentials/secret_existing.html", form, context)


@require_POST
def secret_stored(request: HttpRequest, application_id: uuid.UUID, secret_id: uuid.UUID) -> HttpResponse:
    """Done: the person says that the value is where it is used. Leads back to the list."""
    application = application_or_404(request, application_id)
    secret = _secret_or_404(application, secret_id)
    form = StoredForm(request.POST)
    if not form.is_valid():
        context = {"application": application, "secret": secret, "name": name_of(secret)}
        return form_page(request, "portal/credentials/secret_unstored.html", form, context)
    try:
        confirm_stored(secret, actor=Actor.from_request(request), now=timezone.now())
    except NotFoundError as error:
        messages.error(request, error.message)
    else:
        messages.success(
            request, f"{name_of(secret)} is stored. Only its first three characters stay visible here."
        )
    return redirect("portal:secrets", application.pk)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def secret_delete(request: HttpRequest, application_id: uuid.UUID, secret_id: uuid.UUID) -> HttpResponse:
    """What breaks without it; then the deletion, for good."""
    application = application_or_404(request, application_id)
    secret = _secret_or_404(application, secret_id)
    now = timezone.now()
    form = ConfirmedForm(posted(request), request=request)
    if request.method == "POST" and form.is_valid():
        try:
            delete_client_secret(secret, actor=Actor.from_request(request), now=now)
        except NotFoundError as error:
            messages.error(request, error.message)
        else:
            messages.success(
                request, f"Deleted the client secret {name_of(secret)} of {application.display_name}."
            )
        return redirect("portal:secrets", application.pk)
    context = {
        "application": application,
        "now": now,
        "row": single_row(secret, now),
        "impact": impact_of(secret, now),
        "back": reverse("portal:secrets", args=[application.pk]),
    }
    return form_page(request, "portal/credentials/secret_delete.html", form, context)


@sensitive_variables("value", "context")
def _shown_once(
    request: HttpRequest, application: Application, secret: ClientSecret, value: str
) -> HttpResponse:
    """The only answer that ever holds the value. Row and audit row are committed by now (S-2)."""
    now = timezone.now()
    context = {
        "application": application,
        "now": now,
        "tabs": tabs_of(application, "secrets"),
        "rows": secret_rows(application, now),
        "secret": secret,
        "name": name_of(secret),
        "value": value,
        "destinations": destinations_for(secret, value),
        "list_address": reverse("portal:secrets", args=[application.pk]),
    }
    answer = render(request, "portal/credentials/secret_once.html", context)
    answer["Cache-Control"] = "no-store"
    return answer


def _already_made(request: HttpRequest, application: Application, error: DuplicateFormError) -> HttpResponse:
    """The same form again: 409, and no second secret (S-3)."""
    made = error.secret if error.secret.application_id == application.pk else None
    context = {
        "application": application,
        "secret": made,
        "name": name_of(made) if made else "",
        "text": error.message,
        "back": reverse("portal:secrets", args=[application.pk]),
    }
    return render(request, "portal/credentials/secret_already_made.html", context, status=409)


def _secret_or_404(application: Application, secret_id: uuid.UUID) -> ClientSecret:
    secret = application.client_secrets.filter(pk=secret_id).first()
    if secret is None:
        raise Http404
    return secret
