"""Rows of waiting token requests share a commit; nobody answers before it, and a failure is everybody's."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connections

from credmgr.audit.token_database import Statement, token_connection
from credmgr.audit.turns import Turn, Turns, turns_of_process, write
from tests.database import embedded_only

pytestmark = embedded_only
_INSERT = Statement("INSERT INTO noted (number, word) VALUES (%(number)s, %(word)s)")
_COUNT = Statement("SELECT count(*) FROM noted")


class Database:
    """A file of its own with one table, its turns, and what was said to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("CREATE TABLE noted (number INTEGER UNIQUE, word TEXT NOT NULL)")
        self.connection = connections.create_connection("default")
        self.connection.settings_dict = {
            **self.connection.settings_dict,
            "NAME": str(path),
            "OPTIONS": {"timeout": 0.2},
        }
        self.turns = Turns(self.connection)
        self.said: list[str] = []
        self.connection.ensure_connection()
        self.connection.connection.set_trace_callback(self.said.append)

    def numbers(self) -> set[int]:
        """What another connection sees at this moment."""
        with closing(sqlite3.connect(self.path)) as database:
            return {number for (number,) in database.execute("SELECT number FROM noted")}

    def commits(self) -> list[str]:
        """The statements that begin or end a transaction."""
        return [text for text in self.said if text.split()[0] in ("BEGIN", "COMMIT", "ROLLBACK")]


@pytest.fixture
def database(tmp_path: Path, django_db_blocker: Any) -> Iterator[Database]:
    """One for the test, and no test's transaction around it."""
    with django_db_blocker.unblock():
        made = Database(tmp_path / "noted.sqlite3")
        yield made
        made.connection.close()


def _nothing() -> None:
    """What most requests do besides writing."""


class Asking(threading.Thread):
    """A request that writes its number, and what it saw when its turn was over."""

    def __init__(
        self, database: Database, number: int, *, word: str | None, busy: Callable[[], None] = _nothing
    ) -> None:
        super().__init__(daemon=True)
        self.database, self.number, self.word, self.busy = database, number, word, busy
        self.was_written = False
        self.failure: Exception | None = None

    def run(self) -> None:
        """Ask."""
        try:
            with Turn(self.database.turns):
                write(_INSERT, (self.number, self.word))
                self.busy()
            self.was_written = self.number in self.database.numbers()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.failure = error


def together(database: Database, words: list[str | None]) -> list[Asking]:
    """Requests that all came while the first one had its turn."""
    inside, go = threading.Event(), threading.Event()

    def busy() -> None:
        inside.set()
        assert go.wait(10)

    asking = [Asking(database, 0, word=words[0], busy=busy)]
    asking[0].start()
    assert inside.wait(10)
    for number, word in enumerate(words[1:], start=1):
        asking.append(Asking(database, number, word=word))
        asking[-1].start()
        _until(lambda: len(database.turns._queue) == number)  # noqa: B023 - asked within the round
    go.set()
    for each in asking:
        each.join(10)
        assert not each.is_alive()
    return asking


def _until(is_so: Callable[[], bool]) -> None:
    for _ in range(2000):
        if is_so():
            return
        time.sleep(0.005)
    raise AssertionError("It did not happen.")


def test_a_single_request_commits_at_once(database: Database) -> None:
    with Turn(database.turns):
        write(_INSERT, (1, "word"))
        assert database.numbers() == set()
    assert database.numbers() == {1}


def test_those_that_wait_share_one_commit_and_answer_after_it(database: Database) -> None:
    asking = together(database, ["word"] * 5)
    assert all(each.was_written for each in asking)
    assert database.commits() == ["BEGIN IMMEDIATE", "COMMIT"]
    assert database.numbers() == {0, 1, 2, 3, 4}


def test_a_group_that_cannot_be_committed_fails_as_a_whole(database: Database) -> None:
    """Locked by somebody else, beyond the time that is waited."""
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        asking = together(database, ["word"] * 3)
        assert [type(each.failure) for each in asking] == [OperationalError] * 3
        other.execute("ROLLBACK")
    assert database.numbers() == set()
    assert [each.was_written for each in together(database, ["word"] * 3)] == [True] * 3


def test_a_row_that_cannot_be_written_takes_no_other_with_it(database: Database) -> None:
    asking = together(database, ["word", None, "word"])
    assert isinstance(asking[1].failure, IntegrityError)
    assert database.numbers() == {0, 2}
    assert asking[0].was_written
    assert asking[2].was_written


def test_what_the_database_module_cannot_even_bind_takes_no_other_with_it(database: Database) -> None:
    asking = together(database, ["word", "\ud800", "word"])
    assert isinstance(asking[1].failure, UnicodeEncodeError)
    assert database.numbers() == {0, 2}


def test_a_request_that_fails_by_itself_leaves_the_others_their_commit(database: Database) -> None:
    """Also when it is the last of the group, which commits for all, and has no row of its own."""
    inside, go = threading.Event(), threading.Event()

    def busy() -> None:
        inside.set()
        assert go.wait(10)

    def fail() -> None:
        with Turn(database.turns):
            raise ZeroDivisionError

    def expect_failure() -> None:
        with pytest.raises(ZeroDivisionError):
            fail()

    first = Asking(database, 0, word="word", busy=busy)
    first.start()
    assert inside.wait(10)
    second = threading.Thread(target=expect_failure, daemon=True)
    second.start()
    _until(lambda: len(database.turns._queue) == 1)
    go.set()
    first.join(10)
    second.join(10)
    assert first.was_written
    expect_failure()
    with Turn(database.turns):
        write(_INSERT, (1, "word"))
    assert database.numbers() == {0, 1}


def test_many_at_once_lose_nothing(database: Database) -> None:
    """Every answer has its row, every row its answer."""
    written: list[int] = []

    def ask(first: int) -> None:
        for number in range(first, first + 50):
            with Turn(database.turns):
                write(_INSERT, (number, "word"))
            written.append(number)

    threads = [threading.Thread(target=ask, args=(first,), daemon=True) for first in range(0, 400, 50)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert sorted(written) == list(range(400))
    assert database.numbers() == set(range(400))


def test_statements_of_a_turn_run_on_its_connection(database: Database) -> None:
    """So they see what the turns before it wrote, and no pages are read twice."""
    with Turn(database.turns):
        assert token_connection() is database.connection
        write(_INSERT, (1, "word"))
        assert _COUNT.run({}) == [(0,)]
    with Turn(database.turns):
        assert _COUNT.run({}) == [(1,)]


@pytest.mark.django_db
def test_with_the_connection_of_pages_nobody_takes_turns() -> None:
    """As in these tests, whose transaction must stay one; and with another database than SQLite."""
    assert turns_of_process() is None
    own = token_connection()
    with Turn(turns_of_process()):
        assert token_connection() is own
