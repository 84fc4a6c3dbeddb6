"""How many tests one person may run: at once and in a minute (O-9).

Counted in the database, for all processes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from credmgr.accounts.models import User
from credmgr.errors import DomainError
from credmgr.flowtest.models import FlowRun, RunningTest


class TooManyTestsError(DomainError):
    """The person has used up what is allowed for the moment."""


@contextmanager
def place_for(user: User | None, *, now: datetime) -> Iterator[None]:
    """Hold one of the person's places while a test runs. Commands (user None) are not limited.

    Raises TooManyTestsError. A place whose process died is free again after three deadlines.
    """
    if user is None:
        yield
        return
    taken = _take(user, now)
    try:
        yield
    finally:
        taken.delete()


def forget_abandoned(now: datetime) -> int:
    """Free all places whose process died; how many there were."""
    return RunningTest.objects.filter(started_at__lt=_abandoned_before(now)).delete()[0]


def _abandoned_before(now: datetime) -> datetime:
    return now - timedelta(seconds=3 * settings.TEST_DEADLINE_SECONDS)


@transaction.atomic
def _take(user: User, now: datetime) -> RunningTest:
    minute = FlowRun.objects.filter(actor=user, started_at__gt=now - timedelta(minutes=1)).count()
    if minute >= settings.TESTS_PER_MINUTE:
        raise TooManyTestsError(
            "too_many_tests",
            f"You ran {minute} tests in the last minute, the most allowed. Wait a minute and run it again.",
        )
    RunningTest.objects.filter(user=user, started_at__lt=_abandoned_before(now)).delete()
    taken = set(RunningTest.objects.filter(user=user).values_list("place", flat=True))
    for place in range(settings.TESTS_AT_ONCE):
        if place not in taken:
            row, is_new = RunningTest.objects.get_or_create(
                user=user, place=place, defaults={"started_at": now}
            )
            if is_new:
                return row
    raise TooManyTestsError(
        "tests_under_way",
        f"{settings.TESTS_AT_ONCE} of your tests are still running, the most allowed at once. "
        "Wait until one has ended and run it again.",
    )
