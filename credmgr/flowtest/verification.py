"""Judges a token the way a careful API would: by the issuer's published keys and what is expected of it.

Named checks, each with its own outcome, so that one failure does not hide another. RFC 7519 section 7.2,
RFC 8725; the order and the claims follow Microsoft's page on access tokens. Nothing of the signer is used.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from credmgr.flowtest.inspection import moment, relative
from credmgr.flowtest.report import Check, TokenFacts
from credmgr.jose.claims import time_window
from credmgr.jose.errors import JoseError
from credmgr.jose.jwk import find_key
from credmgr.jose.jws import UnverifiedToken, verify

ALGORITHMS = ("RS256",)
SKEW_SECONDS = 300
_PROOFS = {"1": "a client secret", "2": "a certificate"}


class ExpectedToken(Protocol):
    """What a right token of one kind of authority says."""

    def judge(
        self,
        token: UnverifiedToken,
        metadata: Mapping[str, Any],
        key_set: Mapping[str, Any],
        now: datetime,
    ) -> tuple[list[Check], bool]:
        """(the checks, whether the signature was among them). metadata, key_set: as fetched over the wire."""
        ...


@dataclass(frozen=True)
class Expectations:
    """What a right token of an Entra-shaped authority says, from what is stored here.

    Audiences and issuer depend on the token's format.
    """

    tenant_id: str
    client_id: str
    proof: str
    resource_name: str
    audience_v2: str
    audiences_v1: frozenset[str]

    def judge(
        self,
        token: UnverifiedToken,
        metadata: Mapping[str, Any],
        key_set: Mapping[str, Any],
        now: datetime,
    ) -> tuple[list[Check], bool]:
        """Seven checks."""
        return list(_checks(token, metadata, key_set, self, now)), True


def decoded_parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """(header, claims) of a token that nobody has verified; two empty dicts where it cannot be read."""
    try:
        unverified = UnverifiedToken.parse(token)
    except JoseError:
        return {}, {}
    return unverified.header, unverified.claims


def verify_token(
    token: str,
    metadata: Mapping[str, Any],
    key_set: Mapping[str, Any],
    expected: ExpectedToken,
    now: datetime,
) -> TokenFacts:
    """All checks over one token. metadata and key_set: as fetched over the wire. Raises nothing of its own.

    The token must be readable: decoded_parts said so.
    """
    unverified = UnverifiedToken.parse(token)
    facts = TokenFacts(unverified.header, unverified.claims, len(token))
    facts.checks, facts.is_signature_checked = expected.judge(unverified, metadata, key_set, now)
    return facts


def _checks(
    token: UnverifiedToken,
    metadata: Mapping[str, Any],
    key_set: Mapping[str, Any],
    expected: Expectations,
    now: datetime,
) -> Iterator[Check]:
    yield signature_check(token, key_set)
    claims = token.claims
    yield issuer_check(claims, metadata)
    yield _audience(claims, expected)
    yield equal_check("Directory is the one asked", claims.get("tid"), expected.tenant_id)
    client = claims.get("azp") if claims.get("ver") == "2.0" else claims.get("appid")
    yield equal_check("Client is this application", client, expected.client_id)
    yield proof_check(claims, expected.proof)
    yield times_check(claims, now)


def signature_check(token: UnverifiedToken, key_set: Mapping[str, Any]) -> Check:
    """RS256 by the key that the header names, from the published key set."""

    def check() -> str:
        kid = token.header.get("kid")
        key = find_key(key_set, kid if isinstance(kid, str) else "")
        verify(token, key, algorithms=ALGORITHMS)
        return (
            f"{token.algorithm} with key {kid} of the published key set. Another algorithm would be refused"
        )

    return attempt("Signature is valid", check)


def issuer_check(claims: Mapping[str, Any], metadata: Mapping[str, Any]) -> Check:
    """The token's issuer is the one of the discovery document, to the letter."""
    issuer, published = claims.get("iss"), metadata.get("issuer")
    if isinstance(issuer, str) and issuer == published:
        return Check("Issuer equals discovery", "ok", "Character for character")
    return Check("Issuer equals discovery", "failed", f"The token says {issuer}, discovery says {published}")


def _audience(claims: Mapping[str, Any], expected: Expectations) -> Check:
    audience = claims.get("aud")
    name = f"Audience is {expected.resource_name}"
    right = (
        audience == expected.audience_v2 if claims.get("ver") == "2.0" else audience in expected.audiences_v1
    )
    if isinstance(audience, str) and audience and right:
        return Check(name, "ok", f"{audience}, the resource that the scope named")
    return Check(name, "failed", f"The token is for {audience}")


def proof_check(claims: Mapping[str, Any], proof: str) -> Check:
    """The token says how the client proved itself: "1" by a secret, "2" by an assertion."""
    claim = "azpacr" if claims.get("ver") == "2.0" else "appidacr"
    name = f"Proof was {_PROOFS[proof]}"
    if claims.get(claim) == proof:
        return Check(name, "ok", f"{claim} is {proof}")
    return Check(name, "failed", f"{claim} is {claims.get(claim)}, {proof} was expected")


def times_check(claims: Mapping[str, Any], now: datetime) -> Check:
    """Now lies within the token's times, five minutes of skew allowed."""

    def check() -> str:
        time_window(claims).check(now, skew=SKEW_SECONDS)
        ends = moment(claims.get("exp"))
        return f"Valid for another {relative(ends, now).removeprefix('in ')}" if ends else "Not expired"

    return attempt("Times hold", check)


def equal_check(name: str, found: object, wanted: str) -> Check:
    """One value is the one expected."""
    if found == wanted:
        return Check(name, "ok", wanted)
    return Check(name, "failed", f"The token says {found}, {wanted} was expected")


def attempt(name: str, check: Callable[[], str]) -> Check:
    """One check: what it says when it passes, and the sentence of the JoseError when it does not."""
    try:
        return Check(name, "ok", check())
    except JoseError as error:
        return Check(name, "failed", str(error))
