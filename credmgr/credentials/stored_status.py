"""The credential status that is stored with each registration, so that a hundred thousand can be filtered and
ordered by it without reading their credentials.

It holds from one moment to another: until a credential begins or ends. Triggers end it where credentials
change (`status_triggers`); whoever needs it brings it up to date first. Whether an end is soon depends on the
day and on a setting, and is asked of the stored end.
"""

import logging
import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import Q, QuerySet

from credmgr.credentials import lifecycle
from credmgr.credentials.dates import CredentialDates, dates_of
from credmgr.credentials.lifecycle import has_ended, soon_until
from credmgr.registrations.models import (
    CURRENT_CREDENTIALS,
    CURRENT_WITH_EXPIRED,
    LONG_AGO,
    NEVER,
    NO_CREDENTIALS,
    NO_LIVE_CREDENTIAL,
    Application,
)

# More than begin and end between two turns of the upkeep: no reader of a page waits for so many.
_FEW = 500
_COLUMNS = ("credential_state", "credential_end", "credential_state_from", "credential_state_until", "id")

logger = logging.getLogger(__name__)


def bring_up_to_date(now: datetime) -> bool:
    """Work out those that do not hold at that moment (aware UTC); whether now all do.

    False where there are too many for a page, and where the database takes no writes: then the statuses have
    to be asked of the credentials.
    """
    try:
        found = list(_outdated(now).values_list("pk", flat=True)[: _FEW + 1])
        if len(found) <= _FEW:
            _work_out(found, now)
    except DatabaseError:
        logger.warning("The stored credential statuses could not be brought up to date.")
        return False
    return len(found) <= _FEW


def bring_all_up_to_date(now: datetime) -> int:
    """Work out every one that does not hold, in steps; how many there were."""
    handled, remaining = 0, _outdated(now).order_by("pk")
    while found := list(remaining.values_list("pk", flat=True)[:_FEW]):
        _work_out(found, now)
        handled += len(found)
        remaining = remaining.filter(pk__gt=found[-1])
    return handled


def mark_all_outdated() -> None:
    """Trust none of them: changes may have passed the triggers by."""
    Application.objects.update(credential_state_until=LONG_AGO)


def conditions(now: datetime, *, state: str = "credential_state") -> dict[str, Q]:
    """Each status of lifecycle.ApplicationStatus, as asked of what is stored. state: its name there."""
    soon = Q(credential_end__lt=soon_until(now))
    return {
        lifecycle.NO_LIVE: Q((state, NO_LIVE_CREDENTIAL)),
        lifecycle.SOON: Q((f"{state}__in", (CURRENT_WITH_EXPIRED, CURRENT_CREDENTIALS))) & soon,
        lifecycle.CURRENT_EXPIRED: Q((state, CURRENT_WITH_EXPIRED)) & ~soon,
        lifecycle.CURRENT: Q((state, CURRENT_CREDENTIALS)) & ~soon,
        lifecycle.NONE: Q((state, NO_CREDENTIALS)),
    }


def _outdated(now: datetime) -> QuerySet[Application]:
    """Those that do not hold at that moment; one from the future tells of a clock that was set back."""
    return Application.objects.filter(Q(credential_state_until__lte=now) | Q(credential_state_from__gt=now))


def _work_out(keys: Collection[uuid.UUID], now: datetime) -> None:
    """Store them, but for those that somebody is changing at this moment.

    A change of credentials marks the row: it has it, or waits until this is stored, and marks it then.
    """
    if not keys:
        return
    with transaction.atomic():
        rows = Application.objects.filter(pk__in=keys).select_for_update(skip_locked=True, no_key=True)
        dates = dates_of(list(rows.values_list("pk", flat=True)))
        _store(
            [
                (_state(of, now), of.status(now).nearest_end or NEVER, now, _next_change(of, now), key)
                for key, of in dates.items()
            ]
        )


def _store(rows: Sequence[tuple[Any, ...]]) -> None:
    """One small statement for each row, prepared once: the ORM writes one large one for many, in which each
    row is compared with each key. rows: values of _COLUMNS, the key last.
    """
    fields: list[Any] = [Application._meta.get_field(name) for name in _COLUMNS]
    table, *columns = (connection.ops.quote_name(name) for name in (Application._meta.db_table, *_COLUMNS))
    values = ", ".join(f"{column} = %s" for column in columns[:-1])
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {table} SET {values} WHERE {columns[-1]} = %s",  # noqa: S608 - names of the model
            [
                [field.get_db_prep_value(value, connection) for field, value in zip(fields, row, strict=True)]
                for row in rows
            ],
        )


def _state(dates: CredentialDates, now: datetime) -> int:
    kind = dates.status(now).kind
    if kind == lifecycle.NONE:
        return NO_CREDENTIALS
    if kind == lifecycle.NO_LIVE:
        return NO_LIVE_CREDENTIAL
    has_expired = any(has_ended(each, now) for each in dates.all)
    return CURRENT_WITH_EXPIRED if has_expired else CURRENT_CREDENTIALS


def _next_change(dates: CredentialDates, now: datetime) -> datetime:
    """When the next credential begins or ends."""
    moments = [moment for each in dates.all for moment in (each.start_at, each.end_at) if moment]
    return min((moment for moment in moments if moment > now), default=NEVER)
