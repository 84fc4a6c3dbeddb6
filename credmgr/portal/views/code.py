"""Use it from your code: ready programs with this application's values filled in."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from credmgr.portal.access import application_or_404
from credmgr.portal.snippets import exports_for, snippets_for


@require_safe
def code(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """Programs and exports; none of them holds a secret."""
    application = application_or_404(request, application_id)
    context = {
        "application": application,
        "snippets": snippets_for(application),
        "exports": exports_for(application),
    }
    return render(request, "portal/code.html", context)
