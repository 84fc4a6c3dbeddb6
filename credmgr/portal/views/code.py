"""Use it from your code: ready programs with this application's values filled in."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from credmgr.portal.access import application_or_404
from credmgr.portal.snippets import client_tabs, exports_for


@require_safe
def code(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """Programs of one client (?client=) and exports; none of them holds a secret."""
    application = application_or_404(request, application_id)
    tabs = client_tabs(application)
    wanted = request.GET.get("client", "")
    context = {
        "application": application,
        "tabs": tabs,
        "client": next((tab for tab in tabs if tab.key == wanted), tabs[0]),
        "exports": exports_for(application),
    }
    return render(request, "portal/code.html", context)
