"""The list of addresses that this server may call (security rule O-1), read anew for every use.

Nothing is remembered: an origin that was removed is not called with the very next request, in any process.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from credmgr.origins.models import AllowedOrigin
from credmgr.outbound.origin import (
    PUBLIC_ROOTS,
    Origin,
    built_in_origin,
    configured_origins,
    is_covered,
    well_known_origins,
)

BUILT_IN, SETTING, PAGE, KNOWN = "built-in", "setting", "page", "known"
SOURCE_WORDS = {
    BUILT_IN: "Built in",
    SETTING: "Setting CREDMGR_ALLOWED_ORIGINS",
    PAGE: "Added on this page",
    KNOWN: "Well known",
}


@dataclass(frozen=True)
class ListedOrigin:
    """An entry and where it comes from. record: the row of one that was added on the page, else None."""

    origin: Origin
    source: str
    record: AllowedOrigin | None = None

    @property
    def source_words(self) -> str:
        """Where it comes from, for a person."""
        return SOURCE_WORDS[self.source]

    @property
    def has_own_ca(self) -> bool:
        """Whether it is trusted by another CA than the public roots."""
        return bool(self.origin.ca_pem) or self.origin.ca_file != PUBLIC_ROOTS

    @property
    def has_marks(self) -> bool:
        """Whether anything about it is out of the ordinary."""
        return self.origin.is_private or self.origin.scheme == "http" or self.has_own_ca


def listed_origins() -> list[ListedOrigin]:
    """The whole list in the order in which it is searched: an administrator's own marks go before those of
    a well-known entry. One query.
    """
    rows = AllowedOrigin.objects.order_by("host", "port", "scheme")
    return [
        ListedOrigin(built_in_origin(), BUILT_IN),
        *(ListedOrigin(origin, SETTING) for origin in configured_origins()),
        *(ListedOrigin(origin_of_row(row), PAGE, row) for row in rows),
        *(ListedOrigin(origin, KNOWN) for origin in well_known_origins()),
    ]


def allowed_origins() -> list[Origin]:
    """What a GuardedSession is given. One query."""
    return [listed.origin for listed in listed_origins()]


def is_allowed(url: str, origins: Iterable[Origin] | None = None) -> bool:
    """Whether a request to this address would be sent at all.

    origins: the list, where the caller asks about several addresses.
    """
    return is_covered(url, allowed_origins() if origins is None else origins)


def source_of(address: str) -> str | None:
    """The source of the entry with this address, None when it is not on the list."""
    return next((each.source for each in listed_origins() if each.origin.address == address), None)


def origin_of_row(row: AllowedOrigin) -> Origin:
    """The entry as the guarded door takes it."""
    return Origin(
        row.name or row.host,
        row.host,
        row.port,
        is_private=row.is_private,
        scheme=row.scheme,
        ca_pem=row.ca_pem,
    )
