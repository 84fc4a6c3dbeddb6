"""The sign-in log: of one application, of the directory, and one entry with all that is known of it."""

import uuid

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from credmgr.audit.models import SignIn
from credmgr.audit.sign_in_log import LogPage, newer_page, newest_page, older_page, sign_in_of
from credmgr.audit.sign_in_questions import EXAMINED_ROWS, Reach, reach
from credmgr.audit.timeline import Span, Timeline, timeline, timeline_of
from credmgr.portal import listing
from credmgr.portal.access import built_in_application_or_404, directory_of
from credmgr.portal.sign_in_choices import filters_for
from credmgr.portal.sign_in_filters import AskedLog, cursor, cursor_text, read_address
from credmgr.portal.sign_in_rows import describe
from credmgr.registrations.models import Application, Tenant

PAGE_SIZE = 50
_HEADS = (
    ("Time (UTC)", "", False),
    ("Application", "", False),
    ("Credential", "", False),
    ("Result", "", False),
    ("Resource", "", False),
    ("IP address", "", True),
    ("Request ID", "", False),
    ("Correlation ID", "", True),
)


@require_safe
def sign_ins(request: HttpRequest) -> HttpResponse:
    """Token requests in the directory."""
    return _page(request, directory_of(request), None, "portal/logs/sign_ins.html")


@require_safe
def application_sign_ins(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """Token requests of one application in the directory."""
    application = built_in_application_or_404(request, application_id)
    return _page(request, application.tenant, application, "portal/logs/application_sign_ins.html")


@require_safe
def sign_in(request: HttpRequest, sequence: int) -> HttpResponse:
    """One token request with every id that support may ask for."""
    tenant = directory_of(request)
    record = sign_in_of(tenant.pk, sequence)
    if record is None:
        raise Http404
    return render(
        request, "portal/logs/sign_in.html", {"row": describe([record], tenant, with_tests=True)[0]}
    )


def _page(
    request: HttpRequest, tenant: Tenant, application: Application | None, template: str
) -> HttpResponse:
    now = timezone.now()
    asked = read_address(request, tenant, application, now)
    reached = reach(asked.question)
    page = _rows(request, asked, reached)
    chart = _timeline(asked, reached, page)
    context = {
        "application": application,
        "show_application": application is None,
        "now": now,
        "asked": asked,
        "kept_days": settings.SIGN_IN_DAYS,
        "examined": EXAMINED_ROWS,
        "page": listing.KeysetPage[SignIn](
            page.rows,
            listing.address(request, after=cursor_text(page.newer)) if page.newer else "",
            listing.address(request, before=cursor_text(page.older)) if page.older else "",
        ),
        "looked_back_to": page.looked_back_to,
        "rows": describe(page.rows, tenant, with_tests=True),
        "columns": listing.columns(
            request, [head for head in _HEADS if application is None or head[0] != "Application"], ""
        ),
        "timeline": chart,
        "span_links": [(span, _span_address(request, span)) for span in chart.spans] if chart else [],
        "export_address": _export_address(application),
        **filters_for(request, asked, reached, tenant),
    }
    return render(request, template, context)


def _rows(request: HttpRequest, asked: AskedLog, reached: Reach) -> LogPage:
    if asked.complaint:
        return LogPage([])
    if (after := cursor(request, "after")) is not None:
        return newer_page(asked.question, PAGE_SIZE, after)
    if (before := cursor(request, "before")) is not None:
        return older_page(asked.question, PAGE_SIZE, before)
    return newest_page(reached, PAGE_SIZE)


def _timeline(asked: AskedLog, reached: Reach, page: LogPage) -> Timeline | None:
    """The chart, on the first page only: whoever pages on reads rows."""
    if asked.complaint or page.newer is not None:
        return None
    if page.older is None:
        # All there is stands on this page: no need to walk again.
        return timeline_of(page.rows, asked.start, asked.end)
    return timeline(reached, asked.start, asked.end)


def _span_address(request: HttpRequest, span: Span) -> str:
    """The same page for the time of one bar."""
    changes = {"time": None, "from": f"{span.start:%Y-%m-%dT%H:%M}", "to": f"{span.end:%Y-%m-%dT%H:%M}"}
    return listing.address(request, **changes)


def _export_address(application: Application | None) -> str:
    if application is None:
        return reverse("portal:sign_ins_export")
    return reverse("portal:application_sign_ins_export", args=[application.pk])
