"""The list of registrations: tabs, search, filter, order, pages, and the same as CSV."""

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from credmgr.accounts.models import User
from credmgr.accounts.roles import Right
from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.credentials import lifecycle
from credmgr.credentials.queries import PAGE_SIZES, ApplicationRow, applications_page, export_rows
from credmgr.portal import listing
from credmgr.portal.access import directory_of, may
from credmgr.portal.csv_cells import safe_cell
from credmgr.portal.views.confirming import after_recent_sign_in
from credmgr.registrations.models import BUILT_IN, ENTRA, OIDC
from credmgr.registrations.places import authority_of, place_words

_DEFAULT_SORT = "name"
# What a new search keeps of the address.
_KEPT = ("tab", "status", "place", "sort", "size")
TABS = {"all": "All applications", "owned": "Owned applications", "deleted": "Deleted applications"}
STATUSES = {
    "": "All",
    lifecycle.NO_LIVE: "No live credential",
    lifecycle.SOON: "Expiring soon",
    lifecycle.CURRENT_EXPIRED: "Current, with expired ones",
    lifecycle.CURRENT: "Current",
    lifecycle.NONE: "No credentials",
}
PLACES = {"": "All", BUILT_IN: "Built-in authority", ENTRA: "Microsoft Entra ID", OIDC: "Another issuer"}
_LIVES_AT = ("Lives at", "", False)
_HEADS = (
    ("Display name", "name", False),
    ("Application (client) ID", "", False),
    ("Certificates & secrets", "status", False),
    ("Owner", "", False),
    ("Last sign-in", "", False),
    ("Created on", "created", True),
)
_DELETED_HEADS = (
    ("Display name", "name", False),
    ("Application (client) ID", "", False),
    ("Deleted", "deleted", False),
    ("Gone for good", "", False),
)
_CSV_HEADS = (
    "Display name",
    "Application (client) ID",
    "Object ID",
    "Lives at",
    "Authority",
    "Sign-in",
    "Credential status",
    "Nearest expiry",
    "Certificates",
    "Client secrets",
    "Federated credentials",
    "Owners",
    "Last sign-in",
    "Created on",
    "Deleted on",
)


@require_safe
def applications(request: HttpRequest) -> HttpResponse:
    """All, owned and deleted registrations."""
    now = timezone.now()
    choice = _choice(request)
    size = request.GET.get("size", "")
    page = applications_page(
        directory_of(request),
        **choice,
        sees_all=may(request, Right.READ),
        page=listing.page_number(request),
        page_size=int(size) if size in {str(number) for number in PAGE_SIZES} else PAGE_SIZES[0],
        now=now,
    )
    tab = choice["tab"]
    context = {
        "now": now,
        "page": page,
        "tab": tab,
        "tabs": _tabs(request, tab, page.counts),
        "search": choice["search"],
        "is_filtered": bool(choice["search"] or choice["status"] or choice["place"]),
        "columns": listing.columns(
            request, _heads(tab, page.has_external), choice["sort"], default=_DEFAULT_SORT
        ),
        "pills": _pills(request, tab, page.has_external),
        "kept": [(name, request.GET[name]) for name in _KEPT if request.GET.get(name)],
        "sizes": [(number, listing.address(request, size=number)) for number in PAGE_SIZES],
        **listing.beside(request, page.page, page.pages),
        "export_address": _export_address(request),
        "clear_address": listing.address(request, search=None, status=None, place=None),
        "restore_days": settings.RESTORE_DAYS,
    }
    return render(request, "portal/applications/list.html", context)


@require_safe
@after_recent_sign_in
def applications_export(request: HttpRequest) -> StreamingHttpResponse:
    """What the list shows, as CSV. Written to the audit before the first row leaves."""
    now = timezone.now()
    tenant = directory_of(request)
    choice = _choice(request)
    record_event(
        EventTag.LIST_EXPORTED,
        actor=Actor.from_request(request),
        now=now,
        tenant_id=tenant.pk,
        object_type="directory",
        object_id=tenant.pk,
        object_name=tenant.name,
        # Not the search text: people paste all sorts of things into a search box.
        changes={
            "tab": TABS[choice["tab"]],
            "status": STATUSES[choice["status"]],
            **({"livesAt": PLACES[choice["place"]]} if choice["place"] else {}),
        },
    )
    rows = export_rows(tenant, **choice, sees_all=may(request, Right.READ), now=now)
    answer = StreamingHttpResponse(_csv_lines(rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="app-registrations-{now:%Y-%m-%d}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


def _choice(request: HttpRequest) -> dict[str, Any]:
    """Which registrations the address asks for; what is not on offer falls back to everything, by name."""
    tab, status = request.GET.get("tab", ""), request.GET.get("status", "")
    sort, place = request.GET.get("sort", ""), request.GET.get("place", "")
    keys = {key for _, key, _ in (*_HEADS, *_DELETED_HEADS) if key}
    return {
        "tab": tab if tab in TABS else "all",
        "search": listing.search_of(request),
        "status": status if status in STATUSES and tab != "deleted" else "",
        "place": place if place in PLACES else "",
        "sort": sort if sort.removeprefix("-") in keys else _DEFAULT_SORT,
        "user": request.user if isinstance(request.user, User) else None,
    }


def _heads(tab: str, has_external: bool) -> list[tuple[str, str, bool]]:
    """The columns; where registrations live only if some live elsewhere."""
    name, client_id, *others = _DELETED_HEADS if tab == "deleted" else _HEADS
    return [name, client_id, *([_LIVES_AT] if has_external else []), *others]


def _pills(request: HttpRequest, tab: str, has_external: bool) -> list[listing.Pill]:
    status = [] if tab == "deleted" else [listing.pill(request, "status", "Status", STATUSES)]
    return [*status, *([listing.pill(request, "place", "Lives at", PLACES)] if has_external else [])]


def _tabs(request: HttpRequest, current: str, counts: dict[str, int]) -> list[dict[str, object]]:
    """The tabs with their counts. A search goes along to the next tab, a filter and an order do not."""
    return [
        {
            "label": label,
            "count": counts[name],
            "current": name == current,
            "address": listing.address(
                request, tab=None if name == "all" else name, status=None, place=None, sort=None
            ),
        }
        for name, label in TABS.items()
    ]


def _export_address(request: HttpRequest) -> str:
    query = listing.address(request, size=None).partition("?")[2]
    address = reverse("portal:applications_export")
    return f"{address}?{query}" if query else address


class _Echo:
    """A file that hands back what is written: one CSV line at a time."""

    def write(self, line: str) -> str:
        return line


def _csv_lines(rows: Iterator[ApplicationRow]) -> Iterator[str]:
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_MINIMAL)
    # The mark tells spreadsheets that the file is UTF-8.
    yield "\ufeff" + writer.writerow(_CSV_HEADS)
    for row in rows:
        yield writer.writerow([safe_cell(cell) for cell in _csv_cells(row)])


def _csv_cells(row: ApplicationRow) -> list[str]:
    application = row.application
    return [
        application.display_name,
        application.shown_client_id,
        str(application.pk),
        place_words(application),
        authority_of(application),
        "Disabled" if application.is_disabled else "Enabled",
        row.status.words,
        _iso(row.status.nearest_end),
        str(row.certificates),
        str(row.secrets),
        str(row.federated),
        ", ".join(row.owners),
        _iso(row.last_sign_in),
        _iso(application.created_at),
        _iso(application.deleted_at),
    ]


def _iso(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""
