"""Whether a refusal may be a directory that has not heard of something new yet, and how long to try.

A Microsoft directory copies what is added to it between its servers. Until that is done, in practice within
half a minute, some of them answer as if the credential or the application were not there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from credmgr.registrations.models import ENTRA

# Unknown secret, application, service principal, key.
CODES = frozenset({7000215, 700016, 7000229, 700027})
FRESH = timedelta(minutes=10)
TRIES_MAX = 6
LIMIT = timedelta(seconds=60)
# Of six tries in a minute at most, so that the tester's own limit of tests in a minute is far.
PAUSE = timedelta(seconds=8)


@dataclass(frozen=True)
class Refused:
    """A run of the same credential at the same place. code: of its refusal, 0 where there was none."""

    started_at: datetime
    code: int


@dataclass(frozen=True)
class Patience:
    """tries: refused in a row so far. until: when trying by itself ends. goes_on: whether it still does."""

    tries: int
    until: datetime
    goes_on: bool


def patience(
    *, kind: str, is_explained: bool, added_at: datetime, runs: Sequence[Refused], is_own: bool, now: datetime
) -> Patience | None:
    """What to offer after a refusal; None where waiting changes nothing.

    kind: of the authority (registrations.models). is_explained: what was sent is known to be wrong. added_at:
    when the credential or its registration was added here, the later. runs: the refusal itself and those
    before it, newest first. is_own: the run is the reader's own and needs no question.
    """
    if kind != ENTRA or is_explained or not runs or runs[0].code not in CODES:
        return None
    if now - added_at >= FRESH:
        return None
    row = [runs[0]]
    for run in runs[1:]:
        if run.code not in CODES or row[-1].started_at - run.started_at >= LIMIT:
            break
        row.append(run)
    until = row[-1].started_at + LIMIT
    return Patience(len(row), until, is_own and len(row) < TRIES_MAX and now + PAUSE <= until)
