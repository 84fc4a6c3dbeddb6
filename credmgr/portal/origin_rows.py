"""What uses an allowed origin and would be cut off without it; the way to list one that is missing."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from credmgr.accounts.roles import Right
from credmgr.credentials.models import FederatedCredential
from credmgr.origins.addresses import origin_in
from credmgr.origins.models import AllowedOrigin
from credmgr.origins.queries import origin_of_row
from credmgr.outbound.origin import Origin
from credmgr.portal.access import may
from credmgr.registrations.models import BUILT_IN, Application

# So many are named; the rest is a number.
NAMED = 20


@dataclass(frozen=True)
class OriginUse:
    """A registration, and what of it names the origin."""

    application: Application
    what: str


@dataclass(frozen=True)
class OriginUses:
    """shown: the first NAMED by name; more: how many beyond."""

    shown: list[OriginUse]
    more: int


def adding_address(url: str) -> str:
    """The page that lists the origin of this address, with the origin filled in."""
    return f"{reverse('portal:origin_new')}?{urlencode({'address': origin_in(url)})}"


def unlisted_warning(request: HttpRequest, sentence: str, url: str, consequence: str) -> SafeString:
    """A message: what was saved, that its origin may not be called yet, what follows, who can change it."""
    link = format_html('<a class="inline" href="{}">Add it to the list</a>.', adding_address(url))
    return format_html(
        "{} {} is not on the list of allowed origins, so {}. {}",
        sentence,
        origin_in(url) or url,
        consequence,
        link if may(request, Right.OPERATE) else "Whoever administers the server can add it.",
    )


def uses_of(row: AllowedOrigin) -> OriginUses:
    """Live registrations that live at the origin, and federated credentials of issuers there. Two queries."""
    origin = origin_of_row(row)
    found = [*_living_there(origin), *_trusting_it(origin)]
    found.sort(key=lambda use: (use.application.display_name.casefold(), use.what))
    return OriginUses(found[:NAMED], max(0, len(found) - NAMED))


def _living_there(origin: Origin) -> Iterable[OriginUse]:
    rows = Application.objects.exclude(authority_kind=BUILT_IN).filter(
        deleted_at=None, authority_url__istartswith=_start(origin)
    )
    for application in rows.select_related("tenant"):
        if origin.covers(application.authority_url):
            yield OriginUse(application, "lives there")


def _trusting_it(origin: Origin) -> Iterable[OriginUse]:
    rows = FederatedCredential.objects.filter(
        application__deleted_at=None, issuer__istartswith=_start(origin)
    ).select_related("application__tenant")
    for credential in rows:
        if origin.covers(credential.issuer):
            yield OriginUse(credential.application, f"trusts it with the credential {credential.name}")


def _start(origin: Origin) -> str:
    """What every address there begins with; more than those do, so covers() has the last word."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    return f"{origin.scheme}://{host}"
