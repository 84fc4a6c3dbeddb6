"""The database under test: SQLite in each data folder, or PostgreSQL where TEST_DATABASE_URL names a server.

On PostgreSQL every pytest process and every installation has a database of its own on that server, made and
dropped by the tests; `.ci/postgres` runs a command with such a server beside it.
"""

import os
import secrets
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import environ
import psycopg
import pytest
from psycopg import sql

SERVER_URL = os.environ.get("TEST_DATABASE_URL", "")
ON_POSTGRESQL = bool(SERVER_URL)

# What is true of a file says nothing about a server, and the other way round.
embedded_only = pytest.mark.skipif(ON_POSTGRESQL, reason="about the embedded database")
postgresql_only = pytest.mark.skipif(
    not ON_POSTGRESQL, reason="about PostgreSQL: `make test-postgres` runs it"
)
same_on_both = pytest.mark.skipif(
    ON_POSTGRESQL, reason="takes minutes and asks nothing of the database: run with the embedded one"
)


class Database:
    """What one installation stores, seen past the program: as a thief, a script or a vandal would.

    url is empty for SQLite. Statements are written with ? for values. What comes back looks alike on both:
    GUIDs as 32 hex digits, sealed values as bytes.
    """

    def __init__(self, data_dir: Path, url: str = "") -> None:
        """A new one, or with a URL the one there, which others drop."""
        self._data_dir = data_dir
        self.url = url
        self._is_ours = not url
        if ON_POSTGRESQL and not url:
            self.url = self.url_of(f"test_{secrets.token_hex(8)}")
            self._make()

    @staticmethod
    def url_of(name: str) -> str:
        """The URL of a database on the server."""
        return urlunsplit(urlsplit(SERVER_URL)._replace(path=f"/{name}"))

    @property
    def file(self) -> Path:
        """Of SQLite."""
        return self._data_dir / "credmgr.sqlite3"

    def become_copy_of(self, other: "Database") -> None:
        """On PostgreSQL: hold what the other holds, to which nobody may be connected. SQLite's is a file."""
        if self.url:
            self.drop()
            self._make(other)

    def become(self, url: str) -> None:
        """The database that the URL names, on a server that drops it; "" is SQLite in the data folder."""
        self.drop()
        self.url = url
        self._is_ours = False

    def drop(self) -> None:
        """Drop it, whoever is still connected. SQLite's goes with its folder."""
        if self.url and self._is_ours:
            drop(self.url)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""
        with self.connection() as connection:
            found = connection.execute(self.text(query), values).fetchall()
        return [tuple(_plain(value) for value in row) for row in found]

    def change(self, statement: str, *values: object) -> int:
        """Run one statement and commit it; how many rows it touched."""
        with self.connection() as connection:
            touched: int = connection.execute(self.text(statement), values).rowcount
            connection.commit()
        return touched

    def text(self, statement: str) -> str:
        """The statement as this database takes it."""
        return statement.replace("?", "%s") if self.url else statement

    @contextmanager
    def connection(self) -> Iterator[Any]:
        """A connection of one's own, sqlite3's or psycopg's; what is not committed is lost."""
        opened: Any = (
            psycopg.connect(**_place(self.url)) if self.url else sqlite3.connect(self.file, timeout=20)
        )
        with closing(opened):
            yield opened

    @contextmanager
    def gone(self) -> Iterator[None]:
        """On PostgreSQL: whoever is connected is cut off and nobody gets in, as while it restarts."""
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        with closing(psycopg.connect(**_place(SERVER_URL), autocommit=True)) as server:
            server.execute(allow.format(self._name, sql.SQL("false")))
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [urlsplit(self.url).path.lstrip("/")],
            )
            try:
                yield
            finally:
                server.execute(allow.format(self._name, sql.SQL("true")))

    def dump(self) -> str:
        """Every value of every table as text."""
        with self.connection() as connection:
            if not self.url:
                return "\n".join(connection.iterdump())
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            parts = []
            for (table,) in tables.fetchall():
                statement = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))
                with connection.cursor().copy(statement) as stream:
                    parts += [bytes(part) for part in stream]
            return b"".join(parts).decode()

    @property
    def name(self) -> str:
        """On the server."""
        return urlsplit(self.url).path.lstrip("/")

    @property
    def _name(self) -> sql.Identifier:
        return sql.Identifier(self.name)

    def _make(self, template: "Database | None" = None) -> None:
        statement = sql.SQL("CREATE DATABASE {}").format(self._name)
        _on_server(statement + sql.SQL(" TEMPLATE {}").format(template._name) if template else statement)


def _plain(value: Any) -> Any:
    if isinstance(value, uuid.UUID):
        return value.hex
    return bytes(value) if isinstance(value, memoryview) else value


def _place(url: str) -> dict[str, Any]:
    """The URL in psycopg's words."""
    described: dict[str, Any] = environ.Env.db_url_config(url)
    named = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    given = {word: described[name] for word, name in named.items() if described.get(name)}
    return {**given, **described.get("OPTIONS", {})}


def drop(url: str) -> None:
    """Drop the database of that URL, whoever is still connected."""
    name = sql.Identifier(urlsplit(url).path.lstrip("/"))
    _on_server(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def _on_server(statement: sql.Composed) -> None:
    with closing(psycopg.connect(**_place(SERVER_URL), autocommit=True)) as connection:
        connection.execute(statement)
