"""A PostgreSQL server of a test's own, to stop and start; `.ci/postgres` says where its programs are."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

PROGRAMS = os.environ.get("TEST_POSTGRESQL_PROGRAMS", "")


def _owner() -> str | None:
    """Whom the server runs as; root is refused by it."""
    if os.geteuid() != 0:
        return None
    return "postgres" if "postgres" in {each.pw_name for each in pwd.getpwall()} else "nobody"


class PostgresqlServer:
    """Made by `initdb` with the settings that it comes with: what it says to have committed is on the disk.

    It listens on a socket in its own folder only. Its one user, postgres, needs no password.
    """

    def __init__(self) -> None:
        self._folder = Path(
            tempfile.mkdtemp(prefix="credmgr-server-", dir="/tmp")
        )  # short: it holds a socket
        self._owner = _owner()
        if self._owner:
            shutil.chown(self._folder, self._owner)
        self._run("initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        configuration = self._folder / "data" / "postgresql.conf"
        with configuration.open("a") as file:
            file.write(f"listen_addresses = ''\nunix_socket_directories = '{self._folder}'\n")

    @property
    def url(self) -> str:
        """As DATABASE_URL."""
        return f"postgres://postgres@/postgres?host={self._folder}"

    def start(self) -> None:
        """Start it and wait until it takes connections: after a crash it repeats its log before."""
        self._run("pg_ctl", "-D", "data", "-l", "server.log", "-w", "start")

    def crash(self) -> None:
        """End all its processes at once, as a power cut does: nothing is written down any more."""
        self._run("pg_ctl", "-D", "data", "-m", "immediate", "-w", "stop")

    def remove(self) -> None:
        """End it and forget what it held."""
        self._run("pg_ctl", "-D", "data", "-m", "immediate", "-w", "stop", check=False)
        shutil.rmtree(self._folder)

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        done = subprocess.run(
            [f"{PROGRAMS}/{program}", *arguments],
            cwd=self._folder,
            user=self._owner,
            group=pwd.getpwnam(self._owner).pw_gid if self._owner else None,
            extra_groups=[] if self._owner else None,
            stdin=subprocess.DEVNULL,
            # The server inherits it: a pipe would stay open as long as it runs.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
        log = self._folder / "server.log"
        assert not (check and done.returncode), f"{program} failed: {log.read_text() if log.exists() else ''}"
