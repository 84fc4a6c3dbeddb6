"""What lists share: filters, sorting and paging live in the address, so any view can be sent as a link."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model
from django.http import HttpRequest, QueryDict

Row = TypeVar("Row", bound=Model)
# Paging starts over when a filter or the order changes.
_PAGING = ("page", "before", "after")
# A keyset cursor is a sequence number; anything longer than this is no number of ours.
_CURSOR_DIGITS = 19
_SEARCH_LENGTH = 200


@dataclass(frozen=True)
class Option:
    """One choice of a filter: its words, the address it leads to, whether it holds now."""

    words: str
    address: str
    current: bool


@dataclass(frozen=True)
class Pill:
    """A filter shown as "Status: All", its choices behind it. clear_address: empty without a filter."""

    name: str
    label: str
    words: str
    options: list[Option]
    clear_address: str


@dataclass(frozen=True)
class Column:
    """A column head. address leads to the list sorted by it; direction is "ascending", "descending" or ""."""

    label: str
    address: str = ""
    direction: str = ""
    is_wide: bool = False

    @property
    def icon(self) -> str:
        """The arrow that stands behind the label."""
        return {"ascending": "sort-up-16", "descending": "sort-down-16"}.get(self.direction, "sort-16")


@dataclass(frozen=True)
class KeysetPage(Generic[Row]):
    """Rows newest first, with addresses to newer and older ones, empty where there are none."""

    rows: list[Row]
    newer_address: str
    older_address: str


def address(request: HttpRequest, **changes: object) -> str:
    """This page's address with other parameters; None or "" removes one. Paging is dropped unless given."""
    query: QueryDict = request.GET.copy()
    for name in _PAGING:
        query.pop(name, None)
    for name, value in changes.items():
        if value in (None, ""):
            query.pop(name, None)
        else:
            query[name] = str(value)
    encoded = query.urlencode()
    return f"{request.path}?{encoded}" if encoded else request.path


def pill(request: HttpRequest, name: str, label: str, choices: Mapping[str, str]) -> Pill:
    """A filter from {value: words}; the empty value stands for no filter."""
    chosen = request.GET.get(name, "")
    if chosen not in choices:
        chosen = ""
    options = [
        Option(words, address(request, **{name: value}), value == chosen) for value, words in choices.items()
    ]
    return Pill(name, label, choices[chosen], options, address(request, **{name: None}) if chosen else "")


def columns(
    request: HttpRequest, heads: Sequence[tuple[str, str, bool]], sort: str, *, default: str = ""
) -> list[Column]:
    """Column heads from (label, key or "" when it cannot be sorted by, shown on wide screens only).

    sort is the order that holds: a key, with "-" before it for descending.
    """
    made = []
    for label, key, is_wide in heads:
        if not key:
            made.append(Column(label, is_wide=is_wide))
            continue
        direction = {key: "ascending", f"-{key}": "descending"}.get(sort, "")
        goal = f"-{key}" if direction == "ascending" else key
        made.append(
            Column(label, address(request, sort=None if goal == default else goal), direction, is_wide)
        )
    return made


def beside(request: HttpRequest, number: int, pages: int) -> dict[str, str]:
    """Addresses of the pages before and after, empty where there is none: what portal/_page_steps.html takes.

    number: this page, from 1; pages: how many there are.
    """
    return {
        "previous_address": address(request, page=number - 1) if number > 1 else "",
        "next_address": address(request, page=number + 1) if number < pages else "",
    }


def search_of(request: HttpRequest) -> str:
    """What was typed into the search field; NUL, which no database takes in text, is left out."""
    return request.GET.get("search", "").replace("\0", "").strip()[:_SEARCH_LENGTH]


def page_number(request: HttpRequest) -> int:
    """?page=n, 1 for anything that is no page."""
    raw = request.GET.get("page", "")
    return max(int(raw), 1) if raw.isascii() and raw.isdigit() and len(raw) < 8 else 1


def cursor(request: HttpRequest, name: str) -> int | None:
    """?before=n or ?after=n, None for anything that is no such number."""
    raw = request.GET.get(name, "")
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < _CURSOR_DIGITS else None
