"""What each AADSTS code means: a list to search, a page for each.

Strangers, whom an error text sends here, read the short page of the authority instead.
"""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from credmgr.aadsts import CATALOGUE, FAMILIES, UNCONFIRMED, Entry
from credmgr.portal import listing


@dataclass(frozen=True)
class Family:
    """Codes under one heading."""

    heading: str
    entries: list[Entry]


@require_safe
def aadsts_codes(request: HttpRequest) -> HttpResponse:
    """Every code, or those that the search finds: ?search= takes a number, an OAuth error or words."""
    search = listing.search_of(request)
    words = search.lower().split()
    families = [
        Family(heading, [entry for entry in entries if _is_found(entry, words)])
        for heading, entries in FAMILIES
    ]
    families = [family for family in families if family.entries]
    context = {
        "families": families,
        "found": sum(len(family.entries) for family in families),
        "search": search,
        "kept": [],
    }
    return render(request, "portal/aadsts/list.html", context)


@require_safe
def aadsts_code(request: HttpRequest, code: int) -> HttpResponse:
    """One code; 404 with a way to the list for a number that is not in the catalogue."""
    entry = CATALOGUE.get(code)
    if entry is None:
        return render(request, "portal/aadsts/unknown.html", status=404)
    family = next(heading for heading, entries in FAMILIES if entry in entries)
    context = {
        "entry": entry,
        "family": family,
        "unconfirmed": UNCONFIRMED.get(code, ""),
        "neighbours": [other for heading, entries in FAMILIES if heading == family for other in entries],
    }
    return render(request, "portal/aadsts/code.html", context)


def _is_found(entry: Entry, words: list[str]) -> bool:
    """Whether every word is in the entry; "aadsts" may stand before a number or alone."""
    text = f"aadsts{entry.code} {entry.error} {entry.status} {entry.meaning} {entry.cure}".lower()
    return all(word in text for word in words)
