"""The WSGI application of every server process: the authority first, then Django's whole request cycle."""

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import get_path_info
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound

from credmgr.audit.correlation import name_request
from credmgr.authority.gate import AuthorityGate
from credmgr.authority.routes import find_route
from credmgr.ops.front_gate import SERVER, client_address, refusal_of
from credmgr.ops.watching import Watched, forget_ids, route_name

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


class BareRequest(HttpRequest):
    """A request of which the authority needs method, headers, path and body, and pays for nothing else."""

    def __init__(self, environ: Environ, path: str) -> None:
        # Django's own initialiser makes the parts that only pages use: cookies, forms, files, encodings.
        self.META = environ
        self.method = environ["REQUEST_METHOD"].upper()
        self.path_info = path
        self._stream = environ["wsgi.input"]
        self._read_started = False


class AuthorityFirst:
    """Answers the authority's addresses without the request cycle that only pages need.

    What the settings' middlewares do up to the gate is done here in their order, so an answer is the same
    either way; it costs a third of a signature less.
    """

    def __init__(self, django: Application) -> None:
        self._django = django
        self._gate = AuthorityGate(_never_reached)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or hand over untouched."""
        path: str = environ["PATH_INFO"]
        if not path.isascii():
            path = get_path_info(environ)
        route = find_route(path)
        if route is None:
            return self._django(environ, start_response)
        request = BareRequest(environ, path)
        name_request(request)
        with Watched(request) as seen:
            seen.route = route_name(route)
            refused = refusal_of(request)
            if refused is not None:
                seen.status = refused.status_code
            else:
                environ["REMOTE_ADDR"] = client_address(request)
                answer = self._gate.answer(request, route)
                seen.status = answer.status
        forget_ids()
        if refused is not None:
            return _refuse(refused, start_response)
        start_response(answer.status_line, list(answer.headers.items()))
        return [answer.body]


def _refuse(response: HttpResponse, start_response: StartResponse) -> Iterable[bytes]:
    response.headers["Server"] = SERVER
    start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
    return [response.content]


def _never_reached(_request: HttpRequest) -> HttpResponse:
    """Behind the gate, for addresses that it does not answer: there are none here."""
    return HttpResponseNotFound()
