"""Watches each request: its ids stand in the log's lines, its duration is counted, and a slow one is told."""

import logging
import time
from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.core.signals import request_finished
from django.http import HttpRequest, HttpResponse

from credmgr import measures
from credmgr.authority.routes import Handler, Route, find_route
from credmgr.ops.logging import request_ids
from credmgr.ops.read_only import end_if_stuck

REQUESTS = "requests"
_STATIC = f"/{settings.STATIC_URL.strip('/')}/"

logger = logging.getLogger(__name__)


class Watched:
    """Around the answering of a request: set route and status, and call forget_ids when all is over.

    route: a name of ours, never what was asked for. Neither path nor query are kept: they are the client's
    words, and those of the authority may hold what must not be written down (G-3).
    """

    __slots__ = ("_began", "_method", "route", "status")

    def __init__(self, request: HttpRequest) -> None:
        self.route, self.status, self._method = "unknown", 500, request.method
        request_ids.set((getattr(request, "request_id", ""), getattr(request, "correlation_id", "")))

    def __enter__(self) -> "Watched":
        """The clock runs."""
        self._began = time.perf_counter()
        return self

    def __exit__(self, *_error: object) -> None:
        """Count it; tell when it was slow; see whether this worker is why it could not be answered."""
        seconds = time.perf_counter() - self._began
        measures.observe(REQUESTS, self.route, seconds)
        slow = settings.SLOW_REQUEST_MS
        if slow and seconds * 1000 >= slow:
            told = {"route": self.route, "method": self._method, "status": self.status}
            logger.warning("A request was slow.", extra=told | {"seconds": round(seconds, 3)})
        if self.status == 503:
            end_if_stuck()


def forget_ids(**_: object) -> None:
    """The request is over: what the thread writes from here on is not about it."""
    request_ids.set(("", ""))


# Not when RequestWatch is left: Django writes its line about an answer like 404 after all middlewares.
request_finished.connect(forget_ids)


class RequestWatch:
    """The same for what goes through Django's cycle."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on."""
        with Watched(request) as seen:
            response = self.get_response(request)
            seen.route, seen.status = _route_of(request), response.status_code
        return response


def route_name(route: Route) -> str:
    """An address of the authority by what answers it."""
    return _handler_name(route.handler)


@cache
def _handler_name(handler: Handler) -> str:
    return f"authority:{handler.__name__.replace('answer_', '').replace('_request', '')}"


def _route_of(request: HttpRequest) -> str:
    if request.resolver_match is not None:
        return request.resolver_match.view_name
    if request.path_info.startswith(_STATIC):
        return "static"
    route = find_route(request.path_info)
    return "nothing_here" if route is None else route_name(route)
