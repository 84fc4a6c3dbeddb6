"""What a server looks after by itself: scheduled work, by `serve` or by run_maintenance."""

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.utils import timezone

from credmgr.accounts.models import Invitation, Session, SetupLink, ThrottleCounter
from credmgr.accounts.roles import Role
from credmgr.audit.events import EventTag
from credmgr.audit.models import AuditEvent
from credmgr.audit.recording import Actor
from credmgr.authority.models import UsedAssertion
from credmgr.authority.signing_keys import ensure_signing_key
from credmgr.flowtest.models import FlowRun, RunningTest
from credmgr.flowtest.retention import purge_old_runs
from credmgr.localca.authority import ensure_local_tls
from credmgr.membership.invitations import invite
from credmgr.ops.installation import SERVER
from credmgr.ops.jobs import JOBS
from credmgr.ops.maintenance import Job, run_due
from credmgr.ops.models import MaintenanceRun
from credmgr.ops.upkeep import Upkeep
from credmgr.registrations.deleting import delete_application
from credmgr.registrations.directories import ensure_default_tenant
from credmgr.registrations.models import Application
from credmgr.registrations.registering import register_application
from tests.factories import application, person
from tests.installation import ROOT, Installation, InstallationFactory

HOUR = timedelta(hours=1)


def count_up(name: str, every: timedelta = HOUR) -> tuple[Job, list[datetime]]:
    """A job, and the moments at which it ran."""
    ran: list[datetime] = []

    def run(_: Actor, now: datetime) -> int:
        ran.append(now)
        return 1

    return Job(name, every, run), ran


def names(outcomes: Any) -> list[str]:
    assert outcomes is not None
    return [each.name for each in outcomes]


def maintenance(*arguments: str) -> Any:
    out = StringIO()
    call_command("run_maintenance", *arguments, "--json", stdout=out)
    return {job["name"]: job for job in json.loads(out.getvalue())["jobs"]}


# ------------------------------------------------------------------------------------- what is due, and when


@pytest.mark.django_db
def test_a_job_runs_when_it_is_due_and_not_before() -> None:
    (often, often_ran), (seldom, seldom_ran) = count_up("often"), count_up("seldom", 24 * HOUR)
    now = timezone.now()
    jobs = (often, seldom)
    assert names(run_due(jobs, actor=SERVER, now=now)) == ["often", "seldom"]
    assert names(run_due(jobs, actor=SERVER, now=now + timedelta(minutes=50))) == []
    assert names(run_due(jobs, actor=SERVER, now=now + timedelta(minutes=61))) == ["often"]
    assert names(run_due(jobs, actor=SERVER, now=now, names=["seldom"])) == ["seldom"]
    assert names(run_due(jobs, actor=SERVER, now=now, everything=True)) == ["often", "seldom"]
    assert (len(often_ran), len(seldom_ran)) == (3, 3)


@pytest.mark.django_db
def test_a_clock_that_was_set_back_stops_nothing() -> None:
    job, ran = count_up("job")
    MaintenanceRun.objects.create(
        name="job", started_at=timezone.now() + timedelta(days=900), finished_at=timezone.now()
    )
    assert names(run_due([job], actor=SERVER, now=timezone.now())) == ["job"]
    assert len(ran) == 1


@pytest.mark.django_db
def test_what_was_killed_in_the_middle_is_due_again() -> None:
    job, _ = count_up("job")
    MaintenanceRun.objects.create(name="job", started_at=timezone.now(), finished_at=None)
    assert names(run_due([job], actor=SERVER, now=timezone.now())) == ["job"]
    assert MaintenanceRun.objects.get().finished_at is not None


@pytest.mark.django_db
def test_a_job_that_fails_takes_back_what_it_did_and_harms_no_other() -> None:
    """It is noted without its words, which may quote a row, and tried again after five minutes."""

    def fail(_: Actor, now: datetime) -> int:
        SetupLink.objects.create(digest=b"x" * 32, expires_at=now)
        raise LookupError("canary-in-an-error")

    after, ran = count_up("after")
    jobs = (Job("bad", 24 * HOUR, fail), after)
    now = timezone.now()
    outcomes = run_due(jobs, actor=SERVER, now=now)
    assert names(outcomes) == ["bad", "after"]
    assert len(ran) == 1
    assert not SetupLink.objects.exists()
    noted = MaintenanceRun.objects.get(name="bad")
    assert (noted.has_failed, noted.problem) == (True, "LookupError")
    assert names(run_due(jobs, actor=SERVER, now=now + timedelta(minutes=4))) == []
    assert names(run_due(jobs, actor=SERVER, now=now + timedelta(minutes=6))) == ["bad"]


# ------------------------------------------------------------------------------------------- what the jobs do


def register_and_delete(name: str, deleted_at: datetime) -> Application:
    tenant = ensure_default_tenant(deleted_at)
    made = register_application(tenant=tenant, display_name=name, actor=Actor.command(), now=deleted_at)
    delete_application(made, actor=Actor.command(), now=deleted_at)
    return made


@pytest.mark.django_db
def test_deleted_registrations_go_for_good_after_30_days() -> None:
    """Not a day earlier, and with an audit event that names who ran it."""
    now = timezone.now()
    old = register_and_delete("old", now - timedelta(days=30, seconds=5))
    young = register_and_delete("young", now - timedelta(days=29))
    assert maintenance()["deleted-registrations"]["handled"] == 1
    assert not Application.objects.filter(pk=old.pk).exists()
    assert Application.objects.filter(pk=young.pk).exists()
    purged = AuditEvent.objects.get(tag=EventTag.APPLICATION_PURGED.value, application_id=old.pk)
    assert purged.actor_name.startswith("Command line")


@pytest.mark.django_db
def test_what_has_ended_is_forgotten_and_what_lives_is_kept() -> None:
    now = timezone.now()
    somebody, tenant = person("kit", Role.READER), ensure_default_tenant(now)
    for moment, digest in ((now - timedelta(minutes=1), b"o" * 32), (now + HOUR, b"y" * 32)):
        SetupLink.objects.create(digest=digest, expires_at=moment)
        UsedAssertion.objects.create(client_id=somebody.pk, digest=digest, expires_at=moment)
        Session.objects.create(session_key=digest.decode(), session_data="", expire_date=moment)
    for age in (timedelta(days=38), timedelta(days=36)):
        invite(name="Ada", tenant=tenant, roles=[Role.READER], actor=Actor.command(), now=now - age)
    for number, age in enumerate((timedelta(days=2), HOUR)):
        ThrottleCounter.objects.create(key="test", window_start=now - age, count=1)
        RunningTest.objects.create(user=somebody, place=number, started_at=now - age * (1 - number))
    done = maintenance()
    for model in (SetupLink, UsedAssertion, Session, Invitation, ThrottleCounter, RunningTest):
        assert model.objects.count() == 1, model
    assert SetupLink.objects.get().expires_at > now
    assert done["one-time-links"]["handled"] == 2
    assert {job["outcome"] for job in done.values()} == {"done"}
    assert all(job["nextDue"] != "now" for job in done.values())


@pytest.mark.django_db
def test_old_token_tests_go_and_leave_one_audit_row(settings: LazySettings) -> None:
    now, app = timezone.now(), application()
    for days in (0, 364, 366, 400):
        FlowRun.objects.create(
            application=app,
            credential_kind="secret",
            target="x",
            verdict="verified",
            duration_ms=1,
            correlation_id=app.pk,
            started_at=now - timedelta(days=days),
        )
    settings.TEST_RUN_DAYS = 0
    assert purge_old_runs(SERVER, now) == 0
    settings.TEST_RUN_DAYS = 365
    assert maintenance("--job", "test-runs")["test-runs"]["handled"] == 2
    assert purge_old_runs(SERVER, now) == 0
    assert sorted((now - run.started_at).days for run in FlowRun.objects.all()) == [0, 364]
    event = AuditEvent.objects.get(tag=EventTag.TEST_RUNS_PURGED.value)
    assert event.changes == {"olderThanDays": 365, "rows": 2}


def test_no_two_jobs_share_a_name() -> None:
    assert len({job.name for job in JOBS}) == len(JOBS)


@pytest.mark.django_db
def test_the_command_says_what_there_is_and_runs_one() -> None:
    listed = maintenance("--list")
    assert {job["nextDue"] for job in listed.values()} == {"now"}
    assert not MaintenanceRun.objects.exists()
    ran = maintenance("--job", "ended-sessions")
    assert [name for name, job in ran.items() if job["ranNow"]] == ["ended-sessions"]
    out = StringIO()
    call_command("run_maintenance", stdout=out)
    assert "throttle-counters" in out.getvalue()
    assert "ended-sessions" not in out.getvalue()
    out = StringIO()
    call_command("run_maintenance", stdout=out)
    assert out.getvalue().strip() == "Nothing is due. --list says what comes when."


@pytest.mark.django_db
def test_a_certificate_near_its_end_is_renewed_by_the_upkeep_itself(
    settings: LazySettings, tmp_path: Path
) -> None:
    """And the listener is told, once."""
    shutil.copy2(Path(settings.DATA_DIR) / "keyring", tmp_path / "keyring")
    settings.DATA_DIR = tmp_path
    settings.CA_FILE = tmp_path / "tls" / "ca.pem"
    settings.CA_BUNDLE_FILE = tmp_path / "tls" / "ca-bundle.pem"
    ensure_signing_key(timezone.now)
    assert ensure_local_tls(timezone.now() - timedelta(days=380))
    ca, leaf = settings.CA_FILE.read_bytes(), tmp_path / "tls" / "leaf.pem"
    old = leaf.read_bytes()
    assert Upkeep()._look_after_certificate()
    assert leaf.read_bytes() != old
    assert settings.CA_FILE.read_bytes() == ca
    assert not Upkeep()._look_after_certificate()


# ---------------------------------------------------------------------------------------------- twice at once

HOLD = """
import time
from credmgr.ops.maintenance_lock import turn_at_maintenance
with turn_at_maintenance() as is_ours:
    print("held" if is_ours else "refused", flush=True)
    time.sleep(300)
"""


def hold(one: Installation) -> "subprocess.Popen[str]":
    """A process that does the scheduled work and does not come to an end."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "shell", "--no-imports", "-c", HOLD],
        env=one.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.database
def test_one_at_a_time_and_a_killed_one_leaves_nothing_locked(
    fresh_installation: InstallationFactory,
) -> None:
    one = fresh_installation(start=False, prepared=True)
    # Another machine, where machines share a database.
    other = fresh_installation(start=False, beside=one) if one.database.url else one
    holder = hold(other)
    try:
        refused = one.json("run_maintenance", "--all")
        assert refused["busyElsewhere"] is True
        assert not any(job["ranNow"] for job in refused["jobs"])
        assert one.database.rows("SELECT count(*) FROM ops_maintenancerun") == [(0,)]
    finally:
        holder.kill()
        holder.communicate()
    done = one.json("run_maintenance")
    assert done["busyElsewhere"] is False
    assert {job["outcome"] for job in done["jobs"]} == {"done"}
    for job in done["jobs"]:
        assert datetime.fromisoformat(job["nextDue"]) > datetime.now(UTC), job
