"""How long sign-ins are kept: purges old ones in small steps between which everybody else can write."""

import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, models, transaction

from credmgr.audit.events import EventTag
from credmgr.audit.models import LastUse, SignIn
from credmgr.audit.recording import Actor, record_event

# A step holds the database for some milliseconds; the token endpoint waits that long at most.
STEP_ROWS = 500


@dataclass(frozen=True)
class Purge:
    """What a purge did. found: rows older than `before` (UTC) when it began; deleted: by this purge."""

    before: datetime
    found: int
    deleted: int


def purge_before(now: datetime, days: int | None = None) -> datetime | None:
    """The time before which sign-ins go. days: of life, the setting by default. None: all are kept."""
    kept = settings.SIGN_IN_DAYS if days is None else days
    return now - timedelta(days=kept) if kept else None


def count_sign_ins(before: datetime) -> int:
    """Rows older than that."""
    return SignIn.objects.filter(at__lt=before).count()


def purge_sign_ins(before: datetime, *, actor: Actor, now: datetime) -> Purge:
    """Delete sign-ins older than that, oldest first, in transactions of their own with pauses between.

    It may be interrupted, repeated, and run twice at once. The audit event stands in the transaction of the
    first step. When each credential and application last got a token stays known (LastUse).
    """
    found, deleted = count_sign_ins(before), 0
    while True:
        began = time.monotonic()
        with transaction.atomic():
            step = _delete_oldest(before)
            if step and not deleted:
                _record(before, found, actor, now)
        if not step:
            return Purge(before, found, deleted)
        deleted += step
        # SQLite gives no turns: whoever waits for the lock gets it in a pause, or not at all.
        time.sleep(time.monotonic() - began)


def _delete_oldest(before: datetime) -> int:
    """One step inside a transaction; how many rows went."""
    # Where the database locks rows, a second purge takes others.
    oldest = (
        SignIn.objects.filter(at__lt=before).order_by("at", "sequence").select_for_update(skip_locked=True)
    )
    rows = list(
        oldest.values_list("sequence", "at", "error_code", "application_id", "credential_id")[:STEP_ROWS]
    )
    uses: dict[uuid.UUID, datetime] = {}
    for _, at, code, *subjects in rows:
        if code == 0:
            uses |= {subject: at for subject in subjects if subject is not None}
    _keep_uses(uses.items())
    SignIn.objects.filter(pk__in=[row[0] for row in rows]).delete()
    return len(rows)


def _keep_uses(uses: Iterable[tuple[uuid.UUID, datetime]]) -> None:
    """Note each, unless a later one is known. By hand: the ORM's upsert knows no condition."""
    table = connection.ops.quote_name(LastUse._meta.db_table)
    statement = (
        f"INSERT INTO {table} (subject_id, at) VALUES (%s, %s) "  # noqa: S608 - the model's own name
        f"ON CONFLICT (subject_id) DO UPDATE SET at = excluded.at WHERE {table}.at < excluded.at"
    )
    to_uuid, to_time = models.UUIDField().get_db_prep_value, models.DateTimeField().get_db_prep_value
    with connection.cursor() as cursor:
        cursor.executemany(
            statement, [(to_uuid(subject, connection), to_time(at, connection)) for subject, at in uses]
        )


def _record(before: datetime, found: int, actor: Actor, now: datetime) -> None:
    record_event(
        EventTag.SIGN_INS_PURGED,
        actor=actor,
        now=now,
        object_type="sign-ins",
        object_name="Sign-ins",
        changes={"before": before.isoformat(), "rows": found},
    )
