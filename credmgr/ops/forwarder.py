"""Forwards audit entries in the background of `serve`: one machine at a time, with patience for a receiver
that is away.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connections

from credmgr.audit.forwarding import DeliveryError, Send, forward_next, waiting
from credmgr.audit.receivers import receiver
from credmgr.ops.maintenance_lock import turn_at_forwarding
from credmgr.origins.queries import allowed_origins
from credmgr.vault.errors import VaultError

IDLE_SECONDS = 2.0
# Another machine forwards; it may end at any time.
NOT_OURS_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 300.0

logger = logging.getLogger(__name__)


class Forwarder:
    """A thread that ends with its process, wherever it is: what was not noted is sent again."""

    def __init__(self, send: Send, *, is_possible: Callable[[], bool] = lambda: True) -> None:
        self._send = send
        self._is_possible = is_possible
        self._failures = 0

    def start(self) -> None:
        """Begin, in the background."""
        threading.Thread(target=self._run, name="audit-forwarding", daemon=True).start()

    def round(self) -> float:
        """Send what waits; seconds until the next round. Never raises what a database or a network may do."""
        if not self._is_possible():
            return IDLE_SECONDS
        try:
            with turn_at_forwarding() as is_ours:
                if not is_ours:
                    return NOT_OURS_SECONDS
                while forward_next(self._send):
                    self._failures = 0
            return IDLE_SECONDS
        except DeliveryError as error:
            return self._pause(str(error))
        except (DatabaseError, VaultError, OSError) as error:
            return self._pause(type(error).__name__)
        finally:
            connections.close_all()

    def _run(self) -> None:
        pause = threading.Event()  # never set: it only waits
        while True:
            pause.wait(self.round())

    def _pause(self, why: str) -> float:
        self._failures += 1
        seconds = min(2.0 ** min(self._failures - 1, 10), LONGEST_PAUSE_SECONDS)
        logger.warning(
            "Audit entries could not be forwarded: %s",
            why,
            extra={"waiting": _waiting(), "next_try_seconds": seconds},
        )
        return seconds


def configured_forwarder() -> Forwarder | None:
    """That of the settings; None where nothing is forwarded."""
    if not settings.AUDIT_FORWARD:
        return None
    send = receiver(
        settings.AUDIT_FORWARD, settings.AUDIT_FORWARD_KEY, settings.AUDIT_FORWARD_CA_FILE, allowed_origins
    )
    return Forwarder(send, is_possible=Path(settings.DATA_DIR).is_dir)


def _waiting() -> int:
    try:
        return waiting()
    except DatabaseError:
        return -1
