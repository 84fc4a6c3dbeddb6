"""How many credentials have how long to go: for the graphs of whoever runs the server. No name, no id."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q

from credmgr.credentials.models import Certificate, ClientSecret

# Days to the end, each class up to its number and above the one before.
CLASSES = (7, 30, 90)
EXPIRED, MORE, UNKNOWN = "expired", "more", "unknown"


@dataclass(frozen=True)
class Census:
    """by_kind: {"secret" or "certificate": {class: how many}}, every class named. next_end: aware UTC, of the
    credential that ends next; None where none does.
    """

    by_kind: dict[str, dict[str, int]]
    next_end: datetime | None


def take_census(now: datetime) -> Census:
    """Of registrations that are not deleted, all directories together. Two statements that read all
    credentials: for scheduled work, not for pages. now: aware UTC.
    """
    counts, ends = {}, []
    for kind, model in (("secret", ClientSecret), ("certificate", Certificate)):
        rows = model._default_manager.filter(application__deleted_at=None)
        found = rows.aggregate(
            **{name: Count("pk", filter=is_in) for name, is_in in _classes(now).items()},
            next_end=Min("end_at", filter=Q(end_at__gt=now)),
        )
        ends.append(found.pop("next_end"))
        counts[kind] = found
    return Census(counts, min((end for end in ends if end is not None), default=None))


def _classes(now: datetime) -> dict[str, Q]:
    bounds = [now, *(now + timedelta(days=days) for days in CLASSES)]
    between = {
        str(days): Q(end_at__gt=after, end_at__lte=until)
        for days, after, until in zip(CLASSES, bounds, bounds[1:], strict=False)
    }
    ended, later = Q(end_at__lte=now), Q(end_at__gt=bounds[-1])
    return {EXPIRED: ended, **between, MORE: later, UNKNOWN: Q(end_at=None)}
