"""Signing keys as people read them: their state in words, their certificate."""

import ssl
from dataclasses import dataclass

from credmgr.authority.key_rolling import NEXT, RETIRED, SIGNED, SIGNS, ListedKey
from credmgr.authority.models import SigningKey
from credmgr.credentials.x509 import ParsedCertificate, parse_certificate
from credmgr.portal import words

_STATES = {
    NEXT: ("Next", "none"),
    SIGNS: ("Signing", "ok"),
    SIGNED: ("Still published", "none"),
    RETIRED: ("Retired", "none"),
}


@dataclass(frozen=True)
class SigningKeyRow:
    """One key for the page. words, tone: of its state; note: what becomes of it, in a few words."""

    key: SigningKey
    state: str
    words: str
    tone: str
    note: str
    certificate: ParsedCertificate

    @property
    def can_be_withdrawn(self) -> bool:
        """The key that signs goes only together with its replacement; what is retired is gone."""
        return self.state in (NEXT, SIGNED)

    @property
    def is_next(self) -> bool:
        """Whether it has not signed yet."""
        return self.state == NEXT

    @property
    def pem(self) -> str:
        """The certificate as text."""
        return ssl.DER_cert_to_PEM_cert(bytes(self.key.certificate))


def rows_of(listed: list[ListedKey]) -> list[SigningKeyRow]:
    """In the same order."""
    return [_row(each) for each in listed]


def _row(listed: ListedKey) -> SigningKeyRow:
    state, tone = _STATES[listed.state]
    return SigningKeyRow(
        key=listed.key,
        state=listed.state,
        words=state,
        tone=tone,
        note=_note(listed),
        certificate=parse_certificate(bytes(listed.key.certificate)),
    )


def _note(listed: ListedKey) -> str:
    key = listed.key
    if listed.state == NEXT:
        return f"Signs from {words.moment(key.signs_from)}"
    if listed.state == SIGNS:
        return f"Since {words.moment(key.signs_from)}"
    if listed.state == SIGNED:
        return "Signs no more; its last tokens may still live"
    never = key.published_until is not None and key.published_until <= key.signs_from
    return "Withdrawn before it signed" if never else "Out of the key set"
