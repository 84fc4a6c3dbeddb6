"""The client's end of the wire: sends what a client wants sent, and records every exchange, redacted."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from credmgr.flowtest.discovery import NOT_JSON, Metadata, UnusableAnswerError
from credmgr.flowtest.redaction import Redactor
from credmgr.flowtest.report import Exchange
from credmgr.flowtest.verification import decoded_parts
from credmgr.outbound.deadline import Deadline
from credmgr.outbound.errors import OutboundError
from credmgr.outbound.origin import Origin
from credmgr.outbound.session import Answer, GuardedSession

# What a reader of the trace can use; everything else (cookies above all) is left out.
_REQUEST_HEADERS = (
    "accept",
    "authorization",
    "content-type",
    "client-request-id",
    "x-client-sku",
    "x-client-ver",
    "x-client-os",
)
_RESPONSE_HEADERS = (
    "date",
    "content-type",
    "cache-control",
    "retry-after",
    "www-authenticate",
    "x-ms-request-id",
    "client-request-id",
)
TOKEN_REQUEST = "Token request"  # noqa: S105 - the name of a step
SIGNING_KEYS = "Signing keys"
INSTANCE_DISCOVERY = "Instance discovery"
_INSTANCE_PATH = "/common/discovery/instance"


class RecordingClient:
    """The http_client that MSAL is given: get and post as requests has them, over one guarded session.

    metadata: the documents that count as discovery, by address. exchanges: everything sent so far, redacted.
    zero: time.perf_counter() at the run's beginning. A document that this client or, with `known`, one before
    it fetched is not asked for again. Raises OutboundError where no answer came, UnusableAnswerError for one
    that MSAL could only stumble over.
    """

    def __init__(
        self,
        origins: Sequence[Origin],
        deadline: Deadline,
        redactor: Redactor,
        *,
        metadata: Mapping[str, Metadata],
        zero: float,
        known: "RecordingClient | None" = None,
    ) -> None:
        self._session = GuardedSession(origins, deadline)
        self._metadata = metadata
        self._redactor = redactor
        self._zero = zero
        self._answers: dict[str, Answer] = dict(known._answers) if known else {}
        self.exchanges: list[Exchange] = []
        self.documents: dict[str, dict[str, Any]] = dict(known.documents) if known else {}
        self.assertion: dict[str, Any] = {}

    def get(
        self,
        url: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> Answer:
        """GET, as MSAL asks for discovery."""
        full = f"{url}?{urlencode(params)}" if params else url
        if full in self._answers:
            return self._answers[full]
        expected = self._metadata.get(url)
        name = expected.name if expected else SIGNING_KEYS
        if urlsplit(url).path == _INSTANCE_PATH:
            name = INSTANCE_DISCOVERY
        answer = self._send("GET", full, name, headers or {"Accept": "application/json"}, None)
        if answer.status_code == 200:
            document = _object(answer, "discovery document" if expected else "key set")
            if expected:
                expected.check(document, self._is_listed)
            self._answers[full] = answer
            self.documents[full] = document
        return answer

    def post(
        self,
        url: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> Answer:
        """POST, as MSAL asks for a token."""
        full = f"{url}?{urlencode(params)}" if params else url
        sent = {name: value for name, value in (data or {}).items() if value is not None}
        if "client_assertion" in sent:
            header, claims = decoded_parts(_text(sent["client_assertion"]))
            sent["client_assertion"] = _text(sent["client_assertion"])
            self.assertion = {"header": header, "claims": claims}
        answer = self._send("POST", full, TOKEN_REQUEST, headers or {}, sent)
        # MSAL would log the whole body of an answer that is not JSON.
        _object(answer, "token answer")
        return answer

    def post_json(self, url: str, data: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, Any]:
        """POST a form; the JSON object that comes back, whatever its status."""
        parsed: dict[str, Any] = json.loads(self.post(url, data=data, headers=headers).text)
        return parsed

    def get_json(self, url: str, correlation_id: str) -> dict[str, Any]:
        """GET a JSON document for ourselves. Raises UnusableAnswerError for any status but 200."""
        headers = {"client-request-id": correlation_id} if correlation_id else {}
        answer = self.get(url, headers={"Accept": "application/json", **headers})
        if answer.status_code != 200:
            raise UnusableAnswerError("status", f"{urlsplit(url).path} answered {answer.status_code}.")
        return self.documents[url]

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def _send(
        self, method: str, url: str, name: str, headers: Mapping[str, str], data: Mapping[str, Any] | None
    ) -> Answer:
        exchange = Exchange(method, url, self._elapsed(), name)
        self.exchanges.append(exchange)
        exchange.form = self._redactor.form(data or {})
        exchange.request_headers = [
            ("host", urlsplit(url).netloc),
            *((name, self._redactor.text(value, 200)) for name, value in _shown(headers, _REQUEST_HEADERS)),
        ]
        try:
            answer = self._session.send(method, url, headers=headers, data=data)
        except OutboundError as error:
            exchange.failure, exchange.detail = str(error.failure), self._redactor.text(error.detail)
            raise
        finally:
            exchange.duration_ms = self._elapsed() - exchange.start_ms
        exchange.status = answer.status_code
        exchange.body = self._redactor.body(answer.text)
        exchange.response_headers = [
            (name, self._redactor.text(value, 200))
            for name, value in _shown(answer.headers, _RESPONSE_HEADERS)
        ]
        return answer

    def _is_listed(self, url: str) -> bool:
        try:
            self._session.origin_of(url)
        except OutboundError:
            return False
        return True

    def _elapsed(self) -> float:
        return (time.perf_counter() - self._zero) * 1000


def _shown(headers: Mapping[str, str], names: tuple[str, ...]) -> list[tuple[str, str]]:
    given = {name.lower(): str(value) for name, value in headers.items()}
    return [(name, given[name]) for name in names if name in given]


def _text(value: Any) -> str:
    """MSAL hands its assertion over as bytes."""
    return value.decode("ascii") if isinstance(value, bytes) else str(value)


def _object(answer: Answer, what: str) -> dict[str, Any]:
    try:
        parsed = json.loads(answer.text)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise UnusableAnswerError(
            NOT_JSON, f"The {what} is not a JSON object. It came with status {answer.status_code}."
        )
    return parsed
