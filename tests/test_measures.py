"""Counts of a machine: right over threads, processes and their deaths, harmless where they cannot be kept."""

import multiprocessing
import os
import resource
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings

from credmgr import measures

NAME = "test"


@pytest.fixture
def folder(settings: LazySettings, tmp_path: Path) -> Iterator[Path]:
    """A data folder of one's own, and a process that has counted nothing yet."""
    settings.DATA_DIR = tmp_path
    measures._begin_in_child()
    yield tmp_path
    measures._begin_in_child()


def counted(label: str) -> int:
    return measures.figures().get((NAME, label), [0])[0]


def count_often() -> None:
    for _ in range(500):
        measures.count(NAME, "x")


def in_child(act: Callable[[], None]) -> int:
    """Exit code of a forked process that does this: how workers come to be."""
    process = multiprocessing.get_context("fork").Process(target=act)
    process.start()
    process.join(30)
    assert process.exitcode is not None
    return process.exitcode


def test_threads_and_forked_processes_add_up(folder: Path) -> None:
    """Also those that ended, and one that was killed in the middle."""

    def many() -> None:
        threads = [threading.Thread(target=count_often) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def killed() -> None:
        measures.count(NAME, "x")
        os.kill(os.getpid(), signal.SIGKILL)

    many()
    assert in_child(many) == 0
    assert in_child(killed) == -signal.SIGKILL
    assert in_child(many) == 0
    many()
    assert counted("x") == 4 * 2000 + 1


def test_a_file_is_taken_over_from_a_process_that_ended(folder: Path) -> None:
    """Any number of short-lived processes leave few files."""
    measures.count(NAME, "x")
    for _ in range(3):
        assert in_child(lambda: measures.count(NAME, "x")) == 0
    assert counted("x") == 4
    assert len(list((folder / "measures").iterdir())) == 2
    assert all(file.stat().st_mode & 0o077 == 0 for file in (folder / "measures").iterdir())


def test_durations_fall_into_their_buckets(folder: Path) -> None:
    for seconds in (0.0, 0.005, 0.0051, 0.9, 11.0):
        measures.observe(NAME, "d", seconds)
    *buckets, microseconds = measures.figures()[NAME, "d"]
    assert len(buckets) == len(measures.BOUNDS) + 1
    assert (buckets[0], buckets[1], buckets[7], buckets[-1], sum(buckets)) == (2, 1, 1, 1, 5)
    assert microseconds == 11_910_100


@pytest.mark.parametrize(
    "content", [b"", b"x" * 100, b"credmgr measures 0", b"credmgr measures 1\0" + b"\xff" * 70_000]
)
def test_a_damaged_file_is_begun_anew(folder: Path, content: bytes) -> None:
    (folder / "measures").mkdir()
    (folder / "measures" / "0").write_bytes(content)
    assert counted("x") == 0
    measures.count(NAME, "x")
    assert counted("x") == 1


def test_what_has_no_room_is_not_counted(folder: Path) -> None:
    for number in range(600):
        measures.count(NAME, f"label-{number}")
    measures.count(NAME, "y" * 80)
    assert 500 < sum(name == NAME for name, _ in measures.figures()) < 512


def test_without_a_data_folder_nothing_is_counted_and_nothing_made(
    settings: LazySettings, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path / "none"
    measures._begin_in_child()
    measures.count(NAME, "x")
    assert measures.figures() == {}
    assert not (tmp_path / "none").exists()
    measures._begin_in_child()


def test_a_disk_that_is_full_costs_only_the_counts(folder: Path) -> None:
    """A map without room on the disk behind it would end the process."""

    def count_where_no_file_may_grow() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        measures.count(NAME, "x")

    assert in_child(count_where_no_file_may_grow) == 0
    assert counted("x") == 0
    measures.count(NAME, "x")  # the same file, which is whole now
    assert counted("x") == 1
