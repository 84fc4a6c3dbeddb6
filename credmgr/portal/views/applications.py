"""The list of registrations."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def applications(request: HttpRequest) -> HttpResponse:
    """All, owned and deleted registrations."""
    return render(request, "portal/applications/list.html")
