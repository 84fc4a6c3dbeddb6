"""Starts the listeners, keeps them running, and ends them all with itself."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType

from django.conf import settings

from credmgr.ops.listeners import Listener
from credmgr.ops.ports import answers
from credmgr.ops.service_manager import tell, watchdog_seconds

READY_SECONDS = 30.0
STOP_SECONDS = 10.0
TICK_SECONDS = 0.25
# The first upkeep soon after the start, so that a server that runs for minutes a day has one too.
FIRST_UPKEEP_SECONDS = 60.0
UPKEEP_SECONDS = 60.0
# A listener that dies more often than this within a minute is broken; starting it again would only hide that.
RESTARTS_A_MINUTE = 10

logger = logging.getLogger(__name__)


class StartError(Exception):
    """A listener did not come up. Its text is ready to be shown."""


class Supervisor:
    """The main process of a running server.

    upkeep: called soon after the start and every minute, in a thread of its own because it may take minutes;
    returns whether the https listener must load its certificate again.
    """

    def __init__(self, listeners: Sequence[Listener], *, lock: int, upkeep: Callable[[], bool]) -> None:
        self._listeners = listeners
        self._lock = lock
        self._upkeep = upkeep
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._restarts: deque[float] = deque(maxlen=RESTARTS_A_MINUTE)
        self._stop = threading.Event()
        self._upkeep_thread: threading.Thread | None = None
        self._has_new_certificate = threading.Event()

    def start(self) -> None:
        """Start every listener and wait until all accept connections. Raises StartError, leaving nothing."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop_on_signal)
        for listener in self._listeners:
            self._spawn(listener)
        deadline = time.monotonic() + READY_SECONDS
        waiting = list(self._listeners)
        while waiting and not self._stop.is_set():
            if any(process.poll() is not None for process in self._processes.values()):
                self.stop()
                raise StartError("A listener ended while it was starting; the lines above say why.")
            if time.monotonic() > deadline:
                self.stop()
                raise StartError(f"The listeners did not answer within {READY_SECONDS:.0f} seconds.")
            waiting = [each for each in waiting if not answers(each.probe_address, each.port)]
            self._stop.wait(0.05)

    def run(self) -> int:
        """Watch until told to stop; returns the exit code."""
        code = 0
        next_upkeep = time.monotonic() + FIRST_UPKEEP_SECONDS
        every, next_sign = watchdog_seconds(), time.monotonic()
        tell("READY=1")
        while not self._stop.wait(TICK_SECONDS):
            if not self._revive():
                code = 1
                break
            if time.monotonic() > next_upkeep:
                next_upkeep = time.monotonic() + UPKEEP_SECONDS
                self._begin_upkeep()
            if every and time.monotonic() >= next_sign:
                next_sign = time.monotonic() + every
                tell("WATCHDOG=1")
            if self._has_new_certificate.is_set():
                self._has_new_certificate.clear()
                self._reload_secure()
        tell("STOPPING=1")
        self.stop()
        return code

    def stop(self) -> None:
        """End every listener: politely, then, after 10 seconds, by force. Returns when all are gone."""
        for process in self._processes.values():
            with suppress(ProcessLookupError):
                process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._processes.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._processes.clear()

    def _stop_on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()

    def _spawn(self, listener: Listener) -> None:
        # A process group of its own: Ctrl-C reaches this process only, which then ends the listeners.
        self._processes[listener.name] = subprocess.Popen(  # noqa: S603 - our own program, no shell
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "listener", str(os.getpid())],
            env=listener.environment(),
            stdin=subprocess.DEVNULL,
            pass_fds=(self._lock,),
            process_group=0,
        )

    def _revive(self) -> bool:
        """Start ended listeners again. False when they end so often that it makes no sense."""
        for listener in self._listeners:
            code = self._processes[listener.name].poll()
            if code is None:
                continue
            now = time.monotonic()
            if len(self._restarts) == RESTARTS_A_MINUTE and now - self._restarts[0] < 60:
                logger.critical(
                    "The %s listener keeps ending (exit code %s); giving up.", listener.name, code
                )
                return False
            self._restarts.append(now)
            logger.error("The %s listener ended (exit code %s); starting it again.", listener.name, code)
            self._spawn(listener)
        return True

    def _begin_upkeep(self) -> None:
        """It ends with this process, wherever it is: each of its steps is a transaction."""
        if self._upkeep_thread and self._upkeep_thread.is_alive():
            return
        self._upkeep_thread = threading.Thread(target=self._look_after, name="upkeep", daemon=True)
        self._upkeep_thread.start()

    def _look_after(self) -> None:
        if self._upkeep():
            self._has_new_certificate.set()

    def _reload_secure(self) -> None:
        if "secure" in self._processes:
            self._processes["secure"].send_signal(signal.SIGHUP)
