"""Which addresses are the authority's, and what answers each. Tolerant as real clients need it: doubled
slashes
collapse, a directory is taken in any case. No redirects: a redirected POST becomes a GET.
"""

from collections.abc import Callable
from typing import NamedTuple

from django.http import HttpRequest

from credmgr.authority import documents
from credmgr.authority.exchange import Exchange
from credmgr.authority.metadata import ANY_TENANT
from credmgr.authority.responses import Answer
from credmgr.authority.token_endpoint import answer_token_request, answer_token_request_v1
from credmgr.registrations.queries import parse_guid

Handler = Callable[[HttpRequest, str, Exchange], Answer]

# What follows the directory in the address.
_OF_TENANT: dict[tuple[str, ...], Handler] = {
    ("oauth2", "v2.0", "token"): answer_token_request,
    ("oauth2", "token"): answer_token_request_v1,
    ("v2.0", ".well-known", "openid-configuration"): documents.discovery_v2,
    (".well-known", "openid-configuration"): documents.discovery_v1,
    ("discovery", "v2.0", "keys"): documents.keys_v2,
    ("discovery", "keys"): documents.keys_v1,
    ("oauth2", "v2.0", "authorize"): documents.authorize,
    ("oauth2", "authorize"): documents.authorize,
    ("v2.0", "adminconsent"): documents.admin_consent,
    ("adminconsent",): documents.admin_consent,
}
_FIXED: dict[tuple[str, ...], Handler] = {
    ("common", "discovery", "instance"): documents.instance,
    ("error",): documents.error,
    ("metadata", "endpoints"): documents.cloud,
    ("subscriptions",): documents.subscriptions,
}
# The same by the text that most clients send; found without taking the address apart.
_PLAIN = {"/".join(parts): handler for parts, handler in _OF_TENANT.items()}
# Words that mark an address as the authority's even where it is mistyped, so that clients get JSON and not
# a page.
_MARKS = frozenset({"oauth2", "discovery", "v2.0", ".well-known"})


class Route(NamedTuple):
    """What answers, and the directory as written in the address ("" where the address has none)."""

    handler: Handler
    tenant: str


def find_route(path: str) -> Route | None:
    """The authority's answer to this path, None for the portal's paths."""
    tenant, _, rest = path[1:].partition("/")
    plain = _PLAIN.get(rest)
    if plain is not None and tenant:
        return Route(plain, tenant)
    parts = tuple(part for part in path.split("/") if part)
    if not parts:
        return None
    fixed = _FIXED.get(parts)
    if fixed is not None:
        return Route(fixed, "")
    handler = _OF_TENANT.get(parts[1:])
    if handler is not None:
        return Route(handler, parts[0])
    first = parts[0].lower()
    is_ours = first in ANY_TENANT or parse_guid(first) is not None or (len(parts) > 1 and parts[1] in _MARKS)
    return Route(documents.nothing_here, parts[0]) if is_ours else None
