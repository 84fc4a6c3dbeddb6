"""The client's end of the wire: sends what MSAL wants sent, and records every exchange, redacted."""

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from credmgr.flowtest.redaction import Redactor
from credmgr.flowtest.report import Exchange
from credmgr.flowtest.verification import decoded_parts
from credmgr.outbound import Answer, Deadline, GuardedSession, Origin, OutboundError

# What a reader of the trace can use; everything else (cookies above all) is left out.
_REQUEST_HEADERS = (
    "accept",
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
    "location",
    "www-authenticate",
    "x-ms-request-id",
    "client-request-id",
)


class UnusableAnswerError(Exception):
    """An answer came, and nothing can be done with it. failure: not-json, discovery or status."""

    def __init__(self, failure: str, detail: str) -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail


class RecordingClient:
    """The http_client that MSAL is given: get and post as requests has them, over one guarded session.

    issuers: what the discovery document at each address must name as its issuer. exchanges: everything sent
    so far, redacted. zero: time.perf_counter() at the run's beginning. Raises OutboundError where no answer
    came, UnusableAnswerError for one that MSAL could only stumble over.
    """

    def __init__(
        self,
        origin: Origin,
        deadline: Deadline,
        redactor: Redactor,
        *,
        issuers: Mapping[str, str],
        zero: float,
    ) -> None:
        self._session = GuardedSession([origin], deadline)
        self._issuers = issuers
        self._redactor = redactor
        self._zero = zero
        self.exchanges: list[Exchange] = []
        self.documents: dict[str, dict[str, Any]] = {}
        self.assertion: dict[str, Any] = {}
        self.last_date = ""

    def get(
        self,
        url: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> Answer:
        """GET, as MSAL asks for discovery."""
        full = f"{url}?{urlencode(params)}" if params else url
        answer = self._send("GET", full, headers or {"Accept": "application/json"}, None)
        if answer.status_code == 200:
            document = _object(answer, "discovery document" if url in self._issuers else "key set")
            if url in self._issuers:
                self._check_discovery(document, self._issuers[url])
            self.documents[url] = document
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
        answer = self._send("POST", full, headers or {}, sent)
        # MSAL would log the whole body of an answer that is not JSON.
        _object(answer, "token answer")
        return answer

    def get_json(self, url: str, correlation_id: str) -> dict[str, Any]:
        """GET a JSON document for ourselves. Raises UnusableAnswerError for any status but 200."""
        answer = self.get(url, headers={"Accept": "application/json", "client-request-id": correlation_id})
        if answer.status_code != 200:
            raise UnusableAnswerError("status", f"{urlsplit(url).path} answered {answer.status_code}.")
        return self.documents[url]

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], data: Mapping[str, Any] | None
    ) -> Answer:
        exchange = Exchange(method, url, self._elapsed())
        self.exchanges.append(exchange)
        exchange.form = self._redactor.form(data or {})
        exchange.request_headers = [("host", urlsplit(url).netloc), *_shown(headers, _REQUEST_HEADERS)]
        try:
            answer = self._session.send(method, url, headers=headers, data=data)
        except OutboundError as error:
            exchange.failure, exchange.detail = str(error.failure), error.detail
            raise
        finally:
            exchange.duration_ms = self._elapsed() - exchange.start_ms
        exchange.status = answer.status_code
        exchange.body = self._redactor.body(answer.text)
        exchange.response_headers = [
            (name, self._redactor.text(value, 200))
            for name, value in _shown(answer.headers, _RESPONSE_HEADERS)
        ]
        self.last_date = answer.headers.get("date", "")
        return answer

    def _check_discovery(self, document: dict[str, Any], issuer: str) -> None:
        """Mix-up defence (RFC 9700 section 4.4): the issuer asked for, endpoints on a listed origin only."""
        if document.get("issuer") != issuer:
            raise UnusableAnswerError(
                "discovery",
                f"The discovery document names another issuer than {issuer}, which was asked for.",
            )
        for member in ("token_endpoint", "jwks_uri"):
            try:
                self._session.origin_of(str(document.get(member, "")))
            except OutboundError:
                raise UnusableAnswerError(
                    "discovery", f"The {member} in the discovery document is missing or on another host."
                ) from None

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
            "not-json", f"The {what} is not a JSON object. It came with status {answer.status_code}."
        )
    return parsed
