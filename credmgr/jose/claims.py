"""Claims (RFC 7519 section 4.1): their types, their times, and the type that says "signature checked"."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from credmgr.jose.errors import ClaimError, TokenTimeError

# MSAL for .NET writes its times as strings of digits.
_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?", re.ASCII)
# Beyond this a float no longer tells seconds apart; no clock shows such a time.
_LARGEST = 2**53


@dataclass(frozen=True)
class VerifiedClaims(Mapping[str, Any]):
    """Claims whose signature was checked. Only credmgr.jose.jws makes one; raw ones are called unverified."""

    _claims: Mapping[str, Any] = field(repr=False)

    def __getitem__(self, name: str) -> Any:
        return self._claims[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._claims)

    def __len__(self) -> int:
        return len(self._claims)


@dataclass(frozen=True)
class TimeWindow:
    """What a token says about its time, in seconds since 1970 UTC. None: not said."""

    expires: float
    not_before: float | None
    issued_at: float | None

    def check(self, now: datetime, *, skew: float, ahead: float | None = None) -> None:
        """Raise TokenTimeError unless now lies within the window.

        now: aware. skew: seconds by which clocks may differ. ahead: exp may lie at most so many seconds in
        the future, None for any.
        """
        moment = now.timestamp()
        if self.expires <= moment - skew:
            raise TokenTimeError("expired", "The token has expired.")
        if ahead is not None and self.expires > moment + ahead + skew:
            raise TokenTimeError("too-long", "The token ends too far in the future.")
        for begin in (self.not_before, self.issued_at):
            if begin is None:
                continue
            if begin > moment + skew:
                raise TokenTimeError("too-early", "The token is not valid yet.")
            if begin >= self.expires:
                raise TokenTimeError("expired", "The token ends before it begins.")


def numeric_date(claims: Mapping[str, Any], name: str) -> float | None:
    """A NumericDate: a finite number, fractions allowed, or a decimal string. None when absent.

    Raises ClaimError for booleans, words, other types, and numbers no clock can show.
    """
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ClaimError(name, f"The claim '{name}' is not a number of seconds.")
    if abs(value) > _LARGEST or not math.isfinite(value):
        raise ClaimError(name, f"The claim '{name}' is out of range.")
    return float(value)


def time_window(claims: Mapping[str, Any]) -> TimeWindow:
    """exp, nbf and iat, typed. Raises ClaimError; exp is required."""
    expires = numeric_date(claims, "exp")
    if expires is None:
        raise ClaimError("exp", "The claim 'exp' is missing.")
    return TimeWindow(expires, numeric_date(claims, "nbf"), numeric_date(claims, "iat"))


def text_claim(claims: Mapping[str, Any], name: str) -> str:
    """A claim that is a string with something in it. Raises ClaimError for all else."""
    value = claims.get(name)
    if name not in claims:
        raise ClaimError(name, f"The claim '{name}' is missing.")
    if not isinstance(value, str) or not value:
        raise ClaimError(name, f"The claim '{name}' is not a text.")
    return value
