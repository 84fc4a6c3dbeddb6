"""The sign-ins of a page as a file, with the page's filters."""

import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.audit.sign_in_log import sequences
from credmgr.audit.sign_in_questions import reach
from credmgr.portal.access import application_or_404, directory_of
from credmgr.portal.sign_in_export import csv_lines, json_lines
from credmgr.portal.sign_in_filters import read_address, recorded
from credmgr.portal.views.confirming import after_recent_sign_in
from credmgr.registrations.models import Application, Tenant


@require_safe
@after_recent_sign_in
def sign_ins_export(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Those of the directory."""
    return _export(request, directory_of(request), None)


@require_safe
@after_recent_sign_in
def application_sign_ins_export(
    request: HttpRequest, application_id: uuid.UUID
) -> HttpResponse | StreamingHttpResponse:
    """Those of one application."""
    application = application_or_404(request, application_id)
    return _export(request, application.tenant, application)


def _export(
    request: HttpRequest, tenant: Tenant, application: Application | None
) -> HttpResponse | StreamingHttpResponse:
    """Written to the audit, with the number of rows, before the first row leaves."""
    now = timezone.now()
    asked = read_address(request, tenant, application, now)
    if asked.complaint:
        # The page says what is wrong with the address.
        return redirect(f"{_page_address(application)}?{request.GET.urlencode()}")
    is_json = request.GET.get("format") == "json"
    reached = reach(asked.question)
    numbers = sequences(reached, settings.EXPORT_ROWS + 1)
    is_cut = reached.looked_back_to is not None or len(numbers) > settings.EXPORT_ROWS
    numbers = numbers[: settings.EXPORT_ROWS]
    subject = application or tenant
    record_event(
        EventTag.SIGN_INS_EXPORTED,
        actor=Actor.from_request(request),
        now=now,
        tenant_id=tenant.pk,
        application_id=application.pk if application else None,
        object_type="application" if application else "directory",
        object_id=subject.pk,
        object_name=application.display_name if application else tenant.name,
        changes=recorded(asked) | {"format": "JSON" if is_json else "CSV", "rows": len(numbers)},
    )
    # Who opens the file must see that older rows are missing.
    name = f"sign-ins-{now:%Y-%m-%d}{f'-newest-{len(numbers)}' if is_cut else ''}"
    answer = (
        StreamingHttpResponse(json_lines(numbers, tenant), content_type="application/json")
        if is_json
        else StreamingHttpResponse(csv_lines(numbers, tenant), content_type="text/csv; charset=utf-8")
    )
    answer["Content-Disposition"] = f'attachment; filename="{name}.{"json" if is_json else "csv"}"'
    answer["Cache-Control"] = "no-store"
    return answer


def _page_address(application: Application | None) -> str:
    if application is None:
        return reverse("portal:sign_ins")
    return reverse("portal:application_sign_ins", args=[application.pk])
