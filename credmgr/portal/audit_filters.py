"""What the address of an audit page asks for: kind of act, outcome, person, time range, search. The export
has the same filters.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from credmgr.audit.entry_pages import Wanted
from credmgr.audit.models import AuditEvent
from credmgr.portal import audit_words, listing

PARAMETERS = ("activity", "result", "by", "time", "from", "to", "search")
_RESULTS = {"": "All", "done": "Done", "refused": "Refused"}
_KINDS = {tag.value: said for tag, said in audit_words.TAG_WORDS.items()}
_SPANS = {
    "24h": ("Last 24 hours", timedelta(hours=24)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
    "365d": ("Last 365 days", timedelta(days=365)),
}
# The filter offers whoever acted in so many of the newest entries.
_PEOPLE_OF = 1_000


@dataclass(frozen=True)
class AskedAudit:
    """What an address asks for. complaint: a sentence where it asks for what cannot be; then nothing is
    wanted.
    """

    wanted: Wanted
    search: str
    start: datetime | None = None
    end: datetime | None = None
    complaint: str = ""


def read_address(request: HttpRequest, rows: QuerySet[AuditEvent], now: datetime) -> AskedAudit:
    """rows: of the directory or the application. Never raises for what stands in the address."""
    search = listing.search_of(request)
    try:
        start, end = _times(request, now)
    except ValueError as error:
        return AskedAudit(Wanted(rows.none()), search, complaint=str(error))
    if start is not None:
        rows = rows.filter(at__gte=start)
    if end is not None:
        rows = rows.filter(at__lt=end)
    if (kind := request.GET.get("activity", "")) in _KINDS:
        rows = rows.filter(tag=kind)
    if (result := request.GET.get("result", "")) in ("done", "refused"):
        rows = rows.filter(succeeded=result == "done")
    if person := _guid(request.GET.get("by", "")):
        rows = rows.filter(actor_id=person)
    return AskedAudit(_wanted(rows, search), search, start, end)


def is_filtered(request: HttpRequest) -> bool:
    """Whether the address asks for less than everything."""
    return any(request.GET.get(name) for name in PARAMETERS)


def pills(request: HttpRequest, rows: QuerySet[AuditEvent]) -> list[listing.Pill]:
    """The filters; that of people in one statement. rows: without filters."""
    return [
        listing.pill(request, "activity", "Activity", {"": "All"} | _KINDS),
        listing.pill(request, "result", "Result", _RESULTS),
        listing.pill(request, "by", "By", {"": "Anybody"} | _people(rows)),
    ]


def times(request: HttpRequest) -> tuple[str, list[listing.Option]]:
    """What the time filter says, and the spans on offer."""
    given = request.GET.get("time", "")
    is_own = bool(request.GET.get("from") or request.GET.get("to"))
    chosen = "own" if is_own else given if given in _SPANS else ""
    options = [("", "Any time"), *((key, words) for key, (words, _) in _SPANS.items())]
    said = {"own": "Own range", **dict(options)}[chosen]
    return said, [
        listing.Option(
            words, listing.address(request, **{"time": key, "from": None, "to": None}), key == chosen
        )
        for key, words in options
    ]


def recorded(request: HttpRequest, asked: AskedAudit) -> dict[str, object]:
    """The filters for the audit. Not the search text: people paste all sorts of things into a search box."""
    said: dict[str, object] = {
        name: request.GET[name] for name in ("activity", "result") if request.GET.get(name)
    }
    if person := _guid(request.GET.get("by", "")):
        said["by"] = str(person)
    if asked.start:
        said["from"] = asked.start.isoformat()
    if asked.end:
        said["to"] = asked.end.isoformat()
    return said | ({"search": "yes"} if asked.search else {})


def _times(request: HttpRequest, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Raises ValueError with a sentence."""
    start, end = (_time(request.GET.get(name, "")) for name in ("from", "to"))
    if start and end and start >= end:
        raise ValueError("The time range ends before it begins. Set a later end.")
    if start or end:
        return start, end
    span = _SPANS.get(request.GET.get("time", ""))
    return (now - span[1] if span else None), None


def _time(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text[:40])
        found = found if found.tzinfo else found.replace(tzinfo=UTC)
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("A time is written as 2026-11-23T14:00, in UTC. Correct the time range.") from None


def _guid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _people(rows: QuerySet[AuditEvent]) -> dict[str, str]:
    newest = rows.values_list("actor_id", "actor_name")[:_PEOPLE_OF]
    found = {str(person): name for person, name in newest if person is not None}
    return dict(sorted(found.items(), key=lambda item: item[1].casefold()))


def _wanted(rows: QuerySet[AuditEvent], search: str) -> Wanted:
    if not search:
        return Wanted(rows)
    known = _guid(search)
    if known is None:
        return Wanted(rows, text=Q(object_name__icontains=search) | Q(actor_name__icontains=search))
    ids = (Q(object_id=str(known)), Q(application_id=known), Q(correlation_id=known), Q(actor_id=known))
    return Wanted(rows, ids=ids)
