"""The audit log as a file: JSON lines, with the page's filters, after the password (L-2)."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from credmgr.audit.events import EventTag
from credmgr.audit.export import json_lines
from credmgr.audit.queries import events_of_tenant
from credmgr.audit.recording import Actor, record_event
from credmgr.portal import audit_filters
from credmgr.portal.access import directory_of
from credmgr.portal.acting import form_page, posted
from credmgr.portal.forms.applications import ConfirmedForm


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def audit_export(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Ask, then answer with the file. That it left is on record before its first line leaves."""
    directory = directory_of(request)
    now = timezone.now()
    asked = audit_filters.read_address(request, events_of_tenant(directory.pk), now)
    page = reverse("portal:audit")
    query = request.GET.urlencode()
    back = f"{page}?{query}" if query else page
    if asked.complaint:
        return redirect(back)  # the page says what is wrong with the address
    form = ConfirmedForm(posted(request), request=request)
    if not (form.is_bound and form.is_valid()):
        context = {
            "form": form,
            "back": back,
            "is_filtered": audit_filters.is_filtered(request),
            "most": settings.EXPORT_ROWS,
            "tenant": directory,
        }
        return form_page(request, "portal/logs/audit_export.html", form, context)
    # The newest where there are too many; written oldest first, as the chain goes.
    rows = asked.wanted.everything()
    sequences = list(rows.values_list("sequence", flat=True)[: settings.EXPORT_ROWS + 1])
    is_cut = len(sequences) > settings.EXPORT_ROWS
    sequences = sequences[: settings.EXPORT_ROWS][::-1]
    record_event(
        EventTag.AUDIT_EXPORTED,
        actor=Actor.from_request(request),
        now=now,
        tenant_id=directory.pk,
        object_type="directory",
        object_id=directory.pk,
        object_name=directory.name,
        changes=audit_filters.recorded(request, asked) | {"rows": len(sequences)},
    )
    name = f"audit-{now:%Y-%m-%d}{f'-newest-{len(sequences)}' if is_cut else ''}.jsonl"
    answer = StreamingHttpResponse(json_lines(sequences), content_type="application/jsonl; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer
