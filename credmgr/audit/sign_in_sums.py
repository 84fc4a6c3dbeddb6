"""Keeps sums of the sign-in log by directory, hour and code, and by busy application: nobody counts millions
of rows for a chart.

They cover the rows up to a sequence, of whatever time. What is written later, even with an earlier time (a
clock was set back), is added by the next turn; readers count it meanwhile (`summed_hours`). What goes, and
what counts another request, is followed by triggers (`sum_triggers`). The token endpoint's insert knows
nothing of all this.
"""

import logging
import time
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Count, F, Max, Min

from credmgr.audit.models import BusyApplication, HourOfSignIns, SignIn, SummedSignIns

HOUR = timedelta(hours=1)
# A step holds the database for some milliseconds; the token endpoint waits that long at most.
STEP_ROWS = 5_000
# An application with so many rows has sums of its own: fewer are counted for a page in no time.
BUSY_ROWS = 5_000
# Who has so many is asked after so many new rows.
LOOK_EVERY_ROWS = 20_000
# Seconds that rows are waited for which others are writing at this moment; then they are left for later.
_PATIENCE = 5.0
_POLL = 0.02

_LOG, _HOURS, _MARK = (model._meta.db_table for model in (SignIn, HourOfSignIns, SummedSignIns))
_ALL = "'" + "0" * 32 + "'"  # the nil id
# Who may be about to commit a row whose sequence is lower than one that is there.
_WRITERS = (
    "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' "  # noqa: S608 - the model's own name
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    f"AND relation = '{_LOG}'::regclass AND pid IS DISTINCT FROM pg_backend_pid()"
)
_OF_BUSY = f'application_id IN (SELECT application_id FROM "{BusyApplication._meta.db_table}")'  # noqa: S608 - the model's own name
_SUMMED_ROWS = (
    f'FROM "{_LOG}" WHERE at >= %s AND at < %s AND sequence <= COALESCE((SELECT MAX(seen) FROM "{_MARK}"), 0)'  # noqa: S608 - as above
)
_BOTH_SIDES = (
    "SELECT tenant_id, application_id, error_code, row_count AS of_rows, request_count AS of_requests "  # noqa: S608 - names of the models
    f'FROM "{_HOURS}" WHERE hour >= %s AND hour < %s '
    f"UNION ALL SELECT tenant_id, {_ALL}, error_code, -1, -count {_SUMMED_ROWS} "
    f"UNION ALL SELECT tenant_id, application_id, error_code, -1, -count {_SUMMED_ROWS} AND {_OF_BUSY}"
)

logger = logging.getLogger(__name__)


def hour_of(moment: datetime) -> datetime:
    """The beginning of its hour; moment: aware UTC."""
    return moment.replace(minute=0, second=0, microsecond=0)


def hour_as_stored(at: Any) -> Any:
    """The same of a time as the database gives it, without reading it, which takes longer for thousands."""
    return f"{at[:13]}:00:00" if isinstance(at, str) else at.replace(minute=0, second=0, microsecond=0)


def hour_sql(column: str) -> str:
    """The same in the database's words, as it stores and compares times."""
    if connection.vendor == "sqlite":
        return f"substr({column}, 1, 13) || ':00:00'"
    return f"date_trunc('hour', {column}, 'UTC')"


def time_sql(column: str) -> str:
    """The time itself as it is stored: Django's reading of thousands would take longer than finding them."""
    return f"{column} || ''" if connection.vendor == "sqlite" else column


def sum_new_sign_ins() -> int:
    """Add the rows that came since the last turn, in steps with pauses between; how many there were.

    By one process at a time or by several; it may be killed, and then goes on where it was.
    """
    newest = SignIn.objects.aggregate(newest=Max("sequence"))["newest"] or 0
    if not _are_earlier_ones_committed():
        logger.warning("Sign-ins are being written for long; they are summed at the next turn.")
        return 0
    added = 0
    while True:
        began = time.monotonic()
        with transaction.atomic():
            step = _add_step(newest)
        if not step:
            break
        added += step
        # SQLite gives no turns: whoever waits for the lock gets it in a pause, or not at all.
        time.sleep(time.monotonic() - began)
    _look_for_busy_ones()
    return added


def begin_anew() -> None:
    """Let the next turns sum all rows again: nobody knows what became of the sums. Readers count meanwhile.

    Quick, whatever the log holds, and so in place where somebody waits.
    """
    SummedSignIns.objects.all().delete()


def mend_sums() -> int:
    """Compare every hour with its rows and sum it anew where they differ; how many hours did.

    Each hour is one statement, which holds nobody up; only one that differs is locked while it is summed.
    """
    mended = 0
    after: datetime | None = None
    while (hour := _next_hour(after)) is not None:
        began = time.monotonic()
        if _differs(hour):
            with transaction.atomic():
                _sum_anew(hour)
            mended += 1
            logger.warning("An hour's sums of sign-ins did not fit.", extra={"hour": hour.isoformat()})
        time.sleep(time.monotonic() - began)
        after = hour + HOUR
    with transaction.atomic():
        _locked()
        HourOfSignIns.objects.filter(row_count=0, request_count=0).delete()
    return mended


def _locked() -> SummedSignIns:
    """The row that says how far the sums go, locked until the transaction ends.

    Where it is not there, nobody knows what the sums hold: they begin anew.
    """
    mark = SummedSignIns.objects.select_for_update(no_key=True).first()
    if mark is None:
        HourOfSignIns.objects.all().delete()
        SummedSignIns.objects.bulk_create([SummedSignIns(pk=1)], ignore_conflicts=True)
        mark = SummedSignIns.objects.select_for_update(no_key=True).get()
    return mark


def _add_step(newest: int) -> int:
    """The next rows up to that sequence, within a transaction; how many."""
    mark = _locked()
    waiting = SignIn.objects.filter(sequence__gt=mark.seen, sequence__lte=newest).order_by("sequence")
    numbers = list(waiting.values_list("sequence", flat=True)[:STEP_ROWS])
    if not numbers:
        return 0
    _add("sequence > %s AND sequence <= %s", [mark.seen, numbers[-1]])
    mark.seen = numbers[-1]
    mark.save(update_fields=["seen"])
    return len(numbers)


def _add(which: str, values: list[Any]) -> None:
    """Add such rows to the sums, of all applications and of busy ones."""
    # PostgreSQL reads a text as an id only when told to, and SQLite reads that otherwise.
    _add_for(_ALL if connection.vendor == "sqlite" else f"{_ALL}::uuid", which, values)
    _add_for("application_id", f"{which} AND {_OF_BUSY}", values)


def _add_for(application: str, which: str, values: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{_HOURS}" (tenant_id, application_id, hour, error_code, row_count, request_count) '  # noqa: S608 - names of the models, values are bound
            f"SELECT tenant_id, {application}, {hour_sql('at')}, error_code, COUNT(*), SUM(count) "
            f'FROM "{_LOG}" WHERE {which} '
            "GROUP BY 1, 2, 3, 4 "
            "ON CONFLICT (tenant_id, application_id, hour, error_code) DO UPDATE SET "
            f'row_count = "{_HOURS}".row_count + excluded.row_count, '
            f'request_count = "{_HOURS}".request_count + excluded.request_count',
            values,
        )


def _look_for_busy_ones() -> None:
    """Sum those applications by themselves that have come to have many sign-ins.

    One that turned quiet stays: its old sums still save reading.
    """
    if SummedSignIns.objects.filter(seen__gte=F("looked") + LOOK_EVERY_ROWS).first() is None:
        return
    many = SignIn.objects.filter(application_id__isnull=False).values_list("application_id", flat=True)
    busy = many.annotate(rows=Count("sequence")).filter(rows__gte=BUSY_ROWS).order_by()
    known = set(BusyApplication.objects.values_list("pk", flat=True))
    for application_id in [key for key in busy if key is not None and key not in known]:
        with transaction.atomic():
            mark = _locked()
            BusyApplication.objects.get_or_create(pk=application_id)
            HourOfSignIns.objects.filter(application_id=application_id).delete()
            key = models.UUIDField().get_db_prep_value(application_id, connection)
            _add_for("application_id", "application_id = %s AND sequence <= %s", [key, mark.seen])
    SummedSignIns.objects.update(looked=F("seen"))


def _are_earlier_ones_committed() -> bool:
    """Whether every row with a lower sequence than the newest is there by now.

    SQLite writes one after the other. Elsewhere a row gets its number before it is committed: whoever writes
    at this moment is waited for, and nobody who comes later.
    """
    if connection.vendor == "sqlite":
        return True
    writing, end = _writers(), time.monotonic() + _PATIENCE
    while writing and time.monotonic() < end:
        time.sleep(_POLL)
        writing &= _writers()
    return not writing


def _writers() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(_WRITERS)
        return {name for (name,) in cursor.fetchall()}


def _next_hour(after: datetime | None) -> datetime | None:
    """The first hour from then on that has rows or sums."""
    rows, sums = SignIn.objects.all(), HourOfSignIns.objects.all()
    if after is not None:
        rows, sums = rows.filter(at__gte=after), sums.filter(hour__gte=after)
    first, summed = rows.aggregate(at=Min("at"))["at"], sums.aggregate(at=Min("hour"))["at"]
    return min((hour_of(moment) for moment in (first, summed) if moment is not None), default=None)


def _differs(hour: datetime) -> bool:
    """In one statement, so that nothing happens in between."""
    start, end = _prepared(hour), _prepared(hour + HOUR)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM ({_BOTH_SIDES}) AS both_sides GROUP BY tenant_id, application_id, error_code "  # noqa: S608 - as above
            "HAVING SUM(of_rows) <> 0 OR SUM(of_requests) <> 0 LIMIT 1",
            [start, end] * 3,
        )
        return cursor.fetchone() is not None


def _sum_anew(hour: datetime) -> None:
    mark = _locked()
    HourOfSignIns.objects.filter(hour__gte=hour, hour__lt=hour + HOUR).delete()
    _add("at >= %s AND at < %s AND sequence <= %s", [_prepared(hour), _prepared(hour + HOUR), mark.seen])


def _prepared(moment: datetime) -> Any:
    return models.DateTimeField().get_db_prep_value(moment, connection)
