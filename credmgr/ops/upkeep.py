"""What a running server looks after by itself, once a minute."""

import logging
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connections
from django.utils import timezone

from credmgr.ops.installation import SERVER, look_after, look_after_signing_key
from credmgr.ops.jobs import JOBS
from credmgr.ops.maintenance import run_due
from credmgr.vault.errors import VaultError

# The certificate is renewed when 30 days of its life are left.
CERTIFICATE_SECONDS = 12 * 3600.0

logger = logging.getLogger(__name__)


class Upkeep:
    """Sees that a key signs, runs the jobs that are due, and looks at this machine's certificate: twice a day
    at the local one, every time at an operator's own.

    The jobs are those of the database, whichever machine comes first; the certificate is each machine's own.
    """

    def __init__(self) -> None:
        self._next_certificate = 0.0  # of the monotonic clock
        self._own_files = _stamps()

    def __call__(self) -> bool:
        """Whether the https listener must load its certificate again. Never raises what a database may do."""
        if not Path(settings.DATA_DIR).is_dir():
            return False
        with _told("The look at the signing key"):
            look_after_signing_key()
        try:
            is_replaced = self._is_own_certificate_replaced()
            return self._look_after_certificate() or is_replaced
        finally:
            with _told("The scheduled work"):
                run_due(JOBS, actor=SERVER, now=timezone.now())
            connections.close_all()

    def _look_after_certificate(self) -> bool:
        if time.monotonic() < self._next_certificate:
            return False
        is_new = False
        with _told("The look at the certificate"):
            is_new = look_after(timezone.now())
            self._next_certificate = time.monotonic() + CERTIFICATE_SECONDS
        return is_new

    def _is_own_certificate_replaced(self) -> bool:
        """Whether the operator's files are others than before. Half of a change waits for the rest."""
        found = _stamps()
        if found == self._own_files:
            return False
        try:
            # A password is given so that nobody is asked for one: the listener opens clear keys only.
            context = ssl.create_default_context()
            context.load_cert_chain(settings.TLS_CERTIFICATE_FILE, settings.TLS_KEY_FILE, password="none")  # noqa: S106
        except (OSError, ValueError) as error:  # ssl's own errors are OSErrors
            told = type(error).__name__
            logger.error("The renewed certificate cannot be used yet (%s); the old one stays.", told)
            return False
        self._own_files = found
        return True


def _stamps() -> list[tuple[int, int, int]]:
    """What tells one state of the operator's files from the next; empty without such files."""
    files = [file for file in (settings.TLS_CERTIFICATE_FILE, settings.TLS_KEY_FILE) if file]
    try:
        facts = [Path(file).stat() for file in files]
    except OSError:
        return []
    return [(each.st_ino, each.st_size, each.st_mtime_ns) for each in facts]


@contextmanager
def _told(what: str) -> Iterator[None]:
    """A line in the log for what goes away by itself, not a traceback every minute."""
    try:
        yield
    except (DatabaseError, VaultError, OSError) as error:
        logger.error("%s failed (%s); the next try is in a minute.", what, type(error).__name__)
