"""The sign-in record: for every answer, before the answer; limits; equal work; faults (decisions 9, 13, 17;
K-7).
"""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from credmgr.accounts.models import ThrottleCounter
from credmgr.audit.models import AuditEvent, SignIn
from credmgr.audit.queries import last_used
from credmgr.authority.models import SigningKey
from credmgr.credentials.models import ClientSecret
from credmgr.vault import envelope
from tests.authority.assertion_maker import KeyPair
from tests.authority.conftest import Directory, unknown_guid


def test_a_token_is_on_record(directory: Directory) -> None:
    """Time, ids, client, resource, credential, address."""
    row, value = directory.add_secret()
    answer = directory.ask(client_secret=value)
    record = directory.last_sign_in()
    assert str(record.trace_id) == answer.response["x-ms-request-id"]
    assert record.tenant_id == directory.tenant.id
    assert record.client_id == str(directory.app.client_id)
    assert record.application_id == directory.app.id
    assert record.service_principal_id == directory.app.service_principal_id
    assert record.resource == "https://graph.microsoft.com"
    assert record.resource_id == "00000003-0000-0000-c000-000000000000"
    assert (record.error_code, record.credential_id, record.credential_type) == (0, row.id, "clientSecret")
    assert (record.address, record.count, record.fold_key) == ("127.0.0.1", 1, None)
    assert abs((record.at - directory.now).total_seconds()) < 30
    assert last_used([row.id]) == {row.id: record.at}


def test_each_refusal_of_a_known_client_is_on_record(
    directory: Directory, secret: str, pair: KeyPair
) -> None:
    """One row each, with the code and the ids of the answer."""
    api = directory.register("Off", identifier_uri="api://off")
    type(api).objects.filter(pk=api.pk).update(is_disabled=True)
    _, expired = directory.add_secret(start=timedelta(days=-9), end=timedelta(days=-1))
    asked: list[Callable[[], Any]] = [
        lambda: directory.ask(client_secret="wrong"),
        lambda: directory.ask(client_secret=expired),
        lambda: directory.present(directory.assertion(pair)),
        lambda: directory.present("x"),
        lambda: directory.present(directory.assertion(pair, iss="https://elsewhere.example")),
        lambda: directory.ask(client_secret=secret, scope=None),
        lambda: directory.ask(client_secret=secret, scope="x"),
        lambda: directory.ask(client_secret=secret, scope="api://x/.default"),
        lambda: directory.ask(client_secret=secret, scope="api://off/.default"),
    ]
    for number, ask in enumerate(asked, start=1):
        answer = ask()
        record = directory.last_sign_in()
        assert SignIn.objects.count() == number
        assert record.error_code == answer.body["error_codes"][0]
        assert str(record.trace_id) == answer.body["trace_id"]
        assert str(record.correlation_id) == answer.body["correlation_id"]
        assert record.application_id == directory.app.id


def test_unknown_clients_are_folded(directory: Directory) -> None:
    """Decision 9: one row a minute for each address and client, with a count."""
    ids = [unknown_guid(), unknown_guid()]
    for _ in range(3):
        for client_id in ids:
            directory.ask(client_id=client_id, client_secret="x").refused(400, "unauthorized_client", 700016)
    rows = SignIn.objects.filter(error_code=700016)
    # A minute may end in between: then there are two rows each.
    assert rows.count() in (2, 4)
    assert sum(rows.values_list("count", flat=True)) == 6
    assert set(rows.values_list("client_id", flat=True)) == set(ids)


def test_invented_clients_do_not_fill_the_disk(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decision 9: a stranger who makes up a client id for each request gets one row for most of them."""
    monkeypatch.setattr("credmgr.authority.throttling.UNKNOWN_CLIENTS_PER_MINUTE", 3)
    _at_the_start_of_a_minute()
    for _ in range(9):
        directory.ask(client_id=unknown_guid(), client_secret="x").refused(400, "unauthorized_client", 700016)
    counts = SignIn.objects.order_by("sequence").values_list("client_id", "count")
    assert [count for _, count in counts] == [1, 1, 1, 6]
    assert counts[3][0] == "(various)"


def test_ids_that_are_none_are_folded_by_address(directory: Directory) -> None:
    """Each of a thousand spellings would be a row otherwise."""
    for number in range(6):
        directory.ask(client_id=f"nobody-{number}", client_secret="x")
    assert SignIn.objects.count() in (1, 2)


def test_wrong_secrets_are_limited(directory: Directory, secret: str, settings: LazySettings) -> None:
    """Decision 17: 429 for this client and address; then even the right secret tells nothing."""
    settings.WRONG_SECRETS_PER_MINUTE = 3
    _at_the_start_of_a_minute()
    for _ in range(3):
        directory.ask(client_secret="wrong").refused(401, "invalid_client", 7000215)
    for value in ("wrong", secret):
        answer = directory.ask(client_secret=value)
        answer.refused(429, "temporarily_unavailable", 90055)
        assert 1 <= int(answer.response["Retry-After"]) <= 60
    assert sum(SignIn.objects.filter(error_code=90055).values_list("count", flat=True)) == 2
    elsewhere = directory.client.post(
        directory.path,
        "&".join(f"{name}={value}" for name, value in directory.form(client_secret=secret).items()),
        content_type="application/x-www-form-urlencoded",
        REMOTE_ADDR="192.0.2.7",
    )
    assert elsewhere.status_code == 200
    other = directory.register("Other")
    _, value = directory.add_secret(other)
    assert directory.ask(client_id=str(other.client_id), client_secret=value).status == 200


def test_only_guessing_counts(directory: Directory, secret: str, pair: KeyPair) -> None:
    """Malformed requests, expired secrets, bad assertions and good tokens write no counter."""
    _, expired = directory.add_secret(start=timedelta(days=-9), end=timedelta(days=-1))
    directory.ask(client_secret=secret)
    directory.ask(client_secret=expired)
    directory.ask(grant_type="x")
    directory.present("x")
    directory.present(directory.assertion(pair))
    assert not ThrottleCounter.objects.exists()
    directory.ask(client_secret="wrong")
    counter = ThrottleCounter.objects.get()
    assert str(directory.app.client_id) not in counter.key
    assert "127.0.0.1" not in counter.key


def test_old_counters_are_cleared_away(directory: Directory) -> None:
    """The table does not grow for ever."""
    ThrottleCounter.objects.create(key="token:old", window_start=directory.now - timedelta(hours=1), count=1)
    ThrottleCounter.objects.create(key="sign-in:x", window_start=directory.now - timedelta(hours=1), count=1)
    directory.ask(client_secret="wrong")
    assert set(ThrottleCounter.objects.values_list("key", flat=True)) >= {"sign-in:x"}
    assert not ThrottleCounter.objects.filter(key="token:old").exists()


def test_a_limit_for_all_requests(directory: Directory, secret: str, settings: LazySettings) -> None:
    """Off by default; where set, it counts every request of an address."""
    settings.TOKEN_REQUESTS_PER_MINUTE = 2
    _at_the_start_of_a_minute()
    assert [directory.ask(client_secret=secret).status for _ in range(3)] == [200, 200, 429]


def _at_the_start_of_a_minute() -> None:
    """Wait out the last moments of a minute: the window is the clock's."""
    import time

    seconds = time.time() % 60
    if seconds > 50:
        time.sleep(60.1 - seconds)


@contextmanager
def _counted_work(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Counts digests of secrets and statements by their first word."""
    work: Counter[str] = Counter()
    digest = envelope._digest

    def counting(*args: Any) -> bytes:
        work["digest"] += 1
        return digest(*args)

    with monkeypatch.context() as patch, CaptureQueriesContext(connection) as queries:
        patch.setattr(envelope, "_digest", counting)
        yield work
    for query in queries.captured_queries:
        work[query["sql"].split(" ", 1)[0]] += 1


def test_equal_work_for_unknown_wrong_and_expired(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is computed and asked of the database does not tell which it was."""
    row, value = directory.add_secret()
    seen = {}
    requests: dict[str, dict[str, Any]] = {
        "good": {"client_secret": value},
        "wrong": {"client_secret": "wrong"},
        "unknown": {"client_secret": value, "client_id": unknown_guid()},
    }
    directory.ask(client_secret=value)
    for name, changes in requests.items():
        with _counted_work(monkeypatch) as work:
            directory.ask(**changes)
        seen[name] = work
    ClientSecret.objects.filter(pk=row.pk).update(end_at=directory.now - timedelta(days=1))
    with _counted_work(monkeypatch) as work:
        directory.ask(client_secret=value).refused(401, "invalid_client", 7000222)
    seen["expired"] = work
    ClientSecret.objects.all().delete()
    with _counted_work(monkeypatch) as work:
        directory.ask(client_secret=value).refused(401, "invalid_client", 7000215)
    seen["none"] = work
    assert {name: work["digest"] for name, work in seen.items()} == dict.fromkeys(seen, 1)
    assert {name: work["SELECT"] for name, work in seen.items()} == dict.fromkeys(seen, 1)
    # A good token costs one statement to read and one to write, no more.
    assert seen["good"] == {"digest": 1, "SELECT": 1, "INSERT": 1}


def test_every_secret_is_compared(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    """W2: without leaving early, whichever matches."""
    values = [directory.add_secret()[1] for _ in range(4)]
    for value in (values[0], values[3], "wrong"):
        with _counted_work(monkeypatch) as work:
            directory.ask(client_secret=value)
        assert work["digest"] == 4


# ------------------------------------------------------------------------------------------------ faults
@contextmanager
def _failing(statement: str) -> Iterator[None]:
    """The database refuses statements that match: locked, full or read-only, as SQLite reports it."""

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if re.search(statement, sql):
            from django.db import OperationalError

            raise OperationalError("database or disk is full") from sqlite3.OperationalError()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        yield


def test_no_record_no_token(directory: Directory, secret: str) -> None:
    """Decision 9: 503 90033, for tokens and refusals alike; afterwards all is well again."""
    for value in (secret, "wrong"):
        with _failing("^INSERT"):
            answer = directory.ask(client_secret=value)
        text = answer.refused(503, "temporarily_unavailable", 90033)
        assert "access_token" not in answer.body
        assert "full" not in text
    assert not SignIn.objects.exists()
    assert directory.ask(client_secret=secret).status == 200


def test_a_database_that_cannot_be_read(directory: Directory, secret: str) -> None:
    """C-7: 503 in JSON, no traceback, for tokens, discovery and keys."""
    with _failing("^SELECT"):
        directory.ask(client_secret=secret).refused(503, "temporarily_unavailable", 90033)
        for path in ("v2.0/.well-known/openid-configuration", "discovery/v2.0/keys"):
            directory.get(f"/{directory.tenant.id}/{path}").refused(503, "temporarily_unavailable", 90033)


def test_an_unknown_vault_key(directory: Directory, secret: str, pair: KeyPair) -> None:
    """K-7: 503 and an audit row, never another key tried, never a 500."""
    row = directory.add_certificate(pair)
    sealed = bytes(type(row).objects.get(pk=row.pk).der)
    type(row).objects.filter(pk=row.pk).update(der=sealed[:1] + b"unknown!" + sealed[9:])
    directory.present(directory.assertion(pair)).refused(503, "temporarily_unavailable", 90033)
    event = AuditEvent.objects.get(tag="vault:key:unknown")
    assert event.object_id == b"unknown!".hex()
    verifier = bytes(ClientSecret.objects.get().verifier)
    ClientSecret.objects.update(verifier=verifier[:1] + b"unknown!" + verifier[9:])
    directory.ask(client_secret=secret).refused(503, "temporarily_unavailable", 90033)
    # A flood of these leaves one row a minute.
    assert AuditEvent.objects.filter(tag="vault:key:unknown").count() == 1


def test_no_signing_key(directory: Directory, secret: str) -> None:
    """Without one there is no token."""
    SigningKey.objects.all().delete()
    directory.ask(client_secret=secret).refused(503, "temporarily_unavailable", 90033)


def test_our_own_mistake_is_json(directory: Directory, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A-1: even a 500 is an error body, without a word of what happened."""
    monkeypatch.setattr("credmgr.authority.attempt.resource_of", lambda *_, **__: 1 / 0)
    answer = directory.ask(client_secret=secret)
    text = answer.refused(500, "server_error", 90020)
    assert "division" not in json.dumps(answer.body)
    assert "trace id" in text
