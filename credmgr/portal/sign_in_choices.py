"""What the filters of a sign-ins page offer, and what its small forms keep of the address."""

from typing import Any

from django.http import HttpRequest

from credmgr import aadsts
from credmgr.audit.sign_in_log import Choices, choices
from credmgr.audit.sign_in_questions import Reach, reach
from credmgr.portal import listing
from credmgr.portal.listing import Option
from credmgr.portal.sign_in_filters import DEFAULT_TIME, PARAMETERS, RESULTS, AskedLog, spans
from credmgr.portal.sign_in_rows import CREDENTIAL_TYPES
from credmgr.registrations.models import Application, Tenant

# So many values of a kind are suggested.
_SUGGESTIONS = 20
_TIME = ("time", "from", "to")
# Filters that share one form.
_MORE = ("code", "application", "credential", "resource", "ip")


def filters_for(request: HttpRequest, asked: AskedLog, reached: Reach, tenant: Tenant) -> dict[str, Any]:
    """The part of the page's context that its filters need."""
    plain = reached if not asked.is_filtered else reach(asked.question.of_any_kind())
    seen = choices(plain)
    widest = list(spans())[-1]
    return {
        "search": asked.search,
        "times": _times(request, asked),
        "typed": {name: request.GET.get(name, "") for name in PARAMETERS},
        "pills": [listing.pill(request, "result", "Result", RESULTS)],
        "chosen": [
            (each, listing.address(request, **{each.name: None}))
            for each in asked.active
            if each.name != "result"
        ],
        "kept": _kept(request, "search"),
        "kept_by_time": _kept(request, *_TIME),
        "kept_by_more": _kept(request, *_MORE),
        "suggested": _suggested(seen, tenant),
        "credential_types": CREDENTIAL_TYPES,
        "widest_address": "" if asked.time == widest else _time_address(request, widest),
        "widest_label": f"Show the {spans()[widest][0].lower()}",
        "clear_address": listing.address(request, **dict.fromkeys(PARAMETERS[3:])),
        "export_query": listing.address(request).partition("?")[2],
    }


def _times(request: HttpRequest, asked: AskedLog) -> list[Option]:
    return [
        Option(said, _time_address(request, key), key == asked.time) for key, (said, _, _) in spans().items()
    ]


def _time_address(request: HttpRequest, key: str) -> str:
    changes = {"time": None if key == DEFAULT_TIME else key, "from": None, "to": None}
    return listing.address(request, **changes)


def _kept(request: HttpRequest, *own: str) -> list[tuple[str, str]]:
    """The parameters that a form passes on: all but its own and the paging."""
    return [(name, request.GET[name]) for name in PARAMETERS if name not in own and request.GET.get(name)]


def _suggested(seen: Choices, tenant: Tenant) -> dict[str, list[tuple[str, str]]]:
    """{parameter: (value, what it is) for each of the newest values}."""
    wanted = seen.applications[:_SUGGESTIONS]
    known = Application.objects.only("display_name", "tenant_id", "client_id").in_bulk(wanted)
    found = [known[key] for key in wanted if key in known]
    return {
        "code": [(str(code), _meaning(code)) for code in seen.codes[:_SUGGESTIONS]],
        "application": [
            (each.display_name, "")
            if each.tenant_id == tenant.pk
            else (str(each.client_id), each.display_name)
            for each in found
        ],
        "resource": [(value, "") for value in seen.resources[:_SUGGESTIONS]],
        "ip": [(value, "") for value in seen.addresses[:_SUGGESTIONS]],
    }


def _meaning(code: int) -> str:
    entry = aadsts.CATALOGUE.get(code)
    return entry.meaning if entry else ""
