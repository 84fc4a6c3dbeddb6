"""Nothing waits for the network while it holds the database (C-3)."""

import sys
from typing import Any

import pytest
from django.db import connections

from tests.flowtest.conftest import Directory

pytestmark = pytest.mark.django_db(transaction=True)


class Watch:
    """Python's own audit of connections: where each went, and whether a transaction was open then."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[tuple[object, bool]] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Called for every audited act of the interpreter."""
        if self.on and event == "socket.connect":
            self.seen.append((arguments[1], any(each.in_atomic_block for each in connections.all())))


WATCH = Watch()
sys.addaudithook(WATCH)  # cannot be taken back, so it rests but for this test


def test_c3_no_connection_is_made_within_a_transaction(directory: Directory) -> None:
    """A whole token test: metadata, token, keys."""
    secret, _ = directory.secret()
    WATCH.on = True
    try:
        directory.run(secret)
    finally:
        WATCH.on = False
    assert WATCH.seen
    assert [where for where, is_open in WATCH.seen if is_open] == []
