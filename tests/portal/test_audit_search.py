"""Searching the audit: an ID is found however old its entries are, part of a name as far as was looked, and
the page says how far that was.
"""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from credmgr.audit.models import AuditEvent
from credmgr.portal.views.audit import PAGE_SIZE
from credmgr.registrations.models import Application

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credmgr.audit.entry_pages.FIRST_LOOK", 20)
    monkeypatch.setattr("credmgr.audit.entry_pages.FURTHER_LOOK", 60)


def record(application: Application, count: int = 1, **given: object) -> list[AuditEvent]:
    base = {
        "at": timezone.now(),
        "tenant_id": application.tenant_id,
        "application_id": application.pk,
        "actor_name": "Noor Hadley",
        "tag": "application:updated",
        "object_name": "Ledger",
    }
    return [AuditEvent.objects.create(**base | given) for _ in range(count)]


def shown(answer: Any) -> list[int]:
    return [row.event.pk for row in answer.context["rows"]]


@pytest.mark.parametrize("address", ["/audit", "/applications/{0}/audit"])
def test_a_search_says_how_far_it_looked_and_goes_on_from_there(
    signed_in: Client, harbor: Application, address: str
) -> None:
    [old] = record(harbor, object_name="Quay Import")
    record(harbor, 70)
    [new] = record(harbor, object_name="Quay Export")
    first = signed_in.get(address.format(harbor.pk), {"search": "quay"})
    assert shown(first) == [new.pk]
    assert "20 entries were looked through, back to" in first.content.decode()
    assert "Older ones may match." in first.content.decode()
    second = signed_in.get(first.context["page"].older_address)
    assert shown(second) == [old.pk]
    assert "were looked through" not in second.content.decode()


def test_no_match_so_far_is_told_from_no_match(signed_in: Client, harbor: Application) -> None:
    record(harbor, 40)
    first = signed_in.get("/audit", {"search": "quay"}).content.decode()
    assert "No entry matches so far" in first
    assert first.count("Search older<") == 1
    everything = signed_in.get("/audit", {"search": "quay", "before": str(10**9)}).content.decode()
    assert "No entry matches<" in everything
    assert "Search older" not in everything


def test_a_log_that_was_looked_through_to_its_last_entry_offers_nothing_more(
    signed_in: Client, harbor: Application
) -> None:
    already = AuditEvent.objects.count()
    record(harbor, 20 - already)
    assert signed_in.get("/audit", {"search": "quay"}).context["looked_back_to"] is None
    record(harbor)
    assert signed_in.get("/audit", {"search": "quay"}).context["looked_back_to"] is not None


def test_pages_of_a_search_go_back_and_forth(signed_in: Client, harbor: Application) -> None:
    found = record(harbor, PAGE_SIZE + 5, object_name="Quay")
    first = signed_in.get("/audit", {"search": "quay", "before": str(found[-1].pk + 1)})
    second = signed_in.get(first.context["page"].older_address)
    assert shown(first) + shown(second) == [event.pk for event in reversed(found)]
    back = signed_in.get(second.context["page"].newer_address)
    assert shown(back) == shown(first)


def test_going_to_newer_ones_looks_as_far_and_no_further(signed_in: Client, harbor: Application) -> None:
    [start] = record(harbor)
    record(harbor, 70)
    [new] = record(harbor, object_name="Quay")
    ahead = signed_in.get("/audit", {"search": "quay", "after": str(start.pk)})
    assert shown(ahead) == []
    assert shown(signed_in.get(ahead.context["page"].newer_address)) == [new.pk]


@pytest.mark.parametrize("column", ["object_id", "application_id", "correlation_id", "actor_id"])
def test_an_id_is_found_however_old_its_entries_are(
    signed_in: Client, harbor: Application, column: str
) -> None:
    wanted = uuid.uuid4()
    value = str(wanted) if column == "object_id" else wanted
    found = record(harbor, 2, **{column: value})
    record(harbor, 100)
    for typed in (str(wanted), wanted.hex.upper()):
        answer = signed_in.get("/audit", {"search": typed})
        assert shown(answer) == [found[1].pk, found[0].pk]
        assert answer.context["looked_back_to"] is None


def test_pages_of_an_id_go_back_and_forth(signed_in: Client, harbor: Application) -> None:
    wanted = uuid.uuid4()
    found = []
    for number in range(PAGE_SIZE + 5):  # some by two ways at once
        both = {"actor_id": wanted} if number % 3 else {"actor_id": wanted, "object_id": str(wanted)}
        found += record(harbor, **both)
    first = signed_in.get("/audit", {"search": str(wanted)})
    second = signed_in.get(first.context["page"].older_address)
    assert shown(first) + shown(second) == [event.pk for event in reversed(found)]
    assert shown(signed_in.get(second.context["page"].newer_address)) == shown(first)
