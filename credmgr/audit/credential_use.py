"""How single credentials are used: counts for a list, callers for a warning before one is deleted."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from credmgr.audit.models import SignIn
from credmgr.audit.queries import SUMMARY_ROWS, Callers, callers_of


@dataclass(frozen=True)
class RecentUse:
    """Sign-ins that named one credential within a span. is_complete: False when more rows lay in the span."""

    succeeded: int = 0
    refused: int = 0
    is_complete: bool = True


def recent_use(credential_ids: Collection[uuid.UUID], since: datetime) -> dict[uuid.UUID, RecentUse]:
    """Counts per credential since then, in one bounded statement. Those without a sign-in are absent."""
    if not credential_ids:
        return {}
    rows = list(
        SignIn.objects.filter(credential_id__in=list(credential_ids), at__gte=since)
        .order_by("-at")
        .values_list("credential_id", "error_code", "count")[:SUMMARY_ROWS]
    )
    is_complete = len(rows) < SUMMARY_ROWS
    succeeded: dict[uuid.UUID, int] = {}
    refused: dict[uuid.UUID, int] = {}
    for credential_id, code, count in rows:
        if credential_id is None:  # the filter leaves none; the column allows it
            continue
        tally = refused if code else succeeded
        tally[credential_id] = tally.get(credential_id, 0) + count
    return {
        key: RecentUse(succeeded.get(key, 0), refused.get(key, 0), is_complete)
        for key in succeeded.keys() | refused.keys()
    }


def callers_with(credential_id: uuid.UUID, since: datetime, *, refused: bool = False) -> Callers:
    """Who got tokens with this credential since then; refused: who was turned away."""
    rows = SignIn.objects.filter(credential_id=credential_id, at__gte=since)
    return callers_of(rows.exclude(error_code=0) if refused else rows.filter(error_code=0))


def newest_use(credential_id: uuid.UUID) -> SignIn | None:
    """The sign-in that last got a token with this credential."""
    return SignIn.objects.filter(credential_id=credential_id, error_code=0).order_by("-at").first()
