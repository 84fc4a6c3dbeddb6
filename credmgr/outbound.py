"""Which addresses may be called, and how: the one guarded door for requests that this server sends.

Rules O-1 to O-6: an exact list of origins, checked addresses, no redirects, no proxies from the environment,
no encoded answers, a size cap, and one deadline kept by shutting sockets down from a timer.
"""

import ipaddress
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http.client import HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from django.conf import settings
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection

from credmgr.clouds import CLOUDS

CONNECT_SECONDS = 3.0
ANSWER_MAX_BYTES = 256 * 1024
_CHUNK_BYTES = 16 * 1024
UNLISTED = "This host is not on the list of allowed authorities. An administrator can add it."
DEFAULT_PORTS = {"https": 443, "http": 80}
# Whose tokens people trust most, beside the Microsoft clouds (managed identities).
_GITHUB_ACTIONS = "token.actions.githubusercontent.com"
PUBLIC_ROOTS = Path(DEFAULT_CA_BUNDLE_PATH)


class Failure(StrEnum):
    """Why no usable answer came. Stable names; they are stored in reports."""

    NOT_LISTED = "not-listed"
    NAME = "name-unknown"
    ADDRESS = "address-not-allowed"
    REFUSED = "connection-refused"
    TLS = "tls-not-trusted"
    NO_CA = "ca-file-missing"
    TIMEOUT = "timeout"
    BROKEN = "connection-broken"
    REDIRECT = "redirect"
    ENCODED = "encoded"
    TOO_LARGE = "too-large"


class OutboundError(Exception):
    """A request that was not sent, or brought no usable answer. detail: a plain sentence, free of secrets."""

    def __init__(self, failure: Failure, detail: str) -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail


@dataclass(frozen=True)
class Origin:
    """A list entry: exactly this scheme, host and port, the CA file to trust, private addresses or not.

    scheme: https, or http where the entry is marked so (O-3). ca_pem: CA certificates to trust instead of
    those of the file.
    """

    name: str
    host: str
    port: int
    ca_file: Path = PUBLIC_ROOTS
    is_private: bool = False
    scheme: str = "https"
    ca_pem: str = ""

    @property
    def address(self) -> str:
        """As people write it: https://host[:port]."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        is_default = self.port == DEFAULT_PORTS[self.scheme]
        return f"{self.scheme}://{host}{'' if is_default else f':{self.port}'}"

    def covers(self, url: str) -> bool:
        """Whether the URL is well formed (O-5) and on exactly this scheme, host and port."""
        try:
            parts = urlsplit(url)
            port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
        except ValueError:
            return False
        odd = (
            "@" in parts.netloc
            or "\\" in url
            or "#" in url
            or any(sign <= " " or sign == "\x7f" for sign in url)
        )
        return parts.scheme == self.scheme and not odd and parts.hostname == self.host and port == self.port


def built_in_origin() -> Origin:
    """The built-in authority's own origin, listed by configuration (O-2) with the local CA."""
    parts = urlsplit(settings.AUTHORITY_URL)
    # A public name brings its own certificate, which may come from a public CA: trust both then.
    ca_file = settings.CA_BUNDLE_FILE if settings.PUBLIC_URL else settings.CA_FILE
    return Origin("Built-in authority", parts.hostname or "", parts.port or 443, ca_file, is_private=True)


def configured_origins() -> list[Origin]:
    """What CREDMGR_ALLOWED_ORIGINS lists."""
    return [
        Origin(
            each.host,
            each.host,
            each.port,
            Path(each.ca_file) if each.ca_file else PUBLIC_ROOTS,
            is_private=each.is_private,
            scheme=each.scheme,
        )
        for each in settings.ALLOWED_ORIGINS
    ]


def well_known_origins() -> list[Origin]:
    """The Microsoft clouds, and the issuer of GitHub Actions."""
    clouds = [Origin(f"Entra ID: {cloud.label}", cloud.host, 443) for cloud in CLOUDS]
    return [*clouds, Origin("GitHub Actions", _GITHUB_ACTIONS, 443)]


def is_covered(url: str, origins: Iterable[Origin]) -> bool:
    """Whether a request to this address would be sent at all."""
    return any(origin.covers(url) for origin in origins)


class Deadline:
    """One end for several requests together.

    A read time-out begins anew with each byte, so a server that drips could hold a request for ever. Here a
    timer shuts every watched socket down. Use as a context manager; seconds count from entering it.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.is_over = False
        self._end = 0.0
        self._lock = threading.Lock()
        self._watched: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._strike)
        self._timer.daemon = True

    def __enter__(self) -> "Deadline":
        self._end = time.monotonic() + self.seconds
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            for twin in self._watched:
                twin.close()
            self._watched.clear()

    def remaining(self) -> float:
        """Seconds left; raises OutboundError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0 or self.is_over:
            self.is_over = True
            raise self.error()
        return left

    def error(self) -> OutboundError:
        """What a request that ran into the deadline is told."""
        return OutboundError(Failure.TIMEOUT, f"No complete answer within {self.seconds:g} s.")

    def watch(self, sock: socket.socket) -> None:
        """Shut this connection down at the deadline. The duplicate descriptor survives wrapping in TLS."""
        twin = socket.socket(fileno=os.dup(sock.fileno()))
        with self._lock:
            self._watched.append(twin)
            if self.is_over:
                _shut(twin)

    def _strike(self) -> None:
        with self._lock:
            self.is_over = True
            for twin in self._watched:
                _shut(twin)


def _shut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was faster


@dataclass(frozen=True)
class Answer:
    """A complete answer. Header names are lower case; text is the body as UTF-8, at most 256 KB."""

    status_code: int
    headers: Mapping[str, str]
    text: str

    def raise_for_status(self) -> None:
        """Part of the shape that MSAL expects of an answer."""
        if self.status_code >= 400:
            raise requests.HTTPError(f"HTTP {self.status_code}")


class GuardedSession:
    """Sends requests to listed origins only, all within one deadline."""

    def __init__(self, origins: Iterable[Origin], deadline: Deadline) -> None:
        self._origins = tuple(origins)
        self._deadline = deadline
        self._session = requests.Session()
        # Otherwise REQUESTS_CA_BUNDLE overrides the CA given below, and a proxy would see the credential.
        self._session.trust_env = False

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def origin_of(self, url: str) -> Origin:
        """The list entry that covers the URL; raises OutboundError before any name is looked up (O-1)."""
        for origin in self._origins:
            if origin.covers(url):
                return origin
        raise OutboundError(
            Failure.NOT_LISTED,
            UNLISTED,
        )

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        data: Mapping[str, Any] | bytes | None = None,
    ) -> Answer:
        """One request, one complete answer of any status but a redirect. Raises OutboundError."""
        origin = self.origin_of(url)
        if origin.scheme == "https" and not origin.ca_pem and not origin.ca_file.is_file():
            raise OutboundError(
                Failure.NO_CA,
                f"The CA file {origin.ca_file} does not exist. Start the server once: it makes the file.",
            )
        self._session.mount(f"{origin.scheme}://", _GuardedAdapter(origin, self._deadline))
        try:
            response = self._session.request(
                method,
                url,
                headers={**headers, "Accept-Encoding": "identity"},
                data=data,
                timeout=(CONNECT_SECONDS, self._deadline.remaining()),
                verify=True if origin.ca_pem else str(origin.ca_file),
                allow_redirects=False,
                stream=True,
            )
            with response:
                return self._read(response)
        except (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError) as error:
            raise self._explain(error) from None

    def _read(self, response: requests.Response) -> Answer:
        headers = {name.lower(): value for name, value in response.headers.items()}
        if response.is_redirect or 300 <= response.status_code < 400:
            leads = f" to {headers['location'][:300]}" if headers.get("location") else ""
            raise OutboundError(
                Failure.REDIRECT,
                f"Answered {response.status_code}, a redirect{leads}; redirects are not followed.",
            )
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise OutboundError(
                Failure.ENCODED, "The answer is compressed, although an uncompressed one was asked for."
            )
        body = b""
        while chunk := response.raw.read(_CHUNK_BYTES, decode_content=False):
            body += chunk
            if len(body) > ANSWER_MAX_BYTES:
                raise OutboundError(
                    Failure.TOO_LARGE, f"The answer is larger than {ANSWER_MAX_BYTES // 1024} KB."
                )
        # A connection shut by the deadline reads like a finished one where the answer has no length.
        self._deadline.remaining()
        return Answer(response.status_code, headers, body.decode("utf-8", "replace"))

    def _explain(self, error: Exception) -> OutboundError:
        if self._deadline.is_over:
            return self._deadline.error()
        if isinstance(error, requests.exceptions.SSLError):
            return OutboundError(
                Failure.TLS, f"The certificate of this host is not trusted: {_tls_reason(error)}."
            )
        if isinstance(error, requests.exceptions.Timeout):
            return self._deadline.error()
        return OutboundError(Failure.BROKEN, "The connection broke before the answer was complete.")


def _tls_reason(error: BaseException) -> str:
    """OpenSSL's own words for the refusal ("self-signed certificate", "certificate has expired")."""
    seen: BaseException | None = error
    for _ in range(10):
        if isinstance(seen, ssl.SSLCertVerificationError):
            return seen.verify_message.rstrip(".")
        if isinstance(seen, ssl.SSLError):
            return (seen.reason or "TLS failed").replace("_", " ").lower()
        inner = getattr(seen, "reason", None)
        candidates = [
            item
            for item in (inner, *getattr(seen, "args", ()), getattr(seen, "__cause__", None))
            if isinstance(item, BaseException)
        ]
        if not candidates:
            break
        seen = candidates[0]
    return "the handshake failed"


class _GuardedAdapter(HTTPAdapter):
    """Connects to a checked address of one origin; SNI and certificate checks keep the URL's name (O-4)."""

    def __init__(self, origin: Origin, deadline: Deadline) -> None:
        self._connect: Callable[[], socket.socket] = lambda: _connect(origin, deadline)
        self._ca_pem = origin.ca_pem
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Put our own connection below urllib3's pool."""
        super().init_poolmanager(*args, **kwargs)
        connect, ca_pem = self._connect, self._ca_pem

        class Connection(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return connect()

            def connect(self) -> None:
                if ca_pem:
                    # Requests knows CA files alone; what it has set here are the public roots.
                    self.ca_certs, self.ca_cert_dir, self.ca_cert_data = None, None, ca_pem
                super().connect()

        class Pool(urllib3.HTTPSConnectionPool):
            ConnectionCls = Connection

        class PlainConnection(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return connect()

        class PlainPool(urllib3.HTTPConnectionPool):
            ConnectionCls = PlainConnection

        # The adapter is mounted for its origin's scheme alone, so the plain pool serves marked entries only.
        self.poolmanager.pool_classes_by_scheme = {"https": Pool, "http": PlainPool}


def _connect(origin: Origin, deadline: Deadline) -> socket.socket:
    """A connected socket to the first address that answers, all of them checked before (O-3, O-4)."""
    refused = OutboundError(Failure.REFUSED, f"Nothing answers at {origin.host}:{origin.port}.")
    for family, address in _resolve(origin, deadline):
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(min(CONNECT_SECONDS, deadline.remaining()))
        try:
            deadline.watch(sock)
            sock.connect((address, origin.port))
        except TimeoutError:
            refused = OutboundError(
                Failure.TIMEOUT, f"No connection to {origin.host}:{origin.port} within {CONNECT_SECONDS:g} s."
            )
            sock.close()
        except OSError:
            sock.close()
        else:
            sock.settimeout(deadline.remaining())
            return sock
    raise refused


def _resolve(origin: Origin, deadline: Deadline) -> list[tuple[int, str]]:
    """(family, address) pairs. In a thread of its own: a name server cannot be hurried by a time-out."""
    found: list[tuple[int, str]] = []

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
        except OSError:
            return
        found.extend((family, str(address[0])) for family, _, _, _, address in rows)

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(min(CONNECT_SECONDS, deadline.remaining()))
    if not found:
        raise OutboundError(Failure.NAME, f"The name {origin.host} could not be resolved.")
    if not origin.is_private and any(not is_public(address) for _, address in found):
        raise OutboundError(
            Failure.ADDRESS, f"{origin.host} leads to a private address, which its list entry does not allow."
        )
    return found


def is_public(address: str) -> bool:
    """Global unicast, also behind the IPv4-in-IPv6 forms (O-3)."""
    ip = ipaddress.ip_address(address.split("%", 1)[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return inner.is_global and not inner.is_multicast
    return ip.is_global and not ip.is_multicast
