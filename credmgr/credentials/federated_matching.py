"""Which federated credential a token fits: the matching that the token endpoint makes."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from credmgr.registrations.resources import EXCHANGE_CLIENT_ID, EXCHANGE_NAME


class Trusted(Protocol):
    """What match_federated needs of a credential: rows, or light objects with these four."""

    @property
    def id(self) -> uuid.UUID:
        """The credential's id."""

    @property
    def issuer(self) -> str:
        """The iss to expect."""

    @property
    def subject(self) -> str:
        """The sub to expect."""

    @property
    def audience(self) -> str:
        """The aud to expect."""


T = TypeVar("T", bound=Trusted)


@dataclass(frozen=True)
class FederatedMatch(Generic[T]):
    """kind: match, issuer, audience, subject, subject-case: the first thing that fits no credential.

    credential: the one that fits, None for all other kinds.
    """

    kind: str
    credential: T | None


def match_federated(
    credentials: Sequence[T], *, issuer: str, audience: str, subject: str
) -> FederatedMatch[T]:
    """The credential with exactly these three (F-1): no trimming, no prefixes, letter case counts.

    One audience has two spellings: tokens for the token exchange say its id where a credential has its name.
    """
    same_issuer = [row for row in credentials if row.issuer == issuer]
    if not same_issuer:
        return FederatedMatch("issuer", None)
    same_audience = [row for row in same_issuer if row.audience in _spellings(audience)]
    if not same_audience:
        return FederatedMatch("audience", None)
    for row in same_audience:
        if row.subject == subject:
            return FederatedMatch("match", row)
    folded = subject.casefold()
    is_case = any(row.subject.casefold() == folded for row in same_audience)
    return FederatedMatch("subject-case" if is_case else "subject", None)


def _spellings(audience: str) -> tuple[str, ...]:
    return (audience, EXCHANGE_NAME) if audience == str(EXCHANGE_CLIENT_ID) else (audience,)
