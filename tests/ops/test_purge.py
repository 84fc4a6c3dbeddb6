"""Old sign-ins go: by command, by the server itself, while tokens are given, and however it is stopped."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.utils import timezone

from credmgr.audit.models import AuditEvent, SignIn
from credmgr.audit.recording import Actor
from credmgr.ops.installation import SERVER
from credmgr.ops.jobs import JOBS
from credmgr.ops.maintenance import run_due
from credmgr.ops.supervisor import Supervisor
from credmgr.ops.upkeep import Upkeep
from tests.audit.rows import sign_in, store_in, unsaved
from tests.installation import ROOT, Installation, InstallationFactory
from tests.ops.test_serve import get, wait_until

OLD_ROWS = 20_000


def run(*arguments: str) -> Any:
    out = StringIO()
    call_command("purge_sign_ins", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def told(*arguments: str) -> str:
    out = StringIO()
    call_command("purge_sign_ins", *arguments, stdout=out)
    return out.getvalue().strip()


@pytest.fixture
def log(db: None) -> list[SignIn]:
    """One each of today, 10, 80 and 100 days ago."""
    now = timezone.now()
    return [sign_in(now - timedelta(days=days)) for days in (0, 10, 80, 100)]


def test_the_setting_decides_without_an_age(log: list[SignIn], settings: LazySettings) -> None:
    answer = run()
    assert (answer["found"], answer["deleted"], answer["dryRun"]) == (1, 1, False)
    assert list(SignIn.objects.order_by("-at")) == log[:3]
    settings.SIGN_IN_DAYS = 30
    assert run()["deleted"] == 1
    settings.SIGN_IN_DAYS = 0
    assert run() == {"before": None, "found": 0, "deleted": 0, "dryRun": False}
    assert "all sign-ins are kept. Nothing was deleted." in told()
    assert SignIn.objects.count() == 2


def test_an_age_of_ones_own_and_a_look_first(log: list[SignIn]) -> None:
    answer = run("--older-than", "5", "--dry-run")
    assert (answer["found"], answer["deleted"], answer["dryRun"]) == (3, 0, True)
    assert "3 sign-ins from before" in told("--older-than", "5", "--dry-run")
    assert SignIn.objects.count() == 4
    assert not AuditEvent.objects.exists()
    assert told("--older-than", "5").startswith("3 sign-ins from before")
    assert SignIn.objects.get() == log[0]
    event = AuditEvent.objects.get()
    assert (event.tag, event.actor_name) == ("installation:sign-ins:purged", Actor.command().name)


@pytest.mark.parametrize("days", ["0", "-1", "36501"])
def test_an_age_that_makes_no_sense_is_refused(log: list[SignIn], days: str) -> None:
    with pytest.raises(CommandError, match="--older-than must be a number of days between 1 and 36,500"):
        run("--older-than", days)
    assert SignIn.objects.count() == 4


def test_the_server_cleans_up_by_the_setting(log: list[SignIn], settings: LazySettings) -> None:
    settings.SIGN_IN_DAYS = 0
    run_due(JOBS, actor=SERVER, now=timezone.now(), names=["sign-ins"])
    assert SignIn.objects.count() == 4
    settings.SIGN_IN_DAYS = 90
    run_due(JOBS, actor=SERVER, now=timezone.now(), names=["sign-ins"])
    assert list(SignIn.objects.order_by("-at")) == log[:3]
    assert AuditEvent.objects.get().actor_name == "Credential Manager"


@pytest.mark.django_db(transaction=True)
def test_the_upkeep_of_serve_purges() -> None:
    """With the connections closed afterwards, as between two requests."""
    now = timezone.now()
    kept = sign_in(now)
    sign_in(now - timedelta(days=91))
    Upkeep()()
    assert SignIn.objects.get() == kept


@pytest.fixture
def signals() -> Iterator[None]:
    """Puts back what a supervisor sets for itself."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_long_upkeep_does_not_keep_the_server_from_ending(
    signals: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor from watching its listeners: it runs in a thread of its own."""
    monkeypatch.setattr("credmgr.ops.supervisor.FIRST_UPKEEP_SECONDS", 0.0)
    release = threading.Event()

    def upkeep() -> bool:
        os.kill(os.getpid(), signal.SIGTERM)
        release.wait(60)
        return False

    supervisor = Supervisor([], lock=0, upkeep=upkeep)
    supervisor.start()
    try:
        assert supervisor.run() == 0
    finally:
        release.set()


# ------------------------------------------------------------------------------------- on a running server
def fill(one: Installation, tenant: str) -> None:
    """Many sign-ins of long ago."""
    old = timezone.now() - timedelta(days=200)
    rows = [unsaved(old + timedelta(seconds=number), tenant=uuid.UUID(tenant)) for number in range(OLD_ROWS)]
    for row in rows:
        row.client_id = "x"
    store_in(one.database, rows)


def old_rows(one: Installation) -> int:
    [[found]] = one.database.rows("SELECT COUNT(*) FROM audit_signin WHERE client_id = 'x'")
    return int(found)


def begin_purge(one: Installation) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "purge_sign_ins", "--json"],
        env=one.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_tokens_are_given_while_two_purges_run_and_one_is_killed(
    fresh_installation: InstallationFactory,
) -> None:
    one = fresh_installation(admin=False)
    made = one.json("register_app", "Busy")
    secret = one.json("add_secret", made["appId"], "--days", "30")["secretText"]
    # Not due again for hours: the server's own purge leaves the rows to those that are watched here.
    one.json("run_maintenance", "--job", "sign-ins")
    fill(one, made["tenantId"])

    def token() -> int:
        form = {
            "grant_type": "client_credentials",
            "client_id": made["appId"],
            "client_secret": secret,
            "scope": "https://graph.microsoft.com/.default",
        }
        return get(one, f"/{made['tenantId']}/oauth2/v2.0/token", method="POST", data=form).status_code

    killed = begin_purge(one)
    wait_until(lambda: old_rows(one) < OLD_ROWS)
    assert token() == 200
    killed.kill()
    killed.communicate()
    left = old_rows(one)
    assert 0 < left < OLD_ROWS, "the purge was over before it was killed"
    both = [begin_purge(one), begin_purge(one)]
    answers = []
    while any(each.poll() is None for each in both):
        answers.append(token())
        time.sleep(0.02)
    ended = [each.communicate() for each in both]
    assert [each.returncode for each in both] == [0, 0], ended
    assert set(answers) == {200}
    assert sum(json.loads(out)["deleted"] for out, _ in ended) == left
    assert old_rows(one) == 0
    assert token() == 200
