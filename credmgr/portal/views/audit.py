"""The audit log: of one application and of the directory."""

import uuid
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from credmgr.audit.models import AuditEvent
from credmgr.audit.queries import events_of, events_of_tenant
from credmgr.portal import audit_words, listing, words
from credmgr.portal.access import application_or_404, directory_of
from credmgr.registrations.models import Application

PAGE_SIZE = 50
_HEADS = (
    ("Time (UTC)", "", False),
    ("Activity", "", False),
    ("Object", "", False),
    ("By", "", False),
    ("Detail", "", False),
    ("Correlation ID", "", True),
)
_RESULTS = {"": "All", "done": "Done", "refused": "Refused"}
_KINDS = {tag.value: said for tag, said in audit_words.TAG_WORDS.items()}


@dataclass(frozen=True)
class AuditRow:
    """One event for the page. application_name is empty where the object is the application itself."""

    event: AuditEvent
    activity: str
    application_name: str
    changes: list[str]

    @property
    def copy_label(self) -> str:
        """What the copy button of the row says."""
        return f"Copy correlation ID of the entry of {words.moment(self.event.at, seconds=True)}"


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """Every act in the directory."""
    return _page(request, events_of_tenant(directory_of(request).pk), "portal/logs/audit.html", {})


@require_safe
def application_audit(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """Acts on one application."""
    application = application_or_404(request, application_id)
    rows = events_of(application.pk, application.tenant_id)
    return _page(request, rows, "portal/logs/application_audit.html", {"application": application})


def _page(
    request: HttpRequest, rows: QuerySet[AuditEvent], template: str, extra: dict[str, object]
) -> HttpResponse:
    search = listing.search_of(request)
    page = listing.keyset_page(request, _filtered(request, rows, search), PAGE_SIZE)
    context = {
        "page": page,
        "rows": _describe(page.rows, with_application="application" not in extra),
        "columns": listing.columns(request, _HEADS, ""),
        "search": search,
        "is_filtered": any(request.GET.get(name) for name in ("search", "activity", "result")),
        "pills": [
            listing.pill(request, "activity", "Activity", {"": "All"} | _KINDS),
            listing.pill(request, "result", "Result", _RESULTS),
        ],
        "kept": [(name, request.GET[name]) for name in ("activity", "result") if request.GET.get(name)],
    }
    return render(request, template, context | extra)


def _filtered(request: HttpRequest, rows: QuerySet[AuditEvent], search: str) -> QuerySet[AuditEvent]:
    if (kind := request.GET.get("activity", "")) in _KINDS:
        rows = rows.filter(tag=kind)
    if (result := request.GET.get("result", "")) in ("done", "refused"):
        rows = rows.filter(succeeded=result == "done")
    if not search:
        return rows
    try:
        known = uuid.UUID(search)
    except ValueError:
        return rows.filter(Q(object_name__icontains=search) | Q(actor_name__icontains=search))
    return rows.filter(
        Q(object_id=str(known)) | Q(application_id=known) | Q(correlation_id=known) | Q(actor_id=known)
    )


def _describe(events: list[AuditEvent], *, with_application: bool) -> list[AuditRow]:
    """Rows with the names of their applications, in one statement."""
    names: dict[uuid.UUID, str] = {}
    if with_application:
        ids = {event.application_id for event in events if event.application_id}
        names = dict(Application.objects.filter(pk__in=ids).values_list("pk", "display_name"))
    return [
        AuditRow(
            event=event,
            activity=audit_words.activity(event),
            application_name=_application_name(event, names),
            changes=audit_words.changes(event.changes),
        )
        for event in events
    ]


def _application_name(event: AuditEvent, names: dict[uuid.UUID, str]) -> str:
    if event.application_id is None or event.object_id == str(event.application_id):
        return ""
    return names.get(event.application_id, "")
