"""Processes that die: nothing is lost, nothing stays behind, the next start works (R1, R2, C-6)."""

import gc
import os
import signal
from collections.abc import Iterator
from functools import partial

import pytest
import requests

from tests.installation import Installation, InstallationFactory
from tests.ops.test_serve import children_of, get, wait_until

# A connection that a kill cuts off in its handshake is closed by the collector, which Python warns of.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Let that happen within the test that caused it."""
    yield
    gc.collect()


def listeners_of(installation: Installation) -> list[int]:
    """The two listener processes."""
    found = children_of(installation.pid)
    assert len(found) == 2
    return found


def is_replaced(listener: int, victim: int) -> bool:
    """Whether the listener has two workers again."""
    return len(set(children_of(listener)) - {victim}) == 2


def answers(installation: Installation, *, secure: bool) -> bool:
    """Whether the listener serves a request at this moment."""
    try:
        return get(installation, "/health/live", secure=secure).status_code == 200
    except requests.RequestException:
        return False


def serves(installation: Installation) -> bool:
    """Whether both listeners do."""
    return answers(installation, secure=True) and answers(installation, secure=False)


def test_after_kill_9_of_serve_nothing_is_left_and_the_next_start_works(
    fresh_installation: InstallationFactory,
) -> None:
    one = fresh_installation(admin=False)
    assert len(one.processes()) >= 6
    one.kill()
    one.start()  # at once: it waits for what is left of the old server
    assert serves(one)
    assert one.stop() == 0
    wait_until(lambda: one.processes() == [])


def test_after_kill_9_of_serve_its_processes_end_by_themselves(
    fresh_installation: InstallationFactory,
) -> None:
    one = fresh_installation(admin=False)
    one.kill()
    wait_until(lambda: one.processes() == [], 15)


def test_a_killed_worker_is_replaced(fresh_installation: InstallationFactory) -> None:
    one = fresh_installation(admin=False)
    for listener in listeners_of(one):
        victim = children_of(listener)[0]
        os.kill(victim, signal.SIGKILL)
        wait_until(partial(is_replaced, listener, victim))
    wait_until(lambda: serves(one))
    assert one.is_running


def test_workers_killed_again_and_again_do_not_end_the_server(
    fresh_installation: InstallationFactory,
) -> None:
    """The server library gives a listener up that loses workers quickly; `serve` then starts it again."""
    one = fresh_installation(admin=False)
    for _ in range(4):
        wait_until(lambda: len(children_of(one.pid)) == 2)
        for listener in children_of(one.pid):
            for worker in children_of(listener):
                os.kill(worker, signal.SIGKILL)
        wait_until(lambda: serves(one), 30)
    assert one.is_running
    assert one.stop() == 0
    assert one.processes() == []


def test_a_killed_listener_takes_its_workers_along_and_is_replaced(
    fresh_installation: InstallationFactory,
) -> None:
    one = fresh_installation(admin=False)
    victim = listeners_of(one)[0]
    workers = children_of(victim)
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: not set(workers) & set(one.processes()))
    wait_until(lambda: len(children_of(one.pid)) == 2 and serves(one), 20)
    assert one.stop() == 0
    assert one.processes() == []
