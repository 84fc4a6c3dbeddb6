"""Counts what happens on this machine, over all its processes and their deaths, without the database.

Each process counts in a file of its own in DATA_DIR/measures, which it maps into memory: a count is an
addition there, no system call. The next process goes on where one that ended left off. Whoever wants the
figures adds the files up. Where the folder cannot be written nothing is counted, and nothing else happens.
"""

import fcntl
import mmap
import os
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

# Upper bounds of the buckets of durations, in seconds; a last bucket is open.
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

# A record: a key of 64 bytes, padded with NUL, and twelve numbers of 64 bits. A counter uses the first of
# them; a duration one for each bucket and the last one for the sum in microseconds. The first record names
# the format.
_KEY_BYTES, _NUMBERS = 64, len(BOUNDS) + 2
_RECORD_BYTES = _KEY_BYTES + 8 * _NUMBERS
_RECORDS = 512
_FILE_BYTES = _RECORDS * _RECORD_BYTES
_FORMAT = b"credmgr measures 1"
_SUM = _NUMBERS - 1
_MOST_FILES = 512
_RETRY_SECONDS = 60.0
_SEPARATOR = "\t"

Figures = dict[tuple[str, str], list[int]]


def count(name: str, label: str) -> None:
    """One more of a kind. name and label: ASCII words of our own, 63 characters together, never anything that
    came in.
    """
    _of_process.add(f"{name}{_SEPARATOR}{label}", 0, 1)


def observe(name: str, label: str, seconds: float) -> None:
    """One that took so long."""
    _of_process.add(f"{name}{_SEPARATOR}{label}", bisect_left(BOUNDS, seconds), 1, int(seconds * 1e6))


def figures() -> Figures:
    """{(name, label): numbers} of all processes of this machine, those that ended included.

    The first number is a counter's value; for durations see BOUNDS: one number a bucket, not cumulated, then
    the sum in microseconds.
    """
    total: Figures = {}
    for file in sorted(_folder().glob("*")):
        try:
            content = file.read_bytes()
        except OSError:
            continue
        for key, numbers in _records(content):
            name, _, label = key.partition(_SEPARATOR)
            known = total.setdefault((name, label), [0] * _NUMBERS)
            for index, number in enumerate(numbers):
                known[index] += number
    return total


class _Counters:
    """This process's file. Made when the first thing is counted, so that it is never shared by a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offsets: dict[str, int] = {}
        self._numbers: memoryview | None = None
        self._map: mmap.mmap | None = None
        self._descriptor = -1
        self._next_try = 0.0

    def add(self, key: str, index: int, amount: int, microseconds: int = 0) -> None:
        """Add to one number of a record, and to its sum."""
        with self._lock:
            offset = self._offsets.get(key)
            if offset is None:
                offset = self._offset_of_new(key)
            if offset < 0 or self._numbers is None:
                return
            self._numbers[offset + index] += amount
            if microseconds:
                self._numbers[offset + _SUM] += microseconds

    def leave_to_parent(self) -> None:
        """In a forked child: the file stays with the process that opened it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def _offset_of_new(self, key: str) -> int:
        """Where the numbers of a key begin, counted in numbers; -1 where nothing can be counted."""
        if self._map is None:
            if not self._open():
                return -1
            if key in self._offsets:  # of whoever had the file before
                return self._offsets[key]
        encoded = key.encode("ascii", "replace")
        number = len(self._offsets) + 1
        if self._map is None or number >= _RECORDS or len(encoded) > _KEY_BYTES:
            return -1
        self._map[number * _RECORD_BYTES : number * _RECORD_BYTES + len(encoded)] = encoded
        return self._remember(key, number)

    def _remember(self, key: str, number: int) -> int:
        self._offsets[key] = (number * _RECORD_BYTES + _KEY_BYTES) // 8
        return self._offsets[key]

    def _open(self) -> bool:
        if time.monotonic() < self._next_try:
            return False
        self._next_try = time.monotonic() + _RETRY_SECONDS
        try:
            self._descriptor = _free_file()
            if self._descriptor < 0:
                return False
            _make_sound(self._descriptor)
            self._map = mmap.mmap(self._descriptor, _FILE_BYTES)
        except OSError:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1
            return False
        self._numbers = memoryview(self._map).cast("Q")
        for number, (key, _) in enumerate(_records(bytes(self._map)), start=1):
            self._remember(key, number)
        return True


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "measures"


def _free_file() -> int:
    """A descriptor of the first file that no living process counts in; -1 where there is none."""
    folder = _folder()
    if not folder.parent.is_dir():
        return -1
    folder.mkdir(mode=0o700, exist_ok=True)
    for number in range(_MOST_FILES):
        descriptor = os.open(folder / str(number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            continue
        return descriptor
    return -1


def _make_sound(descriptor: int) -> None:
    """Begin anew where the file is new, of another format, or damaged. Raises OSError on a full disk: a page
    of a map that has no room on the disk would end the process.
    """
    content = os.pread(descriptor, _FILE_BYTES + 1, 0)
    if len(content) == _FILE_BYTES and content.startswith(_FORMAT) and _is_whole(content):
        return
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, bytes(_FILE_BYTES), 0)
    if os.fstat(descriptor).st_size != _FILE_BYTES:
        raise OSError("the disk is full")
    os.pwrite(descriptor, _FORMAT, 0)


def _is_whole(content: bytes) -> bool:
    keys = [key for key, _ in _records(content)]
    return len(keys) == len(set(keys)) and all(_SEPARATOR in key for key in keys)


def _records(content: bytes) -> Iterator[tuple[str, memoryview]]:
    """Key and numbers of each record in use."""
    if len(content) != _FILE_BYTES or not content.startswith(_FORMAT):
        return
    for start in range(_RECORD_BYTES, _FILE_BYTES, _RECORD_BYTES):
        key = content[start : start + _KEY_BYTES].rstrip(b"\0")
        if not key:
            return
        numbers = memoryview(content)[start + _KEY_BYTES : start + _RECORD_BYTES].cast("Q")
        yield key.decode("ascii", "replace"), numbers


def _begin_in_child() -> None:
    global _of_process
    _of_process.leave_to_parent()
    _of_process = _Counters()


_of_process = _Counters()
os.register_at_fork(after_in_child=_begin_in_child)
