"""The audit pages: of an application and of the directory."""

import uuid
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from credmgr.audit.events import EventTag
from credmgr.audit.models import AuditEvent
from credmgr.portal.audit_words import TAG_WORDS, changes
from credmgr.portal.views.audit import PAGE_SIZE
from credmgr.registrations.models import Application
from tests.portal.conftest import Register
from tests.portal.questions import assert_asks_for_sign_in, assert_hides, assert_refuses_methods

pytestmark = pytest.mark.django_db


def record(count: int, **given: object) -> None:
    for number in range(count):
        AuditEvent.objects.create(
            **{
                "at": timezone.now(),
                "actor_name": "Noor Hadley",
                "tag": EventTag.SECRET_DELETED.value,
                "object_name": f"object {number:03}",
            }
            | given
        )


def test_questions_every_page_is_asked(signed_in: Client, harbor: Application, foreign: Application) -> None:
    for address in ("/audit", f"/applications/{harbor.pk}/audit"):
        assert_asks_for_sign_in(address)
        assert_refuses_methods(signed_in, address, ["POST", "PUT", "DELETE"])
    assert_hides(signed_in, "/applications/{}/audit", foreign)


def test_every_kind_of_act_has_words() -> None:
    assert set(TAG_WORDS) == set(EventTag)


def test_says_who_did_what_on_which_object(signed_in: Client, harbor: Application) -> None:
    for address in ("/audit", f"/applications/{harbor.pk}/audit"):
        body = signed_in.get(address).content.decode()
        assert "Application registered" in body
        assert "Harbor Sync Worker" in body
        assert "Robin Vale" in body


def test_another_applications_acts_are_not_shown(
    signed_in: Client, harbor: Application, register: Register
) -> None:
    other = register("Mail Relay")
    assert "Mail Relay" not in signed_in.get(f"/applications/{harbor.pk}/audit").content.decode()
    assert "Mail Relay" in signed_in.get(f"/applications/{other.pk}/audit").content.decode()


def test_another_directorys_acts_are_not_shown(signed_in: Client) -> None:
    record(1, tenant_id=uuid.uuid4(), object_name="elsewhere")
    assert "elsewhere" not in signed_in.get("/audit").content.decode()


def test_pages_go_to_older_and_back(signed_in: Client) -> None:
    record(PAGE_SIZE + 5)
    first = signed_in.get("/audit")
    assert len(first.context["rows"]) == PAGE_SIZE
    second = signed_in.get(first.context["page"].older_address)
    older = [row.event.object_name for row in second.context["rows"]]
    assert older[:5] == [f"object {number:03}" for number in range(4, -1, -1)]
    assert second.context["page"].older_address == ""
    back = signed_in.get(second.context["page"].newer_address)
    assert [row.event.pk for row in back.context["rows"]] == [row.event.pk for row in first.context["rows"]]


@pytest.mark.parametrize(
    "query",
    [
        "before=abc",
        "before=-1",
        "after=9" * 9,
        "before=99999999999999999999999",
        "activity=nonsense",
        "result=x",
        "search=%00",
    ],
)
def test_nonsense_in_the_address_is_no_server_error(signed_in: Client, query: str) -> None:
    record(2)
    assert signed_in.get(f"/audit?{query}").status_code == 200


def test_filters_and_search(signed_in: Client, harbor: Application) -> None:
    record(3)
    only = signed_in.get("/audit?activity=application:registered")
    assert [row.activity for row in only.context["rows"]] == ["Application registered"]
    assert len(signed_in.get("/audit?search=object 001").context["rows"]) == 1
    assert len(signed_in.get("/audit?search=noor").context["rows"]) == 3
    assert len(signed_in.get(f"/audit?search={harbor.pk}").context["rows"]) == 1
    nothing = signed_in.get("/audit?search=no-such-thing")
    assert b"No entry matches" in nothing.content


def test_the_number_of_queries_does_not_grow(
    signed_in: Client, harbor: Application, register: Register, django_assert_max_num_queries: Any
) -> None:
    for number in range(8):
        register(f"Application {number}")
    record(30, application_id=harbor.pk)
    with django_assert_max_num_queries(10):
        signed_in.get("/audit")


def test_changes_read_like_sentences() -> None:
    recorded = {
        "displayName": ["Old", "New"],
        "identifierUri": [None, "api://x"],
        "isDisabled": [False, True],
        "endDateTime": [None, "2026-12-16T09:00:00+00:00"],
        "rows": 1284,
        "description": [None, ""],
        "endedSessions": [0, 1],
        "verifyOnly": [None, False],
        "privateKeyKept": [None, True],
        "notes": ["Old", ""],
        "roles": [["Mail.Send"], None],
    }
    assert changes(recorded) == [
        "Name: Old, now New",
        "Application ID URI: api://x",
        "Disabled: no, now yes",
        "End: 16 Dec 2026, 09:00 UTC",
        "Rows: 1,284",
        "Ended sessions: 1",
        "Private key kept: yes",
        "Notes: Old, now empty",
        "Roles: Mail.Send, now empty",
    ]


@pytest.mark.parametrize(
    ("verdict", "code", "said"),
    [
        ("verified", 0, "Passed"),
        ("refused", 500011, "Failed, AADSTS500011"),
        ("unreachable", 0, "Not reached"),
    ],
)
def test_a_token_test_says_what_came_of_it_first(verdict: str, code: int, said: str) -> None:
    """Codes are names: no grouping, and none where there is none."""
    recorded = {
        "authority": ["", "https://idp.example/a"],
        "scope": ["", "api://x/.default"],
        "verdict": ["", verdict],
        "error_code": [0, code],
    }
    assert changes(recorded) == [said, "Scope: api://x/.default", "Authority: https://idp.example/a"]
    built_in = recorded | {"authority": ["", f"{settings.AUTHORITY_URL}/a"]}
    assert changes(built_in) == [said, "Scope: api://x/.default"]
