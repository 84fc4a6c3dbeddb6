"""Transactions that another one got in the way of. Nothing was changed then, so they are simply run again.

PostgreSQL ends one of two transactions that wait for each other, or, where its administrator made it strict,
one that read what another changed. SQLite lets one writer in at a time and knows neither.
"""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError

REPEATS = 3
_PAUSE_SECONDS = 0.05
_SERIALIZATION_FAILURE, _DEADLOCK = "40001", "40P01"  # SQLSTATE
Result = TypeVar("Result")


def is_conflict(error: BaseException) -> bool:
    """Whether the database gave this transaction up in favour of another."""
    state = getattr(error.__cause__, "sqlstate", None)
    return isinstance(error, OperationalError) and state in (_SERIALIZATION_FAILURE, _DEADLOCK)


def repeated(act: Callable[[], Result], *, times: int = REPEATS) -> Result:
    """What the act returns; run again, so many times at most, while it meets a conflict.

    Never inside a transaction of one's own: the conflict ended that one too.
    """
    for number in range(1, times + 1):
        try:
            return act()
        except OperationalError as error:
            if not is_conflict(error):
                raise
            pause(number)
    return act()


def pause(number: int) -> None:
    """Wait a moment, a different one in every process, longer each time."""
    time.sleep(random.uniform(0.2, 1) * number * _PAUSE_SECONDS)  # noqa: S311 - no secret hangs on it
