"""What a running server looks after by itself, once a minute."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connections
from django.utils import timezone

from credmgr.ops.installation import SERVER, look_after
from credmgr.ops.jobs import JOBS
from credmgr.ops.maintenance import run_due
from credmgr.vault.errors import VaultError

# The certificate is renewed when 30 days of its life are left.
CERTIFICATE_SECONDS = 12 * 3600.0

logger = logging.getLogger(__name__)


class Upkeep:
    """Runs the jobs that are due, and twice a day looks at this machine's own certificate.

    The jobs are those of the database, whichever machine comes first; the certificate is each machine's own.
    """

    def __init__(self) -> None:
        self._next_certificate = 0.0  # of the monotonic clock

    def __call__(self) -> bool:
        """Whether the https listener must load its certificate again. Never raises what a database may do."""
        if not Path(settings.DATA_DIR).is_dir():
            return False
        try:
            return self._look_after_certificate()
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


@contextmanager
def _told(what: str) -> Iterator[None]:
    """A line in the log for what goes away by itself, not a traceback every minute."""
    try:
        yield
    except (DatabaseError, VaultError, OSError) as error:
        logger.error("%s failed (%s); the next try is in a minute.", what, type(error).__name__)
