"""What may run on one machine at a time where several share a database."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection

WAIT_SECONDS = 600.0
_PAUSE_SECONDS = 0.2
# Any number, as long as every release keeps it.
_LOCK = 0x63726564


@contextmanager
def one_machine_at_a_time() -> Iterator[None]:
    """Hold the database's own lock for this, or wait for it; it ends with the connection, also after kill -9.

    The embedded database belongs to one machine, whose data folder is locked already. Raises
    OperationalError when another machine held it for ten minutes.
    """
    if connection.vendor != "postgresql":
        yield
        return
    deadline = time.monotonic() + WAIT_SECONDS
    while not _ask("pg_try_advisory_lock"):
        if time.monotonic() > deadline:
            raise OperationalError("another machine has been preparing it for ten minutes")
        time.sleep(_PAUSE_SECONDS)
    try:
        yield
    finally:
        if connection.connection is not None and not connection.connection.closed:
            _ask("pg_advisory_unlock")


def _ask(function: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])
