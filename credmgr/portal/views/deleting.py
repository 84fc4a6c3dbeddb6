"""Disable, delete, restore, delete permanently: each asks first and says what it breaks."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from credmgr.audit.queries import CALLER_ROWS, recent_callers
from credmgr.audit.recording import Actor
from credmgr.errors import DomainError
from credmgr.portal import words
from credmgr.portal.access import application_or_404, built_in_application_or_404
from credmgr.portal.acting import carried_out, form_page, posted
from credmgr.portal.forms.applications import ConfirmedForm, DisableForm
from credmgr.portal.forms.base import PortalForm
from credmgr.registrations.deleting import delete_application, purge_application, restore_application
from credmgr.registrations.models import Application
from credmgr.registrations.queries import identifier_uri_of
from credmgr.registrations.registering import set_disabled

# How far back the question looks for what would break.
_LOOK_BACK = timedelta(days=30)


@require_http_methods(["GET", "HEAD", "POST"])
def application_disable(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """Switch sign-in off, or on again."""
    application = built_in_application_or_404(request, application_id)
    wanted = "no" if application.is_disabled else "yes"
    form = DisableForm(posted(request), initial={"disabled": wanted})

    def act(actor: Actor, now: datetime) -> str:
        fresh = set_disabled(
            application,
            disabled=form.cleaned_data["disabled"],
            actor=actor,
            now=now,
        )
        state = "cannot acquire tokens any more" if fresh.is_disabled else "can acquire tokens again"
        return f"{fresh.display_name} {state}."

    if done := carried_out(request, form, act, "portal:application", application.pk):
        return done
    context = _context(application, form, back=reverse("portal:application", args=[application.pk]))
    return _answer(request, "portal/applications/disable.html", context, form)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def application_delete(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """Delete; it can be restored for 30 days."""
    application = application_or_404(request, application_id)
    form = ConfirmedForm(posted(request), request=request)

    def act(actor: Actor, now: datetime) -> str:
        delete_application(application, actor=actor, now=now)
        return (
            f"{application.display_name} is deleted. "
            f"It can be restored for {settings.RESTORE_DAYS} days under Deleted applications."
        )

    if done := carried_out(request, form, act, "portal:applications"):
        return done
    context = _context(application, form, back=reverse("portal:application", args=[application.pk]))
    context["identifier_uri"] = identifier_uri_of(application)
    return _answer(request, "portal/applications/delete.html", context, form)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def application_restore(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """Bring a deleted registration back with its credentials."""
    application = application_or_404(request, application_id, deleted=True)
    form = ConfirmedForm(posted(request), request=request)
    if form.is_bound and form.is_valid():
        try:
            lost = restore_application(application, actor=Actor.from_request(request), now=timezone.now())
        except DomainError as error:
            form.refuse(error)
        else:
            _say_restored(request, application, lost)
            return redirect("portal:application", application.pk)
    context = _context(application, form, back=_deleted_tab())
    return _answer(request, "portal/applications/restore.html", context, form)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def application_purge(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """Delete permanently."""
    application = application_or_404(request, application_id, deleted=True)
    form = ConfirmedForm(posted(request), request=request)

    def act(actor: Actor, now: datetime) -> str:
        purge_application(application, actor=actor, now=now)
        return f"{application.display_name} is deleted permanently."

    if done := carried_out(request, form, act, _deleted_tab()):
        return done
    context = _context(application, form, back=_deleted_tab())
    return _answer(request, "portal/applications/purge.html", context, form)


def _say_restored(request: HttpRequest, application: Application, lost: list[str]) -> None:
    if not lost:
        messages.success(request, f"{application.display_name} is restored with every credential it had.")
        return
    messages.warning(
        request,
        f"{application.display_name} is restored without {', '.join(lost)}: another registration has taken "
        "that URI. Give it a new one under Branding & properties.",
    )


def _deleted_tab() -> str:
    return f"{reverse('portal:applications')}?tab=deleted"


def _context(application: Application, form: PortalForm, *, back: str) -> dict[str, object]:
    now = timezone.now()
    counts = (
        (application.certificates.count(), "certificate"),
        (application.client_secrets.count(), "client secret"),
        (application.federated_credentials.count(), "federated credential"),
    )
    return {
        "application": application,
        "form": form,
        "back": back,
        "callers": recent_callers(application.pk, now - _LOOK_BACK),
        "looked_at": CALLER_ROWS,
        "look_back_days": _LOOK_BACK.days,
        "restore_days": settings.RESTORE_DAYS,
        "holdings": words.listed([words.counted(count, noun) for count, noun in counts if count]),
    }


def _answer(
    request: HttpRequest, template: str, context: dict[str, object], form: PortalForm
) -> HttpResponse:
    return form_page(request, template, form, context)
