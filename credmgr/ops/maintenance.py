"""Scheduled work: runs the jobs that are due, one after the other, and remembers how each went.

A job that fails does not keep the others from running, and is tried again soon. What was killed in the
middle is simply due again.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from credmgr.audit.recording import Actor
from credmgr.conflicts import repeated
from credmgr.errors import DomainError
from credmgr.ops.maintenance_lock import turn_at_maintenance
from credmgr.ops.models import MaintenanceRun
from credmgr.vault.errors import VaultError

# What failed is tried again after this, or after its interval where that is shorter.
RETRY_AFTER = timedelta(minutes=5)
# What a job may meet without a fault in the program.
_EXPECTED = (DatabaseError, DomainError, VaultError, OSError)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One kind of scheduled work. name: stable, it is stored and shown. every: from one start to the next.

    run(actor, now) says how many things it dealt with; it may be run at any time and any number of times. It
    runs in one transaction, unless in_steps says that it makes its own.
    """

    name: str
    every: timedelta
    run: Callable[[Actor, datetime], int]
    in_steps: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a job went in this round. problem: the kind of error, empty where it succeeded."""

    name: str
    handled: int
    seconds: float
    problem: str = ""


def run_due(
    jobs: Iterable[Job], *, actor: Actor, now: datetime, names: Collection[str] = (), everything: bool = False
) -> list[Outcome] | None:
    """Run what is due, or the jobs named, or all. None where another process is doing it: that is enough.

    now: aware UTC. Raises django.db.Error and OSError where not even the lock can be had.
    """
    chosen = [job for job in jobs if everything or job.name in names] if names or everything else None
    if chosen is None and not due(jobs, now):
        return []
    with turn_at_maintenance() as is_ours:
        if not is_ours:
            return None
        # Again, now that nobody else runs them: another machine may just have finished.
        outcomes = []
        for job in due(jobs, now) if chosen is None else chosen:
            outcomes.append(_run(job, actor))
            if not connection.in_atomic_block and not connection.is_usable():
                connection.close()  # the lock went with it, and somebody else may have it by now
                break
        return outcomes


def due(jobs: Iterable[Job], now: datetime) -> list[Job]:
    """Those whose time has come. One query."""
    last = {run.name: run for run in MaintenanceRun.objects.all()}
    return [
        job for job in jobs if due_at(job, last.get(job.name)) <= now or _is_ahead(last.get(job.name), now)
    ]


def due_at(job: Job, last: MaintenanceRun | None) -> datetime:
    """When it is to run next; long ago where it never ran, or never came to its end."""
    if last is None or last.finished_at is None:
        return datetime.min.replace(tzinfo=timezone.get_default_timezone())
    return last.started_at + (min(job.every, RETRY_AFTER) if last.has_failed else job.every)


def _is_ahead(last: MaintenanceRun | None, now: datetime) -> bool:
    """The clock was set back: waiting for that moment could take years."""
    return last is not None and last.started_at > now + timedelta(minutes=5)


def _run(job: Job, actor: Actor) -> Outcome:
    now, began = timezone.now(), time.monotonic()
    handled, problem = 0, ""
    try:
        _note(job.name, started_at=now, finished_at=None)
        handled = repeated(lambda: job.run(actor, now) if job.in_steps else _in_one(job, actor, now))
    except _EXPECTED as error:
        problem = type(error).__name__
        logger.exception("The scheduled work %r failed; it is tried again.", job.name)
    except Exception as error:  # a fault in one job must not cost the others their turn
        problem = type(error).__name__
        logger.exception("The scheduled work %r met a fault in the program.", job.name)
    seconds = time.monotonic() - began
    if handled:
        logger.info(
            "Scheduled work done.", extra={"job": job.name, "handled": handled, "seconds": round(seconds, 3)}
        )
    try:
        _note(
            job.name,
            started_at=now,
            finished_at=timezone.now(),
            has_failed=bool(problem),
            problem=problem[:100],
            handled=handled,
        )
    except DatabaseError:
        logger.exception("How the scheduled work %r went could not be noted.", job.name)
        problem = problem or "DatabaseError"
    return Outcome(job.name, handled, seconds, problem)


def _in_one(job: Job, actor: Actor, now: datetime) -> int:
    with transaction.atomic():
        return job.run(actor, now)


def _note(name: str, **values: object) -> None:
    MaintenanceRun.objects.update_or_create(name=name, defaults=values)
