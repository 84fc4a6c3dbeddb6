"""What the address of a sign-ins page asks for: a time range, filters and a search, as one question.

All of it lives in the address, so any view can be sent as a link, and its export has the same filters.
"""

import ipaddress
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, QueryDict

from credmgr.audit.sign_in_log import Cursor
from credmgr.audit.sign_in_questions import FAILURE, SUCCESS, Question
from credmgr.portal import listing, words
from credmgr.portal.sign_in_rows import CREDENTIAL_TYPES
from credmgr.portal.sign_in_search import found_by, from_address, narrowed
from credmgr.registrations.models import Application, Tenant
from credmgr.registrations.queries import parse_guid

RESULTS = {"": "All", SUCCESS: "Success", FAILURE: "Refused"}
DEFAULT_TIME = "24h"
# Every parameter of the address but paging.
PARAMETERS = (
    "time", "from", "to", "result", "code", "application", "credential", "resource", "ip", "search",
)  # fmt: skip
_SPANS = {
    "1h": ("Last hour", "in the last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", "in 24 hours", timedelta(hours=24)),
    "7d": ("Last 7 days", "in 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", "in 30 days", timedelta(days=30)),
}
# Where everything is kept, the widest span on offer; further back by a range of one's own.
_WIDEST_DAYS = 365
_YEARS = range(2000, 2101)
_TEXT_LENGTH = 400
_CODE = re.compile(r"(?:AADSTS)?([0-9]{1,9})", re.ASCII | re.IGNORECASE)
_CURSOR = re.compile(r"([0-9]{1,16})\.([0-9]{1,18})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class ActiveFilter:
    """A filter that holds: its parameter, its label, what it asks for in words."""

    name: str
    label: str
    words: str


@dataclass(frozen=True)
class AskedLog:
    """What an address asks for. complaint: a sentence where it asks for what cannot be; then show nothing.

    time: the key of a span, "custom" for a range of one's own; time_words and phrase: "Last 24 hours" and
    "in 24 hours". start, end: of the chart, UTC.
    """

    question: Question
    time: str
    time_words: str
    phrase: str
    start: datetime
    end: datetime
    search: str
    active: list[ActiveFilter] = field(default_factory=list)
    complaint: str = ""

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the time is asked for."""
        return bool(self.active or self.search)


class _UnusableError(ValueError):
    """A parameter that cannot be. Its text is ready to be shown."""


def spans() -> dict[str, tuple[str, str, timedelta]]:
    """{key: (words, phrase, length)} of the time ranges on offer; the last reaches as far as is kept."""
    days = settings.SIGN_IN_DAYS or _WIDEST_DAYS
    if days <= 30:
        return _SPANS
    return _SPANS | {"kept": (f"Last {days} days", f"in {days} days", timedelta(days=days))}


def read_address(
    request: HttpRequest, tenant: Tenant, application: Application | None, now: datetime
) -> AskedLog:
    """The question. application: on the page of one. Never raises for what stands in the address."""
    given, complaints = request.GET, list[str]()
    try:
        time, time_words, phrase, start, end = _time(given, now)
    except _UnusableError as error:
        complaints.append(str(error))
        time, (time_words, phrase, length) = "custom", spans()[DEFAULT_TIME]
        start, end = now - length, None
    question = Question(tenant.pk, start, end, application.pk if application else None)
    active: list[ActiveFilter] = []
    for name in ("result", "code", "application", "credential", "resource", "ip"):
        value = given.get(name, "").replace("\0", "").strip()[:_TEXT_LENGTH]
        if not value or (name == "application" and application):
            continue
        try:
            question, said = _FILTERS[name](question, value, tenant)
        except _UnusableError as error:
            complaints.append(str(error))
            said = value
        if said:
            active.append(ActiveFilter(name, LABELS[name], said))
    search = listing.search_of(request)
    if search:
        question = found_by(question, search, tenant)
    return AskedLog(
        question, time, time_words, phrase, start, end or now, search, active, " ".join(complaints)
    )


def recorded(asked: AskedLog) -> dict[str, object]:
    """The filters for the audit. Not the search text: people paste all sorts of things into a search box."""
    said: dict[str, object] = {"from": asked.start.isoformat(), "to": asked.end.isoformat()}
    for each in asked.active:
        # What is typed as a resource may be anything too.
        said[_RECORDED_AS[each.name]] = "one" if each.name == "resource" else each.words
    if asked.search:
        said["search"] = "yes"
    return said


def cursor(request: HttpRequest, name: str) -> Cursor | None:
    """The place in the log that a parameter names; nonsense names none."""
    found = _CURSOR.fullmatch(request.GET.get(name, ""))
    if found is None:
        return None
    try:
        return Cursor(_EPOCH + timedelta(microseconds=int(found[1])), int(found[2]))
    except OverflowError:
        return None


def cursor_text(place: Cursor | None) -> str:
    """As the address has it."""
    return f"{(place.at - _EPOCH) // timedelta(microseconds=1)}.{place.sequence}" if place else ""


def _time(given: QueryDict, now: datetime) -> tuple[str, str, str, datetime, datetime | None]:
    begin, finish = given.get("from", "").strip(), given.get("to", "").strip()
    if not begin and not finish:
        key = given.get("time", "")
        key = key if key in spans() else DEFAULT_TIME
        time_words, phrase, length = spans()[key]
        return key, time_words, phrase, now - length, None
    if not begin:
        raise _UnusableError("A time range needs a beginning. Fill in From.")
    start, end = _moment(begin), _moment(finish) if finish else None
    if start >= (end or now):
        raise _UnusableError("The time range ends before it begins. Change From or To; both are UTC.")
    until = words.moment(end) if end else "now"
    return "custom", f"{words.moment(start)} to {until}", "in this time range", start, end


def _moment(text: str) -> datetime:
    """What a date and time field sends, and ISO 8601; UTC without an offset."""
    try:
        found = datetime.fromisoformat(text)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        if found.year in _YEARS:
            return found
    except (ValueError, OverflowError):
        pass
    raise _UnusableError(
        "From and To are dates and times in UTC, such as 2026-11-23T14:00. "
        "Change them or choose another range."
    )


def _by_result(question: Question, value: str, _tenant: Tenant) -> tuple[Question, str]:
    if value not in RESULTS:
        return question, ""
    return replace(question, result=value), RESULTS[value]


def _by_code(question: Question, value: str, _tenant: Tenant) -> tuple[Question, str]:
    found = _CODE.fullmatch(value)
    if found is None:
        raise _UnusableError("A code is a number such as 7000215. Remove the filter or choose a code.")
    code = int(found[1])
    return replace(question, code=code), f"AADSTS{code}" if code else "Success"


def _by_application(question: Question, value: str, tenant: Tenant) -> tuple[Question, str]:
    guid = parse_guid(value.lower())
    if guid is not None:
        found = list(Application.objects.filter(Q(pk=guid) | Q(client_id=guid), tenant=tenant)[:1])
    else:
        named = Application.objects.filter(tenant=tenant, display_name__iexact=value)
        found = list(named.filter(deleted_at=None)[:2] or named[:2])
    if len(found) == 1:
        return replace(question, application_id=found[0].pk), found[0].display_name
    if guid is not None:
        # Of another directory, or of nobody.
        return narrowed(question, Q(client_id=str(guid)) | Q(application_id=guid)), str(guid)
    if found:
        raise _UnusableError(
            "Several applications have this name. Filter by the application (client) ID instead."
        )
    raise _UnusableError(
        "No application of this directory has exactly this name. "
        "Filter by another name or by an application (client) ID."
    )


def _by_credential_type(question: Question, value: str, _tenant: Tenant) -> tuple[Question, str]:
    if value not in CREDENTIAL_TYPES:
        return question, ""
    return narrowed(question, Q(credential_type=value)), CREDENTIAL_TYPES[value]


def _by_resource(question: Question, value: str, _tenant: Tenant) -> tuple[Question, str]:
    wanted = Q(resource=value)
    return narrowed(question, wanted | Q(resource_id=value.lower()) if parse_guid(value) else wanted), value


def _by_address(question: Question, value: str, _tenant: Tenant) -> tuple[Question, str]:
    try:
        address = str(ipaddress.ip_address(value))
    except ValueError:
        raise _UnusableError(
            "An IP address looks like 10.24.6.11 or 2001:db8::7. Change or remove the filter."
        ) from None
    return from_address(question, address), address


LABELS = {
    "result": "Result",
    "code": "Code",
    "application": "Application",
    "credential": "Credential",
    "resource": "Resource",
    "ip": "IP address",
}
_RECORDED_AS = {
    "result": "result",
    "code": "code",
    "application": "application",
    "credential": "credentialType",
    "resource": "resource",
    "ip": "ipAddress",
}
_FILTERS = {
    "result": _by_result,
    "code": _by_code,
    "application": _by_application,
    "credential": _by_credential_type,
    "resource": _by_resource,
    "ip": _by_address,
}
