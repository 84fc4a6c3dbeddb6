"""The act: what it stores, what it audits, what it limits, what it never keeps."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection

from credmgr.audit.models import AuditEvent
from credmgr.credentials.certificates import forget_private_key
from credmgr.errors import DomainError
from credmgr.flowtest import testing
from credmgr.flowtest.limits import TooManyTestsError, place_for
from credmgr.flowtest.models import FlowRun, RunningTest
from credmgr.flowtest.queries import failing_since, last_tests, previous_success, runnable_credentials
from credmgr.flowtest.report import Report
from credmgr.flowtest.scopes import default_scope
from credmgr.flowtest.spec import Asked
from credmgr.portal.audit_words import changes
from tests.flowtest.conftest import Directory
from tests.flowtest.far_side import Client


def own_scope(directory: Directory) -> str:
    """The far side's tokens carry the resource as asked; a client id is right in v2 form."""
    return f"{directory.application.client_id}/.default"


def test_a_run_is_stored_and_audited(directory: Directory) -> None:
    secret, _ = directory.secret()
    run = directory.run(secret, scope=own_scope(directory))
    assert (run.verdict, run.error_code) == ("verified", 0)
    assert (run.credential_id, run.credential_kind, run.credential_name) == (secret.pk, "secret", "worker")
    assert (run.actor, run.actor_name, run.target) == (directory.user, "Robin Vale", "Built-in authority")
    event = AuditEvent.objects.get(tag="application:test:run")
    assert event.succeeded
    assert event.application_id == directory.application.pk
    assert event.changes["verdict"] == ["", "verified"]
    assert event.changes["authority"][1].startswith(directory.side.url)
    assert not event.changes.keys() & {"privateKey", "rawToken"}
    report = Report.from_json(FlowRun.objects.get().report)
    assert report.diagnosis.headline.startswith("Token acquired and verified in ")


def test_the_audit_says_that_a_kept_private_key_was_used(directory: Directory) -> None:
    """Not so of one that was brought for the run."""
    client = Client()
    kept = directory.certificate(client)
    directory.run(kept)
    assert AuditEvent.objects.get(tag="application:test:run").changes["privateKey"] == ["", "the kept one"]
    brought = directory.certificate(Client(), keep=False)
    with pytest.raises(DomainError):
        directory.run(brought)
    assert AuditEvent.objects.filter(tag="application:test:run").count() == 1


def test_the_correlation_id_is_the_one_on_the_wire(directory: Directory) -> None:
    secret, _ = directory.secret()
    run = directory.run(secret, scope=own_scope(directory))
    posts = [headers for method, _, headers, _ in directory.side.requests if method == "POST"]
    assert posts[0]["client-request-id"] == str(run.correlation_id)


def test_the_raw_token_is_returned_only_when_asked_for(directory: Directory) -> None:
    secret, _ = directory.secret()
    given: Any = {"asked": Asked(own_scope(directory)), "actor": directory.actor, "now": directory.now}
    _, nothing = testing.test_credential(directory.application, secret, **given)
    assert nothing is None
    run, token = testing.test_credential(directory.application, secret, include_raw_token=True, **given)
    assert token is not None
    assert token not in json.dumps(run.report)
    silent, said = AuditEvent.objects.filter(tag="application:test:run").order_by("sequence")
    assert "rawToken" not in silent.changes
    assert said.changes["rawToken"] == ["", "shown once"]
    assert "Raw token: shown once" in changes(said.changes)
    assert token not in json.dumps(said.changes)


def test_e5_nothing_that_proves_an_identity_reaches_the_database(directory: Directory) -> None:
    """Canaries over every text of every table: value, key, password, assertion, token."""
    client = Client()
    secret, value = directory.secret(verify_only=True)
    certificate = directory.certificate(client, keep=False)
    directory.refuse(7000215)
    directory.run(secret, secret_value=value)
    directory.run(certificate, private_key_file=client.key_pem, password="canary-password")
    directory.side.answers.clear()
    directory.run(secret, secret_value=value, scope=own_scope(directory))
    directory.run(certificate, private_key_file=client.key_pem, scope=own_scope(directory))
    dump = database_dump()
    bodies = [body for method, _, _, body in directory.side.requests if method == "POST"]
    assertions = [
        part.partition("=")[2]
        for body in bodies
        for part in body.split("&")
        if part.startswith("client_assertion=")
    ]
    assert len(assertions) == 4
    for canary in [value, value[3:30], client.key_pem.decode().splitlines()[3], "canary-password"]:
        assert canary not in dump
    for assertion in assertions:
        assert assertion not in dump
        assert assertion.rpartition(".")[2] not in dump
    assert "eyJhbGciOiJSUzI1NiIsImtpZCI6ImZhci0xIiwidHlwIjoiSldUIn0." not in dump


def database_dump() -> str:
    """Every value of every table as text."""
    texts = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - names from the database itself
            texts.append(repr(cursor.fetchall()))
    return "".join(texts)


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        ("", "scope_missing"),
        ("   ", "scope_missing"),
        ("x" * 513, "scope_too_long"),
        ("a\nb", "scope_unprintable"),
    ],
)
def test_a_scope_that_cannot_be_sent(directory: Directory, scope: str, code: str) -> None:
    secret, _ = directory.secret()
    with pytest.raises(DomainError) as caught:
        directory.run(secret, scope=scope)
    assert (caught.value.code, caught.value.field) == (code, "scope")
    assert not FlowRun.objects.exists()
    assert directory.side.requests == []


def test_a_verify_only_secret_asks_for_its_value(directory: Directory) -> None:
    secret, _ = directory.secret(verify_only=True)
    with pytest.raises(DomainError) as caught:
        directory.run(secret)
    assert caught.value.field == "secret_value"


def test_a_certificate_without_a_kept_key_asks_for_it(directory: Directory) -> None:
    certificate = directory.certificate(Client())
    certificate = forget_private_key(certificate, actor=directory.actor, now=directory.now)
    with pytest.raises(DomainError) as caught:
        directory.run(certificate)
    assert caught.value.field == "private_key_file"


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x00" * 100, b"-----BEGIN CERTIFICATE-----\n"])
def test_a_key_file_that_is_none(directory: Directory, content: bytes) -> None:
    certificate = directory.certificate(Client(), keep=False)
    with pytest.raises(DomainError) as caught:
        directory.run(certificate, private_key_file=content)
    assert caught.value.field == "private_key_file"
    assert directory.side.requests == []


def test_o9_too_many_in_a_minute(directory: Directory, settings: Any) -> None:
    settings.TESTS_PER_MINUTE = 2
    secret, _ = directory.secret()
    for _ in range(2):
        directory.run(secret, scope=own_scope(directory))
    with pytest.raises(TooManyTestsError):
        directory.run(secret, scope=own_scope(directory))
    FlowRun.objects.update(started_at=directory.now - timedelta(seconds=61))
    directory.run(secret, scope=own_scope(directory))


def test_o9_too_many_at_once_and_a_place_of_a_dead_process(directory: Directory, settings: Any) -> None:
    settings.TESTS_AT_ONCE = 2
    user, now = directory.user, directory.now
    with place_for(user, now=now), place_for(user, now=now):
        with pytest.raises(TooManyTestsError), place_for(user, now=now):
            pytest.fail("a third place was given")
        later = now + timedelta(seconds=3 * settings.TEST_DEADLINE_SECONDS + 1)
        with place_for(user, now=later):
            assert RunningTest.objects.count() == 1
    assert not RunningTest.objects.exists()


def test_the_place_is_given_back_when_a_run_fails(directory: Directory) -> None:
    secret, _ = directory.secret()
    directory.refuse(7000215)
    directory.run(secret)
    assert not RunningTest.objects.exists()


def test_history_queries(directory: Directory) -> None:
    secret, _ = directory.secret()
    good = directory.run(secret, scope=own_scope(directory))
    directory.refuse(7000215)
    directory.now += timedelta(seconds=1)
    bad = directory.run(secret, scope=own_scope(directory))
    directory.now += timedelta(seconds=1)
    worse = directory.run(secret, scope=own_scope(directory))
    last = last_tests([secret.pk])[secret.pk]
    assert (last.run_id, last.words, last.tone) == (worse.pk, "Failed, AADSTS7000215", "bad")
    assert previous_success(worse) == good
    assert failing_since(worse) == (bad.started_at, 2)
    assert last_tests([directory.application.pk]) == {}


def test_the_default_credential_is_the_newest_that_runs(directory: Directory) -> None:
    first, _ = directory.secret()
    directory.now += timedelta(seconds=1)
    second, _ = directory.secret()
    directory.now += timedelta(seconds=1)
    directory.secret(verify_only=True)
    directory.certificate(Client(), keep=False)
    directory.secret(end_at=directory.now - timedelta(seconds=1))
    assert runnable_credentials(directory.application, directory.now) == [second, first]


def test_the_default_scope_is_the_own_api_else_graph(directory: Directory) -> None:
    assert default_scope(directory.application) == "api://harbor/.default"
    assert default_scope(directory.register("No URI")) == "https://graph.microsoft.com/.default"


def test_settings_have_the_promised_defaults() -> None:
    """O-9 and the deadline of a run, in seconds."""
    assert Path(django_settings.CA_FILE).name == "ca.pem"
    assert (django_settings.TESTS_AT_ONCE, django_settings.TESTS_PER_MINUTE) == (2, 20)
    assert django_settings.TEST_DEADLINE_SECONDS == 10
