"""A hundred thousand registrations stay quick: what the list asks is answered by indexes alone, and only the
rows of the page are read. What decides is the plan, not a clock.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from credmgr.accounts.models import User
from credmgr.credentials.queries import applications_page
from credmgr.registrations.models import Application
from credmgr.registrations.queries import default_tenant
from tests.factories import NOW, application, elsewhere, person

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        connection.vendor != "sqlite", reason="PostgreSQL plans by statistics; the indexes are the same"
    ),
]
# By the name of what is asked: the search, and an index that has to be walked for it.
SEARCHES = {
    "part of a name": ("harbor", "application_elsewhere (tenant_id=?)"),
    "client ID": ("6f2f4a6e-9f2c-4d0b-8a51-1c6f3f0a7e11", "(client_id>? AND client_id<?)"),
    "object ID": ("6f2f4a6e", "(id>? AND id<?)"),
    "SHA-1 thumbprint": ("A1B2C3D4E5F60718293A4B5C6D7E8F9001122334", "(thumbprint_sha1=?)"),
    "hint of a secret": ("a1B", "client_secret_hint (hint=?)"),
}


@pytest.fixture(autouse=True)
def many() -> None:
    """Three thousand registrations, some of them deleted."""
    tenant = application("Harbor").tenant
    Application.objects.bulk_create(
        Application(
            tenant=tenant,
            display_name=f"Service {number}",
            created_at=NOW,
            deleted_at=NOW - timedelta(days=1) if number % 50 == 0 else None,
        )
        for number in range(3000)
    )


def plans(user: User | None = None, **given: str) -> dict[str, list[str]]:
    """{statement: steps of its plan} of one page of the list."""
    with CaptureQueriesContext(connection) as captured:
        applications_page(default_tenant(), user=user, now=NOW, **given)  # type: ignore[arg-type]
    found = {}
    with connection.cursor() as cursor:
        for query in captured.captured_queries:
            cursor.execute("EXPLAIN QUERY PLAN " + query["sql"].replace("%", "%%"))
            found[query["sql"]] = [row[3] for row in cursor.fetchall()]
    return found


def of_registrations(steps: list[str]) -> list[str]:
    """Those steps that touch the registrations themselves."""
    return [step for step in steps if "registrations_application " in f"{step} "]


def test_the_tabs_are_counted_in_an_index() -> None:
    [(text, steps)] = [each for each in plans().items() if "COUNT(*)" in each[0]]
    assert '"deleted_at" >=' in text  # those that are not deleted are counted beside the directory
    assert all("USING COVERING INDEX" in step for step in of_registrations(steps)), (text, steps)


@pytest.mark.parametrize("given", [{"tab": "owned"}, {"tab": "all"}, {"sees_all": False}], ids=str)
def test_what_somebody_owns_is_found_by_what_they_own(given: dict[str, Any]) -> None:
    found = {
        text: of_registrations(steps)
        for text, steps in plans(user=person(), **given).items()
        if "ownership" in text and "registrations_application" in text.partition(" FROM ")[2][:30]
    }
    assert found
    for text, steps in found.items():
        assert all("(id=?)" in step for step in steps), (text, steps)


def test_whether_any_live_elsewhere_is_asked_of_those_elsewhere() -> None:
    assert [steps for steps in plans().values() if "application_elsewhere" in " ".join(steps)]
    elsewhere("Ledger")
    asked = [steps for text, steps in plans(place="entra").items() if "authority_kind" in text]
    for steps in asked:
        assert "application_elsewhere" in " ".join(steps), steps
        assert "TEMP B-TREE" not in " ".join(steps), steps
    in_order = "application_elsewhere_name (tenant_id=? AND authority_kind=? AND deleted_at=?)"
    assert len([steps for steps in asked if in_order in " ".join(steps)]) == 2  # how many, and the page


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_walks_indexes(name: str) -> None:
    search, expected = SEARCHES[name]
    # What is found by an index of its own comes first; then the few that have it in their name, one by one.
    asked = plans(search=search)
    [others] = [steps for text, steps in asked.items() if "authority_url" in text.partition("WHERE")[2]]
    [named] = [steps for text, steps in asked.items() if "EXISTS" in text and "namepart" in text]
    assert expected in " ".join(others), others
    assert "COVERING INDEX application_elsewhere" in " ".join(others), others
    assert any("VIRTUAL TABLE INDEX 0:M" in step for step in named), named
    assert "SEARCH U0 USING INDEX sqlite_autoindex_registrations_application_1 (id=?)" in named
    assert of_registrations(named)
    assert all("(id=?)" in step for step in of_registrations(named)), named


def test_a_whole_id_that_is_known_is_compared_with_no_name() -> None:
    app = Application.objects.order_by("pk")[0]
    asked = plans(search=str(app.client_id))
    assert not [text for text in asked if 'display_name" LIKE' in text]
    shown = [steps for text, steps in asked.items() if "LOWER(" in text]
    assert any("(id=?)" in step for step in shown[0]), shown


@pytest.mark.parametrize(
    ("search", "asked"),
    [("Service", 2), ("Se", 3)],
    ids=["known to be many", "too short for the index"],
)
def test_a_search_that_finds_many_is_counted_and_read_in_the_order_of_the_page(
    search: str, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How many there are, and the page; before that, where nobody knows, whether they are few."""
    monkeypatch.setattr("credmgr.credentials.queries._FEW", 10)
    searching = [steps for text, steps in plans(search=search).items() if 'display_name" LIKE' in text]
    assert len(searching) == asked
    for steps in searching:
        covered = [step for step in steps if "(tenant_id=? AND deleted_at=?)" in step]
        assert covered, steps
        assert all("COVERING" in step or "application_by_name" in step for step in covered), steps
        assert not [step for step in steps if "ORDER BY" in step], steps
