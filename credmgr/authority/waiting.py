"""Threads that wait on purpose: of the four of a worker process (ops.listener) one is always free."""

import threading
import time

# Waiting for an outside issuer's keys and for a test directory's delay, together.
WAITING_AT_ONCE = 3
DELAYED_AT_ONCE = 2

waiting = threading.BoundedSemaphore(WAITING_AT_ONCE)
_delayed = threading.BoundedSemaphore(DELAYED_AT_ONCE)


def hold(seconds: float) -> bool:
    """Let an answer wait; False, at once, where as many as may are waiting in this process."""
    if not _delayed.acquire(blocking=False):
        return False
    try:
        if not waiting.acquire(blocking=False):
            return False
        try:
            time.sleep(seconds)
        finally:
            waiting.release()
    finally:
        _delayed.release()
    return True
