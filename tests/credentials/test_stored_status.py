"""The credential status stored with each registration says what its credentials say, whatever happens."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from credmgr.credentials import application_filters as filters
from credmgr.credentials import status_order, stored_status
from credmgr.credentials.application_filters import SORTS_BY_STATUS
from credmgr.credentials.client_secrets import delete_client_secret
from credmgr.credentials.federated import add_federated_credential, delete_federated_credential
from credmgr.credentials.lifecycle import STATUSES
from credmgr.credentials.models import Certificate, ClientSecret
from credmgr.credentials.queries import applications_page
from credmgr.credentials.stored_status import bring_all_up_to_date
from credmgr.registrations.models import Application
from credmgr.registrations.queries import default_tenant
from tests.factories import COMMAND, NOW, application, secret

pytestmark = [pytest.mark.django_db, pytest.mark.database]

HOUR = timedelta(hours=1)


def listed(now, **given) -> list[str]:
    page = applications_page(default_tenant(), user=None, now=now, **given)
    return [row.application.display_name for row in page.rows]


def everything(now) -> dict[str, list[str]]:
    """Every status with its registrations, and both orders."""
    found = {status: listed(now, status=status) for status in STATUSES}
    return found | {sort: listed(now, sort=sort) for sort in SORTS_BY_STATUS}


def asked_of_credentials(now, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The same where the stored ones are out of the game."""
    with monkeypatch.context() as patched:
        patched.setattr(stored_status, "bring_up_to_date", lambda _: False)
        return everything(now)


def trusting(app: Application):
    return add_federated_credential(
        app, name="trust", issuer="https://a.example", subject="a", actor=COMMAND, now=NOW
    )


@pytest.fixture
def scene() -> dict[str, Application]:
    """Registrations in every state, with credentials that begin and end at different times."""
    made = {name: application(name) for name in ("a", "b", "c", "d", "e", "f", "g")}
    secret(made["a"], days=10)
    secret(made["a"], days=-3, age=40)
    secret(made["b"], days=200)
    secret(made["c"], days=-3, age=40)
    secret(made["d"], days=100, age=-20)  # begins in 20 days
    trusting(made["e"])
    trusting(made["f"])
    secret(made["f"], days=40)
    return made


def delete_a_secret(scene: dict[str, Application]) -> None:
    row = ClientSecret.objects.get(application=scene["b"])
    delete_client_secret(row, actor=COMMAND, now=NOW)


def delete_the_trust(scene: dict[str, Application]) -> None:
    row = scene["e"].federated_credentials.get()
    delete_federated_credential(row, actor=COMMAND, now=NOW)


CHANGES: dict[str, Callable[[dict[str, Application]], object]] = {
    "a secret is added": lambda scene: secret(scene["g"], days=50),
    "a secret is deleted": delete_a_secret,
    "a federated credential is added": lambda scene: trusting(scene["g"]),
    "a federated credential is deleted": delete_the_trust,
    "another program changes the end": lambda scene: ClientSecret.objects.filter(
        application=scene["b"]
    ).update(end_at=NOW - HOUR),
    "another program moves a secret": lambda scene: ClientSecret.objects.filter(
        application=scene["b"]
    ).update(application=scene["g"]),
    "a certificate is added": lambda scene: Certificate.objects.create(
        application=scene["g"],
        der=b"\x01" * 64,
        thumbprint_sha1="A" * 40,
        thumbprint_sha256="B" * 64,
        key_type="RSA",
        key_size=2048,
        start_at=NOW - HOUR,
        end_at=NOW + 5 * HOUR,
        created_at=NOW,
    ),
    "everything is purged": lambda scene: scene["a"].delete(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_it_follows_each_change(
    change: str, scene: dict[str, Application], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(NOW)
    assert before == asked_of_credentials(NOW, monkeypatch)
    CHANGES[change](scene)
    after = everything(NOW)
    assert after != before
    assert after == asked_of_credentials(NOW, monkeypatch)


@pytest.mark.parametrize("days", [-5, -3, 0, 5, 9.99, 10, 10.01, 20, 40, 99, 101, 201])
def test_it_follows_the_clock_forth_and_back(
    days: float, scene: dict[str, Application], monkeypatch: pytest.MonkeyPatch
) -> None:
    everything(NOW)
    then = NOW + timedelta(days=days)
    assert everything(then) == asked_of_credentials(then, monkeypatch)
    assert everything(NOW) == asked_of_credentials(NOW, monkeypatch)


def test_too_many_for_a_page_are_left_to_the_upkeep(
    scene: dict[str, Application], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("credmgr.credentials.stored_status._FEW", 2)
    expected = everything(NOW)
    assert expected == asked_of_credentials(NOW, monkeypatch)
    assert Application.objects.filter(credential_state_until__lt=NOW).count() == 6
    assert bring_all_up_to_date(NOW) == 6
    assert not Application.objects.filter(credential_state_until__lt=NOW).exists()
    assert everything(NOW) == expected
    assert bring_all_up_to_date(NOW) == 0


@pytest.mark.skipif(connection.vendor != "sqlite", reason="how PostgreSQL refuses to write is its own matter")
def test_a_database_that_takes_no_writes_still_lists(
    scene: dict[str, Application], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = asked_of_credentials(NOW, monkeypatch)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = 1")
        try:
            assert everything(NOW) == expected
        finally:
            cursor.execute("PRAGMA query_only = 0")
    assert Application.objects.filter(credential_state_until__lt=NOW).count() == 6


def test_what_holds_is_not_written_again(scene: dict[str, Application]) -> None:
    everything(NOW)
    with CaptureQueriesContext(connection) as captured:
        everything(NOW + timedelta(seconds=1))
    assert not [query for query in captured.captured_queries if query["sql"].startswith("UPDATE")]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL plans by statistics")
def test_status_is_asked_of_an_index_alone() -> None:
    tenant = application("Harbor").tenant
    rows = (Application(tenant=tenant, display_name=f"Service {n}", created_at=NOW) for n in range(2000))
    Application.objects.bulk_create(rows)
    for given in ({"sort": "status"}, *({"status": status} for status in STATUSES)):
        with CaptureQueriesContext(connection) as captured:
            listed(NOW, **given)
        told = [query["sql"] for query in captured.captured_queries]
        asked = [sql for sql in told if 'credential_state"' in sql.partition(" WHERE ")[2]]
        assert asked, given
        with connection.cursor() as cursor:
            for sql in asked:
                cursor.execute("EXPLAIN QUERY PLAN " + sql)
                steps = " ".join(row[3] for row in cursor.fetchall())
                assert "ORDER BY" not in steps, (given, sql, steps)
                if "status" in given:
                    by_index = ("AND credential_state=?" in steps) or ("AND credential_end<?" in steps)
                    assert by_index, (given, sql, steps)
                else:
                    assert "COVERING INDEX application_by_" in steps, (given, sql, steps)
                assert "client_secret" not in sql


@pytest.mark.parametrize("tab", [filters.ALL, filters.DELETED])
@pytest.mark.parametrize("few", [0, 3, 2_000])
def test_any_part_of_the_order_by_status_is_that_of_the_whole(
    few: int, tab: str, scene: dict[str, Application], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the statuses are walked in the index or put in order."""
    monkeypatch.setattr(status_order, "_FEW", few)
    for number in range(12):
        secret(application(f"h{number}"), days=(400, 12, -5)[number % 3] + number % 4, age=50)
    assert stored_status.bring_up_to_date(NOW)
    rows = Application.objects.filter(deleted_at=None)
    live = list(filters.in_order(rows, filters.ALL, "status", NOW, stored=True).values_list("pk", flat=True))
    if tab == filters.DELETED:  # one after the other: that is not the order asked for
        for number, app in enumerate(rows.order_by("pk")):
            Application.objects.filter(pk=app.pk).update(deleted_at=NOW - timedelta(minutes=number))
        rows = Application.objects.exclude(deleted_at=None)
    for sort, backwards in (("status", False), ("-status", True)):
        whole = list(filters.in_order(rows, tab, sort, NOW, stored=True).values_list("pk", flat=True))
        assert whole == (live[::-1] if backwards else live)
        assert len(whole) == 19
        for start in range(19):
            for stop in range(start, 20):
                part = status_order.keys_at(rows, tab, range(start, stop), 19, NOW, backwards=backwards)
                assert part == whole[start:stop], (sort, start, stop)
