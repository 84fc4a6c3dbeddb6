"""The guarded door: rules O-1 to O-6, against real https servers on this machine."""

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from credmgr.outbound.deadline import Deadline
from credmgr.outbound.errors import Failure, OutboundError
from credmgr.outbound.origin import Origin, built_in_origin
from credmgr.outbound.session import Answer, GuardedSession
from tests.flowtest.far_side import FarSide, make_ca, send

# Seconds. The far sides here would go on for ever or for 30; a busy machine may be late, not that late.
FAR_BELOW_FOREVER = 15.0


def origin_for(side: FarSide, **changes: object) -> Origin:
    """The list entry of a far side."""
    values = {
        "name": "far side",
        "host": "localhost",
        "port": side.port,
        "ca_file": side.ca_file,
        "is_private": True,
        **changes,
    }
    return Origin(**values)  # type: ignore[arg-type] # tests bend single members


def fetch(origin: Origin, url: str, seconds: float = 5.0) -> Answer:
    """One GET through the guarded door."""
    with Deadline(seconds) as deadline:
        session = GuardedSession([origin], deadline)
        try:
            return session.send("GET", url, headers={})
        finally:
            session.close()


def failure_of(origin: Origin, url: str, seconds: float = 5.0) -> Failure:
    """The failure a GET ends with."""
    with pytest.raises(OutboundError) as caught:
        fetch(origin, url, seconds)
    return caught.value.failure


@contextmanager
def tcp_server(behave: object) -> Iterator[int]:
    """A bare TCP server; behave(connection) runs in a thread per connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=behave, args=(connection,), daemon=True)  # type: ignore[arg-type] # a callable
            thread.start()
            threads.append(connection)

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()
    for connection in threads:
        connection.close()


def test_a_listed_origin_answers(far_side: FarSide) -> None:
    far_side.answers["GET", "/hello"] = lambda request: send(request, 200, b"hello")
    answer = fetch(origin_for(far_side), f"{far_side.url}/hello")
    assert (answer.status_code, answer.text) == (200, "hello")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:{port}/",
        "https://localhost:1/",
        "https://localhost/",
        "https://127.0.0.1:{port}/",
        "https://LOCALHOST.evil.example:{port}/",
        "https://user@localhost:{port}/",
        "https://localhost:{port}@evil.example/",
        "https://localhost:{port}\\@evil.example/",
        "https://localhost:{port}/#part",
        "https://localhost:{port}/a b",
        "https://localhost:{port}/\x00",
        "https://localhost:{port}/\n",
        "https://2130706433:{port}/",
        "https://0x7f.1:{port}/",
        "https://127.1:{port}/",
        "https://[::1]:{port}/",
        "https://localhost.:{port}/",
        "https://localhost:99999/",
        "file:///etc/passwd",
        "https://",
        "",
    ],
)
def test_o1_o5_anything_but_the_exact_origin_is_refused_before_a_look_up(
    far_side: FarSide, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_look_up(*args: object, **kwargs: object) -> None:
        pytest.fail("a name was looked up")

    monkeypatch.setattr(socket, "getaddrinfo", no_look_up)
    assert failure_of(origin_for(far_side), url.format(port=far_side.port)) is Failure.NOT_LISTED
    assert far_side.requests == []


def test_o2_the_built_in_authority_is_listed_by_configuration(settings: object) -> None:
    origin = built_in_origin()
    assert (origin.host, origin.port, origin.is_private) == ("localhost", 8443, True)
    assert origin.covers("https://localhost:8443/x")
    assert not origin.covers("https://localhost:8000/x")


def test_o3_plain_http_is_sent_to_a_marked_entry_only() -> None:
    """O-3: the same host over https is not what was listed, nor the other way round."""

    def answer(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        connection.close()

    with tcp_server(answer) as port:
        marked = Origin("local", "localhost", port, Path("/nowhere"), is_private=True, scheme="http")
        assert fetch(marked, f"http://localhost:{port}/").text == "ok"
        assert failure_of(marked, f"https://localhost:{port}/") is Failure.NOT_LISTED
        unmarked = Origin("local", "localhost", port, Path("/nowhere"), is_private=True)
        assert failure_of(unmarked, f"http://localhost:{port}/") is Failure.NOT_LISTED
        public = Origin("local", "localhost", port, Path("/nowhere"), scheme="http")
        assert failure_of(public, f"http://localhost:{port}/") is Failure.ADDRESS


def test_o3_a_name_that_leads_to_a_private_address_needs_a_private_entry(far_side: FarSide) -> None:
    origin = origin_for(far_side, is_private=False)
    assert failure_of(origin, f"{far_side.url}/") is Failure.ADDRESS
    assert far_side.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "0.0.0.0",  # noqa: S104 - refused, not bound
        "192.0.2.1",
        "::1",
        "fe80::1%eth0",
        "fc00::1",
        "::ffff:10.0.0.1",
        "2002:a00:1::",
        "64:ff9b::a00:1",
        "2001:db8::1",
    ],
)
def test_o3_every_kind_of_private_address_is_refused(
    far_side: FarSide, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_up(*args: object, **kwargs: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, far_side.port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert failure_of(origin_for(far_side, is_private=False), f"{far_side.url}/") is Failure.ADDRESS


def test_o4_the_connection_goes_to_the_checked_address(
    far_side: FarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that changes between two look-ups gains nothing: there is one look-up."""
    real, asked = socket.getaddrinfo, []

    def look_up(host: str, *args: object, **kwargs: object) -> object:
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "192.0.2.1", *args, **kwargs)  # type: ignore[arg-type] # passed through

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    far_side.answers["GET", "/"] = lambda request: send(request, 200, b"ok")
    assert fetch(origin_for(far_side), f"{far_side.url}/").text == "ok"
    assert asked == ["localhost"]


def test_o6_redirects_are_not_followed(far_side: FarSide) -> None:
    far_side.answers["GET", "/from"] = lambda request: send(request, 302, b"", Location=f"{far_side.url}/to")
    assert failure_of(origin_for(far_side), f"{far_side.url}/from") is Failure.REDIRECT
    assert [path for _, path, _, _ in far_side.requests] == ["/from"]


def test_o6_no_proxy_and_no_ca_of_the_environment(
    far_side: FarSide, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    wrong, _, _ = make_ca(tmp_path / "other", "wrong")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(wrong))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(wrong))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    far_side.answers["GET", "/"] = lambda request: send(request, 200, b"ok")
    assert fetch(origin_for(far_side), f"{far_side.url}/").text == "ok"


def test_o6_an_encoded_answer_is_refused(far_side: FarSide) -> None:
    far_side.answers["GET", "/"] = lambda request: send(
        request, 200, gzip.compress(b"{}"), Content_Encoding="gzip"
    )
    assert failure_of(origin_for(far_side), f"{far_side.url}/") is Failure.ENCODED
    assert far_side.requests[0][2]["accept-encoding"] == "identity"


def test_o6_a_huge_answer_is_cut_off(far_side: FarSide) -> None:
    far_side.answers["GET", "/"] = lambda request: send(request, 200, b"x" * (256 * 1024 + 1))
    assert failure_of(origin_for(far_side), f"{far_side.url}/") is Failure.TOO_LARGE
    far_side.answers["GET", "/"] = lambda request: send(request, 200, b"x" * (256 * 1024))
    assert len(fetch(origin_for(far_side), f"{far_side.url}/").text) == 256 * 1024


def test_o6_a_dripping_answer_ends_at_the_deadline(far_side: FarSide) -> None:
    """A read time-out alone would begin anew with each byte."""
    far_side.answers["GET", "/"] = far_side.drip
    began = time.monotonic()
    assert failure_of(origin_for(far_side), f"{far_side.url}/", 0.5) is Failure.TIMEOUT
    assert time.monotonic() - began < FAR_BELOW_FOREVER


def test_o6_a_dripping_answer_without_a_length_is_not_taken_for_a_whole_one(far_side: FarSide) -> None:
    def drip(request: object) -> None:
        request.send_response(200)  # type: ignore[attr-defined] # a request handler
        request.send_header("Connection", "close")  # type: ignore[attr-defined] # a request handler
        request.end_headers()  # type: ignore[attr-defined] # a request handler
        while not far_side.released.wait(0.05):
            request.wfile.write(b"{}")  # type: ignore[attr-defined] # a request handler

    far_side.answers["GET", "/"] = drip
    assert failure_of(origin_for(far_side), f"{far_side.url}/", 0.5) is Failure.TIMEOUT


def test_a_silent_server_ends_at_the_deadline(far_side: FarSide) -> None:
    far_side.answers["GET", "/"] = far_side.silence
    began = time.monotonic()
    assert failure_of(origin_for(far_side), f"{far_side.url}/", 0.5) is Failure.TIMEOUT
    assert time.monotonic() - began < FAR_BELOW_FOREVER


def test_a_server_that_never_shakes_hands_ends_at_the_deadline(far_side: FarSide) -> None:
    with tcp_server(lambda _connection: time.sleep(30)) as port:
        began = time.monotonic()
        assert (
            failure_of(origin_for(far_side, port=port), f"https://localhost:{port}/", 0.5) is Failure.TIMEOUT
        )
        assert time.monotonic() - began < FAR_BELOW_FOREVER


def test_a_handshake_that_drips_ends_at_the_deadline(far_side: FarSide) -> None:
    def drip(connection: socket.socket) -> None:
        try:
            # A TLS record header that promises much, then one byte at a time.
            connection.sendall(b"\x16\x03\x03\x3f\xff")
            while True:
                connection.sendall(b"\x00")
                time.sleep(0.05)
        except OSError:
            return

    with tcp_server(drip) as port:
        began = time.monotonic()
        failure_of(origin_for(far_side, port=port), f"https://localhost:{port}/", 0.5)
        assert time.monotonic() - began < FAR_BELOW_FOREVER


def test_one_deadline_holds_for_all_requests_together(far_side: FarSide) -> None:
    """The last answer alone would come in time; after the others it does not."""
    pauses = iter([0.5, 0.5, 2.5])

    def slow(request: object) -> None:
        time.sleep(next(pauses))
        send(request, 200, b"ok")  # type: ignore[arg-type] # a request handler

    far_side.answers["GET", "/"] = slow
    with Deadline(3) as deadline:
        session = GuardedSession([origin_for(far_side)], deadline)
        for _ in range(2):
            session.send("GET", f"{far_side.url}/", headers={})
        with pytest.raises(OutboundError) as caught:
            session.send("GET", f"{far_side.url}/", headers={})
        session.close()
    assert caught.value.failure is Failure.TIMEOUT


def test_nothing_listening(far_side: FarSide) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert failure_of(origin_for(far_side, port=port), f"https://localhost:{port}/") is Failure.REFUSED


def test_a_certificate_of_another_ca(far_side: FarSide, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    wrong, _, _ = make_ca(tmp_path / "other", "wrong")
    with pytest.raises(OutboundError) as caught:
        fetch(origin_for(far_side, ca_file=wrong), f"{far_side.url}/")
    assert caught.value.failure is Failure.TLS
    assert "unable to get local issuer certificate" in caught.value.detail


def test_a_certificate_for_another_name(tmp_path: Path) -> None:
    side = FarSide(tmp_path, "elsewhere.example")
    try:
        with pytest.raises(OutboundError) as caught:
            fetch(origin_for(side), f"{side.url}/")
    finally:
        side.close()
    assert caught.value.failure is Failure.TLS
    assert "localhost" in caught.value.detail


def test_plain_http_where_https_is_expected(far_side: FarSide) -> None:
    def plain(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        connection.close()

    with tcp_server(plain) as port:
        assert failure_of(origin_for(far_side, port=port), f"https://localhost:{port}/") is Failure.TLS


def test_a_missing_ca_file_is_named(far_side: FarSide, tmp_path: Path) -> None:
    with pytest.raises(OutboundError) as caught:
        fetch(origin_for(far_side, ca_file=tmp_path / "none.pem"), f"{far_side.url}/")
    assert caught.value.failure is Failure.NO_CA
    assert "none.pem" in caught.value.detail


def test_a_connection_that_breaks_in_the_middle(far_side: FarSide) -> None:
    def half(request: object) -> None:
        request.send_response(200)  # type: ignore[attr-defined] # a request handler
        request.send_header("Content-Length", "100")  # type: ignore[attr-defined] # a request handler
        request.end_headers()  # type: ignore[attr-defined] # a request handler
        request.wfile.write(b"half")  # type: ignore[attr-defined] # a request handler
        request.close_connection = True  # type: ignore[attr-defined] # a request handler

    far_side.answers["GET", "/"] = half
    assert failure_of(origin_for(far_side), f"{far_side.url}/") is Failure.BROKEN


def test_a_name_nobody_knows(far_side: FarSide) -> None:
    origin = origin_for(far_side, host="no-such-name.invalid")
    assert failure_of(origin, f"https://no-such-name.invalid:{far_side.port}/") is Failure.NAME
