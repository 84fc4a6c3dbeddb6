"""A temporary installation with one application that has a secret and a certificate, served while it is
measured.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 30.0


def prepare_environment() -> None:
    """Point this process and its children at a new data folder. To be called before Django reads its
    settings.
    """
    for name in [name for name in os.environ if name.startswith("CREDMGR_") or name == "DATABASE_URL"]:
        del os.environ[name]
    folder = tempfile.mkdtemp(prefix="credmgr-bench-")
    os.environ |= {
        "CREDMGR_DATA_DIR": f"{folder}/data",
        "CREDMGR_LISTENER": "bench",
        "CREDMGR_LOG_LEVEL": "WARNING",
        "CREDMGR_APPLICATIONS_PER_USER": "1000000",
        "DJANGO_SETTINGS_MODULE": "credmgr.settings",
    }
    subprocess.run([sys.executable, "manage.py", "prepare"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


class Server:
    """The running server: where it listens, and the processor time of all its processes."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.port = port
        self._process = process

    def processor_seconds(self) -> float:
        """User and system time of the listener and its workers so far."""
        ticks = 0
        for pid in self._family():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def _family(self) -> list[int]:
        found, unseen = [], [self._process.pid]
        while unseen:
            pid = unseen.pop()
            found.append(pid)
            for task in Path(f"/proc/{pid}/task").iterdir():
                unseen += [int(child) for child in (task / "children").read_text().split()]
        return found


@contextmanager
def served() -> Iterator[Server]:
    """Run the server until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.server", str(port)], cwd=ROOT)
    try:
        _wait_for(port)
        yield Server(process, port)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def _wait_for(port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("The server did not start.")
