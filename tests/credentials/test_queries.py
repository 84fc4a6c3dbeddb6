"""The list of registrations: search in every spelling, status as in P4, the same few queries for any size."""

import uuid
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from credmgr.credentials.certificates import add_certificate
from credmgr.credentials.federated import add_federated_credential
from credmgr.credentials.findings import examine
from credmgr.credentials.lifecycle import STATUSES
from credmgr.credentials.models import Certificate, ClientSecret
from credmgr.credentials.queries import (
    ApplicationsPage,
    applications_page,
    credentials_of,
    export_rows,
    live_runnable_credentials,
)
from credmgr.credentials.stored_status import bring_all_up_to_date
from credmgr.credentials.x509 import spellings
from credmgr.registrations.deleting import delete_application
from credmgr.registrations.models import Application
from credmgr.registrations.queries import default_tenant
from tests.credentials.making import certificate, key_pem, pem, rsa_key
from tests.factories import COMMAND, NOW, actor, application, person, secret

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def upload(app: Application, *, days: float = 365, keep: bool = False, serial: int = 1) -> Certificate:
    der = certificate(start=NOW - timedelta(days=400), end=NOW + timedelta(days=days), serial=serial)
    file = pem(der) + key_pem(rsa_key()) if keep else pem(der)
    at = min(NOW, NOW + timedelta(days=days - 1))  # before it ended
    examination = examine(app, certificate_file=file, keep_private_key=keep, now=at)
    return add_certificate(app, examination=examination, description="", actor=COMMAND, now=at)


def listed(**given) -> ApplicationsPage:
    return applications_page(default_tenant(), **({"user": None, "now": NOW} | given))


def names(**given) -> list[str]:
    return [row.application.display_name for row in listed(**given).rows]


@pytest.fixture
def every_status() -> dict[str, Application]:
    """One registration per status; names tell which."""
    made = {
        name: application(name)
        for name in ("none", "no-live", "soon", "current-expired", "current", "future")
    }
    secret(made["no-live"], days=-12, age=100)
    secret(made["soon"], days=23)
    upload(made["soon"])
    secret(made["current-expired"], days=-5, age=100)
    upload(made["current-expired"])
    upload(made["current"], days=200)
    secret(made["future"], days=100, age=-10)
    return made


def test_p4_each_status_filters_its_own(every_status):
    """P4: the conditions in SQL are those of lifecycle."""
    assert [names(status=status) for status in STATUSES] == [
        ["future", "no-live"],
        ["soon"],
        ["current-expired"],
        ["current"],
        ["none"],
    ]
    for status in STATUSES:
        assert {row.status.kind for row in listed(status=status).rows} == {status}


def test_no_live_credential_sorts_first_and_none_last(every_status):
    """P4."""
    by_status = ["no-live", "future", "soon", "current-expired", "current", "none"]
    assert names(sort="status") == by_status
    assert names(sort="-status") == by_status[::-1]
    assert names(sort="expiry") == ["no-live", "soon", "future", "current", "current-expired", "none"]


def test_p4_federated_credentials_are_live_and_have_no_end():
    """P4: the words, the filter and both orders agree."""
    made = {
        name: application(name) for name in ("only", "beside expired", "beside soon", "beside live", "no")
    }
    for name, app in made.items():
        if name != "no":
            add_federated_credential(
                app, name="trust", issuer="https://a.example", subject="a", actor=COMMAND, now=NOW
            )
    for name in ("beside expired", "no"):
        secret(made[name], days=-5, age=100)
    secret(made["beside soon"], days=5)
    secret(made["beside live"], days=100)
    found = {row.application.display_name: row for row in listed().rows}
    assert {name: (row.status.words, row.federated) for name, row in found.items()} == {
        "only": ("Current", 1),
        "beside expired": ("Current, 1 expired", 1),
        "beside soon": ("Expires in 5 days", 1),
        "beside live": ("Current", 1),
        "no": ("No live credential", 0),
    }
    for status in STATUSES:
        assert {row.status.kind for row in listed(status=status).rows} <= {status}
    assert sum(listed(status=status).found for status in STATUSES) == 5
    assert names(sort="status") == ["no", "beside soon", "beside expired", "beside live", "only"]
    assert names(sort="expiry") == ["no", "beside soon", "beside live", "beside expired", "only"]
    assert found["beside expired"].status.nearest_end is None
    assert credentials_of(made["only"]).status(NOW).kind == "current"


@pytest.mark.parametrize("seconds", [-1, 0, 1])
@pytest.mark.parametrize("moment", ["now", "end of the soon window"])
def test_sql_and_words_agree_to_the_second(moment, seconds):
    end = NOW if moment == "now" else datetime(2026, 12, 24, tzinfo=NOW.tzinfo)
    app = application()
    secret(app, days=(end - NOW + timedelta(seconds=seconds)) / timedelta(days=1), age=50)
    [row] = listed().rows
    assert names(status=row.status.kind) == [app.display_name]
    assert sum(listed(status=status).found for status in STATUSES) == 1


def test_names_sort_without_case_and_creation_by_time():
    for age, name in enumerate(["banana", "Apple", "cherry"]):
        application(name, now=NOW - timedelta(days=age))
    assert names() == ["Apple", "banana", "cherry"]
    assert names(sort="-name") == ["cherry", "banana", "Apple"]
    assert names(sort="created") == ["cherry", "Apple", "banana"]
    assert names(sort="nonsense") == ["Apple", "banana", "cherry"]


def test_tabs_and_their_counts():
    robin, noor = person(), person("noor")
    application("hers", actor=actor(noor))
    application("his", actor=actor(robin))
    for name, days in [("deleted", 10), ("beyond restoring", 31)]:
        gone = application(name)
        delete_application(gone, actor=COMMAND, now=NOW - timedelta(days=days))
    assert names(tab="all", user=robin) == names(tab="nonsense", user=robin) == ["hers", "his"]
    assert names(tab="owned", user=robin) == ["his"]
    application("nobody's")
    assert names(tab="owned", user=None) == []
    delete_application(Application.objects.get(display_name="nobody's"), actor=COMMAND, now=NOW)
    page = listed(tab="deleted", user=robin)
    assert [(row.application.display_name, row.days_until_gone) for row in page.rows] == [
        ("deleted", 20),
        ("nobody's", 30),
    ]
    assert page.counts == {"all": 2, "owned": 1, "deleted": 2}


def test_a_row_says_what_the_columns_show():
    robin = person()
    app = application(actor=actor(robin))
    secret(app, days=23)
    upload(app)
    [row] = listed().rows
    assert (row.secrets, row.certificates, row.owners) == (1, 1, ["Robin Vale"])
    assert (row.status.words, row.last_sign_in, row.days_until_gone) == ("Expires in 23 days", None, None)


# ---------------------------------------------------------------- search


def test_the_box_finds_names_and_every_guid():
    app, _ = application("Harbor Sync Worker"), application("Other")
    made, _ = secret(app)
    cert = upload(app)
    terms = ["harbor", "SYNC w", "  Harbor "]
    for guid in (app.pk, app.client_id, app.service_principal_id, made.pk, cert.pk):
        terms += [str(guid), str(guid).upper(), f"{{{guid}}}", guid.hex, str(guid)[:8], str(guid)[:13]]
    for term in terms:
        assert names(search=term) == ["Harbor Sync Worker"], term


def test_a_whole_id_that_is_known_finds_what_has_it_and_another_one_is_looked_for_in_names():
    app, unknown = application("Harbor Sync Worker"), "6f2f4a6e-9f2c-4d0b-8a51-1c6f3f0a7e11"
    application(f"Copy of {app.client_id}")
    application(f"Copy of {unknown}")
    assert names(search=str(app.client_id)) == ["Harbor Sync Worker"]
    assert names(search=str(app.client_id)[:23]) == [f"Copy of {app.client_id}", "Harbor Sync Worker"]
    assert names(search=unknown) == [f"Copy of {unknown}"]


def test_the_box_finds_thumbprints_in_every_spelling():
    app, _ = application(), application("Other")
    cert = upload(app)
    terms = [each.value for each in spellings(cert.thumbprint_sha1, cert.thumbprint_sha256)]
    terms.append(" ".join(cert.thumbprint_sha1[at : at + 4] for at in range(0, 40, 4)))
    for term in terms:
        assert names(search=term) == ["Harbor Sync Worker"], term


def test_the_box_finds_hints_with_or_without_asterisks():
    app = application()
    made, _ = secret(app)
    ClientSecret.objects.filter(pk=made.pk).update(hint="Qf8")
    for term in ("Qf8", "Qf8***", "Qf8" + "*" * 18):
        assert names(search=term) == ["Harbor Sync Worker"], term
    assert names(search="qf8") == []


@pytest.mark.parametrize(
    "term", ["%", "_", "\\", "'; --", "\x00", "é" * 300, "0" * 31, "-" * 40, "{}", "\ud800", "x" * 60_000]
)
def test_any_text_may_be_searched_for(term):
    application("plain")
    assert listed(search=term).found in (0, 1)


def test_search_filter_and_tab_work_together(every_status):
    assert names(search="current", status="current-expired") == ["current-expired"]
    delete_application(every_status["current"], actor=COMMAND, now=NOW)
    assert names(search="current") == ["current-expired"]
    assert names(search="current", tab="deleted") == ["current"]


# ---------------------------------------------------------------- paging and cost


def test_pages_are_within_bounds():
    for number in range(30):
        application(f"app {number:02}")
    first = listed()
    assert (first.found, first.pages, first.first, first.last, len(first.rows)) == (30, 2, 1, 25, 25)
    second = listed(page=2)
    assert (second.first, second.last) == (26, 30)
    assert names(page=2) == [f"app {number}" for number in range(25, 30)]
    assert listed(page=99).page == 2
    assert listed(page=-1).page == 1
    assert (listed(page_size=50).pages, listed(page_size=7).page_size) == (1, 25)
    nothing = listed(search="nothing like it")
    assert (nothing.found, nothing.pages, nothing.first, nothing.last) == (0, 1, 0, 0)


def fill(count: int) -> None:
    tenant = application("first").tenant
    rows = [Application(tenant=tenant, display_name=f"app {n}", created_at=NOW) for n in range(count)]
    Application.objects.bulk_create(rows)
    ClientSecret.objects.bulk_create(
        ClientSecret(
            application=row,
            hint="abc",
            verifier=b"\x01" * 41,
            start_at=NOW - timedelta(days=100),
            end_at=NOW + timedelta(days=20 + at % 200),
            created_at=NOW,
        )
        for at, row in enumerate(rows)
    )


@pytest.mark.parametrize(
    "given",
    [{}, {"sort": "status"}, {"status": "soon"}, {"search": "app"}, {"sort": "expiry", "page_size": 100}],
    ids=str,
)
def test_the_number_of_queries_does_not_grow(given):
    """Issue of scale: as many statements for 300 registrations as for 3."""
    counts = []
    for size in (3, 297):
        fill(size)
        bring_all_up_to_date(NOW)
        with CaptureQueriesContext(connection) as captured:
            assert listed(**given).rows
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 13


def test_sealed_values_are_not_read_for_the_list():
    fill(2)
    with CaptureQueriesContext(connection) as captured:
        listed()
    for query in captured.captured_queries:
        assert '"value"' not in query["sql"]
        assert '"der"' not in query["sql"]


def test_the_default_order_is_read_from_an_index():
    if connection.vendor != "sqlite":
        pytest.skip("the plan is SQLite's")
    fill(300)
    with CaptureQueriesContext(connection) as captured:
        listed()
    [page] = [q["sql"] for q in captured.captured_queries if "LOWER(" in q["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + page)
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert "application_by_name" in plan
    assert "TEMP B-TREE" not in plan


def test_the_export_has_every_row_in_the_order_of_the_list(every_status, settings):
    rows = list(export_rows(default_tenant(), sort="status", user=None, now=NOW))
    assert [row.application.display_name for row in rows] == names(sort="status")
    assert [row.status for row in rows] == [row.status for row in listed(sort="status").rows]
    assert len(list(export_rows(default_tenant(), status="soon", user=None, now=NOW))) == 1
    settings.EXPORT_ROWS = 2
    assert len(list(export_rows(default_tenant(), user=None, now=NOW))) == 2


# ---------------------------------------------------------------- one application


def test_credentials_come_with_the_earliest_end_first():
    app = application()
    late, _ = secret(app, days=300)
    early, _ = secret(app, days=3)
    cert = upload(app, days=100)
    found = credentials_of(app)
    assert (found.secrets, found.certificates, found.all) == ([early, late], [cert], [early, cert, late])
    assert found.status(NOW).words == "Expires in 3 days"


def test_what_a_test_can_run_without_asking_newest_first():
    app = application()
    assert live_runnable_credentials(app, NOW) == []
    secret(app, days=-1, age=10)
    secret(app, verify_only=True)
    secret(app, days=100, age=-5)
    upload(app, serial=1)
    old, _ = secret(app, now=NOW - timedelta(days=3))
    new, _ = secret(app, now=NOW - timedelta(days=1))
    kept = upload(app, keep=True, serial=2)
    assert live_runnable_credentials(app, NOW) == [kept, new, old]


def test_another_directory_is_another_list():
    application()
    other = type(default_tenant()).objects.create(id=uuid.uuid4(), name="Other", created_at=NOW)
    page = applications_page(other, user=None, now=NOW)
    assert (page.found, page.rows) == (0, [])
