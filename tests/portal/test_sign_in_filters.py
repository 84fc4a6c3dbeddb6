"""Time range, filters and search of the sign-ins pages: all in the address, kept by every form and link."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from credmgr.registrations.models import Application
from tests.portal.conftest import Register
from tests.portal.test_sign_in_log import record

pytestmark = pytest.mark.django_db


def found(client: Client, **query: str) -> list[int]:
    """Sequence numbers of the rows that the page shows."""
    return [row.record.pk for row in client.get("/sign-ins", query).context["rows"]]


def ago(**span: float) -> Any:
    return timezone.now() - timedelta(**span)


def test_the_time_range_holds_for_rows_and_chart(signed_in: Client, harbor: Application) -> None:
    ages = {
        "minutes": record(harbor, at=ago(minutes=5)),
        "hours": record(harbor, at=ago(hours=5), error_code=7000215),
        "days": record(harbor, at=ago(days=3)),
        "weeks": record(harbor, at=ago(days=20)),
        "months": record(harbor, at=ago(days=80)),
        "too old": record(harbor, at=ago(days=95)),
    }
    keys = [row.pk for row in ages.values()]
    for time, phrase, seen in (
        ("1h", "1 sign-in in the last hour", 1),
        ("", "2 sign-ins in 24 hours", 2),
        ("24h", "2 sign-ins in 24 hours", 2),
        ("7d", "3 sign-ins in 7 days", 3),
        ("30d", "4 sign-ins in 30 days", 4),
        ("kept", "5 sign-ins in 90 days", 5),
    ):
        answer = signed_in.get("/sign-ins", {"time": time})
        assert [row.record.pk for row in answer.context["rows"]] == keys[:seen], time
        assert phrase in answer.content.decode()
        assert answer.context["timeline"].total == seen


def test_a_range_of_ones_own_is_utc_and_governs_the_chart(signed_in: Client, harbor: Application) -> None:
    inside = record(harbor, at=ago(days=10))
    record(harbor, at=ago(days=12))
    record(harbor, at=ago(days=8))
    start, end = ago(days=11), ago(days=9)
    query = {"from": f"{start:%Y-%m-%dT%H:%M}", "to": f"{end:%Y-%m-%dT%H:%M}"}
    answer = signed_in.get("/sign-ins", query)
    assert [row.record.pk for row in answer.context["rows"]] == [inside.pk]
    body = answer.content.decode()
    assert "1 sign-in in this time range" in body
    assert f'name="from" value="{query["from"]}"' in body
    assert found(signed_in, **{"from": query["from"]})[1] == inside.pk


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"from": "yesterday"}, "From and To are dates and times in UTC"),
        ({"from": "2026-01-02T00:00", "to": "2026-01-01T00:00"}, "The time range ends before it begins."),
        ({"from": "2099-01-01T00:00"}, "The time range ends before it begins."),
        ({"to": "2026-01-01T00:00"}, "A time range needs a beginning."),
        ({"code": "abc"}, "A code is a number such as 7000215."),
        ({"ip": "10.24.6"}, "An IP address looks like 10.24.6.11"),
        ({"application": "No such name"}, "No application of this directory has exactly this name."),
        ({"application": "Twin"}, "Several applications have this name."),
    ],
)
def test_what_cannot_be_is_said_and_what_was_typed_stays(
    signed_in: Client, harbor: Application, register: Register, query: dict[str, str], sentence: str
) -> None:
    record(harbor)
    register("Twin")
    register("Twin")
    answer = signed_in.get("/sign-ins", query)
    body = answer.content.decode()
    assert sentence in body
    assert answer.context["rows"] == []
    assert answer.context["timeline"] is None
    for name, value in query.items():
        assert re.search(rf'name="{name}" value="{value}"', body), name


def test_each_filter_finds_its_rows_and_they_add_up(
    signed_in: Client, harbor: Application, register: Register
) -> None:
    other = register("Mail Relay")
    first = record(harbor, credential_type="clientSecret", address="10.0.0.1", error_code=7000215).pk
    second = record(
        harbor,
        credential_type="certificate",
        resource="api://ledger",
        resource_id="00000003-0000-0000-c000-000000000000",
    ).pk
    third = record(other, credential_type="certificate", address="2001:db8::7").pk
    for query, expected in (
        ({"result": "success"}, [third, second]),
        ({"result": "failure"}, [first]),
        ({"code": "7000215"}, [first]),
        ({"code": "aadsts7000215"}, [first]),
        ({"code": "0"}, [third, second]),
        ({"application": "mail relay"}, [third]),
        ({"application": str(other.client_id)}, [third]),
        ({"application": str(other.pk).upper()}, [third]),
        ({"application": "5d0e0000-0000-4000-8000-000000000091"}, []),
        ({"credential": "certificate"}, [third, second]),
        ({"credential": "nonsense"}, [third, second, first]),
        ({"resource": "api://ledger"}, [second]),
        ({"resource": "00000003-0000-0000-C000-000000000000"}, [second]),
        ({"ip": "10.0.0.1"}, [first]),
        ({"ip": "2001:0db8:0:0:0:0:0:7"}, [third]),
        ({"credential": "certificate", "application": "Harbor Sync Worker"}, [second]),
        ({"credential": "certificate", "search": "harbor"}, [second]),
        ({"result": "failure", "credential": "certificate"}, []),
    ):
        assert found(signed_in, **query) == expected, query


def test_the_chart_counts_what_the_filters_leave(signed_in: Client, harbor: Application) -> None:
    record(harbor, 60, address="10.0.0.1")
    record(harbor, 60, address="10.0.0.2", error_code=7000215)
    answer = signed_in.get("/sign-ins", {"ip": "10.0.0.2"})
    chart = answer.context["timeline"]
    assert (chart.succeeded, chart.refused) == (0, 60)
    assert "60 matching sign-ins in 24 hours" in answer.content.decode()


def test_a_caller_that_is_unknown_here_is_found_by_its_client_id(
    signed_in: Client, harbor: Application
) -> None:
    stranger = "5d0e0000-0000-4000-8000-000000000091"
    row = record(harbor, application_id=None, client_id=stranger, error_code=700016)
    assert found(signed_in, application=stranger) == [row.pk]


def test_a_filter_is_shown_and_removed_alone(signed_in: Client, harbor: Application) -> None:
    record(harbor, address="10.0.0.1")
    query = {"time": "7d", "ip": "10.0.0.1", "code": "0", "search": "harbor"}
    body = signed_in.get("/sign-ins", query).content.decode()
    link = re.search(r'href="([^"]*)" aria-label="Remove filter IP address"', body)
    assert link
    left = parse_qs(urlsplit(link[1].replace("&amp;", "&")).query)
    assert left == {"time": ["7d"], "code": ["0"], "search": ["harbor"]}
    forms = re.findall(r"<form.*?</form>", body.partition("log-filters")[2], re.DOTALL)
    for form, own in zip(forms, ("search", "time", "ip"), strict=False):
        assert set(re.findall(r'name="([a-z]+)"', form)) - {"from", "to", "resource", "credential"} >= {
            "ip",
            "code",
            "search",
        } | ({"time"} if own != "time" else set())


def test_filters_suggest_what_the_log_has(
    signed_in: Client, harbor: Application, foreign: Application
) -> None:
    record(harbor, resource="api://ledger", address="10.0.0.9", error_code=7000222)
    record(foreign, resource="api://theirs", address="203.0.113.9", error_code=50027)
    body = signed_in.get("/sign-ins").content.decode()
    offered = re.findall(r'<option value="([^"]+)"', body)
    for value in ("Harbor Sync Worker", "api://ledger", "10.0.0.9", "7000222", "certificate"):
        assert value in offered
    for value in ("Foreign", "api://theirs", "203.0.113.9", "50027"):
        assert value not in body


def test_nothing_in_the_time_leads_further_back(signed_in: Client, harbor: Application) -> None:
    row = record(harbor, at=ago(days=40))
    answer = signed_in.get("/sign-ins", {"search": str(row.correlation_id)})
    assert "No sign-in matches" in answer.content.decode()
    wider = answer.context["widest_address"]
    assert [each.record.pk for each in signed_in.get(wider).context["rows"]] == [row.pk]


def test_the_page_says_how_long_rows_are_kept_and_offers_no_more(
    signed_in: Client, harbor: Application, settings: LazySettings
) -> None:
    settings.SIGN_IN_DAYS = 120
    body = signed_in.get("/sign-ins").content.decode()
    assert "Sign-ins are kept for 120 days." in body
    assert "Last 120 days" in body
    settings.SIGN_IN_DAYS = 0
    body = signed_in.get("/sign-ins").content.decode()
    assert "are kept for" not in body
    assert "Last 365 days" in body


def test_a_filter_that_meets_too_many_rows_says_so_and_offers_to_go_on(
    signed_in: Client, harbor: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    rare = record(harbor, at=ago(hours=20), address="10.9.9.9", resource="api://rare")
    record(harbor, 30)
    monkeypatch.setattr("credmgr.audit.sign_in_questions.EXAMINED_ROWS", 20)
    of_address = signed_in.get("/sign-ins", {"ip": "10.9.9.9"}).context
    assert [row.record.pk for row in of_address["rows"]] == [rare.pk], "an address has an index"
    answer = signed_in.get("/sign-ins", {"resource": "api://rare"})
    assert answer.context["rows"] == []
    body = answer.content.decode()
    assert "Older ones may match." in body
    assert "No sign-in matches so far" in body
    assert body.count("Search older<") == 1
    older = signed_in.get(answer.context["page"].older_address)
    assert [row.record.pk for row in older.context["rows"]] == [rare.pk]
    assert "Counted from" in signed_in.get("/sign-ins", {"credential": "none"}).content.decode()
    assert "Counted from" not in signed_in.get("/sign-ins").content.decode()


def test_each_bar_leads_to_its_time(signed_in: Client, harbor: Application) -> None:
    row = record(harbor, at=ago(days=3, minutes=1), address="10.0.0.1")
    record(harbor, 3, address="10.0.0.1")
    answer = signed_in.get("/sign-ins", {"time": "7d", "ip": "10.0.0.1"})
    links = [address for span, address in answer.context["span_links"] if span.total]
    assert all(address.replace("&", "&amp;") in answer.content.decode() for address in links)
    assert [each.record.pk for each in signed_in.get(links[0]).context["rows"]] == [row.pk]


def test_further_pages_leave_the_chart_out(signed_in: Client, harbor: Application) -> None:
    record(harbor, 60)
    first = signed_in.get("/sign-ins")
    second = signed_in.get(first.context["page"].older_address)
    assert (first.context["timeline"].total, second.context["timeline"]) == (60, None)
    assert len(second.context["rows"]) == 10
