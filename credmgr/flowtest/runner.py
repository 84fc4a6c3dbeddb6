"""Runs the client credentials flow once, in each form or way of the credential, within one deadline.

The client's side of the wire: nothing here knows how the built-in authority works.
"""

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from credmgr.flowtest.cloud_metadata import cloud_metadata
from credmgr.flowtest.discovery import Metadata, entra_metadata_url, issuer_metadata
from credmgr.flowtest.redaction import Redactor
from credmgr.flowtest.report import Shape, ShapeResult, Verdict
from credmgr.flowtest.shapes import OutsideTokenMaterial, SecretMaterial
from credmgr.flowtest.spec import FlowSpec
from credmgr.flowtest.targets import Target
from credmgr.flowtest.tries import Try
from credmgr.flowtest.ways import Way
from credmgr.flowtest.wire import RecordingClient
from credmgr.outbound.deadline import Deadline
from credmgr.registrations.models import ENTRA, OIDC


@dataclass
class FlowOutcome:
    """The results per shape, and the first raw token: the caller shows it once or drops it.

    any_suffices: the shapes are ways tried in turn until one worked.
    """

    shapes: list[ShapeResult]
    duration_ms: float
    any_suffices: bool = False
    raw_token: str | None = field(default=None, repr=False)


def run_flow(spec: FlowSpec, *, deadline_seconds: float, now: datetime) -> FlowOutcome:
    """Run the credential within one deadline. Never raises for what the far side does."""
    run = _Run(spec, now)
    with Deadline(deadline_seconds) as deadline:
        try:
            if spec.target.has_tenants:
                run.every_way(deadline)
            else:
                run.until_one_works(deadline)
        finally:
            run.close()
    return run.finished()


class _Run:
    """The tries of one run, one after another."""

    def __init__(self, spec: FlowSpec, now: datetime) -> None:
        self._spec = spec
        self._now = now
        self._zero = time.perf_counter()
        self._redactor = Redactor()
        if isinstance(spec.material, SecretMaterial):
            self._redactor.remember("secret", spec.material.value)
        if isinstance(spec.material, OutsideTokenMaterial):
            self._redactor.remember("assertion", spec.material.token)
            self._redactor.remember("signature", spec.material.token.rpartition(".")[2])
        self._metadata = _metadata_of(spec.target)
        self._clients: list[RecordingClient] = []
        self._outcome = FlowOutcome([], 0, any_suffices=not spec.target.has_tenants)

    def every_way(self, deadline: Deadline) -> None:
        """All forms of the credential, each with a discovery of its own, as MSAL does it."""
        first = self._undecided(self._client(deadline))
        for way in self._ways(first, None):
            result = self._try(way, self._client(deadline))
            if result.verdict is Verdict.UNREACHABLE:
                break  # the next would wait for the same silence

    def until_one_works(self, deadline: Deadline) -> None:
        """Discovery first, since it decides the ways; then those until one is not refused as a client."""
        client = self._client(deadline)
        first = self._undecided(client)
        metadata = first.discover(list(self._metadata))
        if metadata is None:
            self._end(first)
            return
        for way in self._ways(first, metadata):
            result = self._try(way, client, metadata)
            if result.error is None or result.error.error != "invalid_client":
                break
            client = self._client(deadline, known=client)

    def _ways(self, first: Try, metadata: dict[str, Any] | None) -> list[Way]:
        ways = first.ways(metadata)
        if not ways:
            self._end(first)
        return ways

    def _undecided(self, client: RecordingClient) -> Try:
        """For what happens before a way is chosen."""
        is_secret = isinstance(self._spec.material, SecretMaterial)
        return self._new(Way(Shape.SECRET if is_secret else Shape.KEY_JWT), client)

    def _end(self, first: Try) -> None:
        first.finish(self._now)
        self._outcome.shapes.append(first.result)

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients:
            client.close()

    def finished(self) -> FlowOutcome:
        """What came of it."""
        self._outcome.duration_ms = (time.perf_counter() - self._zero) * 1000
        return self._outcome

    def _try(self, way: Way, client: RecordingClient, metadata: dict[str, Any] | None = None) -> ShapeResult:
        one = self._new(way, client, metadata)
        one.execute(self._now)
        self._outcome.shapes.append(one.result)
        if self._outcome.raw_token is None:
            self._outcome.raw_token = one.raw_token
        return one.result

    def _new(self, way: Way, client: RecordingClient, metadata: dict[str, Any] | None = None) -> Try:
        return Try(self._spec, way, client, self._redactor, zero=self._zero, metadata=metadata)

    def _client(self, deadline: Deadline, known: RecordingClient | None = None) -> RecordingClient:
        client = RecordingClient(
            self._spec.origins,
            deadline,
            self._redactor,
            metadata=self._metadata,
            zero=self._zero,
            known=known,
        )
        self._clients.append(client)
        return client


def _metadata_of(target: Target) -> dict[str, Metadata]:
    """The metadata documents that a test of this target may meet, by address."""
    if target.kind == OIDC:
        return issuer_metadata(target.authority)
    if target.kind == ENTRA:
        return cloud_metadata(target)
    authority = target.authority
    return {
        entra_metadata_url(authority, "2.0"): Metadata("Discovery", f"{authority}/v2.0"),
        entra_metadata_url(authority, "1.0"): Metadata("Discovery, v1 tokens", f"{authority}/"),
    }
