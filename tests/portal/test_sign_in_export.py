"""Sign-ins as a file: exactly the rows of the page's filters, no more than the limit, on record before."""

import csv
import io
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from credmgr.audit.models import AuditEvent, SignIn
from credmgr.portal.sign_in_export import CSV_HEADS
from credmgr.registrations.models import Application
from tests.portal.conftest import UNKNOWN, Register
from tests.portal.questions import assert_asks_for_sign_in, assert_hides, assert_refuses_methods
from tests.portal.test_overview import add_secret
from tests.portal.test_sign_in_log import THUMBPRINT, record

pytestmark = pytest.mark.django_db


def text(client: Client, address: str, **query: str) -> str:
    answer: Any = client.get(address, query)
    return b"".join(answer.streaming_content).decode()


def as_csv(client: Client, address: str = "/sign-ins/export", **query: str) -> list[dict[str, str]]:
    body = text(client, address, **query)
    assert body.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(body.removeprefix("\ufeff"))))


def as_json(client: Client, address: str = "/sign-ins/export", **query: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(text(client, address, format="json", **query))
    return rows


def exported() -> AuditEvent:
    return AuditEvent.objects.filter(tag="directory:sign-ins:exported").latest("sequence")


def test_questions_every_page_is_asked(signed_in: Client, harbor: Application, foreign: Application) -> None:
    for address in ("/sign-ins/export", f"/applications/{harbor.pk}/sign-ins/export"):
        assert_asks_for_sign_in(address)
        assert_refuses_methods(signed_in, address, ["POST", "PUT", "DELETE"])
    assert_hides(signed_in, "/applications/{}/sign-ins/export", foreign)


def test_a_row_has_every_column(signed_in: Client, harbor: Application) -> None:
    secret = add_secret(harbor, "worker-prod-2026", 30)
    row = record(
        harbor,
        credential_id=secret.pk,
        credential_type="clientSecret",
        service_principal_id=UNKNOWN,
        thumbprint=THUMBPRINT,
        token_id="uti-1234",
        error_code=7000222,
        test_switches="code,delay",
        resource_id="00000003-0000-0000-c000-000000000000",
    )
    SignIn.objects.filter(pk=row.pk).update(count=3)
    [line] = as_csv(signed_in)
    assert tuple(line) == CSV_HEADS
    reason = line.pop("Failure reason")
    assert reason
    assert line.pop("Date (UTC)") == row.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert line == {
        "Request ID": str(row.trace_id),
        "Correlation ID": str(row.correlation_id),
        "Application": "Harbor Sync Worker",
        "Application (client) ID": str(harbor.client_id),
        "Service principal ID": str(UNKNOWN),
        "Status": "Failure",
        "Error code": "7000222",
        "IP address": "10.24.6.11",
        "Resource": "api://route-planner",
        "Resource ID": "00000003-0000-0000-c000-000000000000",
        "Credential type": "Client secret",
        "Credential": "worker-prod-2026",
        "Credential key ID": str(secret.pk),
        "Credential thumbprint": THUMBPRINT,
        "Federated credential ID": "",
        "Unique token identifier": "uti-1234",
        "Requests": "3",
        "Test switches": "Forced by a test switch, Delayed by a test switch",
    }
    [member] = as_json(signed_in)
    assert member["status"] == {"errorCode": 7000222, "failureReason": reason}
    assert member["servicePrincipalCredentialKeyId"] == str(secret.pk)
    assert (member["clientCredentialType"], member["federatedCredentialId"]) == ("clientSecret", None)
    assert (member["requestCount"], member["testSwitches"]) == (3, ["code", "delay"])
    assert (member["id"], member["correlationId"]) == (str(row.trace_id), str(row.correlation_id))


def test_a_success_and_a_federated_credential(signed_in: Client, harbor: Application) -> None:
    record(harbor, credential_id=UNKNOWN, credential_type="federatedIdentityCredential")
    [line], [member] = as_csv(signed_in), as_json(signed_in)
    assert (line["Status"], line["Error code"], line["Failure reason"]) == ("Success", "0", "")
    assert (line["Federated credential ID"], line["Credential key ID"]) == (str(UNKNOWN), "")
    assert member["federatedCredentialId"] == str(UNKNOWN)
    assert member["servicePrincipalCredentialKeyId"] is None


def test_it_has_the_rows_of_the_page_with_any_filter(
    signed_in: Client, harbor: Application, register: Register, foreign: Application
) -> None:
    other = register("Mail Relay")
    record(harbor, 3, address="10.0.0.1")
    record(harbor, 2, error_code=7000215, credential_type="certificate")
    record(other, 4, resource="api://ledger")
    record(harbor, at=timezone.now() - timedelta(days=3))
    record(foreign, 2)
    own = f"/applications/{harbor.pk}/sign-ins"
    queries: list[dict[str, str]] = [
        {},
        {"time": "7d"},
        {"result": "failure"},
        {"code": "7000215"},
        {"application": "Mail Relay"},
        {"credential": "certificate", "time": "30d"},
        {"resource": "api://ledger"},
        {"ip": "10.0.0.1"},
        {"search": "harbor"},
        {"ip": "10.9.9.9"},
    ]
    for page in ("/sign-ins", own):
        for query in queries:
            shown = [str(row.record.trace_id) for row in signed_in.get(page, query).context["rows"]]
            assert [line["Request ID"] for line in as_csv(signed_in, f"{page}/export", **query)] == shown
            assert [each["id"] for each in as_json(signed_in, f"{page}/export", **query)] == shown


def test_many_rows_come_in_order(signed_in: Client, harbor: Application) -> None:
    record(harbor, 1203)
    dates = [line["Date (UTC)"] for line in as_csv(signed_in)]
    assert len(dates) == 1203
    assert dates == sorted(dates, reverse=True)


def test_the_limit_holds_and_the_file_says_so(
    signed_in: Client, harbor: Application, settings: LazySettings
) -> None:
    rows = [record(harbor) for _ in range(6)]
    settings.EXPORT_ROWS = 6
    assert "newest" not in signed_in.get("/sign-ins/export")["Content-Disposition"]
    settings.EXPORT_ROWS = 4
    assert [each["id"] for each in as_json(signed_in)] == [str(row.trace_id) for row in rows[:1:-1]]
    assert "-newest-4.csv" in signed_in.get("/sign-ins/export")["Content-Disposition"]
    assert exported().changes["rows"] == 4


def test_it_is_on_record_with_filters_and_number_but_without_what_was_typed(
    signed_in: Client, harbor: Application
) -> None:
    record(harbor, 2, address="10.0.0.1", resource="typed-by-mistake")
    as_csv(
        signed_in,
        time="7d",
        result="success",
        application="harbor sync worker",
        credential="none",
        resource="typed-by-mistake",
        ip="10.0.0.1",
        search="harbor",
    )
    event = exported()
    assert event.actor_name == "Robin Vale"
    assert (event.object_type, event.object_name) == ("directory", "Default Directory")
    changes = dict(event.changes)
    assert datetime.fromisoformat(changes.pop("from")) < timezone.now() - timedelta(days=6)
    assert changes.pop("to")
    assert changes == {
        "result": "Success",
        "application": "Harbor Sync Worker",
        "credentialType": "No credential",
        "resource": "one",
        "ipAddress": "10.0.0.1",
        "search": "yes",
        "format": "CSV",
        "rows": 2,
    }
    as_json(signed_in, f"/applications/{harbor.pk}/sign-ins/export")
    event = exported()
    assert (event.object_type, event.application_id) == ("application", harbor.pk)
    assert event.changes["format"] == "JSON"
    body = signed_in.get("/audit").content.decode()
    assert "Sign-ins exported" in body
    assert "IP address: 10.0.0.1" in body


def test_what_a_client_wrote_is_no_formula(signed_in: Client, harbor: Application) -> None:
    record(
        harbor, application_id=None, client_id="=cmd|' /C calc'!A0", resource="+1\r\n@x", error_code=700016
    )
    [line] = as_csv(signed_in)
    assert line["Application (client) ID"].startswith("'=")
    assert line["Resource"].startswith("'+")
    assert "\n" not in line["Resource"]
    [member] = as_json(signed_in)
    assert member["appId"] == "=cmd|' /C calc'!A0"


def test_an_address_that_cannot_be_leads_to_the_page_and_leaves_no_record(
    signed_in: Client, harbor: Application
) -> None:
    record(harbor)
    answer = signed_in.get("/sign-ins/export", {"ip": "10.24.6", "format": "csv"})
    assert answer.status_code == 302
    assert "An IP address looks like" in signed_in.get(answer["Location"]).content.decode()
    assert not AuditEvent.objects.filter(tag="directory:sign-ins:exported").exists()


def test_the_file_is_no_page_and_is_not_kept(signed_in: Client, harbor: Application) -> None:
    for kind, content_type in (("csv", "text/csv; charset=utf-8"), ("json", "application/json")):
        answer = signed_in.get("/sign-ins/export", {"format": kind})
        assert answer["Content-Type"] == content_type
        assert answer["Cache-Control"] == "no-store"
        assert answer["Content-Disposition"].startswith('attachment; filename="sign-ins-')
        assert answer["Content-Disposition"].endswith(f'.{kind}"')
    assert as_json(signed_in) == []


def test_the_page_links_its_own_filters(signed_in: Client, harbor: Application) -> None:
    record(harbor)
    body = signed_in.get("/sign-ins", {"time": "7d", "before": "9999999999999999.1"}).content.decode()
    assert 'href="/sign-ins/export?time=7d&amp;format=csv"' in body
    assert 'href="/sign-ins/export?time=7d&amp;format=json"' in body
    own = f"/applications/{harbor.pk}/sign-ins"
    assert f'href="{own}/export?format=csv"' in signed_in.get(own).content.decode()
