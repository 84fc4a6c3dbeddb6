"""Token requests of one process take turns, and those that wait for theirs share a commit.

Python runs one thread at a time anyway. Threads that pass the interpreter around at each statement, each with
a database connection of its own, mostly wake each other and read the same pages again: every commit makes
stale what other connections keep. So one request has the process's one connection until it knows its answer
and its row for the sign-in log. If somebody waits, the row waits with it; whoever finds nobody waiting
commits for all. An answer leaves after its commit; if that fails, none of its group does.

With the embedded database only. Elsewhere rows are written at once, and nobody waits for anybody.
"""

import threading
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db import Error as DatabaseFailure
from django.db.backends.base.base import BaseDatabaseWrapper

from credmgr.audit.token_database import Statement, lend, open_connection, token_connection

GROUP_AT_MOST = 16


class _Row:
    """One that is to be written, and whether it was, or why not."""

    __slots__ = ("failure", "is_written", "statement", "values")

    def __init__(self, statement: Statement, values: Sequence[Any]) -> None:
        self.statement = statement
        self.values = values
        self.is_written = False
        self.failure: Exception | None = None

    def raise_failure(self) -> None:
        """Raise what kept the row from being written, if anything did. A new object for each thread."""
        if not self.is_written:
            failure = self.failure or DatabaseFailure("The row was not written.")
            raise type(failure)(*failure.args) from failure


class Turns:
    """Who has the connection, who is next, and the rows that were not committed yet. connection: to SQLite,
    and used for nothing else.
    """

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        connection.inc_thread_sharing()
        self.connection = connection
        self._guard = threading.Lock()
        self._is_taken = False
        self._queue: deque[threading.Lock] = deque()
        # Whoever has the turn has these.
        self._rows: list[_Row] = []
        self._followers: list[threading.Lock] = []

    def take(self) -> None:
        """Wait for the turn: first come, first served."""
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return
            mine = _closed_lock()
            self._queue.append(mine)
        mine.acquire()

    def give_back(self, rows: Sequence[_Row]) -> None:
        """Pass the turn on; return when these rows are written, or their failure is known."""
        self._rows += rows
        with self._guard:
            following = self._queue.popleft() if self._queue and len(self._rows) < GROUP_AT_MOST else None
        if following is None:
            self._commit()
        elif not rows:
            following.release()
        else:
            committed = _closed_lock()
            self._followers.append(committed)
            following.release()
            committed.acquire()

    def _commit(self) -> None:
        """Commit what there is, wake who waits for it, pass the turn on. Nobody is left behind, whatever
        happens.
        """
        rows, self._rows = self._rows, []
        followers, self._followers = self._followers, []
        try:
            if rows:
                _write(self.connection, rows)
        finally:
            for each in followers:
                each.release()
            with self._guard:
                following = self._queue.popleft() if self._queue else None
                self._is_taken = following is not None
            if following is not None:
                following.release()


class Turn:
    """One request's turn, as a context around everything that it asks of the database. Rows that are given to
    `write` meanwhile are committed when the block is left; then a failure is raised. With None nothing of
    this happens.
    """

    def __init__(self, turns: Turns | None) -> None:
        self.turns = turns
        self.rows: list[_Row] = []

    def __enter__(self) -> None:
        """Wait for it."""
        if self.turns is not None:
            self.turns.take()
            lend(self.turns.connection)
            _of_thread.turn = self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raises django.db.Error when the rows could not be committed."""
        if self.turns is None:
            return
        _of_thread.turn = None
        lend(None)
        self.turns.give_back(self.rows)
        for row in self.rows:
            row.raise_failure()


class _OfThread(threading.local):
    turn: Turn | None = None


_of_thread = _OfThread()
_made: dict[str, Turns] = {}
_making = threading.Lock()


def write(statement: Statement, values: Sequence[Any]) -> None:
    """Commit a row: at once, or at the end of this thread's turn. Raises django.db.Error, here or there.

    Within a transaction.atomic it belongs to that transaction.
    """
    turn = _of_thread.turn
    if turn is None or turn.turns is None or token_connection() is not turn.turns.connection:
        statement.run_in_order(values)
    else:
        turn.rows.append(_Row(statement, values))


def turns_of_process() -> Turns | None:
    """Those that this process's token requests take; None where they take none."""
    alias = settings.TOKENS_DATABASE
    turns = _made.get(alias)
    # Pages use the default connection: it is never lent, so a test's transaction stays one.
    if turns is None and alias != DEFAULT_DB_ALIAS and connections[alias].vendor == "sqlite":
        with _making:
            if alias not in _made:
                _made[alias] = Turns(connections.create_connection(alias))
            turns = _made[alias]
    return turns


def _closed_lock() -> threading.Lock:
    """One to wait at; any thread may open it."""
    lock = threading.Lock()
    lock.acquire()
    return lock


def _write(connection: BaseDatabaseWrapper, rows: Sequence[_Row]) -> None:
    """Commit the rows together and note how it went. A row that cannot be written takes no other with it;
    what is wrong with the database is everybody's.
    """
    failure = _commit_together(connection, rows)
    is_everybodys = len(rows) == 1 or isinstance(failure, OperationalError)
    for row in rows:
        row.failure = failure if failure is None or is_everybodys else _commit_together(connection, [row])
        row.is_written = row.failure is None


def _commit_together(connection: BaseDatabaseWrapper, rows: Sequence[_Row]) -> Exception | None:
    """All or none. What went wrong, as Django calls it."""
    try:
        with connection.wrap_database_errors:
            opened = open_connection(connection)
            if len(rows) > 1:
                opened.execute("BEGIN IMMEDIATE")
            for row in rows:
                row.statement.run_raw(opened, row.values).fetchall()
            if len(rows) > 1:
                opened.execute("COMMIT")
    except Exception as error:  # noqa: BLE001 - it is raised again, in the thread of each row
        # Opened anew by the next statement, with nothing begun and nothing locked.
        connection.close()
        return error
    return None
