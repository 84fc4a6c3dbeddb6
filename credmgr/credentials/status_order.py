"""A page of registrations in the order of their stored statuses, without putting all of them in order: each
status is walked by itself, in an index of ends, which has the worst ones at its beginning; a status that few
have is put in order.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db.models import F, QuerySet
from django.db.models.functions import Lower

from credmgr.credentials import stored_status
from credmgr.credentials.lifecycle import STATUSES
from credmgr.registrations.models import Application
from credmgr.registrations.visible import OF_LIVE

_FEW = 2_000
_ORDER = (F("credential_end"), Lower("display_name"), F("pk"))


def keys_at(
    rows: QuerySet[Application],
    part: range,
    found: int,
    now: datetime,
    *,
    backwards: bool,
    are_deleted: bool = False,
) -> list[uuid.UUID]:
    """What is at these positions of so many rows, as application_filters.in_order sorts them by status,
    counted from the nearer end. now: aware UTC, at which the stored statuses hold.
    """
    order = _ORDER if are_deleted else (OF_LIVE, *_ORDER)
    if part.start > found - part.stop:
        mirrored = range(found - part.stop, found - part.start)
        return _walked(rows, order, mirrored, now, backwards=not backwards)[::-1]
    return _walked(rows, order, part, now, backwards=backwards)


def _walked(
    rows: QuerySet[Application], order: Sequence[F | Lower], part: range, now: datetime, *, backwards: bool
) -> list[uuid.UUID]:
    keys: list[uuid.UUID] = []
    before = part.start
    found = stored_status.conditions(now)
    # Asked as a number that is computed, the status leads into no index of its own.
    walked = stored_status.conditions(now, state="state_as_number")
    in_order = rows.alias(state_as_number=F("credential_state") + 0).order_by(
        *(each.desc() if backwards else each.asc() for each in order)
    )
    for status in reversed(STATUSES) if backwards else STATUSES:
        of_status = rows.filter(found[status])
        size = of_status[: before + _FEW + 1].count()
        if size > before:
            condition = (found if size <= _FEW else walked)[status]
            group = in_order.filter(condition).values_list("pk", flat=True)
            keys += group[before : before + len(part) - len(keys)]
        if len(keys) == len(part):
            break
        before = max(0, before - size)
    return keys
