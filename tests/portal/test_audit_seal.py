"""The seal on the audit page, the check behind it, and the export: what they say, what is recorded."""

import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.utils import timezone

from credmgr.accounts import sessions
from credmgr.audit.chain import INSTALLATION, canonical_json
from credmgr.audit.events import EventTag
from credmgr.audit.guards import GUARDS
from credmgr.audit.models import AuditCheck, AuditEvent, AuditKey
from credmgr.registrations.models import Application, Tenant
from credmgr.vault.sealing import open_from
from tests.factories import administrator
from tests.portal.conftest import PASSWORD, Register
from tests.portal.questions import assert_asks_for_sign_in, assert_refuses_methods

pytestmark = pytest.mark.django_db


def exported(client: Client, query: str = "", **form: str) -> list[dict[str, Any]]:
    """The file's lines, opened."""
    answer: Any = client.post(f"/audit/export{query}", form)
    assert answer.status_code == 200
    assert "attachment" in answer["Content-Disposition"]
    assert "no-store" in answer["Cache-Control"]
    return [json.loads(line) for line in b"".join(answer.streaming_content).decode("ascii").splitlines()]


def newest() -> AuditEvent:
    return AuditEvent.objects.latest("sequence")


def test_questions_every_page_is_asked(signed_in: Client) -> None:
    assert_asks_for_sign_in("/audit/export")
    assert_refuses_methods(signed_in, "/audit/export", ["PUT", "DELETE"])
    assert_refuses_methods(signed_in, "/audit/verify", ["GET", "PUT", "DELETE"])


def test_a_chain_that_holds_is_said_to_be_intact(
    signed_in: Client, harbor: Application, directory: Tenant
) -> None:
    assert b"Not checked yet" in signed_in.get("/audit").content
    assert signed_in.post("/audit/verify").url == "/audit"  # type: ignore[attr-defined]
    body = signed_in.get("/audit").content
    assert b"Intact." in body
    assert b"checked: as written" in body
    check = AuditCheck.objects.get(pk=directory.pk)
    assert (check.first, check.entries, check.by) == (
        1,
        AuditEvent.objects.filter(chain=directory.pk).count() - 1,
        "Robin Vale",
    )
    assert (newest().tag, newest().succeeded) == (EventTag.AUDIT_VERIFIED.value, True)


def test_a_broken_chain_says_where(signed_in: Client, harbor: Application, directory: Tenant) -> None:
    GUARDS.remove(connection)
    AuditEvent.objects.filter(chain=directory.pk, position=1).update(actor_name="Somebody else")
    GUARDS.make(connection)
    signed_in.post("/audit/verify")
    body = signed_in.get("/audit").content
    assert b"Not as it was written" in body
    assert b"Entry 1 is not as it was written." in body
    assert not newest().succeeded


def test_a_missing_trigger_is_told(signed_in: Client, harbor: Application) -> None:
    GUARDS.remove(connection)
    signed_in.post("/audit/verify")
    GUARDS.make(connection)
    assert b"The trigger audit_refuse_update is missing." in signed_in.get("/audit").content


def test_of_a_long_chain_the_newest_are_checked_and_the_page_says_so(
    signed_in: Client, register: Register, directory: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        register(f"Application {number}")
    monkeypatch.setattr("credmgr.audit.checking.CHECKED_AT_ONCE", 3)
    signed_in.post("/audit/verify")
    check = AuditCheck.objects.get(pk=directory.pk)
    assert check.entries - check.first + 1 == 3
    assert check.is_intact
    assert b"Only the newest were checked here" in signed_in.get("/audit").content


def test_an_export_asks_for_the_password_when_the_sign_in_is_old(signed_in: Client) -> None:
    """L-2."""
    session = signed_in.session
    session[sessions.CONFIRMED_AT] = (timezone.now() - timedelta(hours=1)).timestamp()
    session.save()
    assert b"current_password" in signed_in.get("/audit/export").content
    refused = signed_in.post("/audit/export", {"current_password": "wrong"})
    assert refused.status_code == 422
    assert b"Nothing was exported." in refused.content
    assert not AuditEvent.objects.filter(tag=EventTag.AUDIT_EXPORTED.value).exists()
    assert exported(signed_in, current_password=PASSWORD)


def test_an_export_is_on_record_with_its_filters_and_not_its_search(
    signed_in: Client, harbor: Application
) -> None:
    lines = exported(signed_in, "?activity=application:registered&search=harbor&time=24h")
    assert [line["tag"] for line in lines] == ["application:registered"]
    event = newest()
    assert event.tag == EventTag.AUDIT_EXPORTED.value
    assert event.changes["rows"] == 1
    assert event.changes["activity"] == "application:registered"
    assert event.changes["search"] == "yes"
    assert "from" in event.changes


def test_whoever_has_the_key_can_check_every_line_alone(
    signed_in: Client, register: Register, directory: Tenant
) -> None:
    """The documented format, with nothing of ours but the key."""
    for number in range(3):
        register(f"Application {number}")
    lines = exported(signed_in)
    assert [line["chain"] for line in lines].count(str(directory.pk)) >= 3
    for line in lines:
        own, before = (bytes.fromhex(line.pop(name)) for name in ("hash", "previousHash"))
        key = open_from(AuditKey.objects.get(chain=line["chain"]), "key")
        text = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
        assert text == canonical_json(line)
        assert hmac.digest(key, before + text, "sha256") == own
    of_directory = [line for line in lines if line["chain"] == str(directory.pk)]
    assert [line["position"] for line in of_directory] == list(range(1, len(of_directory) + 1))
    assert {line["chain"] for line in lines} <= {str(directory.pk), str(INSTALLATION)}


def test_what_is_too_much_is_cut_and_the_file_says_so(
    signed_in: Client, register: Register, settings: LazySettings
) -> None:
    for number in range(4):
        register(f"Application {number}")
    settings.EXPORT_ROWS = 2
    answer: Any = signed_in.post("/audit/export?activity=application:registered")
    names = [json.loads(line)["objectName"] for line in b"".join(answer.streaming_content).splitlines()]
    assert names == ["Application 2", "Application 3"]
    assert "-newest-2.jsonl" in answer["Content-Disposition"]


def test_filters_by_person_and_time(signed_in: Client, harbor: Application, person: Any) -> None:
    other = administrator(type(person).objects.create(username="noor", first_name="Noor"))
    ours = signed_in.get(f"/audit?by={person.pk}").context["rows"]
    assert ours
    assert all(row.event.actor_id == person.pk for row in ours)
    assert signed_in.get(f"/audit?by={other.pk}").context["rows"] == []
    assert signed_in.get("/audit?time=24h").context["rows"]
    assert signed_in.get("/audit?to=2020-01-01T00:00").context["rows"] == []
    for nonsense in ("from=x", "from=2026-01-02&to=2026-01-01", "to=0001-01-01T00:00%2B14:00"):
        page = signed_in.get(f"/audit?{nonsense}")
        assert page.status_code == 200
        assert page.context["complaint"]
        assert signed_in.get(f"/audit/export?{nonsense}").status_code == 302
