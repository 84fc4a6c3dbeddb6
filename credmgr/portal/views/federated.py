"""The way into Certificates & secrets, and its tab for credentials that other issuers vouch for."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from credmgr.portal.access import application_or_404
from credmgr.portal.credential_lists import tab_to_open, tabs_of


@require_safe
def credentials(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """The tab with the nearest expiry."""
    application = application_or_404(request, application_id)
    return redirect(f"portal:{tab_to_open(application, timezone.now())}", application.pk)


@require_safe
def federated(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """What federated credentials are for. None can be added yet."""
    application = application_or_404(request, application_id)
    context = {"application": application, "tabs": tabs_of(application, "federated")}
    return render(request, "portal/credentials/federated.html", context)
