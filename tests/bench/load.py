"""Asks as fast as it is answered, over kept connections, from one thread: a tenth of what an answer costs."""

import select
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from urllib.parse import urlencode

_READ_BYTES = 65536
_HEADERS_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Target:
    """Where to ask, and requests that are sent in turn. tls: for https. refusal: the AADSTS code that each
    answer must carry, 0 where it must be a token.
    """

    port: int
    requests: Sequence[bytes]
    tls: ssl.SSLContext | None = None
    refusal: int = 0


@dataclass(frozen=True)
class Result:
    """seconds: of the whole. latencies: of each answer, in seconds."""

    seconds: float
    latencies: list[float]


def post(path: str, form: dict[str, str]) -> bytes:
    """A form as it goes over the wire."""
    body = urlencode(form).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def ask(target: Target, connections: int, count: int) -> Result:
    """`count` answers, each a token or the refusal expected. Raises RuntimeError for anything else."""
    requests = cycle(target.requests)
    opened = {each.fileno(): each for each in (_connect(target) for _ in range(connections))}
    poll = select.epoll()
    for number in opened:
        poll.register(number, select.EPOLLIN)
    began: dict[int, float] = {}
    read = dict.fromkeys(opened, b"")
    latencies: list[float] = []
    sent = 0
    start = time.perf_counter()
    try:
        for number, each in opened.items():
            if sent < count:
                began[number] = time.perf_counter()
                each.sendall(next(requests))
                sent += 1
        while len(latencies) < count:
            for number, _ in poll.poll():
                each = opened[number]
                read[number] += _read(each)
                if not _is_whole(read[number]):
                    continue
                now = time.perf_counter()
                _expect(target.refusal, read[number])
                latencies.append(now - began[number])
                read[number] = b""
                if sent < count:
                    began[number] = now
                    each.sendall(next(requests))
                    sent += 1
        return Result(time.perf_counter() - start, latencies)
    finally:
        poll.close()
        for each in opened.values():
            each.close()


def _connect(target: Target) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", target.port), timeout=10)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if target.tls is not None:
        made = target.tls.wrap_socket(made, server_hostname="localhost")
    made.setblocking(False)
    return made


def _read(connection: socket.socket) -> bytes:
    """What there is. Over TLS there may be more than the socket shows, or nothing yet."""
    try:
        got = connection.recv(_READ_BYTES)
    except ssl.SSLWantReadError:
        return b""
    if not got:
        raise RuntimeError("The server closed a connection.")
    return got


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(_HEADERS_END)
    if not end:
        return False
    lowered = head.lower()
    place = lowered.find(b"\r\ncontent-length:")
    if place < 0:
        raise RuntimeError(f"An answer without its length: {head!r}")
    length = lowered[place + len(b"\r\ncontent-length:") :].partition(b"\r\n")[0]
    return len(body) >= int(length)


def _expect(refusal: int, answer: bytes) -> None:
    status, content = (b"40", b"AADSTS%d:" % refusal) if refusal else (b"200 ", b'"access_token"')
    if not answer.startswith(b"HTTP/1.1 " + status) or content not in answer:
        raise RuntimeError(f"Not what was asked for: {answer[:600]!r}")
