"""Security headers on both listeners (H-1 to H-7)."""

import socket
import ssl
import subprocess

import pytest
import requests

from tests.installation import Installation
from tests.ops.test_serve import get

PATHS = ["/health/live", "/account/login", "/applications", "/no-such-page", "/ca.pem"]
BOTH = pytest.mark.parametrize("secure", [False, True], ids=["plain", "https"])


@BOTH
@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_closed(installation: Installation, path: str, secure: bool) -> None:
    """H-1, H-2, H-3, H-6."""
    headers = get(installation, path, secure=secure).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == "'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Permissions-Policy"].startswith("camera=()")
    assert "no-store" in headers["Cache-Control"]
    assert headers["Server"] == "credmgr"
    assert "X-Powered-By" not in headers


@pytest.mark.parametrize(
    "path", ["/organizations/v2.0/.well-known/openid-configuration", "/organizations/oauth2/v2.0/token"]
)
def test_the_authoritys_answers_are_closed_too(installation: Installation, path: str) -> None:
    """H-2; its answers carry headers of their own, because a token must not cost the portal's machinery."""
    headers = get(installation, path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Server"] == "credmgr"
    assert "Set-Cookie" not in headers
    assert "Strict-Transport-Security" not in headers


@BOTH
def test_no_hsts_on_loopback(installation: Installation, secure: bool) -> None:
    """H-2: it would hold for every port of localhost."""
    answer = get(installation, "/account/login", secure=secure)
    assert "Strict-Transport-Security" not in answer.headers
    assert "Clear-Site-Data" not in answer.headers


@BOTH
def test_an_unknown_host_is_refused(installation: Installation, secure: bool) -> None:
    """H-7."""
    for host in ("evil.example", "localhost.evil.example", "[::2]", "a b", "169.254.169.254"):
        answer = get(installation, "/account/login", secure=secure, headers={"Host": host})
        assert answer.status_code == 400, host
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert host not in answer.text


@BOTH
@pytest.mark.parametrize("path", ["/", "/account/login", "/organizations/oauth2/v2.0/token"])
def test_trace_is_refused(installation: Installation, path: str, secure: bool) -> None:
    """H-7, R2: and what was sent is not echoed."""
    answer = get(installation, path, secure=secure, method="TRACE", headers={"X-Canary": "canary-7f3a"})
    assert answer.status_code == 405
    assert "canary-7f3a" not in answer.text


@BOTH
def test_forwarded_headers_of_strangers_count_for_nothing(installation: Installation, secure: bool) -> None:
    """H-7."""
    headers = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-For": "203.0.113.9",
    }
    answer = get(installation, "/applications", secure=secure, headers=headers)
    assert "evil.example" not in answer.headers.get("Location", "") + answer.text


@pytest.mark.parametrize(("version", "welcome"), [("tls1_1", False), ("tls1_2", True), ("tls1_3", True)])
def test_tls_starts_at_1_2(installation: Installation, version: str, welcome: bool) -> None:
    """R2. openssl asks, because Python warns about merely naming the old version."""
    done = subprocess.run(
        [
            *("openssl", "s_client", "-connect", f"127.0.0.1:{installation.authority_port}", f"-{version}"),
            *("-cipher", "DEFAULT:@SECLEVEL=0", "-CAfile", str(installation.ca_file), "-verify_return_error"),
        ],
        input="",
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode == 0) is welcome, done.stdout + done.stderr
    if welcome:
        assert "Verify return code: 0 (ok)" in done.stdout
    else:
        assert "alert" in done.stderr


@pytest.mark.parametrize(
    ("ciphers", "welcome"),
    [
        ("ECDHE+AESGCM:ECDHE+CHACHA20", True),
        ("NULL:eNULL:aNULL", False),
        ("RC4:3DES:DES:EXPORT:MD5", False),
        ("kRSA", False),
        ("CBC:AES128-SHA:AES256-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA", False),
    ],
)
def test_ciphers_are_the_recommended_ones(installation: Installation, ciphers: str, welcome: bool) -> None:
    """With TLS 1.2, where one could choose badly: authenticated ciphers with forward secrecy alone."""
    done = subprocess.run(
        [
            *("openssl", "s_client", "-connect", f"127.0.0.1:{installation.authority_port}", "-tls1_2"),
            *("-cipher", f"{ciphers}:@SECLEVEL=0", "-CAfile", str(installation.ca_file)),
        ],
        input="",
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    agreed = done.returncode == 0 and "Cipher is (NONE)" not in done.stdout
    assert agreed is welcome, done.stdout + done.stderr


def test_plain_http_on_the_https_port_is_no_answer(installation: Installation) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{installation.authority_port}/health/live", timeout=5)


def test_a_chunked_body_is_answered_with_411(installation: Installation) -> None:
    """W4: it carries no length, and what has no length reaches the application empty."""
    request = (
        b"POST /organizations/oauth2/v2.0/token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"1d\r\ngrant_type=client_credentials\r\n0\r\n\r\n"
    )
    context = ssl.create_default_context(cafile=installation.ca_file)
    # In one piece on a plain socket: a client that still sends while the answer comes may lose it.
    with (
        socket.create_connection(("127.0.0.1", installation.authority_port), 10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as stream,
    ):
        stream.sendall(request)
        answer = b"".join(iter(lambda: stream.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 411 ")
    assert b'"error_codes": [9002313]' in body.replace(b":[", b": [")
