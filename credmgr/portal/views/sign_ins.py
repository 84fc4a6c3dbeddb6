"""The sign-in log: of one application, of the directory, and one entry with all that is known of it."""

import ipaddress
import uuid

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from credmgr.audit.models import SignIn
from credmgr.audit.queries import activity, sign_ins_of, sign_ins_of_tenant
from credmgr.portal import listing
from credmgr.portal.access import application_or_404, directory_of
from credmgr.portal.sign_in_rows import describe
from credmgr.registrations.models import Application

PAGE_SIZE = 50
# A search by name looks at so many registrations at most.
_NAMES_SEARCHED = 200
_RESULTS = {"": "All", "success": "Success", "failure": "Refused"}
_HEADS = (
    ("Time (UTC)", "", False),
    ("Application", "", False),
    ("Credential", "", False),
    ("Result", "", False),
    ("Resource", "", False),
    ("IP address", "", True),
    ("Correlation ID", "", False),
)


@require_safe
def sign_ins(request: HttpRequest) -> HttpResponse:
    """Every token request in the directory."""
    rows = sign_ins_of_tenant(directory_of(request).pk)
    return _page(request, rows, "portal/logs/sign_ins.html", {"show_application": True})


@require_safe
def application_sign_ins(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """Token requests of one application."""
    application = application_or_404(request, application_id)
    return _page(
        request,
        sign_ins_of(application.pk),
        "portal/logs/application_sign_ins.html",
        {"application": application, "show_application": False},
    )


@require_safe
def sign_in(request: HttpRequest, sequence: int) -> HttpResponse:
    """One token request with every id that support may ask for."""
    record = sign_ins_of_tenant(directory_of(request).pk).filter(sequence=sequence).first()
    if record is None:
        raise Http404
    return render(request, "portal/logs/sign_in.html", {"row": describe([record])[0]})


def _page(
    request: HttpRequest, rows: QuerySet[SignIn], template: str, extra: dict[str, object]
) -> HttpResponse:
    now = timezone.now()
    search = listing.search_of(request)
    summary = activity(rows, now)
    found, complaint = _filtered(request, rows, search)
    page = listing.keyset_page(request, found, PAGE_SIZE)
    heads = [head for head in _HEADS if extra["show_application"] or head[0] != "Application"]
    context = {
        "now": now,
        "page": page,
        "rows": describe(page.rows),
        "columns": listing.columns(request, heads, ""),
        "activity": summary,
        "search": search,
        "complaint": complaint,
        "is_filtered": bool(search or request.GET.get("result") or request.GET.get("code")),
        "pills": [
            listing.pill(request, "result", "Result", _RESULTS),
            listing.pill(request, "code", "Code", _codes(request, summary.codes)),
        ],
        "kept": [(name, request.GET[name]) for name in ("result", "code") if request.GET.get(name)],
    }
    return render(request, template, context | extra)


def _filtered(request: HttpRequest, rows: QuerySet[SignIn], search: str) -> tuple[QuerySet[SignIn], str]:
    """The rows that the address asks for, and a sentence when it asks for something that cannot be."""
    result, code = request.GET.get("result", ""), request.GET.get("code", "")
    if result == "success":
        rows = rows.filter(error_code=0)
    elif result == "failure":
        rows = rows.exclude(error_code=0)
    if code:
        if not (code.isascii() and code.isdigit() and len(code) < 10):
            return rows.none(), "A code is a number such as 7000215. Remove the filter or choose a code."
        rows = rows.filter(error_code=int(code))
    return (rows.filter(_matching(search)), "") if search else (rows, "")


def _matching(search: str) -> Q:
    """Rows by any of their ids, thumbprint, address, or the application's name."""
    try:
        known = uuid.UUID(search)
    except ValueError:
        pass
    else:
        return (
            Q(correlation_id=known)
            | Q(trace_id=known)
            | Q(client_id=str(known))
            | Q(credential_id=known)
            | Q(application_id=known)
            | Q(service_principal_id=known)
        )
    bare = search.replace(":", "").replace(" ", "").upper()
    if len(bare) in (40, 64) and all(letter in "0123456789ABCDEF" for letter in bare):
        return Q(thumbprint__iexact=bare)
    try:
        return Q(address=str(ipaddress.ip_address(search)))
    except ValueError:
        named = Application.objects.filter(display_name__icontains=search).values_list("pk", flat=True)
        return Q(application_id__in=list(named[:_NAMES_SEARCHED])) | Q(token_id=search)


def _codes(request: HttpRequest, seen: list[tuple[int, int]]) -> dict[str, str]:
    """Choices of the code filter: those of the last 24 hours, and the one that is asked for."""
    choices = {"": "All"} | {str(code): f"AADSTS{code}" for code, _ in seen}
    asked = request.GET.get("code", "")
    if asked and asked not in choices:
        choices[asked] = f"AADSTS{asked}" if asked.isdigit() else asked
    return choices
