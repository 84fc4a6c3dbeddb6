"""Fills a copy of an installation straight in its tables, a million rows in seconds.

New rows are copies of one that the product itself wrote, under other ids, so they have every column there is.
"""

import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

from credmgr.vault import envelope
from credmgr.vault.source import current_key_ring
from tests.bench.installation import Installation

_APPLICATION, _SECRET, _CERTIFICATE, _SIGN_IN = (
    "registrations_application",
    "credentials_clientsecret",
    "credentials_certificate",
    "audit_signin",
)
_NEW_ID = "lower(hex(randomblob(16)))"
# So many applications share the sign-ins; a log of one application only would be no log.
_SIGNED_IN = 1000


def add_registrations(installation: Installation, count: int, *, asking: int) -> list[tuple[str, str]]:
    """So many more, each with a secret and a certificate. (client id, secret) of `asking` of them, spread
    evenly.
    """
    with _open(installation) as database:
        own = ("id", "client_id", "service_principal_id")
        before = _multiply(
            database,
            _APPLICATION,
            count,
            {**dict.fromkeys(own, _NEW_ID), "display_name": "'Filler ' || number"},
        )
        owner = f"(SELECT id FROM {_APPLICATION} WHERE rowid = {before} + number)"  # noqa: S608 - names of tables
        of_owner = {"id": _NEW_ID, "application_id": owner}
        prints = {"thumbprint_sha1": "hex(randomblob(20))", "thumbprint_sha256": "hex(randomblob(32))"}
        _multiply(database, _CERTIFICATE, count, {**of_owner, **prints})
        first = _multiply(database, _SECRET, count, of_owner) + 1
        step = max(1, count // asking)
        return [_known_secret(database, rowid) for rowid in range(first, first + count, step)][:asking]


def add_sign_ins(installation: Installation, count: int) -> None:
    """So many more, one every other second up to now, of a thousand applications."""
    with _open(installation) as database:
        ids = ("trace_id", "correlation_id")
        at = f"((number - {count}) * 2) || ' seconds'"
        application = f"printf('%032x', 1000 + number % {_SIGNED_IN})"
        credential = f"printf('%032x', 900000 + number % {_SIGNED_IN})"
        _multiply(
            database,
            _SIGN_IN,
            count,
            {
                **dict.fromkeys(ids, _NEW_ID),
                "sequence": "NULL",
                "at": f"strftime('%Y-%m-%d %H:%M:%f', 'now', {at}) || '000'",
                "application_id": application,
                "credential_id": credential,
            },
        )


def _known_secret(database: sqlite3.Connection, rowid: int) -> tuple[str, str]:
    """Give a copied secret a value of its own. All copies of an installation have this process's keys."""
    id_, client_id = database.execute(
        f"SELECT s.id, a.client_id FROM {_SECRET} s JOIN {_APPLICATION} a ON a.id = s.application_id "  # noqa: S608 - names of tables
        "WHERE s.rowid = ?",
        [rowid],
    ).fetchone()
    value = f"bench secret of row {rowid}, long enough to be one"
    verifier = envelope.make_verifier(current_key_ring().primary, uuid.UUID(id_), value)
    database.execute(f"UPDATE {_SECRET} SET verifier = ? WHERE rowid = ?", [verifier, rowid])  # noqa: S608 - name of the table
    return str(uuid.UUID(client_id)), value


def _multiply(database: sqlite3.Connection, table: str, count: int, changed: Mapping[str, str]) -> int:
    """`count` copies of the newest row; the number of the last row before them. changed: SQL by column, in
    which `number` counts from 1.
    """
    last: int = database.execute(f"SELECT max(rowid) FROM {table}").fetchone()[0]  # noqa: S608 - name of a table
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    values = [changed.get(name, f"model.{name}") for name in columns]
    database.execute(
        "WITH RECURSIVE counted(number) AS "  # noqa: S608 - names of tables and columns, and the SQL above
        "(SELECT 1 UNION ALL SELECT number + 1 FROM counted WHERE number < ?) "
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} "
        f"FROM counted, (SELECT * FROM {table} WHERE rowid = ?) AS model ORDER BY number",
        [count, last],
    )
    return last


@contextmanager
def _open(installation: Installation) -> Iterator[sqlite3.Connection]:
    """One transaction, and all of it in the database file when it ends."""
    with closing(sqlite3.connect(installation.database)) as database:
        database.execute("PRAGMA synchronous=OFF")
        with database:
            yield database
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
