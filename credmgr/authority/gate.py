"""Answers the authority's paths before the portal's machinery."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class AuthorityGate:
    """Answers the authority's paths before the portal's machinery."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)
