"""One try of a credential: the token request, and the judgement of what came, as a report shows it."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from credmgr.flowtest import msal_client, plain_client
from credmgr.flowtest.discovery import NO_METADATA, NOT_JSON, UnusableAnswerError, entra_metadata_url
from credmgr.flowtest.hops import clock_skew, header_of, hops_of, oauth_error
from credmgr.flowtest.msal_client import ClientRefusedError
from credmgr.flowtest.plain_client import NoAlgorithmError
from credmgr.flowtest.redaction import Redactor
from credmgr.flowtest.report import Exchange, ShapeResult, Verdict
from credmgr.flowtest.spec import FlowSpec
from credmgr.flowtest.verification import decoded_parts, verify_token
from credmgr.flowtest.ways import NoWayError, Way, entra_ways, issuer_ways
from credmgr.flowtest.wire import TOKEN_REQUEST, RecordingClient
from credmgr.jose.errors import JoseError
from credmgr.outbound.errors import OutboundError
from credmgr.registrations.models import BUILT_IN, ENTRA


class Try:
    """metadata: the issuer's, where it has been fetched for this run; zero: perf_counter at its beginning."""

    def __init__(
        self,
        spec: FlowSpec,
        way: Way,
        client: RecordingClient,
        redactor: Redactor,
        *,
        zero: float,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self.result = ShapeResult(way.shape, Verdict.INVALID, way.client, way.reason)
        self.raw_token: str | None = None
        self._spec = spec
        self._target = spec.target
        self._way = way
        self._client = client
        self._redactor = redactor
        self._zero = zero
        self._metadata = metadata
        # Where the client has fetched metadata already, that was the first step of this try.
        self._began = client.exchanges[0].start_ms if client.exchanges else self._elapsed()
        self._verified_from = 0.0

    def discover(self, addresses: Sequence[str]) -> dict[str, Any] | None:
        """The issuer's metadata, None where there is none of use; the result then says why."""
        try:
            return self._discovered(addresses)
        except (OutboundError, UnusableAnswerError) as error:
            self._unreachable(error)
            return None

    def ways(self, metadata: dict[str, Any] | None) -> list[Way]:
        """What the authority allows; empty where it allows nothing, and the result says so.

        metadata: an issuer's, whose ways depend on it.
        """
        try:
            if metadata is None:
                return entra_ways(self._target, self._spec.material)
            return issuer_ways(self._target, self._spec.material, self._spec.asked, metadata)
        except NoWayError as error:
            self._not_sent("no-way", str(error))
            return []

    def execute(self, now: datetime) -> None:
        """Acquire, verify, finish."""
        try:
            answer = self._acquire()
            if answer is not None:
                self._judge(answer, now)
        except (OutboundError, UnusableAnswerError) as error:
            # MSAL asks for the cloud's aliases after a refusal; that failing, the refusal still stands.
            if (refusal := self._token_refusal()) is not None:
                self._refused(refusal)
            else:
                self._unreachable(error)
        self.finish(now)

    def finish(self, now: datetime) -> None:
        """Turn what was recorded into the result."""
        exchanges = self._client.exchanges
        ended = self._elapsed()
        self.result.duration_ms = ended - self._began
        self.result.assertion = self._client.assertion
        self.result.correlation_id = header_of(exchanges, "client-request-id")
        self.result.clock_skew_seconds = clock_skew(exchanges, now)
        span = (self._verified_from or ended, ended)
        self.result.hops = hops_of(self.result, exchanges, span, has_tenants=self._target.has_tenants)

    def _discovered(self, addresses: Sequence[str]) -> dict[str, Any]:
        first: UnusableAnswerError | None = None
        for url in addresses:
            try:
                if self._client.get(url).status_code == 200:
                    return self._client.documents[url]
            except UnusableAnswerError as error:
                # A site that answers every address with its start page may have the other document.
                if error.failure != NOT_JSON:
                    raise
                first = first or error
        raise first or UnusableAnswerError(NO_METADATA, f"No metadata at {' or '.join(addresses)}.")

    def _acquire(self) -> dict[str, Any] | None:
        """The token endpoint's answer; None where the client gave up, and the result says why."""
        asked = self._spec.asked
        try:
            if self._way.proof is None:
                return msal_client.acquire(
                    self._target.authority,
                    self._target.client_id,
                    self._way.credential,
                    asked.scope,
                    self._client,
                    is_issuer=not self._target.has_tenants,
                    instance_discovery=self._target.kind == ENTRA,
                )
            return plain_client.acquire(
                str(self._issuer_metadata()["token_endpoint"]),
                self._target.client_id,
                self._way.proof,
                asked.parameters(),
                self._client,
                self._redactor,
            )
        except ClientRefusedError as error:
            exchanges = self._client.exchanges
            if (refusal := self._token_refusal()) is not None:
                self._refused(refusal)
            elif exchanges and exchanges[-1].status >= 400:
                self._refused(exchanges[-1])
            else:
                self._not_sent("client", str(error))
        except (NoAlgorithmError, JoseError) as error:
            self._not_sent("no-algorithm", str(error))
        return None

    def _token_refusal(self) -> Exchange | None:
        """The token request, where it was answered with an OAuth error."""
        token = (each for each in self._client.exchanges if each.name == TOKEN_REQUEST)
        return next((each for each in token if each.status >= 400 and oauth_error(each).error), None)

    def _issuer_metadata(self) -> dict[str, Any]:
        """The metadata that names the token endpoint."""
        if self._metadata is None:
            self._metadata = self._document(entra_metadata_url(self._target.authority, "2.0"))
        return self._metadata

    def _judge(self, answer: dict[str, Any], now: datetime) -> None:
        token = answer.get("access_token")
        if not isinstance(token, str):
            self._refused(next(item for item in self._client.exchanges if item.name == TOKEN_REQUEST))
            return
        self.raw_token = token
        self.result.verdict = Verdict.UNVERIFIED
        _, claims = decoded_parts(token)
        if not claims:
            self._opaque(token)
            return
        metadata = self._metadata_for(claims)
        keys = self._document(str(metadata["jwks_uri"])) if metadata.get("jwks_uri") else {}
        self._verified_from = self._elapsed()
        self.result.token = verify_token(token, metadata, keys, self._spec.expected, now)
        self.result.verdict = self.result.token.verdict

    def _opaque(self, token: str) -> None:
        """No JWT. The built-in authority never gives one; for any other it is a choice like another."""
        self.result.failure = "token"
        if self._target.kind == BUILT_IN:
            self.result.failure_detail = "The token is not a JWT, so nothing in it can be checked."
            return
        self.result.verdict = Verdict.ACQUIRED
        self.result.failure_detail = (
            "The token is encrypted for its API, so nothing in it can be read or checked here."
            if token.count(".") == 4
            else "The token is opaque, so nothing in it can be checked. Introspection was not attempted."
        )

    def _metadata_for(self, claims: dict[str, Any]) -> dict[str, Any]:
        """The metadata of this token's format (W5)."""
        if not self._target.has_tenants:
            return self._issuer_metadata()
        version = "2.0" if claims.get("ver") == "2.0" else "1.0"
        return self._document(entra_metadata_url(self._target.authority, version))

    def _document(self, url: str) -> dict[str, Any]:
        """A document of this authority; what this run fetched already over the wire is not asked again."""
        known = self._client.documents.get(url)
        return known or self._client.get_json(url, header_of(self._client.exchanges, "client-request-id"))

    def _not_sent(self, failure: str, detail: str) -> None:
        self.result.verdict = Verdict.INVALID
        self.result.failure = failure
        self.result.failure_detail = self._redactor.text(detail, 300)

    def _unreachable(self, error: OutboundError | UnusableAnswerError) -> None:
        self.result.verdict = Verdict.UNREACHABLE
        self.result.failure = str(error.failure)
        self.result.failure_detail = self._redactor.text(error.detail)
        if self._client.exchanges:
            self.result.failure_host = urlsplit(self._client.exchanges[-1].url).netloc
        if isinstance(error, UnusableAnswerError):
            self.result.failure_value = self._redactor.text(error.value)

    def _refused(self, exchange: Exchange) -> None:
        error = oauth_error(exchange)
        self.result.error = error
        self.result.verdict = Verdict.REFUSED
        if not error.error:
            self.result.verdict = Verdict.UNREACHABLE
            self.result.failure = "status" if exchange.status >= 300 else "no-token"
            self.result.failure_detail = f"{urlsplit(exchange.url).path} answered {exchange.status}" + (
                "." if exchange.status >= 300 else ", without an access_token and without an error."
            )

    def _elapsed(self) -> float:
        return (time.perf_counter() - self._zero) * 1000
