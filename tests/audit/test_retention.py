"""Old sign-ins go in steps; what they said of last uses stays, and the audit says that they went."""

import time
import uuid
from datetime import timedelta

import pytest
from django.conf import LazySettings

from credmgr.audit.events import EventTag
from credmgr.audit.models import AuditEvent, LastUse, SignIn
from credmgr.audit.queries import last_sign_ins, last_used
from credmgr.audit.recording import Actor
from credmgr.audit.retention import Purge, purge_before, purge_sign_ins
from tests.audit.rows import NOW, many, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.database]
BEFORE = NOW - timedelta(days=90)


def purge() -> Purge:
    return purge_sign_ins(BEFORE, actor=Actor.command(), now=NOW)


def events() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(tag=EventTag.SIGN_INS_PURGED.value).order_by("sequence"))


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credmgr.audit.retention.STEP_ROWS", 10)


def test_older_ones_go_and_newer_ones_stay() -> None:
    old = many(35, over=timedelta(days=20), now=BEFORE)
    kept = [sign_in(BEFORE), sign_in(NOW)]
    assert purge() == Purge(BEFORE, found=35, deleted=35)
    assert list(SignIn.objects.order_by("at")) == kept
    assert not SignIn.objects.filter(pk__in=[row.pk for row in old]).exists()


def test_the_audit_says_so_once_and_only_when_something_went() -> None:
    assert purge().deleted == 0
    assert events() == []
    many(35, over=timedelta(days=20), now=BEFORE)
    purge()
    [event] = events()
    assert event.changes == {"before": BEFORE.isoformat(), "rows": 35}
    assert (event.actor_name, event.tenant_id) == (Actor.command().name, None)


def test_last_uses_are_as_before() -> None:
    applications = [uuid.uuid4() for _ in range(3)]
    credentials = [uuid.uuid4() for _ in range(4)]
    for number, credential in enumerate(credentials[:3]):
        for days in (100, 120, 95 + number):
            sign_in(NOW - timedelta(days=days), application=applications[number], credential=credential)
    sign_in(NOW - timedelta(days=1), application=applications[0], credential=credentials[0])
    sign_in(NOW - timedelta(days=91), application=applications[1], credential=credentials[3], code=7000222)
    before = last_used(credentials), last_sign_ins(applications)
    assert len(before[0]) == 3
    purge()
    assert SignIn.objects.count() == 1
    assert (last_used(credentials), last_sign_ins(applications)) == before


def test_a_kept_last_use_never_goes_back() -> None:
    credential = uuid.uuid4()
    sign_in(NOW - timedelta(days=100), credential=credential)
    purge()
    sign_in(NOW - timedelta(days=130), credential=credential)
    purge()
    assert LastUse.objects.get(pk=credential).at == NOW - timedelta(days=100)


def test_an_interrupted_purge_is_on_record_and_the_next_one_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    many(35, over=timedelta(days=20), now=BEFORE)

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(time, "sleep", interrupt)
        with pytest.raises(KeyboardInterrupt):
            purge()
    assert SignIn.objects.count() == 25
    assert [event.changes["rows"] for event in events()] == [35]
    assert purge() == Purge(BEFORE, found=25, deleted=25)
    assert [event.changes["rows"] for event in events()] == [35, 25]


def test_the_setting_counts_days_and_zero_keeps_all(settings: LazySettings) -> None:
    settings.SIGN_IN_DAYS = 7
    assert purge_before(NOW) == NOW - timedelta(days=7)
    assert purge_before(NOW, 3) == NOW - timedelta(days=3)
    settings.SIGN_IN_DAYS = 0
    assert purge_before(NOW) is None
    assert purge_before(NOW, 3) == NOW - timedelta(days=3)
