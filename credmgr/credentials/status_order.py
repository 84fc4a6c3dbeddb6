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
from credmgr.credentials.application_filters import directed, head_of_order
from credmgr.credentials.lifecycle import STATUSES
from credmgr.registrations.models import Application

_FEW = 2_000
_ORDER = (F("credential_end"), Lower("display_name"), F("pk"))


def keys_at(
    rows: QuerySet[Application], tab: str, part: range, found: int, now: datetime, *, backwards: bool
) -> list[uuid.UUID]:
    """What is at these positions of so many rows of a tab, as application_filters.in_order sorts them by
    status, counted from the nearer end. now: aware UTC, at which the stored statuses hold.
    """
    order: list[F | Lower] = [*head_of_order(tab), *_ORDER]
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
        *directed(order, backwards=backwards)
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
