"""Receivers of forwarded entries on loopback, in threads of the test."""

import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


@dataclass
class Heard:
    """What a receiver was told. answers: of a webhook, one a request, the last for ever."""

    port: int = 0
    messages: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    answers: list[int] = field(default_factory=lambda: [204])

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The JSON of each message or line."""
        texts = [each.split(b" - audit - ", 1)[1] for each in self.messages]
        return [
            json.loads(text) for text in texts + [line for body in self.bodies for line in body.splitlines()]
        ]

    def positions(self, chain: object) -> list[int]:
        """Of one chain, as they came."""
        return [each["position"] for each in self.entries if each["chain"] == str(chain)]


@contextmanager
def syslog_receiver(context: ssl.SSLContext | None = None, port: int = 0) -> Iterator[Heard]:
    """Over TCP, or TLS with a context; reads octet-counted messages until the sender ends."""
    heard = Heard()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            sock = context.wrap_socket(self.request, server_side=True) if context else self.request
            data = b""
            while part := sock.recv(65536):
                data += part
            while data:
                length, _, data = data.partition(b" ")
                heard.messages.append(data[: int(length)])
                data = data[int(length) :]
            if context:
                sock.close()

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A handshake that a test breaks off is no failure of this server."""

    with Server(("127.0.0.1", port), Handler) as server:
        heard.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield heard
        server.shutdown()


@contextmanager
def webhook() -> Iterator[Heard]:
    """Over plain http, which an origin can be marked for."""
    heard = Heard()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = heard.answers.pop(0) if len(heard.answers) > 1 else heard.answers[0]
            if answer < 300:
                heard.headers.append(dict(self.headers))
                heard.bodies.append(body)
            self.send_response(answer)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        heard.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield heard
        server.shutdown()


@contextmanager
def datagrams() -> Iterator[tuple[int, socket.socket]]:
    """A UDP socket and its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(10)
        yield sock.getsockname()[1], sock
