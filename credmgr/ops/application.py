"""The WSGI application of every server process: the authority first, then Django's whole request cycle."""

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound

from credmgr.audit.correlation import CorrelationMiddleware
from credmgr.authority.gate import AuthorityGate
from credmgr.authority.routes import find_route
from credmgr.ops.front_gate import FrontGate

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


def load_application() -> Application:
    """Load Django and put the authority before it.

    With another database than SQLite the authority goes through Django's cycle too: it asks, request by
    request, whether connections are still alive.
    """
    django = get_wsgi_application()
    is_embedded = connections[settings.TOKENS_DATABASE].vendor == "sqlite"
    return AuthorityFirst(django) if is_embedded else django


class AuthorityFirst:
    """Answers the authority's addresses without the request cycle that only pages need.

    The middlewares are the settings' own up to the gate, in their order, so an answer is the same either way;
    it costs a quarter of a signature less.
    """

    def __init__(self, django: Application) -> None:
        self._django = django
        self._authority = CorrelationMiddleware(FrontGate(AuthorityGate(_never_reached)))

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or hand over untouched."""
        request = WSGIRequest(environ)
        if find_route(request.path_info) is None:
            return self._django(environ, start_response)
        response = self._authority(request)
        start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        return [response.content]


def _never_reached(_request: HttpRequest) -> HttpResponse:
    """Behind the gate, for addresses that it does not answer: there are none here."""
    return HttpResponseNotFound()
