"""How single credentials are used: counts for a list, callers for a warning before one is deleted."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from credmgr.audit.models import SignIn
from credmgr.audit.queries import SUMMARY_ROWS, Callers, callers_of, grouped
from credmgr.audit.token_database import to_uuid


@dataclass(frozen=True)
class RecentUse:
    """Sign-ins that named one credential within a span. is_complete: False when more rows lay in the span."""

    succeeded: int = 0
    refused: int = 0
    is_complete: bool = True


def recent_use(credential_ids: Collection[uuid.UUID], since: datetime) -> dict[uuid.UUID, RecentUse]:
    """Counts per credential since then, in one bounded statement that hands over a row for each. Those that
    nobody signed in with are absent.
    """
    if not credential_ids:
        return {}
    newest = (
        SignIn.objects.filter(credential_id__in=list(credential_ids), at__gte=since)
        .order_by("-at")
        .values_list("credential_id", "error_code", "count")[:SUMMARY_ROWS]
    )
    succeeded = "SUM(CASE WHEN error_code = 0 THEN count ELSE 0 END)"
    found = grouped(newest, "credential_id", f"{succeeded}, SUM(count), COUNT(*)")
    is_complete = sum(rows for *_, rows in found) < SUMMARY_ROWS
    return {
        to_uuid(key): RecentUse(int(good), int(requests - good), is_complete)
        for key, good, requests, _ in found
    }


def callers_with(credential_id: uuid.UUID, since: datetime, *, refused: bool = False) -> Callers:
    """Who got tokens with this credential since then; refused: who was turned away."""
    rows = SignIn.objects.filter(credential_id=credential_id, at__gte=since)
    return callers_of(rows.exclude(error_code=0) if refused else rows.filter(error_code=0))


def newest_use(credential_id: uuid.UUID) -> SignIn | None:
    """The sign-in that last got a token with this credential."""
    return SignIn.objects.filter(credential_id=credential_id, error_code=0).order_by("-at").first()
