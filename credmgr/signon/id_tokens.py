"""ID tokens, judged (OpenID Connect Core 1.0 section 3.1.3.7): what is believed of what the provider says."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from credmgr.jose.claims import VerifiedClaims, numeric_date, text_claim, time_window
from credmgr.jose.errors import ClaimError, JoseError, TokenTimeError
from credmgr.jose.jwk import find_key, only_key
from credmgr.jose.jws import UnverifiedToken, require_algorithm, verify
from credmgr.signon.configuration import Provider
from credmgr.signon.errors import SignOnError

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
SUBJECT_MAX = 255
# How far the provider's clock may be behind when it says that somebody signed in just now.
FRESH_SKEW_SECONDS = 60


@dataclass(frozen=True)
class Identity:
    """Who signed in, as the provider says. values: those of the role claim. has_second_factor: amr holds mfa
    (RFC 8176).
    """

    issuer: str
    subject: str
    user_name: str
    full_name: str
    values: frozenset[str]
    has_second_factor: bool


@sensitive_variables()
def identity_of(
    text: str,
    *,
    provider: Provider,
    nonce: str,
    key_set: Mapping[str, Any],
    now: datetime,
    fresh_since: float | None = None,
) -> Identity:
    """The person of an ID token. now: aware UTC. fresh_since: they must have signed in at the provider after
    that moment (seconds since 1970), None for whenever.

    Raises SignOnError; what is wrong is named in its detail, without a value.
    """
    claims = _verified(text, key_set)
    try:
        _check_addressee(claims, provider, nonce)
        time_window(claims).check(now, skew=settings.CLOCK_SKEW_SECONDS)
        if numeric_date(claims, "iat") is None:
            raise ClaimError("iat", "The claim 'iat' is missing.")
        subject = text_claim(claims, "sub")
        signed_in_at = numeric_date(claims, "auth_time")
    except TokenTimeError as error:
        raise SignOnError("not_trusted", f"the ID token is {error.reason}") from None
    except ClaimError as error:
        raise SignOnError("not_trusted", f"the claim {error.name} does not fit") from None
    if len(subject) > SUBJECT_MAX or not subject.isascii() or "\0" in subject:
        raise SignOnError("not_trusted", "the claim sub does not fit")
    if fresh_since is not None and (signed_in_at is None or signed_in_at < fresh_since - FRESH_SKEW_SECONDS):
        raise SignOnError("not_fresh", "auth_time is missing" if signed_in_at is None else "auth_time is old")
    return Identity(
        provider.issuer,
        subject,
        _first_text(claims, "preferred_username", "upn", "email"),
        _first_text(claims, "name"),
        _values(_found_at(claims, provider.role_claim)),
        "mfa" in _values(claims.get("amr")),
    )


def _verified(text: str, key_set: Mapping[str, Any]) -> VerifiedClaims:
    """Keys come from the provider's key set alone, whatever the token's header says."""
    try:
        token = UnverifiedToken.parse(text)
        require_algorithm(token, ALGORITHMS)
        kid = token.header.get("kid")
        if kid is None:
            key = only_key(key_set, token.algorithm)
        elif isinstance(kid, str):
            key = find_key(key_set, kid)
        else:
            raise SignOnError("not_trusted", "the ID token's kid is not a text")
        return verify(token, key, algorithms=ALGORITHMS)
    except JoseError as error:
        raise SignOnError("not_trusted", f"the ID token: {type(error).__name__}") from None


def _check_addressee(claims: VerifiedClaims, provider: Provider, nonce: str) -> None:
    """Raises ClaimError: of another issuer, for somebody else, or the answer to another question."""
    if claims.get("iss") != provider.issuer:
        raise ClaimError("iss", "Another issuer.")
    audience, party = claims.get("aud"), claims.get("azp")
    listed = audience if isinstance(audience, list) else [audience]
    if provider.client_id not in listed:
        raise ClaimError("aud", "For another client.")
    if (len(listed) > 1 or party is not None) and party != provider.client_id:
        raise ClaimError("azp", "Given to another client.")
    told = text_claim(claims, "nonce")
    if not hmac.compare_digest(told.encode("utf-8", "surrogatepass"), nonce.encode()):
        raise ClaimError("nonce", "The answer to another question.")


def _first_text(claims: VerifiedClaims, *names: str) -> str:
    """The first of these claims that is a text with something in it; only what can be seen of it."""
    for name in names:
        value = claims.get(name)
        if isinstance(value, str):
            shown = " ".join("".join(sign if sign.isprintable() else " " for sign in value).split())
            if shown:
                return shown
    return ""


def _found_at(members: Mapping[str, Any], path: str) -> object:
    """What stands under that name or, where no claim has it, under its parts, one inside the other: Keycloak
    says realm_access.roles. A name may itself hold dots (https://example.com/roles), hence the longest first.
    """
    if path in members:
        return members[path]
    ends = [place for place, sign in enumerate(path) if sign == "."]
    for end in reversed(ends):
        inner = members.get(path[:end])
        if isinstance(inner, Mapping) and (found := _found_at(inner, path[end + 1 :])) is not None:
            return found
    return None


def _values(claim: object) -> frozenset[str]:
    """One text, or a list of them."""
    listed = claim if isinstance(claim, list) else [claim]
    return frozenset(each for each in listed if isinstance(each, str) and each)
