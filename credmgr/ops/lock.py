"""One server per data folder: an exclusive lock that every process of the server holds."""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

WAIT_SECONDS = 15.0
_PAUSE_SECONDS = 0.05


class AlreadyServingError(Exception):
    """Another server holds the data folder. Its text is ready to be shown."""


class InstallationLock:
    """Holds DATA_DIR/serve.lock for as long as any process that inherited it lives.

    The children inherit the descriptor, so that a start after kill -9 waits until the last of the old
    processes is gone instead of sharing the folder with them.
    """

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "serve.lock"
        self._descriptor = -1

    @property
    def descriptor(self) -> int:
        """The open file to hand to children."""
        return self._descriptor

    def acquire(self) -> None:
        """Take the lock. Waits, 15 seconds at most, for what a killed server has left behind.

        Raises AlreadyServingError when a living server holds it.
        """
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + WAIT_SECONDS
        while not self._try():
            owner = self._owner()
            if (owner and _is_alive(owner)) or time.monotonic() > deadline:
                os.close(self._descriptor)
                self._descriptor = -1
                process = f" (process {owner})" if owner else ""
                raise AlreadyServingError(
                    f"A server is already running on the data folder {self._path.parent}{process}. "
                    "Stop it first, or set CREDMGR_DATA_DIR to another folder."
                )
            time.sleep(_PAUSE_SECONDS)
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let go; the file stays, because removing it would let two servers lock two files of one name."""
        if self._descriptor >= 0:
            with suppress(OSError):  # a disk that has turned read-only: the number of no process is read past
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = -1

    def _try(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _owner(self) -> int | None:
        text = os.pread(self._descriptor, 32, 0).strip()
        return int(text) if text.isdigit() else None


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
