"""The hashes of the sign-in log in the chains: made each hour, and what they find (D-5)."""

import io
import json
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from credmgr.audit.events import EventTag
from credmgr.audit.models import AuditEvent, SignIn
from credmgr.audit.recording import Actor
from credmgr.audit.retention import purge_sign_ins
from credmgr.audit.sign_in_seals import MARGIN, seal_closed_hours
from credmgr.audit.sign_in_verification import verify_sign_ins
from tests.factories import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.database]
HERE, THERE = uuid.uuid4(), uuid.uuid4()
HOUR = timedelta(hours=1)
# On the hour, so that minutes below are minutes of an hour.
START = NOW.replace(minute=0, second=0, microsecond=0)
ACTOR = Actor.command()


def sign_in(at: datetime, tenant: uuid.UUID = HERE, **given: Any) -> SignIn:
    return SignIn.objects.create(
        **{
            "at": at,
            "trace_id": uuid.uuid4(),
            "correlation_id": uuid.uuid4(),
            "tenant_id": tenant,
            "client_id": "client",
        }
        | given
    )


def seal(at: datetime) -> int:
    return seal_closed_hours(actor=ACTOR, now=at)


def sealed(tenant: uuid.UUID = HERE) -> list[dict[str, Any]]:
    rows = AuditEvent.objects.filter(tenant_id=tenant, tag=EventTag.SIGN_INS_SEALED.value)
    return [row.changes for row in rows.order_by("sequence")]


def three_hours() -> list[SignIn]:
    """Six sign-ins here in three hours, one elsewhere, each hour sealed when it is over."""
    made = []
    for hour in range(3):
        made += [sign_in(START + hour * HOUR + timedelta(minutes=minute)) for minute in (1, 50)]
        if hour == 1:
            sign_in(START + HOUR, THERE)
        seal(START + (hour + 1) * HOUR + MARGIN)
    return made


def verdict() -> tuple[int, int, list[str]]:
    found = verify_sign_ins()
    return found.checked, found.purged, [finding.text.partition(") ")[2] for finding in found.findings]


def test_each_closed_hour_with_sign_ins_makes_one_entry_for_each_directory() -> None:
    three_hours()
    assert [each["rows"] for each in sealed()] == [2, 2, 2]
    assert [each["rows"] for each in sealed(THERE)] == [1]
    assert [each["from"] for each in sealed()] == [
        None,
        (START + HOUR).isoformat(),
        (START + 2 * HOUR).isoformat(),
    ]
    assert verdict() == (4, 0, [])


def test_an_hour_is_closed_some_minutes_after_its_end_and_sealed_once() -> None:
    sign_in(START)
    assert seal(START + HOUR + MARGIN - timedelta(seconds=1)) == 0
    assert seal(START + HOUR + MARGIN) == 1
    assert seal(START + HOUR + MARGIN) == 0
    assert seal(START + 5 * HOUR) == 0  # idle hours make no entries
    sign_in(START + 5 * HOUR)
    assert seal(START + 6 * HOUR + MARGIN) == 1
    assert sealed()[1]["from"] == sealed()[0]["until"]
    assert verdict() == (2, 0, [])


@pytest.mark.parametrize("what", ["changed", "removed", "added"])
def test_a_log_that_was_tampered_with_is_found(what: str) -> None:
    rows = three_hours()
    if what == "changed":
        SignIn.objects.filter(pk=rows[2].pk).update(address="203.0.113.9")
    elif what == "removed":
        SignIn.objects.filter(pk=rows[2].pk).delete()
    else:
        # With a number from before, as a careful vandal would.
        SignIn.objects.filter(pk=rows[0].pk).update(sequence=10**6)
        sign_in(rows[3].at, sequence=rows[0].pk)
        SignIn.objects.filter(pk=10**6).update(sequence=0)
    _, _, findings = verdict()
    assert any("does not fit the sign-in log" in text for text in findings)
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("verify_audit", "--json", stdout=out)
    answer = json.loads(out.getvalue())
    assert {finding["code"] for finding in answer["findings"]} == {"sign_ins"}
    assert answer["signIns"]["entries"] == 4


def test_a_clock_that_was_set_back_makes_an_entry_of_its_own_and_no_alarm() -> None:
    rows = three_hours()
    sign_in(rows[1].at)
    sign_in(START, THERE)
    sign_in(START, uuid.uuid4())
    assert verdict()[2] == []
    assert seal(START + 4 * HOUR + MARGIN) == 3
    late = sealed()[-1]
    assert (late["late"], late["rows"]) == (True, 1)
    assert verdict() == (7, 0, [])
    SignIn.objects.filter(pk__gt=rows[-1].pk, tenant_id=HERE).update(address="x")
    assert len(verdict()[2]) == 1


def test_purged_hours_are_told_from_removed_ones() -> None:
    three_hours()
    purge_sign_ins(START + HOUR + timedelta(minutes=30), actor=ACTOR, now=START + 4 * HOUR)
    # Of the hour in which it stopped, rows are left; it counts as purged too.
    assert verdict() == (1, 3, [])
    SignIn.objects.filter(at__gte=START + 2 * HOUR)[0].delete()
    assert len(verdict()[2]) == 1
