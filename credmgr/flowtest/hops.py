"""Turns recorded exchanges into the steps of a waterfall, and reads from them what a diagnosis needs."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from credmgr.flowtest.discovery import USELESS_DOCUMENT
from credmgr.flowtest.report import Exchange, Hop, OAuthError, ShapeResult, Verdict
from credmgr.flowtest.wire import SIGNING_KEYS, TOKEN_REQUEST

_CODE = re.compile(r"AADSTS(\d{4,9})")
_TENANT = re.compile(r"^/[^/]+(?=/)")
DISCOVERY = "Discovery"
NOT_RUN = "Not run"
KNOWN = "As before"


def oauth_error(exchange: Exchange) -> OAuthError:
    """The refusal in a recorded answer; error is empty where the answer is no OAuth error (RFC 6749 5.2)."""
    try:
        body = json.loads(exchange.body)
    except ValueError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    description = str(body.get("error_description", ""))
    listed = body.get("error_codes")
    codes = [code for code in listed if type(code) is int] if isinstance(listed, list) else []
    if not codes:
        codes = [int(code) for code in _CODE.findall(description)[:1]]
    return OAuthError(
        status=exchange.status,
        error=str(body.get("error", "")),
        description=description,
        codes=codes,
        trace_id=str(body.get("trace_id", "")),
        correlation_id=str(body.get("correlation_id", "")),
        timestamp=str(body.get("timestamp", "")),
    )


def header_of(exchanges: Sequence[Exchange], name: str) -> str:
    """The first value of a request header among the exchanges, else empty."""
    found = (value for exchange in exchanges for header, value in exchange.request_headers if header == name)
    return next(found, "")


def clock_skew(exchanges: Sequence[Exchange], now: datetime) -> float | None:
    """Seconds the far side's clock is ahead of ours, by its Date header; 0 within its second, else None.

    now: when the run began; exchanges know their own start after that.
    """
    for exchange in exchanges:
        date = dict(exchange.response_headers).get("date")
        if date:
            try:
                theirs = parsedate_to_datetime(date)
            except ValueError:
                return None
            ours = now + timedelta(milliseconds=exchange.start_ms + exchange.duration_ms)
            ahead = (theirs.astimezone(UTC) - ours).total_seconds()
            # The header is cut to whole seconds: up to one second late means nothing.
            return round(ahead if ahead > 0 else min(ahead + 1, 0), 1)
    return None


def hops_of(
    result: ShapeResult,
    exchanges: Sequence[Exchange],
    verification: tuple[float, float],
    *,
    has_tenants: bool,
) -> list[Hop]:
    """The steps in their order; those that did not happen say so. verification: (start, end) in ms.

    has_tenants: whether addresses begin with a tenant, which a reader of the steps need not see.
    """
    token = next((item for item in exchanges if item.name == TOKEN_REQUEST), None)
    at = exchanges.index(token) if token else len(exchanges)
    before, after = exchanges[:at], exchanges[at + 1 :]
    hops = [_network(item, has_tenants) for item in before]
    if not any(item.name.startswith(DISCOVERY) for item in before):
        hops.insert(0, _skipped(DISCOVERY, KNOWN if token else NOT_RUN))
    if result.shape.has_assertion:
        hops.append(_assertion(result, before[-1] if before else None, token))
    hops.append(_network(token, has_tenants) if token else _skipped(TOKEN_REQUEST))
    hops += [_network(item, has_tenants) for item in after]
    if not any(item.name == SIGNING_KEYS for item in after):
        hops.append(_skipped(SIGNING_KEYS))
    hops.append(_verification(result, verification))
    if result.failure in USELESS_DOCUMENT and exchanges:
        _blame(hops, exchanges[-1])
    if any(item.name.startswith(DISCOVERY) and item.status == 200 for item in before):
        _forgive(hops)
    return hops


def _blame(hops: list[Hop], exchange: Exchange) -> None:
    """A 200 with a useless document is a failed step all the same."""
    for hop in hops:
        if hop.kind == "network" and hop.start_ms == exchange.start_ms:
            hop.outcome = "failed"


def _forgive(hops: list[Hop]) -> None:
    """Metadata that is not at the first address, and then found at the second: no step failed."""
    for hop in hops[:-1]:
        if hop.name == DISCOVERY and hop.outcome == "failed" and hop.status in ("404", "403", "400"):
            hop.outcome = "ok"


def _skipped(name: str, status: str = NOT_RUN) -> Hop:
    return Hop(name, "", "network", "skipped", status)


def _network(exchange: Exchange, has_tenants: bool) -> Hop:
    good = 200 <= exchange.status < 300
    path = urlsplit(exchange.url).path
    return Hop(
        name=exchange.name,
        detail=f"{exchange.method} {_TENANT.sub('', path) if has_tenants else path}",
        kind="network",
        outcome="ok" if good else "failed",
        status=str(exchange.status) if exchange.status else "No answer",
        start_ms=exchange.start_ms,
        duration_ms=exchange.duration_ms,
        panes=[("Request", _request_text(exchange)), _answer_pane(exchange)],
    )


def _request_text(exchange: Exchange) -> str:
    head = [f"{exchange.method} {urlsplit(exchange.url).path}"]
    head += [f"{name}: {value}" for name, value in exchange.request_headers]
    form = "\n&".join(f"{name}={value}" for name, value in exchange.form)
    return "\n".join(head) + (f"\n\n{form}" if form else "")


def _answer_pane(exchange: Exchange) -> tuple[str, str]:
    if not exchange.status:
        return "No answer", exchange.detail
    head = "\n".join(f"{name}: {value}" for name, value in exchange.response_headers)
    return f"Response, {exchange.status}", f"{head}\n\n{exchange.body}".strip()


def _assertion(result: ShapeResult, discovery: Exchange | None, token: Exchange | None) -> Hop:
    """Built inside the client between the discovery answer and the token request."""
    if not result.assertion or not token:
        if result.verdict is Verdict.INVALID and result.failure_detail:
            who = result.client.partition(" ")[0]
            return Hop(
                "Client assertion", "", "local", "failed", "Failed", panes=[(who, result.failure_detail)]
            )
        return Hop("Client assertion", "", "local", "skipped", NOT_RUN)
    header: dict[str, Any] = result.assertion["header"]
    listed = ("kid", "x5t", "x5t#S256", "x5c")
    names = [str(header.get("alg", "")), *(name for name in listed if name in header)]
    start = discovery.start_ms + discovery.duration_ms if discovery else token.start_ms
    return Hop(
        name="Client assertion",
        detail=", ".join(names),
        kind="local",
        outcome="ok",
        status="Built",
        start_ms=start,
        duration_ms=max(token.start_ms - start, 0),
        panes=[
            ("Assertion header", json.dumps(header, indent=2)),
            ("Assertion claims", json.dumps(result.assertion["claims"], indent=2)),
        ],
    )


def _verification(result: ShapeResult, span: tuple[float, float]) -> Hop:
    if result.token is None:
        return Hop("Verification", "", "local", "skipped", NOT_RUN)
    verdict = result.token.verdict
    words = {Verdict.VERIFIED: "Passed", Verdict.ACQUIRED: "Passed in part"}
    return Hop(
        name="Verification",
        detail="Signature, issuer, audience, times",
        kind="local",
        outcome="ok" if verdict.is_success else "failed",
        status=words.get(verdict, "Failed"),
        start_ms=span[0],
        duration_ms=span[1] - span[0],
    )
