"""Who takes forwarded audit entries: a syslog receiver (RFC 5424 over UDP, TCP or TLS), or a webhook."""

import hmac
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC
from urllib.parse import SplitResult, urlsplit

from credmgr.audit.export import lines_of
from credmgr.audit.forwarding import DeliveryError, Send
from credmgr.audit.models import AuditEvent
from credmgr.outbound.deadline import Deadline
from credmgr.outbound.errors import OutboundError
from credmgr.outbound.origin import PUBLIC_ROOTS, Origin
from credmgr.outbound.session import GuardedSession

SECONDS = 10.0
KEY_LENGTH = 32
# Facility "log audit" (13), severity informational (6): RFC 5424, 6.2.1.
_PRIORITY = 13 * 8 + 6
_SYSLOG_PORTS = {"udp": 514, "tcp": 601, "tls": 6514}
_HOST = re.compile(r"[A-Za-z0-9._:-]+", re.ASCII)


def problem_with(address: str, key: str) -> str:
    """What keeps this address from being used, as a sentence; empty where nothing does."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return "It is no address."
    if parts.scheme in _SYSLOG_PORTS:
        is_bare = not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
        is_fine = is_bare and port != 0 and _HOST.fullmatch(parts.hostname or "")
        return "" if is_fine else "A syslog address is a host and a port, nothing else."
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
        return "It begins with udp://, tcp://, tls:// or https://."
    if len(key) < KEY_LENGTH:
        return f"A webhook needs CREDMGR_AUDIT_FORWARD_KEY, at least {KEY_LENGTH} characters."
    return ""


def receiver(address: str, key: str, ca_file: str, origins: Callable[[], Iterable[Origin]]) -> Send:
    """What sends to this address. key: of the webhook's signature; ca_file: for tls, empty for the public
    roots; origins: the list of addresses that may be called, asked before each request to a webhook.
    """
    parts = urlsplit(address)
    if parts.scheme == "udp":
        return lambda events: _by_udp(parts, events)
    if parts.scheme in _SYSLOG_PORTS:
        return lambda events: _by_stream(parts, ca_file or str(PUBLIC_ROOTS), events)
    return lambda events: _by_webhook(address, key, origins(), events)


def syslog_line(event: AuditEvent, text: str) -> bytes:
    """One message of RFC 5424; its text is a line of the export."""
    at = event.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return f"<{_PRIORITY}>1 {at} {socket.gethostname() or '-'} credmgr - audit - {text.rstrip()}".encode(
        "ascii"
    )


def signature(key: str, timestamp: str, body: bytes) -> str:
    """The webhook's header: HMAC-SHA-256 over "<timestamp>.<body>", in hexadecimal."""
    return "v1=" + hmac.new(key.encode(), f"{timestamp}.".encode() + body, "sha256").hexdigest()


def _messages(events: Sequence[AuditEvent]) -> list[bytes]:
    return [syslog_line(event, text) for event, text in zip(events, lines_of(events), strict=True)]


def _by_udp(parts: SplitResult, events: Sequence[AuditEvent]) -> None:
    """Nobody confirms a datagram: sent is all that can be known."""
    host, port = _place(parts)
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            for message in _messages(events):
                sock.sendto(message, address)
    except OSError as error:
        raise DeliveryError(f"{host}:{port} cannot be reached: {error.strerror or error}") from None


def _by_stream(parts: SplitResult, ca_file: str, events: Sequence[AuditEvent]) -> None:
    """A connection for each batch, messages counted in octets (RFC 6587, 3.4.1).

    Syslog confirms nothing either. But a receiver that has read everything closes its side after ours, and
    one that died resets the connection: then the batch is sent again.
    """
    host, port = _place(parts)
    try:
        with socket.create_connection((host, port), SECONDS) as plain:
            sock = plain
            if parts.scheme == "tls":
                sock = ssl.create_default_context(cafile=ca_file).wrap_socket(plain, server_hostname=host)
            with sock:
                for message in _messages(events):
                    sock.sendall(str(len(message)).encode() + b" " + message)
                _await_end(sock)
    except ssl.SSLCertVerificationError as error:
        raise DeliveryError(
            f"{host}:{port} shows a certificate that is not trusted: {error.verify_message}"
        ) from None
    except OSError as error:
        raise DeliveryError(f"{host}:{port} cannot be reached: {error.strerror or error}") from None


def _await_end(sock: socket.socket) -> None:
    if isinstance(sock, ssl.SSLSocket):
        with suppress(ssl.SSLEOFError, ssl.SSLZeroReturnError, TimeoutError):
            sock.unwrap()
        return
    sock.shutdown(socket.SHUT_WR)
    with suppress(TimeoutError):  # one that keeps its side open has them nevertheless
        while sock.recv(4096):
            pass


def _by_webhook(address: str, key: str, origins: Iterable[Origin], events: Sequence[AuditEvent]) -> None:
    """Any answer of 200 to 299 takes them. Raises DeliveryError for every other one."""
    body = "".join(lines_of(events)).encode("ascii")
    timestamp = str(int(time.time()))
    first, last = events[0], events[-1]
    headers = {
        "Content-Type": "application/jsonl",
        "X-Credmgr-Delivery": f"{first.chain}:{first.position}-{last.position}",
        "X-Credmgr-Timestamp": timestamp,
        "X-Credmgr-Signature": signature(key, timestamp, body),
    }
    try:
        with Deadline(SECONDS) as deadline:
            session = GuardedSession(origins, deadline)
            try:
                answer = session.send("POST", address, headers=headers, data=body)
            finally:
                session.close()
    except OutboundError as error:
        raise DeliveryError(error.detail) from None
    if not 200 <= answer.status_code < 300:
        raise DeliveryError(f"The webhook answered {answer.status_code}.")


def _place(parts: SplitResult) -> tuple[str, int]:
    return parts.hostname or "", parts.port or _SYSLOG_PORTS[parts.scheme]
