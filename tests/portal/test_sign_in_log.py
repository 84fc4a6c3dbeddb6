"""The sign-in log: of the directory, of an application, of one request."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from credmgr.audit.models import SignIn
from credmgr.portal.views.sign_ins import PAGE_SIZE
from credmgr.registrations.models import Application
from tests.portal.conftest import UNKNOWN, Register
from tests.portal.questions import assert_asks_for_sign_in, assert_hides, assert_refuses_methods
from tests.portal.test_overview import add_secret

pytestmark = pytest.mark.django_db
THUMBPRINT = "A1B2C3D4E5F60718293A4B5C6D7E8F9001122334"


def record(application: Application, count: int = 1, **given: object) -> SignIn:
    """Rows as the token endpoint writes them; the newest is returned."""
    for number in range(count):
        row = SignIn.objects.create(
            **{
                "at": timezone.now() - timedelta(seconds=count - number),
                "trace_id": uuid.uuid4(),
                "correlation_id": uuid.uuid4(),
                "tenant_id": application.tenant_id,
                "client_id": str(application.client_id),
                "application_id": application.pk,
                "resource": "api://route-planner",
                "address": "10.24.6.11",
            }
            | given
        )
    return row


def test_questions_every_page_is_asked(signed_in: Client, harbor: Application, foreign: Application) -> None:
    row = record(harbor)
    for address in ("/sign-ins", f"/sign-ins/{row.pk}", f"/applications/{harbor.pk}/sign-ins"):
        assert_asks_for_sign_in(address)
        assert_refuses_methods(signed_in, address, ["POST", "PUT", "DELETE"])
    assert_hides(signed_in, "/applications/{}/sign-ins", foreign)


def test_without_rows_it_says_what_would_be_here(signed_in: Client, harbor: Application) -> None:
    for address in ("/sign-ins", f"/applications/{harbor.pk}/sign-ins"):
        assert b"No sign-ins yet" in signed_in.get(address).content


def test_a_row_names_application_credential_and_the_reason(signed_in: Client, harbor: Application) -> None:
    secret = add_secret(harbor, "worker-prod-2026", 30)
    record(harbor, credential_id=secret.pk, credential_type="clientSecret")
    record(harbor, error_code=7000215, credential_type="clientSecret", count=1)
    for address in ("/sign-ins", f"/applications/{harbor.pk}/sign-ins"):
        body = signed_in.get(address).content.decode()
        assert "worker-prod-2026" in body
        assert "AADSTS7000215" in body
        assert "None matched" in body
        assert "api://route-planner" in body
        assert "1 succeeded" in body
        assert "1 refused" in body
    assert "Harbor Sync Worker" in signed_in.get("/sign-ins").content.decode()


def test_unknown_callers_and_deleted_things_are_said(signed_in: Client, harbor: Application) -> None:
    record(harbor, application_id=None, client_id="5d0e0000-0000-4000-8000-000000000091", error_code=700016)
    record(harbor, credential_id=UNKNOWN, credential_type="clientSecret")
    body = signed_in.get("/sign-ins").content.decode()
    assert "Not known" in body
    assert "5d0e0000-0000-4000-8000-000000000091" in body
    assert "Since deleted" in body


def test_what_a_client_wrote_is_data_and_not_markup(signed_in: Client, harbor: Application) -> None:
    row = record(
        harbor,
        application_id=None,
        client_id="<script>alert(1)</script>",
        resource='"><img src=x>',
        error_code=700016,
    )
    for address in ("/sign-ins", f"/sign-ins/{row.pk}"):
        body = signed_in.get(address).content.decode()
        assert "<script>alert" not in body
        assert "<img src" not in body


def test_one_request_shows_every_id_and_the_cure(signed_in: Client, harbor: Application) -> None:
    row = record(harbor, error_code=7000222, thumbprint=THUMBPRINT, service_principal_id=UNKNOWN)
    body = signed_in.get(f"/sign-ins/{row.pk}").content.decode()
    for value in (row.trace_id, row.correlation_id, harbor.client_id, UNKNOWN, THUMBPRINT, "10.24.6.11"):
        assert str(value) in body
    assert "AADSTS7000222" in body
    assert 'class="message message-bad"' in body


def test_another_directorys_rows_are_hidden(
    signed_in: Client, harbor: Application, foreign: Application
) -> None:
    theirs = record(foreign, address="203.0.113.9")
    assert "203.0.113.9" not in signed_in.get("/sign-ins").content.decode()
    assert signed_in.get(f"/sign-ins/{theirs.pk}").status_code == 404
    assert signed_in.get("/sign-ins/99999999").status_code == 404
    assert signed_in.get("/sign-ins/99999999999999999999999").status_code == 404


def test_filters_by_result_and_code(signed_in: Client, harbor: Application) -> None:
    record(harbor, 2)
    record(harbor, error_code=7000215)
    record(harbor, error_code=7000222)

    def codes(query: str) -> list[int]:
        return [row.record.error_code for row in signed_in.get(f"/sign-ins?{query}").context["rows"]]

    assert codes("result=success") == [0, 0]
    assert codes("result=failure") == [7000222, 7000215]
    assert codes("code=7000215") == [7000215]
    assert codes("result=nonsense") == [7000222, 7000215, 0, 0]
    body = signed_in.get("/sign-ins?code=abc").content.decode()
    assert "A code is a number such as 7000215." in body


@pytest.mark.parametrize(
    "by", ["correlation_id", "trace_id", "client_id", "application_id", "thumbprint", "address", "token_id"]
)
def test_search_finds_by_any_id(signed_in: Client, harbor: Application, register: Register, by: str) -> None:
    record(register("Other"), 3)
    wanted = record(harbor, thumbprint=THUMBPRINT, address="2001:db8::7", token_id="uti-1234")
    found = signed_in.get("/sign-ins", {"search": str(getattr(wanted, by))})
    assert [row.record.pk for row in found.context["rows"]] == [wanted.pk]


def test_search_takes_thumbprints_in_other_spellings_and_names(
    signed_in: Client, harbor: Application, register: Register
) -> None:
    record(register("Other"))
    wanted = record(harbor, thumbprint=THUMBPRINT)
    with_colons = ":".join(THUMBPRINT[at : at + 2] for at in range(0, 40, 2)).lower()
    for search in (with_colons, "harbor"):
        found = signed_in.get("/sign-ins", {"search": search})
        assert [row.record.pk for row in found.context["rows"]] == [wanted.pk]


def test_pages_go_to_older_and_back_without_counting(signed_in: Client, harbor: Application) -> None:
    record(harbor, PAGE_SIZE + 3)
    first = signed_in.get("/sign-ins")
    second = signed_in.get(first.context["page"].older_address)
    assert len(second.context["rows"]) == 3
    back = signed_in.get(second.context["page"].newer_address)
    assert [row.record.pk for row in back.context["rows"]] == [row.record.pk for row in first.context["rows"]]


def test_the_number_of_queries_does_not_grow(
    signed_in: Client, harbor: Application, register: Register, django_assert_max_num_queries: Any
) -> None:
    for number in range(10):
        other = register(f"Other {number}")
        record(other, 3, credential_id=add_secret(other, "a", 9).pk)
    with django_assert_max_num_queries(11):
        signed_in.get("/sign-ins")


@pytest.mark.parametrize(
    "query",
    [
        "before=x",
        "after=-1",
        "before=9" + "9" * 30,
        "code=99999999999999",
        "search=%00",
        "search=" + "a" * 5000,
    ],
)
def test_nonsense_in_the_address_is_no_server_error(
    signed_in: Client, harbor: Application, query: str
) -> None:
    record(harbor)
    assert signed_in.get(f"/sign-ins?{query}").status_code == 200
