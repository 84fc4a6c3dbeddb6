"""A refused request: a code of the catalogue with its variable parts, cleaned so that no text can carry a
secret.
"""

import re

from credmgr import aadsts
from credmgr.registrations.switches import FORCED_SENTENCE

SHOWN_AT_MOST = 200
# What people paste into the wrong field: a client secret of ours, a token or assertion, a private key.
_SECRET_LIKE = re.compile(
    r"[0-9A-Za-z]{3}_cm_[0-9A-Za-z]{8,}|eyJ[0-9A-Za-z_=-]{10,}|-----BEGIN|PRIVATE KEY",
    re.ASCII | re.IGNORECASE,
)


class RefusalError(Exception):
    """The request is refused with a code of the catalogue (credmgr.aadsts).

    values: the text's variable parts. error: another OAuth error than the catalogue's. status: another HTTP
    status. retry_after: seconds, for 429 only. allow: methods, for 405 only. of_issuer: the sentence for an
    outside issuer's assertion. is_forced: by a test switch, which the text then says.
    """

    def __init__(
        self,
        code: int,
        *,
        error: str = "",
        status: int = 0,
        retry_after: int = 0,
        allow: str = "",
        of_issuer: bool = False,
        is_forced: bool = False,
        **values: object,
    ) -> None:
        entry = aadsts.CATALOGUE[code]
        super().__init__(code)
        self.code = code
        self.error = error or entry.error
        self.status = status or entry.status
        self.retry_after = retry_after
        self.allow = allow
        self._text = (entry.issuer_text if of_issuer else entry.text) or ""
        self._values = values
        self._is_forced = is_forced

    @property
    def text(self) -> str:
        """The sentence for people."""
        text = self._text.format(**{name: shown(str(value)) for name, value in self._values.items()})
        return f"{text} {FORCED_SENTENCE}" if self._is_forced else text


def malformed(reason: str, *, status: int = 0) -> RefusalError:
    """AADSTS9002313 with its reason: a sentence of ours, never what was sent."""
    return RefusalError(9002313, reason=reason, status=status)


def shown(text: str) -> str:
    """What a client wrote, fit for answers, rows and logs: no control characters, no secrets, 200
    characters.
    """
    if _SECRET_LIKE.search(text):
        return "(not shown)"
    cut = text if len(text) <= SHOWN_AT_MOST else text[:SHOWN_AT_MOST] + "..."
    return (
        cut
        if cut.isprintable()
        else "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in cut)
    )
