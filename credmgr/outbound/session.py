"""Requests to listed origins, and their answers."""

import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from credmgr.outbound.connecting import CONNECT_SECONDS, connect
from credmgr.outbound.deadline import Deadline
from credmgr.outbound.errors import Failure, OutboundError
from credmgr.outbound.origin import UNLISTED, Origin

ANSWER_MAX_BYTES = 256 * 1024
_CHUNK_BYTES = 16 * 1024


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
        self._connect: Callable[[], socket.socket] = lambda: connect(origin, deadline)
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
