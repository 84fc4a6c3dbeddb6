"""The list of registrations and its CSV."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from credmgr.accounts.models import User
from credmgr.audit.models import AuditEvent
from credmgr.audit.recording import Actor
from credmgr.portal.csv_cells import safe_cell
from credmgr.registrations.deleting import delete_application
from credmgr.registrations.models import Application
from tests.portal.conftest import Register
from tests.portal.questions import assert_asks_for_sign_in, assert_refuses_methods
from tests.portal.test_overview import add_secret

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def names(answer: Any) -> list[str]:
    return [row.application.display_name for row in answer.context["page"].rows]


@pytest.mark.parametrize("address", ["/applications", "/applications/export"])
def test_questions_every_page_is_asked(signed_in: Client, address: str) -> None:
    assert_asks_for_sign_in(address)
    assert_refuses_methods(signed_in, address, ["POST", "PUT", "DELETE"])


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("/applications", b"No applications yet"),
        ("/applications?tab=owned", b"You own no application in this directory"),
        ("/applications?tab=deleted", b"No deleted applications"),
        ("/applications?search=zzz", b"No application matches"),
        ("/applications?status=soon", b"No application matches"),
    ],
)
def test_empty_lists_say_what_would_be_here(signed_in: Client, address: str, sentence: bytes) -> None:
    assert sentence in signed_in.get(address).content


def test_tabs_show_what_they_name(
    signed_in: Client, register: Register, person: User, foreign: Application
) -> None:
    register("Mine")
    not_mine = register("Not mine")
    not_mine.owners.clear()
    delete_application(register("Gone"), actor=Actor("Robin Vale", person), now=timezone.now())
    assert names(signed_in.get("/applications")) == ["Mine", "Not mine"]
    assert names(signed_in.get("/applications?tab=owned")) == ["Mine"]
    deleted = signed_in.get("/applications?tab=deleted")
    assert names(deleted) == ["Gone"]
    assert b"Restore Gone" in deleted.content
    assert b"Delete Gone permanently" in deleted.content
    assert b"No owner" in signed_in.get("/applications").content


def test_search_of_the_top_bar_leads_here(signed_in: Client, register: Register) -> None:
    register("Harbor Sync Worker")
    wanted = register("Mail Relay")
    assert names(signed_in.get("/applications?search=mail")) == ["Mail Relay"]
    assert names(signed_in.get(f"/applications?search={wanted.client_id}")) == ["Mail Relay"]
    body = signed_in.get("/applications").content.decode()
    assert '<form action="/applications" method="get"' in body


def test_status_column_and_filter(signed_in: Client, register: Register) -> None:
    """Ruling P4."""
    add_secret(register("Fine"), "a", 200)
    add_secret(register("Close"), "a", 12)
    add_secret(register("Dead"), "a", -3)
    rotated = register("Rotated")
    add_secret(rotated, "old", -3)
    add_secret(rotated, "new", 200)
    register("Bare")
    body = signed_in.get("/applications").content.decode()
    for said in (
        "Expires in 12 days",
        "No live credential",
        "Current, 1 expired",
        "No credentials",
        "Current",
    ):
        assert said in body
    assert names(signed_in.get("/applications?sort=status"))[:2] == ["Dead", "Close"]
    assert names(signed_in.get("/applications?status=no-live")) == ["Dead"]
    assert names(signed_in.get("/applications?status=current-expired")) == ["Rotated"]


def test_sorting_is_in_the_address_and_said_to_screen_readers(signed_in: Client, register: Register) -> None:
    register("b")
    register("a")
    assert names(signed_in.get("/applications")) == ["a", "b"]
    answer = signed_in.get("/applications?sort=-name")
    assert names(answer) == ["b", "a"]
    assert b'aria-sort="descending"' in answer.content


def test_pages_keep_search_and_order(signed_in: Client, register: Register) -> None:
    for number in range(30):
        register(f"App {number:02}")
    first = signed_in.get("/applications?sort=-name&search=app")
    assert len(names(first)) == 25
    second = signed_in.get(first.context["next_address"])
    assert names(second) == [f"App {number:02}" for number in range(4, -1, -1)]
    assert b"26 to 30 of 30" in second.content
    assert len(names(signed_in.get("/applications?size=50"))) == 30


@pytest.mark.parametrize(
    "query",
    [
        *("page=0", "page=-3", "page=abc", "page=999999999999", "page=1&page=2", "size=7", "size=x"),
        *("tab=nope", "sort=drop", "status=x"),
        *("search=%00", "search=%25%5F", "search=" + "x" * 3000, "search=%F0%9F%94%91"),
    ],
)
def test_nonsense_in_the_address_is_no_server_error(
    signed_in: Client, harbor: Application, query: str
) -> None:
    assert signed_in.get(f"/applications?{query}").status_code == 200


def test_the_number_of_queries_does_not_grow(
    signed_in: Client, register: Register, django_assert_max_num_queries: Any
) -> None:
    for number in range(25):
        add_secret(register(f"App {number}"), "a", number)
    with django_assert_max_num_queries(16):
        signed_in.get("/applications")


def test_hostile_names_stay_text(signed_in: Client, register: Register) -> None:
    register("<img src=x onerror=alert(1)>")
    body = signed_in.get("/applications").content.decode()
    assert "<img src=x" not in body


def read_csv(answer: Any) -> list[dict[str, str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_holds_what_the_list_shows_and_is_audited_without_the_search(
    signed_in: Client, register: Register
) -> None:
    wanted = register("Mail Relay")
    add_secret(wanted, "a", 200)
    register("Other")
    answer = signed_in.get("/applications/export?search=mail")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "attachment" in answer.headers["Content-Disposition"]
    (row,) = read_csv(answer)
    assert (row["Display name"], row["Application (client) ID"]) == ("Mail Relay", str(wanted.client_id))
    assert (row["Credential status"], row["Client secrets"], row["Owners"]) == ("Current", "1", "Robin Vale")
    event = AuditEvent.objects.get(tag="directory:applications:exported")
    assert event.changes == {"tab": "All applications", "status": "All"}
    assert "mail" not in str(event.__dict__)


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ('=HYPERLINK("http://evil")', '\'=HYPERLINK("http://evil")'),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),  # noqa: RUF001 - the full-width sign is what is tested
        ("\t=1", "'\\t=1"),
        ("a\r\nb", "a\\r\\nb"),
        ("a\x00b", "a\\x00b"),
        ("a\u202eb", "a\\u202eb"),
        ("Ærø-værft 7", "Ærø-værft 7"),
    ],
)
def test_cells_are_data_and_no_formula(typed: str, written: str) -> None:
    """U-6."""
    assert safe_cell(typed) == written


def test_a_hostile_name_is_harmless_in_the_csv(signed_in: Client, register: Register) -> None:
    register("=1+1")
    (row,) = read_csv(signed_in.get("/applications/export"))
    assert row["Display name"] == "'=1+1"


def test_the_last_days_of_a_deleted_one_are_counted(
    signed_in: Client, register: Register, person: User
) -> None:
    delete_application(
        register("Gone"), actor=Actor("Robin Vale", person), now=timezone.now() - timedelta(days=27)
    )
    assert b"In 3 days" in signed_in.get("/applications?tab=deleted").content
