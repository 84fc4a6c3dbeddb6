"""The first page of an application, and its endpoints."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from credmgr.audit.queries import last_sign_ins
from credmgr.audit.sign_in_questions import Question
from credmgr.audit.timeline import last_day
from credmgr.credentials.lifecycle import application_status
from credmgr.flowtest.queries import runs_of, verdict_tone, verdict_words
from credmgr.membership.queries import directories_for
from credmgr.origins.queries import is_allowed
from credmgr.portal.access import application_or_404, standing_in
from credmgr.portal.credential_rows import banner, counts_in_words, credential_rows
from credmgr.portal.endpoints import endpoints_of
from credmgr.portal.enterprise_rows import places_of
from credmgr.portal.origin_rows import adding_address
from credmgr.portal.places import facts_of
from credmgr.registrations.models import MULTITENANT, Application
from credmgr.registrations.queries import identifier_uri_of, owners_of

# So many credentials stand on the Overview; the rest is a link.
_SHOWN = 5
_NONE_HERE = (
    "Without one this application cannot prove who it is. A certificate is safer; a client secret is simpler "
    "to begin with."
)
_NONE_ELSEWHERE = "Add a copy of a credential that it has where it lives, to test it and to see when it ends."


@require_safe
def application(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """Overview: the IDs, what is pressing, credentials, sign-ins, the last test."""
    found = application_or_404(request, application_id)
    now = timezone.now()
    rows = credential_rows(found, now)
    federated = found.federated_credentials.count()
    run = runs_of(found).first()
    context = {
        "application": found,
        "now": now,
        "credentials": rows[:_SHOWN],
        "credential_count": len(rows),
        "credential_words": counts_in_words(rows, federated),
        "federated_count": federated,
        "status": application_status(rows, now, federated=federated),
        "banner": banner(rows, now, federated=federated, is_external=found.is_external),
        "identifier_uri": identifier_uri_of(found),
        "place": facts_of(found),
        "unlisted_address": _unlisted_address(found),
        "no_credentials": _NONE_ELSEWHERE if found.is_external else _NONE_HERE,
        "owners": owners_of(found),
        "activity": last_day(Question(found.tenant_id, now, application_id=found.pk), now),
        "last_sign_in": last_sign_ins([found.pk]).get(found.pk),
        "places": places_of(found, directories_for(standing_in(request)))
        if found.sign_in_audience == MULTITENANT
        else None,
        "run": run,
        "run_words": verdict_words(run) if run else "",
        "run_tone": verdict_tone(run.verdict) if run else "none",
    }
    return render(request, "portal/applications/overview.html", context)


def _unlisted_address(application: Application) -> str:
    """The page that would list the origin of a place which may not be called; empty where it may."""
    if not application.is_external or is_allowed(application.authority_url):
        return ""
    return adding_address(application.authority_url)


@require_safe
def application_endpoints(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """Every address of the authority that this application may need."""
    found = application_or_404(request, application_id)
    context = {
        "application": found,
        "endpoints": endpoints_of(found),
        "back": reverse("portal:application", args=[found.pk]),
    }
    return render(request, "portal/applications/endpoints.html", context)
