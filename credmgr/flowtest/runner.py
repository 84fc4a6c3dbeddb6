"""Runs the client credentials flow with Microsoft's own client library, once per shape of the credential.

The client's side of the wire: nothing here knows how the built-in authority works. A new MSAL object per
shape, because MSAL remembers tokens and throttling answers per object.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msal

from credmgr.flowtest.hops import clock_skew, header_of, hops_of, oauth_error
from credmgr.flowtest.redaction import Redactor
from credmgr.flowtest.report import Exchange, Shape, ShapeResult, Verdict
from credmgr.flowtest.verification import Expectations, decoded_parts, verify_token
from credmgr.flowtest.wire import RecordingClient, UnusableAnswerError
from credmgr.outbound import Deadline, Origin, OutboundError

CLIENT_NAME = f"MSAL Python {msal.__version__}"


@dataclass(frozen=True)
class SecretMaterial:
    """A client secret's clear value, for one run."""

    value: str = field(repr=False)

    def shapes(self) -> Iterator[tuple[Shape, object]]:
        """What MSAL is given as client_credential."""
        yield Shape.SECRET, self.value


@dataclass(frozen=True)
class CertificateMaterial:
    """A certificate (PEM), its SHA-1 thumbprint (hex) and a private key (PKCS#8 PEM), for one run."""

    thumbprint: str
    certificate: str
    private_key: str = field(repr=False)
    is_rsa: bool = True

    def shapes(self) -> Iterator[tuple[Shape, object]]:
        """The shape of Microsoft's page first, then the one MSAL recommends today."""
        yield Shape.THUMBPRINT, {"thumbprint": self.thumbprint, "private_key": self.private_key}
        yield (
            Shape.PUBLIC_CERTIFICATE,
            {"private_key": self.private_key, "public_certificate": self.certificate},
        )


@dataclass(frozen=True)
class FlowSpec:
    """One test: authority (https://host/tenant), client, scope and credential."""

    origin: Origin
    authority: str
    client_id: str
    scope: str
    material: SecretMaterial | CertificateMaterial
    expectations: Expectations


@dataclass
class FlowOutcome:
    """The results per shape, and the first shape's raw token: the caller shows it once or drops it."""

    shapes: list[ShapeResult]
    duration_ms: float
    raw_token: str | None = field(default=None, repr=False)


def run_flow(spec: FlowSpec, *, deadline_seconds: float, now: datetime) -> FlowOutcome:
    """Run every shape of the credential within one deadline. Never raises for what the far side does."""
    zero = time.perf_counter()
    outcome = FlowOutcome([], 0)
    redactor = Redactor()
    if isinstance(spec.material, SecretMaterial):
        redactor.remember("secret", spec.material.value)
    with Deadline(deadline_seconds) as deadline:
        for shape, credential in spec.material.shapes():
            run = _ShapeRun(spec, shape, redactor, deadline, zero)
            run.execute(credential, now)
            outcome.shapes.append(run.result)
            if outcome.raw_token is None:
                outcome.raw_token = run.raw_token
            if run.result.verdict is Verdict.UNREACHABLE:
                break  # the second shape would wait for the same silence
    outcome.duration_ms = (time.perf_counter() - zero) * 1000
    return outcome


def discovery_url(authority: str, version: str) -> str:
    """Where an Entra-shaped authority publishes its metadata: v1 and v2 differ in path and issuer."""
    return f"{authority}{'/v2.0' if version == '2.0' else ''}/.well-known/openid-configuration"


class _ShapeRun:
    """One shape's way through the flow; collects what the report shows."""

    def __init__(
        self, spec: FlowSpec, shape: Shape, redactor: Redactor, deadline: Deadline, zero: float
    ) -> None:
        self.spec = spec
        self.result = ShapeResult(shape, Verdict.INVALID)
        self.raw_token: str | None = None
        self._zero = zero
        self._redactor = redactor
        self._verified_from = 0.0
        issuers = {
            discovery_url(spec.authority, "2.0"): spec.expectations.issuer_v2,
            discovery_url(spec.authority, "1.0"): spec.expectations.issuer_v1,
        }
        self._client = RecordingClient(spec.origin, deadline, redactor, issuers=issuers, zero=zero)

    def execute(self, credential: object, now: datetime) -> None:
        """Acquire, verify, and turn what happened into hops."""
        began = self._elapsed()
        try:
            answer = self._acquire(credential) if self._can_sign() else None
            if answer is not None:
                self._judge(answer, now)
        except (OutboundError, UnusableAnswerError) as error:
            self.result.verdict = Verdict.UNREACHABLE
            self.result.failure = str(error.failure)
            self.result.failure_detail = self._redactor.text(error.detail)
        finally:
            self._client.close()
        exchanges = self._client.exchanges
        ended = self._elapsed()
        self.result.duration_ms = ended - began
        self.result.assertion = self._client.assertion
        self.result.correlation_id = header_of(exchanges, "client-request-id")
        self.result.clock_skew_seconds = clock_skew(exchanges, now)
        span = (self._verified_from or ended, ended)
        self.result.hops = hops_of(self.result, exchanges, span)

    def _can_sign(self) -> bool:
        """MSAL would fail with a name of its own library's classes in place of a sentence."""
        if isinstance(self.spec.material, SecretMaterial) or self.spec.material.is_rsa:
            return True
        self.result.failure = "client"
        self.result.failure_detail = "MSAL for Python makes RSA signatures only, and this is not an RSA key."
        return False

    def _acquire(self, credential: object) -> dict[str, Any] | None:
        """MSAL's answer, or None where MSAL itself gave up; then the last recorded exchange says why."""
        try:
            app = msal.ConfidentialClientApplication(
                self.spec.client_id,
                authority=self.spec.authority,
                client_credential=credential,
                http_client=self._client,
                instance_discovery=False,
                azure_region=False,  # else MSAL_FORCE_REGION in the environment would bend the host
            )
            answer: dict[str, Any] = app.acquire_token_for_client(scopes=[self.spec.scope])
        except (ValueError, TypeError, RuntimeError, msal.exceptions.MsalError) as error:
            self._explain_refusal(error)
            return None
        return answer

    def _explain_refusal(self, error: Exception) -> None:
        exchanges = self._client.exchanges
        if exchanges and exchanges[-1].status >= 400:
            self._refused(exchanges[-1])
        else:
            self.result.failure = "client"
            self.result.failure_detail = self._redactor.text(str(error), 300)

    def _refused(self, exchange: Exchange) -> None:
        error = oauth_error(exchange)
        self.result.error = error
        self.result.verdict = Verdict.REFUSED
        if not error.error:
            self.result.verdict = Verdict.UNREACHABLE
            self.result.failure = "status"
            self.result.failure_detail = f"{urlsplit(exchange.url).path} answered {exchange.status}."

    def _judge(self, answer: dict[str, Any], now: datetime) -> None:
        token = answer.get("access_token")
        if not isinstance(token, str):
            self._refused(self._client.exchanges[-1])
            return
        self.raw_token = token
        self.result.verdict = Verdict.UNVERIFIED
        _, claims = decoded_parts(token)
        if not claims:
            self.result.failure = "token"
            self.result.failure_detail = "The token is not a JWT, so nothing in it can be checked."
            return
        version = "2.0" if claims.get("ver") == "2.0" else "1.0"
        metadata = self._document(discovery_url(self.spec.authority, version))
        keys = self._document(str(metadata["jwks_uri"]))
        self._verified_from = self._elapsed()
        self.result.token = verify_token(token, metadata, keys, self.spec.expectations, now)
        if self.result.token.is_verified:
            self.result.verdict = Verdict.VERIFIED

    def _document(self, url: str) -> dict[str, Any]:
        """A document of this authority; what this run fetched already over the wire is not asked again."""
        known = self._client.documents.get(url)
        return known or self._client.get_json(url, header_of(self._client.exchanges, "client-request-id"))

    def _elapsed(self) -> float:
        return (time.perf_counter() - self._zero) * 1000
