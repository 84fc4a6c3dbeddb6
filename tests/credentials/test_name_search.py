"""What a search finds by the index of the parts of names is what comparing every name finds, whatever happens
to names.
"""

import random
from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import QuerySet

from credmgr.credentials.application_search import matching
from credmgr.registrations.deleting import delete_application, purge_application
from credmgr.registrations.models import Application
from credmgr.registrations.name_parts import TRIGGERS, names_with
from credmgr.registrations.queries import default_tenant
from tests.factories import COMMAND, NOW, application

pytestmark = [pytest.mark.django_db, pytest.mark.database]

NAMES = [
    "Harbor Sync Worker",
    "harbor sync worker",
    "Überweisung Straße",
    'He said "now"',
    "100% _off_",
    "back\\slash",
    "AND OR NOT NEAR",
    "star* (group) col:on ^x",
    "日本語のアプリ",
    "rocket 🚀🚀🚀",
    "aaaaaa",
    "İstanbul",
]
TERMS = [
    *(name[start : start + length] for name in NAMES for start in (0, 2, 5) for length in (1, 2, 3, 5, 30)),
    *("HARBOR", "überweisung", "STRASSE", "%", "_", "100% _", "\\sl", "r*(", "aaaa", "aaaaaaa"),
    *('"now"', '"', "'; --", "NEAR(", "col:on", "{name}"),
]


def found(term: str) -> set[str]:
    rows = Application.objects.filter(deleted_at=None)
    return set(matching(rows, default_tenant(), term).rows.values_list("display_name", flat=True))


def compared(term: str) -> set[str]:
    rows: QuerySet[Application, Application] = Application.objects.filter(deleted_at=None)
    return set(rows.filter(display_name__icontains=term.strip()).values_list("display_name", flat=True))


@pytest.fixture
def named() -> list[Application]:
    """An application of each name."""
    return [application(name) for name in NAMES]


def test_every_part_is_found_in_the_names_that_have_it(named: list[Application]) -> None:
    for term in TERMS:
        assert found(term) == compared(term), term
    assert found("bor Sync") == {"Harbor Sync Worker", "harbor sync worker"}


def test_the_index_answers_where_it_can(named: list[Application]) -> None:
    answers = {term: names_with(term, at_most=5) for term in ("bor", "or", "no such part")}
    known = connection.vendor == "sqlite"
    assert answers == {"bor": 2 if known else None, "or": None, "no such part": 0 if known else None}
    assert names_with("bor", at_most=1) == (2 if known else None)
    assert names_with("a", at_most=1) is None


def one() -> Application:
    return Application.objects.filter(deleted_at=None).order_by("?").first() or application("Harbor")


def by_hand(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def renamed() -> None:
    app = one()
    app.display_name = random.choice(NAMES)  # noqa: S311 - a test's
    app.save()


def undone() -> None:
    with transaction.atomic():
        application("Harbor never there")
        transaction.set_rollback(True)


ACTS: dict[str, Callable[[], object]] = {
    "registered": lambda: application("Harbor Two"),
    "renamed": renamed,
    "deleted": lambda: delete_application(one(), actor=COMMAND, now=NOW),
    "purged": lambda: [
        purge_application(app, actor=COMMAND, now=NOW)
        for app in Application.objects.exclude(deleted_at=None)[:1]
    ],
    "in bulk": lambda: Application.objects.bulk_create(
        Application(tenant=default_tenant(), display_name=f"Harbor {n}", created_at=NOW) for n in range(5)
    ),
    "all renamed by hand": lambda: by_hand(
        "UPDATE registrations_application SET display_name = 'Worker ' || display_name"
    ),
    "deleted by hand": lambda: by_hand(
        f"DELETE FROM registrations_application WHERE display_name LIKE '%arbor {random.randrange(5)}'"  # noqa: S608, S311
    ),
    "undone": undone,
    "migrated": lambda: call_command("migrate", verbosity=0),
}


def test_it_follows_whatever_happens_to_names(named: list[Application]) -> None:
    for act in random.Random(20261201).choices(list(ACTS), k=40):  # noqa: S311 - the same acts each time
        ACTS[act]()
        for term in ("Harbor", "harbor sync", "Worker", "never there", "ker Wor", "日本語", "bor 3"):
            assert found(term) == compared(term), (act, term)


def test_what_is_found_in_other_ways_comes_too(named: list[Application]) -> None:
    app = named[0]
    start = str(app.client_id)[:8]
    other = application(f"Copy of {start}")
    assert found(start) == {app.display_name, other.display_name}


def test_without_the_index_every_name_is_compared(named: list[Application]) -> None:
    """As on a SQLite that was built without it."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL asks the same with and without")
    TRIGGERS.remove(connection)
    by_hand("DROP TABLE registrations_namepart")
    assert TRIGGERS.missing(connection) == []
    assert names_with("arbor", at_most=5) is None
    application("Harbor Three")
    assert found("arbor t") == {"Harbor Three"}


def test_postgresql_has_an_index_for_what_the_search_asks(named: list[Application]) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("about PostgreSQL: `make test-postgres` runs it")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")
        cursor.execute("SET LOCAL enable_indexonlyscan = off")
    assert "application_name_parts" in Application.objects.filter(display_name__icontains="arbor").explain()
