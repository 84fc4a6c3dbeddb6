"""What the running server tells and takes, asked from outside on both listeners."""

import re
import socket
import ssl

import pytest
import requests

from tests.acceptance.portal_session import PortalSession
from tests.installation import Installation
from tests.ops.test_serve import get

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TOKEN = "/organizations/oauth2/v2.0/token"
DISCOVERY = "/organizations/v2.0/.well-known/openid-configuration"
KEYS = "/organizations/discovery/v2.0/keys"
BOTH = pytest.mark.parametrize("secure", [False, True], ids=["plain", "https"])


@pytest.fixture(scope="session")
def person(installation: Installation) -> PortalSession:
    """The administrator, on the plain listener."""
    return PortalSession(installation.portal_url, installation.admin_name, installation.admin_password)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/account/login", "text/html; charset=utf-8"),
        ("/no-such-page", "text/html; charset=utf-8"),
        ("/health/live", "application/json"),
        (DISCOVERY, "application/json"),
        (KEYS, "application/json"),
        (TOKEN, "application/json"),
        ("/static/js/portal.js", "text/javascript; charset=utf-8"),
        ("/static/css/tokens.css", "text/css; charset=utf-8"),
    ],
)
def test_each_answer_says_what_it_is(installation: Installation, path: str, kind: str) -> None:
    """H-2: a type that fits, with its characters where it is text; nobody may guess another one."""
    answer = get(installation, path)
    told = answer.headers["Content-Type"]
    assert told.lower().replace('"', "").startswith(kind), told
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    if kind == "application/json":
        answer.json()


@BOTH
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "PROPFIND", "FOO"])
@pytest.mark.parametrize("path", ["/account/login", TOKEN])
def test_methods_that_nothing_uses_are_refused(
    installation: Installation, path: str, method: str, secure: bool
) -> None:
    answer = get(installation, path, secure=secure, method=method, headers={"Origin": "https://evil.example"})
    # The plain listener has no authority: 404. Cross-site requests that change are refused before that: 403.
    assert answer.status_code in (403, 404, 405), answer.status_code
    assert "Access-Control-Allow-Origin" not in answer.headers


@BOTH
@pytest.mark.parametrize(
    "path",
    [
        "/.git/config",
        "/.git/HEAD",
        "/.env",
        "/manage.py",
        "/var/keyring",
        "/static/",
        "/static/js/",
        "/static/../credmgr/settings.py",
        "/static/..%2f..%2fcredmgr/settings.py",
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/admin/",
        "/docs/",
        "/openapi.json",
        "/graphql",
        "/__debug__/",
        "/server-status",
    ],
)
def test_what_is_not_served_is_not_there(installation: Installation, path: str, secure: bool) -> None:
    """No lists of folders, no files of the checkout or the data folder, no pages that came with a package."""
    base = installation.authority_url if secure else installation.portal_url
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(installation.ca_file)
        prepared = session.prepare_request(requests.Request("GET", base))
        prepared.url = base + path  # not tidied up on the way
        answer = session.send(prepared, timeout=10, allow_redirects=False)
    # Unknown addresses of the portal lead strangers to the sign-in page or answer 404.
    assert answer.status_code in (302, 404), answer.status_code
    for told in ("root:", "SECRET_KEY", "[core]", "Index of", "ref: refs"):
        assert told not in answer.text


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 5, 6\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding : chunked\r\n",
    ],
)
def test_a_message_with_two_ends_is_not_read_on(installation: Installation, head: str) -> None:
    """The bytes after the first message are never taken for a second request with an answer of its own."""
    request = (
        f"POST {TOKEN} HTTP/1.1\r\nHost: localhost\r\n{FORM_LINE}{head}\r\n"
        "0\r\n\r\nGET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    context = ssl.create_default_context(cafile=installation.ca_file)
    with (
        socket.create_connection(("127.0.0.1", installation.authority_port), 10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as stream,
    ):
        stream.settimeout(3)
        stream.sendall(request.encode())
        answer = b""
        try:
            while piece := stream.recv(65536):
                answer += piece
        except (TimeoutError, ConnectionError, ssl.SSLError):
            pass
    first = answer.split(b"\r\n", 1)[0]
    assert b" 200 " not in first, answer
    assert not first or re.match(rb"HTTP/1.1 4\d\d", first), answer


FORM_LINE = "Content-Type: application/x-www-form-urlencoded\r\n"


def test_h5_only_public_documents_are_open_to_other_origins(
    installation: Installation, person: PortalSession
) -> None:
    """H-5: and those without credentials."""
    asked = {"Origin": "https://evil.example"}
    for path in (DISCOVERY, KEYS):
        answer = get(installation, path, headers=asked)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
    for path in ("/account/login", "/health/live", TOKEN, "/ca.pem", "/static/js/portal.js", "/no-such-page"):
        told = get(installation, path, headers=asked).headers
        assert "Access-Control-Allow-Credentials" not in told, path
        assert path.startswith("/static/") or "Access-Control-Allow-Origin" not in told, path
    assert "Access-Control-Allow-Origin" not in person.get("/applications").headers


def test_h4_cookies_of_the_running_listeners(installation: Installation) -> None:
    """H-4: as the browser gets them, from both."""
    plain = get(installation, "/account/login", secure=False).headers["Set-Cookie"]
    assert plain.startswith("csrftoken=")
    assert "HttpOnly" in plain
    assert "Path=/" in plain
    assert "SameSite=Lax" in plain
    assert "Domain" not in plain
    secure = get(installation, "/account/login").headers["Set-Cookie"]
    assert secure.startswith("__Host-csrftoken=")
    for part in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"):
        assert part in secure
    assert "Domain" not in secure
    token = get(installation, TOKEN, method="POST", headers=FORM, data="grant_type=client_credentials")
    assert "Set-Cookie" not in token.headers


def test_h3_pages_behind_sign_in_are_not_kept(person: PortalSession) -> None:
    """H-3: on real answers of a signed-in person, exports and errors among them."""
    for path in (
        "/applications",
        "/audit",
        "/sign-ins",
        "/account",
        "/no-such-page",
        "/directories",
        "/help",
    ):
        answer = person.get(path)
        assert answer.headers["Cache-Control"] == "no-store" or "no-store" in answer.headers["Cache-Control"]
        assert answer.status_code in (200, 404), path


def test_h7_an_error_page_holds_a_reference_and_nothing_else(
    installation: Installation, person: PortalSession
) -> None:
    """H-7, H-6: no version, no path, no trace; the reference is the one in the header."""
    for answer in (
        person.get("/no-such-page"),
        get(installation, "/account/login", secure=False, method="PUT"),
    ):
        text = answer.text + str(answer.headers)
        for told in (
            "Traceback",
            "django",
            "Django",
            "site-packages",
            "granian",
            "Python/",
            "/credmgr/",
            "DEBUG",
        ):
            assert told not in text, told


def test_nothing_answers_with_a_function_call(installation: Installation) -> None:
    """No JSONP: a name for a callback changes nothing."""
    for path in (DISCOVERY, KEYS, "/health/live"):
        answer = get(installation, f"{path}?callback=stolen&jsonp=stolen")
        assert "stolen" not in answer.text
        answer.json()
