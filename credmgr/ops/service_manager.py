"""Tells systemd how the service is, where systemd started it (sd_notify(3)); otherwise does nothing."""

import os
import socket
from contextlib import suppress


def tell(state: str) -> None:
    """Send one state, such as "READY=1". A manager that does not listen stops nothing."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
        line.sendto(state.encode("ascii"), address)


def watchdog_seconds() -> float:
    """How often the manager wants to hear "WATCHDOG=1"; 0 where it does not. Half of what it allows."""
    allowed = os.environ.get("WATCHDOG_USEC", "")
    meant = os.environ.get("WATCHDOG_PID", str(os.getpid()))
    return int(allowed) / 2e6 if allowed.isdigit() and meant == str(os.getpid()) else 0.0
