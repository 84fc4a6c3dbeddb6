"""Addresses of the pages that the rows of a list lead to: a route is read once for all of them."""

import uuid
from collections.abc import Callable

from django.urls import reverse

_NUMBER, _ID = 0, uuid.UUID(int=0)


def by_number(name: str) -> Callable[[int], str]:
    """What makes the address of a number. name: of a route that takes a number alone."""
    before, after = _around(name, _NUMBER)
    return lambda number: f"{before}{number}{after}"


def by_id(name: str) -> Callable[[uuid.UUID], str]:
    """What makes the address of an id. name: of a route that takes a GUID alone."""
    before, after = _around(name, _ID)
    return lambda key: f"{before}{key}{after}"


def _around(name: str, stand_in: int | uuid.UUID) -> tuple[str, str]:
    before, _, after = reverse(name, args=[stand_in]).rpartition(str(stand_in))
    return before, after
