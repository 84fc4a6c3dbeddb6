"""The authority before Django's request cycle: the same answers as through it, and the portal untouched."""

import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from credmgr.audit.models import SignIn
from credmgr.ops.application import AuthorityFirst, load_application
from tests.authority.conftest import FORM, Directory, directory, secret  # noqa: F401 - fixtures
from tests.database import embedded_only

ONE_OF_A_KIND = {"x-ms-request-id"}
Seen = tuple[str, dict[str, str], bytes]


def call(application: Any, method: str, path: str, body: bytes = b"", **environ: str) -> Seen:
    """(status line, headers, body) of one request."""
    seen: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
        seen.update(status=status, headers=dict(headers))

    path, _, query = path.partition("?")
    request = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SCRIPT_NAME": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8443",
        "HTTP_HOST": "localhost:8443",
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": FORM,
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        **environ,
    }
    content = b"".join(application(request, start_response))
    return seen["status"], seen["headers"], content


@pytest.fixture
def kept_connections() -> Iterator[None]:
    """Django closes connections around a request; a test's transaction must live through many."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@embedded_only
@pytest.mark.usefixtures("kept_connections")
def test_both_ways_answer_alike(directory: Directory, secret: str) -> None:  # noqa: F811 - fixtures
    """Status, headers and the body's shape, for every kind of answer; each token request leaves its row."""
    django, ours = WSGIHandler(), load_application()
    assert isinstance(ours, AuthorityFirst)
    tenant = directory.tenant.id
    good = urlencode(directory.form(client_secret=secret)).encode()
    wrong = urlencode(directory.form(client_secret="wrong")).encode()
    requests: list[tuple[str, str, bytes, dict[str, str]]] = [
        ("POST", directory.path, good, {}),
        ("POST", directory.path, wrong, {"HTTP_CLIENT_REQUEST_ID": str(tenant)}),
        ("POST", directory.path, b"", {}),
        ("GET", directory.path, b"", {}),
        ("GET", f"/{tenant}/v2.0/.well-known/openid-configuration", b"", {}),
        ("GET", f"/{tenant}/discovery/keys", b"", {}),
        ("OPTIONS", f"/{tenant}/discovery/keys", b"", {}),
        ("GET", "/error?code=50027", b"", {}),
        ("GET", f"/{tenant}/nothing", b"", {}),
        ("TRACE", directory.path, b"", {}),
        ("POST", directory.path, good, {"HTTP_HOST": "evil.example"}),
    ]
    for method, path, body, environ in requests:
        theirs = call(django, method, path, body, **environ)
        mine = call(ours, method, path, body, **environ)
        assert mine[0] == theirs[0], path
        plain = [{k: v for k, v in seen[1].items() if k not in ONE_OF_A_KIND} for seen in (mine, theirs)]
        assert plain[0] == plain[1], path
        assert len(mine[2]) == len(theirs[2]), path
    assert SignIn.objects.count() == 4


@pytest.mark.django_db
def test_the_portal_goes_through_django() -> None:
    """Handed over untouched, body included."""
    handed: list[dict[str, Any]] = []

    def django(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        handed.append(environ)
        start_response("200 OK", [])
        return [environ["wsgi.input"].read()]

    status, _, body = call(AuthorityFirst(django), "POST", "/applications/new", b"name=x")
    assert (status, body) == ("200 OK", b"name=x")
    assert handed


def test_the_middlewares_are_those_of_the_settings() -> None:
    """What stands before the gate in the settings is what stands before it here."""
    gate = settings.MIDDLEWARE.index("credmgr.authority.gate.AuthorityGate")
    assert settings.MIDDLEWARE[:gate] == [
        "credmgr.audit.correlation.CorrelationMiddleware",
        "credmgr.ops.watching.RequestWatch",
        "credmgr.ops.front_gate.FrontGate",
    ]
