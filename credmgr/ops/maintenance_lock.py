"""Who does the scheduled work: one process at a time, over all machines of a database."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

# Any numbers but machine_lock's, as long as every release keeps them.
_MAINTENANCE, _FORWARDING = 0x6D61696E, 0x666F7277


@contextmanager
def turn_at_maintenance() -> Iterator[bool]:
    """Hold the lock for this and say True, or say False at once where somebody else holds it.

    Nothing has to be cleared after a holder that was killed. PostgreSQL ends the lock with its connection.
    The embedded database belongs to one machine: there it is a lock on a file beside it, which the kernel
    ends with the process. Raises OSError where that file cannot be made, django.db.Error.
    """
    with _turn(_MAINTENANCE, "maintenance.lock") as is_ours:
        yield is_ours


@contextmanager
def turn_at_forwarding() -> Iterator[bool]:
    """The same for who forwards audit entries: a receiver that is slow must hold up no maintenance."""
    with _turn(_FORWARDING, "forwarding.lock") as is_ours:
        yield is_ours


@contextmanager
def _turn(number: int, file_name: str) -> Iterator[bool]:
    is_shared = connection.vendor == "postgresql"
    with _in_database(number) if is_shared else _beside_the_file(file_name) as is_ours:
        yield is_ours


@contextmanager
def _in_database(number: int) -> Iterator[bool]:
    if not _ask("pg_try_advisory_lock", number):
        yield False
        return
    try:
        yield True
    finally:
        # A connection that broke has taken the lock with it.
        if connection.connection is not None and not connection.connection.closed:
            _ask("pg_advisory_unlock", number)


def _ask(function: str, number: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [number])
        return bool(cursor.fetchone()[0])


@contextmanager
def _beside_the_file(name: str) -> Iterator[bool]:
    file = Path(settings.DATA_DIR) / name
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        # By itself: a child that is being started at this moment still holds the descriptor.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)
