"""Decodes any pasted JWT and verifies it when a listed issuer made it. Nothing is stored or logged.

The token never decides where a request goes: its issuer is compared with the addresses that listed issuers
have here, and only their own metadata and keys are fetched (RFC 8725 section 3.10).
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from credmgr.errors import DomainError
from credmgr.flowtest.inspection import moment, relative
from credmgr.flowtest.report import Check
from credmgr.jose.claims import time_window
from credmgr.jose.errors import JoseError, MalformedTokenError
from credmgr.jose.jwk import find_key
from credmgr.jose.jws import UnverifiedToken, verify
from credmgr.outbound.deadline import Deadline
from credmgr.outbound.errors import OutboundError
from credmgr.outbound.origin import built_in_origin
from credmgr.outbound.session import GuardedSession

ALGORITHMS = ("RS256",)
SKEW_SECONDS = 300
# Two requests to a server of our own: whoever waits longer for it learns nothing more.
DEADLINE_SECONDS = 5.0


class UnreadableTokenError(DomainError):
    """What was pasted is no signed JWT."""

    def __init__(self, message: str) -> None:
        super().__init__("unreadable_token", message, field="token")


@dataclass(frozen=True)
class ListedIssuer:
    """An issuer whose tokens can be verified here. metadata_url: its OpenID Connect metadata document."""

    issuer: str
    metadata_url: str


@dataclass(frozen=True)
class DecodedToken:
    """A token's readable parts and what could be said of them. verdict: verified, failed, unknown.

    unknown: no listed issuer made it, or its keys could not be had. signature_bytes: length only.
    """

    header: dict[str, Any]
    claims: dict[str, Any]
    signature_bytes: int
    verdict: str
    checks: list[Check] = field(default_factory=list)
    remark: str = ""


def listed_issuers(tenant_id: uuid.UUID) -> list[ListedIssuer]:
    """The built-in authority under its two names: v2.0 tokens and v1.0 tokens (ruling W5)."""
    base = f"{settings.AUTHORITY_URL}/{tenant_id}"
    return [
        ListedIssuer(f"{base}/v2.0", f"{base}/v2.0/.well-known/openid-configuration"),
        ListedIssuer(f"{base}/", f"{base}/.well-known/openid-configuration"),
    ]


@sensitive_variables("pasted", "text", "token")
def decode_token(pasted: str, *, issuers: list[ListedIssuer], now: datetime) -> DecodedToken:
    """Decode and, where a listed issuer made it, verify. Raises UnreadableTokenError with a sentence.

    now: aware UTC. May ask the listed issuer for two documents over https, within DEADLINE_SECONDS.
    """
    text = pasted.strip()
    scheme, _, rest = text.partition(" ")
    if scheme.lower() == "bearer":
        text = rest
    text = "".join(text.split())
    if not text:
        raise UnreadableTokenError("Paste a token first.")
    try:
        token = UnverifiedToken.parse(text)
    except MalformedTokenError as error:
        raise UnreadableTokenError(
            f"{error} Paste the whole token: three parts of letters, digits, hyphens and underscores, with "
            "dots between them."
        ) from None
    return _judged(token, issuers, now)


def _judged(token: UnverifiedToken, issuers: list[ListedIssuer], now: datetime) -> DecodedToken:
    size = len(token.signature)
    times = _times(token.claims, now)
    issuer = next((each for each in issuers if each.issuer == token.claims.get("iss")), None)
    if issuer is None:
        remark = (
            "The issuer is not on the list, so its keys were not fetched and the signature was not checked. "
            "No request was sent."
        )
        return DecodedToken(token.header, token.claims, size, "unknown", [times], remark)
    try:
        metadata, keys = _documents(issuer)
    except OutboundError as error:
        remark = f"The issuer's keys could not be had, so the signature was not checked. {error.detail}"
        return DecodedToken(token.header, token.claims, size, "unknown", [times], remark)
    checks = [_signature(token, keys), _issuer(metadata, issuer), times]
    verdict = "verified" if all(check.outcome == "ok" for check in checks) else "failed"
    return DecodedToken(token.header, token.claims, size, verdict, checks)


def _documents(issuer: ListedIssuer) -> tuple[dict[str, Any], dict[str, Any]]:
    """The issuer's metadata and key set. Raises OutboundError; the keys must lie on the same origin."""
    with Deadline(DEADLINE_SECONDS) as deadline:
        session = GuardedSession([built_in_origin()], deadline)
        try:
            metadata = _fetched(session, issuer.metadata_url)
            return metadata, _fetched(session, str(metadata.get("jwks_uri", "")))
        finally:
            session.close()


def _fetched(session: GuardedSession, url: str) -> dict[str, Any]:
    """A JSON object, empty where the answer is none: the checks then say what is missing."""
    answer = session.send("GET", url, headers={"Accept": "application/json"})
    try:
        document = json.loads(answer.text) if answer.status_code == 200 else {}
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _signature(token: UnverifiedToken, keys: Mapping[str, Any]) -> Check:
    kid = token.header.get("kid")
    try:
        verify(token, find_key(keys, kid if isinstance(kid, str) else ""), algorithms=ALGORITHMS)
    except JoseError as error:
        return Check("Signature is valid", "failed", str(error))
    return Check(
        "Signature is valid", "ok", f"{token.algorithm} with key {kid} of the issuer's published keys"
    )


def _issuer(metadata: Mapping[str, Any], issuer: ListedIssuer) -> Check:
    name = "Issuer equals its metadata"
    if metadata.get("issuer") == issuer.issuer:
        return Check(name, "ok", "Character for character")
    return Check(name, "failed", "The metadata document names another issuer, or none.")


def _times(claims: Mapping[str, Any], now: datetime) -> Check:
    try:
        time_window(claims).check(now, skew=SKEW_SECONDS)
    except JoseError as error:
        return Check("Times hold", "failed", str(error))
    ends = moment(claims.get("exp"))
    return Check("Times hold", "ok", f"Ends {relative(ends, now)}" if ends else "Not expired")
