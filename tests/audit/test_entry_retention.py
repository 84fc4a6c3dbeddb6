"""Old entries go by whole days, by one function; what remains still verifies, and the log's heads fit."""

import io
import json
import logging
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from credmgr.audit.chain import INSTALLATION, log_heads
from credmgr.audit.entry_retention import delete_old_entries, keep_from
from credmgr.audit.events import EventTag
from credmgr.audit.export import json_lines
from credmgr.audit.guards import GUARDS
from credmgr.audit.models import AuditChain, AuditEvent
from credmgr.audit.recording import Actor, record_event
from credmgr.ops.logging import JsonFormatter
from tests.factories import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.database]
TENANT = uuid.uuid4()
ACTOR = Actor.command()
DAY = timedelta(days=1)
MIDNIGHT = NOW.replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture
def ten_days() -> None:
    """An act a day in the directory, and one of the installation on the first."""
    for number in range(10):
        record_event(EventTag.SECRET_ADDED, actor=ACTOR, now=NOW + number * DAY, tenant_id=TENANT)
    record_event(EventTag.SIGNED_IN, actor=ACTOR, now=NOW)


def verify(*options: str) -> dict[str, Any]:
    out = io.StringIO()
    try:
        call_command("verify_audit", "--json", *options, stdout=out)
    except CommandError:
        assert not json.loads(out.getvalue())["intact"]
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def codes(answer: dict[str, Any]) -> set[str]:
    found = [*answer["findings"], *(each for chain in answer["chains"] for each in chain["findings"])]
    return {each["code"] for each in found}


def delete(days: int = 4) -> int:
    return delete_old_entries(MIDNIGHT + days * DAY, actor=ACTOR, now=NOW + 10 * DAY)


def test_everything_is_kept_unless_set_otherwise(settings: LazySettings) -> None:
    assert keep_from(NOW) is None
    settings.AUDIT_DAYS = 30
    assert keep_from(NOW) == MIDNIGHT - 30 * DAY


def test_d6_what_remains_verifies_and_the_deletion_is_an_entry(ten_days: None) -> None:
    assert delete() == 5  # four of the directory, the one of the installation
    positions = (
        AuditEvent.objects.filter(chain=TENANT).order_by("position").values_list("position", flat=True)
    )
    assert list(positions) == list(range(5, 12))
    event = AuditEvent.objects.get(chain=TENANT, tag=EventTag.AUDIT_PURGED.value)
    assert (event.changes["upToEntry"], event.changes["rows"]) == (4, 4)
    assert AuditEvent.objects.filter(chain=INSTALLATION).count() == 1
    assert verify()["intact"]
    assert delete() == 0
    assert delete(6) == 2
    assert verify()["intact"]


def test_a_deletion_that_was_interrupted_is_finished_by_the_next(
    ten_days: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("credmgr.audit.entry_retention._delete_step", lambda _: 0)
    assert delete() == 0
    monkeypatch.undo()
    assert verify()["intact"]
    assert AuditEvent.objects.filter(chain=TENANT).count() == 11
    assert delete() == 5
    assert verify()["intact"]


def test_d6_triggers_refuse_every_other_way(ten_days: None) -> None:
    delete()
    chain = AuditChain.objects.filter(pk=TENANT)
    for refused in (
        lambda: AuditEvent.objects.filter(chain=TENANT, position=5).delete(),
        lambda: AuditEvent.objects.filter(chain=TENANT).delete(),
        lambda: chain.update(first_position=6),
        lambda: chain.update(first_position=1, start_seal=b"x"),
    ):
        with pytest.raises(IntegrityError, match="never changed or removed"), transaction.atomic():
            refused()


def test_a_beginning_that_somebody_moved_is_found(ten_days: None) -> None:
    GUARDS.remove(connection)
    AuditChain.objects.filter(pk=TENANT).update(
        first_position=4, before=AuditEvent.objects.get(chain=TENANT, position=3).hash, start_seal=b"x" * 32
    )
    AuditEvent.objects.filter(chain=TENANT, position__lt=4).delete()
    GUARDS.make(connection)
    assert codes(verify()) == {"start"}


def test_the_first_exported_line_knows_nothing_before_it(ten_days: None) -> None:
    delete()
    rows = AuditEvent.objects.filter(chain=TENANT).order_by("position").values_list("pk", flat=True)
    lines = [json.loads(line) for line in json_lines(list(rows))]
    assert lines[0]["previousHash"] == ""
    assert lines[1]["previousHash"] == lines[0]["hash"]


def test_d5_heads_in_the_log_find_a_cut_tail_with_its_old_end(
    ten_days: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old_end = AuditChain.objects.filter(pk=TENANT).values("length", "head", "seal").get()
    record_event(EventTag.SECRET_DELETED, actor=ACTOR, now=NOW + 11 * DAY, tenant_id=TENANT)
    with caplog.at_level(logging.INFO, "credmgr.audit.chain"):
        assert log_heads() == 2
    lines = [JsonFormatter().format(record) for record in caplog.records]
    log = tmp_path / "server.log"
    log.write_text("Credential Manager is running.\n" + "\n".join(lines) + '\n{"message": "Audit head.", "ch')
    answer = verify("--heads", str(log))
    assert (answer["intact"], answer["heads"]) == (True, 2)
    delete()
    assert verify("--heads", str(log))["intact"]
    GUARDS.remove(connection)
    AuditEvent.objects.filter(chain=TENANT, position__gt=10).delete()
    AuditChain.objects.filter(pk=TENANT).update(**old_end)
    GUARDS.make(connection)
    assert codes(verify()) == set()
    assert codes(verify("--heads", str(log))) == {"head"}


def test_a_log_that_cannot_be_read_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command("verify_audit", "--heads", str(tmp_path / "none"))
