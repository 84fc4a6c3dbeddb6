"""Temporary installations, and the servers that are measured."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
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
        "CREDMGR_ENV_FILE": os.devnull,
        "CREDMGR_DATA_DIR": f"{folder}/data",
        "CREDMGR_LISTENER": "bench",
        "CREDMGR_LOG_LEVEL": "WARNING",
        "CREDMGR_APPLICATIONS_PER_USER": "1000000",
        "CREDMGR_WRONG_SECRETS_PER_MINUTE": "1000000",  # refusals are measured too, not their limit
        "DJANGO_SETTINGS_MODULE": "credmgr.settings",
    }
    subprocess.run([sys.executable, "manage.py", "prepare"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


class Installation:
    """A data folder. Copies have the same keys, so what one accepts the others do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "credmgr.sqlite3"
        self.ca_file = folder / "tls" / "ca.pem"

    def copy(self, name: str, beside: Path | None = None) -> "Installation":
        """Another one with the same content, beside this folder or another. Nothing may be writing here."""
        with closing(sqlite3.connect(self.database)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        target = (beside or self.folder).with_name(name)
        shutil.copytree(self.folder, target)
        return Installation(target)

    def sign_ins(self) -> int:
        """Rows ever written to the sign-in log."""
        with closing(sqlite3.connect(self.database)) as database:
            found: int = database.execute("SELECT coalesce(max(sequence), 0) FROM audit_signin").fetchone()[0]
        return found


class Processes:
    """A running server: the processor time of all its processes."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def processor_seconds(self) -> float:
        """User and system time of the first process and all below it so far."""
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
def served(
    installation: Installation, *, secure: bool = False, options: Sequence[str] = ()
) -> Iterator[tuple[int, Processes]]:
    """Run the server until the block ends; its port and its processes. options: of tests.bench.server."""
    port = _free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.server", str(port), *options],
        cwd=ROOT,
        env={
            **os.environ,
            "CREDMGR_DATA_DIR": str(installation.folder),
            "CREDMGR_LISTENER": "secure" if secure else "bench",
        },
    )
    try:
        _wait_for(port)
        yield port, Processes(process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
