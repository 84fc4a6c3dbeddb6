"""How long token tests are kept: purges old ones in small steps."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.flowtest.models import FlowRun

# A report is some ten kilobytes: a step holds the database for some milliseconds.
STEP_ROWS = 200


def purge_old_runs(actor: Actor, now: datetime) -> int:
    """Delete runs that are older than the setting, oldest first, in transactions of their own. How many.

    It may be interrupted, repeated, and run twice at once. The audit event stands in the first step's
    transaction. now: aware UTC.
    """
    if not settings.TEST_RUN_DAYS:
        return 0
    old = FlowRun.objects.filter(started_at__lt=now - timedelta(days=settings.TEST_RUN_DAYS))
    deleted = 0
    while True:
        with transaction.atomic():
            oldest = list(old.order_by("started_at").values_list("pk", flat=True)[:STEP_ROWS])
            if not oldest:
                return deleted
            if not deleted:
                _record(old.count(), actor, now)
            deleted += FlowRun.objects.filter(pk__in=oldest).delete()[0]


def _record(found: int, actor: Actor, now: datetime) -> None:
    record_event(
        EventTag.TEST_RUNS_PURGED,
        actor=actor,
        now=now,
        object_type="test-runs",
        object_name="Token tests",
        changes={"olderThanDays": settings.TEST_RUN_DAYS, "rows": found},
    )
