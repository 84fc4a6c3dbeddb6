"""Ties a process to its parent: when the parent dies, even by kill -9, the child ends too."""

import ctypes
import os
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1  # linux/prctl.h
POLL_SECONDS = 0.5


def end_with_parent(parent_pid: int) -> None:
    """Make this process end as soon as its parent, the process `parent_pid`, is gone.

    Call it in the child, first thing. On Linux the kernel sends the signal; elsewhere a thread watches,
    because no other system has such a signal.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    else:
        threading.Thread(target=_watch, args=(parent_pid,), name="lifeline", daemon=True).start()
    if os.getppid() != parent_pid:  # it died before the line above
        os._exit(1)


def _watch(parent_pid: int) -> None:
    while os.getppid() == parent_pid:
        time.sleep(POLL_SECONDS)
    os._exit(1)
