"""Whether the embedded database can be written. A worker that opened it when it could not ends when it can.

SQLite opens then to read only, without a word, and every connection of the process shares the index of the
log that was found so: as long as one is open, a new one cannot write either.
"""

import logging
import os
import signal
import sqlite3
import tempfile
import threading
from contextlib import closing
from pathlib import Path

from django.db import connection

# Of the database file: nothing smaller is ever stored.
_PAGE_BYTES = 4096
_ending = threading.Lock()

logger = logging.getLogger(__name__)


def takes_writes(file: Path) -> bool:
    """Whether the database file, and the disk under it, can be written. Tries it beside the file: whether a
    disk takes a write is not to be read from its flags.
    """
    try:
        with tempfile.TemporaryFile(dir=file.parent, buffering=0) as beside:
            beside.write(bytes(_PAGE_BYTES))
    except OSError:
        return False
    return os.access(file, os.W_OK)


def is_stuck() -> bool:
    """Whether this process cannot write where another could. Quick, and waits for no lock."""
    if connection.vendor != "sqlite":
        return False
    file = Path(connection.settings_dict["NAME"])
    if not takes_writes(file):
        return False
    try:
        with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as opened:
            opened.execute("BEGIN IMMEDIATE")
            opened.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_READONLY
    return False


def end_if_stuck() -> None:
    """Let this worker end politely, once: its listener starts another, which can write."""
    if is_stuck() and _ending.acquire(blocking=False):
        logger.warning("This worker opened the database while it was read-only; another takes its place.")
        os.kill(os.getpid(), signal.SIGTERM)
