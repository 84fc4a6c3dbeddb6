"""The audit log: of one application and of the directory."""

import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from credmgr.audit.checking import check_chains, last_checks
from credmgr.audit.entry_pages import EntryPage, newer_page, older_page
from credmgr.audit.events import EventTag
from credmgr.audit.models import AuditEvent
from credmgr.audit.queries import events_of, events_of_tenant
from credmgr.audit.recording import Actor
from credmgr.portal import audit_filters, audit_words, listing, words
from credmgr.portal.access import application_or_404, directory_of
from credmgr.portal.audit_filters import AskedAudit
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
    """Every act in the directory, and whether the chain was found intact."""
    directory = directory_of(request)
    checks = last_checks(directory.pk)
    broken = [check for check in checks if not check.is_intact]
    extra = {
        "checks": checks,
        "broken": broken,
        "is_partly": any(check.first > 1 for check in checks),
        "export_query": listing.address(request).partition("?")[2],
    }
    rows = events_of_tenant(directory.pk)
    if not request.GET.get("activity"):
        rows = rows.exclude(tag=EventTag.SIGN_INS_SEALED.value)  # hourly; they would bury what people do
    return _page(request, rows, "portal/logs/audit.html", extra)


@require_POST
def audit_verify(request: HttpRequest) -> HttpResponse:
    """Check the chains of the directory and the installation now. It changes nothing and shows nothing that
    the page does not, hence no password.
    """
    checks = check_chains(directory_of(request).pk, actor=Actor.from_request(request), now=timezone.now())
    number = sum(check.entries - check.first + 1 for check in checks)
    if all(check.is_intact for check in checks):
        said = "1 entry" if number == 1 else f"{number:,} entries"
        messages.success(request, f"{said} checked: as written.")
    else:
        messages.error(request, "The audit log is not as it was written. The page says where.")
    return redirect("portal:audit")


@require_safe
def application_audit(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """Acts on one application."""
    application = application_or_404(request, application_id)
    rows = events_of(application.pk, application.tenant_id)
    return _page(request, rows, "portal/logs/application_audit.html", {"application": application})


def _page(
    request: HttpRequest, rows: QuerySet[AuditEvent], template: str, extra: dict[str, object]
) -> HttpResponse:
    asked = audit_filters.read_address(request, rows, timezone.now())
    page = _entries(request, asked)
    time_words, time_options = audit_filters.times(request)
    context = {
        "page": listing.KeysetPage[AuditEvent](
            page.rows,
            listing.address(request, after=page.newer) if page.newer is not None else "",
            listing.address(request, before=page.older) if page.older is not None else "",
        ),
        "looked_at": page.looked_at,
        "looked_back_to": page.looked_back_to,
        "rows": _describe(page.rows, with_application="application" not in extra),
        "columns": listing.columns(request, _HEADS, ""),
        "search": asked.search,
        "complaint": asked.complaint,
        "is_filtered": audit_filters.is_filtered(request),
        "pills": audit_filters.pills(request, rows),
        "time_words": time_words,
        "time_options": time_options,
        "typed": {name: request.GET.get(name, "")[:40] for name in ("from", "to")},
        "kept": _kept(request, ("search",)),
        "kept_by_time": _kept(request, ("time", "from", "to")),
    }
    return render(request, template, context | extra)


def _entries(request: HttpRequest, asked: AskedAudit) -> EntryPage:
    """?before=n shows what is older than n, ?after=n what is newer; nonsense shows the newest."""
    if (after := listing.cursor(request, "after")) is not None:
        return newer_page(asked.wanted, PAGE_SIZE, after)
    return older_page(asked.wanted, PAGE_SIZE, listing.cursor(request, "before"))


def _kept(request: HttpRequest, but: tuple[str, ...]) -> list[tuple[str, str]]:
    """The filters that a form keeps beside its own."""
    names = (name for name in audit_filters.PARAMETERS if name not in but)
    return [(name, request.GET[name]) for name in names if request.GET.get(name)]


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
