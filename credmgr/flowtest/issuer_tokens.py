"""What a right access token of any OpenID Connect issuer says: less than Entra's, since few claims are fixed.

RFC 9068 where the token follows it, RFC 7519 and RFC 8725 for all. A JWT is checked by the issuer's published
keys; an opaque token is not looked into, and no introspection is attempted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from credmgr.flowtest.report import Check
from credmgr.flowtest.verification import attempt, issuer_check, times_check
from credmgr.jose.jwk import find_key, only_key
from credmgr.jose.jws import ISSUER_ALGORITHMS, UnverifiedToken, verify

# RFC 9068 section 2.2; OpenID Connect Core section 2; Okta's and Microsoft's own names for the same.
_CLIENT_CLAIMS = ("client_id", "azp", "cid", "appid")
# Asymmetric, and therefore no forgery, but not among those that can be checked here (RFC 8037, RFC 8812).
_OTHER_ALGORITHMS = {"EdDSA", "Ed25519", "Ed448", "ES256K"}


@dataclass(frozen=True)
class IssuerExpectations:
    """client_id: as sent. audiences: what the request asked for, empty where it named no API."""

    client_id: str
    audiences: tuple[str, ...] = ()

    def judge(
        self,
        token: UnverifiedToken,
        metadata: Mapping[str, Any],
        key_set: Mapping[str, Any],
        now: datetime,
    ) -> tuple[list[Check], bool]:
        """Signature, issuer, audience, client, times; each as far as the token lets it be told."""
        signature = _signature(token, key_set)
        return [signature, *self._claims(token.claims, metadata, now)], signature.outcome != "unchecked"

    def _claims(
        self, claims: Mapping[str, Any], metadata: Mapping[str, Any], now: datetime
    ) -> Iterator[Check]:
        yield issuer_check(claims, metadata)
        yield self._audience(claims.get("aud"))
        yield self._client(claims)
        yield times_check(claims, now)

    def _audience(self, audience: object) -> Check:
        shown = ", ".join(str(item) for item in audience) if isinstance(audience, list) else audience
        if not self.audiences:
            said = f"The token is for {shown}" if audience else "The token names none"
            return Check("Audience", "unchecked", f"{said}; the request named no API to compare it with")
        found = audience if isinstance(audience, list) else [audience]
        name = f"Audience is {', '.join(self.audiences)}"
        if any(item in self.audiences for item in found):
            return Check(name, "ok", "As the request asked")
        return Check(name, "failed", f"The token is for {shown}")

    def _client(self, claims: Mapping[str, Any]) -> Check:
        name = "Client is this application"
        said = {claim: claims[claim] for claim in _CLIENT_CLAIMS if claim in claims}
        if not said and claims.get("sub") == self.client_id:
            said = {"sub": self.client_id}
        if not said:
            return Check(name, "unchecked", "The token does not name its client")
        wrong = [f"{claim} is {value}" for claim, value in said.items() if value != self.client_id]
        if wrong:
            return Check(name, "failed", f"{', '.join(wrong)}, {self.client_id} was expected")
        return Check(name, "ok", f"{', '.join(said)}: {self.client_id}")


def _signature(token: UnverifiedToken, key_set: Mapping[str, Any]) -> Check:
    name = "Signature is valid"
    if token.algorithm in _OTHER_ALGORITHMS:
        return Check(
            name, "unchecked", f"{token.algorithm} is not among the algorithms that can be checked here"
        )
    if token.algorithm.startswith("HS"):
        return Check(
            name,
            "failed",
            f"{token.algorithm} is made with a secret that issuer and API share: whoever can check such a "
            "token can also forge it, and no published key fits it",
        )

    def check() -> str:
        kid = token.header.get("kid")
        key = find_key(key_set, kid) if isinstance(kid, str) else only_key(key_set, token.algorithm)
        verify(token, key, algorithms=ISSUER_ALGORITHMS)
        which = f"key {kid}" if isinstance(kid, str) else "the one key that fits"
        return f"{token.algorithm} with {which} of the issuer's published key set"

    return attempt(name, check)
