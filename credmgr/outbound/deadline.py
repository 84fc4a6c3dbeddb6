"""One deadline for all requests of an act, kept by a timer (O-6)."""

import os
import socket
import threading
import time
from types import TracebackType

from credmgr.outbound.errors import Failure, OutboundError


class Deadline:
    """One end for several requests together.

    A read time-out begins anew with each byte, so a server that drips could hold a request for ever. Here a
    timer shuts every watched socket down. Use as a context manager; seconds count from entering it.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.is_over = False
        self._end = 0.0
        self._lock = threading.Lock()
        self._watched: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._strike)
        self._timer.daemon = True

    def __enter__(self) -> "Deadline":
        self._end = time.monotonic() + self.seconds
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            for twin in self._watched:
                twin.close()
            self._watched.clear()

    def remaining(self) -> float:
        """Seconds left; raises OutboundError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0 or self.is_over:
            self.is_over = True
            raise self.error()
        return left

    def error(self) -> OutboundError:
        """What a request that ran into the deadline is told."""
        return OutboundError(Failure.TIMEOUT, f"No complete answer within {self.seconds:g} s.")

    def watch(self, sock: socket.socket) -> None:
        """Shut this connection down at the deadline. The duplicate descriptor survives wrapping in TLS."""
        twin = socket.socket(fileno=os.dup(sock.fileno()))
        with self._lock:
            self._watched.append(twin)
            if self.is_over:
                _shut(twin)

    def _strike(self) -> None:
        with self._lock:
            self.is_over = True
            for twin in self._watched:
                _shut(twin)


def _shut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was faster
