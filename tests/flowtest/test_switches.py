"""A run that failed because a test directory wanted it to: said as the cause, with the way to the switch."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from credmgr.audit.recording import Actor
from credmgr.flowtest.models import FlowRun
from credmgr.flowtest.report import Diagnosis, Report
from credmgr.registrations.directory_rules import set_directory_testing, set_test_switches
from credmgr.registrations.models import Tenant
from credmgr.registrations.switches import FORCED_SENTENCE, Switches
from tests.flowtest.conftest import Directory
from tests.flowtest.far_side import Client
from tests.installation import InstallationFactory

Switching = Callable[..., None]


@pytest.fixture
def switch(directory: Directory) -> Switching:
    """The directory is a test directory with these switches on."""

    def act(**values: Any) -> None:
        Tenant.objects.filter(pk=directory.tenant.pk).update(is_test=False, test_switches={})
        tenant = Tenant.objects.get(pk=directory.tenant.pk)
        given: dict[str, Any] = {"actor": Actor.command(), "now": directory.now}
        tenant = set_directory_testing(tenant, is_test=True, expected_version=tenant.version, **given)
        switches = Switches(**values)
        set_test_switches(tenant, switches=switches, expected_version=tenant.version, **given)

    return act


def diagnosis_of(run: FlowRun) -> Diagnosis:
    return Report.from_json(run.report).diagnosis


def leads_to_testing(directory: Directory, diagnosis: Diagnosis) -> bool:
    """The first step of the cure opens the switches."""
    step = diagnosis.steps[0]
    address = reverse(step.page, kwargs=step.page_arguments)
    return address == f"/directories/{directory.tenant.pk}/testing"


@pytest.mark.parametrize("code", [7000215, 90055, 90033, 500011, 700016])
def test_the_answer_says_that_it_was_forced(directory: Directory, code: int) -> None:
    """Whatever the code would mean otherwise."""
    secret, _ = directory.secret()
    directory.refuse(code, text=f"Something. {FORCED_SENTENCE}")
    diagnosis = diagnosis_of(directory.run(secret))
    assert diagnosis.cause == "test-switch"
    assert f"AADSTS{code}" in diagnosis.headline
    assert leads_to_testing(directory, diagnosis)


def test_the_same_code_unforced_is_another_cause(directory: Directory, switch: Switching) -> None:
    """Also where a switch is on that has nothing to do with it."""
    switch(lifetime=60)
    secret, _ = directory.secret()
    directory.refuse(500011, "invalid_resource", "Something.", 400)
    assert diagnosis_of(directory.run(secret)).cause != "test-switch"


def test_a_delay_longer_than_the_run(directory: Directory, switch: Switching, settings: Any) -> None:
    settings.TEST_DEADLINE_SECONDS = 1
    secret, _ = directory.secret()
    directory.side.answers["POST", "/token"] = directory.side.silence
    assert diagnosis_of(directory.run(secret)).cause == "timeout"
    switch(delay=20)
    diagnosis = diagnosis_of(directory.run(secret))
    assert diagnosis.cause == "test-switch"
    assert "20 s" in diagnosis.summary


def test_a_shifted_clock_ends_a_live_secret(directory: Directory, switch: Switching) -> None:
    """The cause only where the secret lives by the true time."""
    directory.refuse(7000222)
    live, _ = directory.secret(end_at=directory.now + timedelta(hours=12))
    start, end = directory.now - timedelta(days=9), directory.now - timedelta(days=1)
    over, _ = directory.secret(start_at=start, end_at=end)
    assert diagnosis_of(directory.run(live)).cause != "test-switch"
    switch(clock_shift=86400)
    diagnosis = diagnosis_of(directory.run(live))
    assert diagnosis.cause == "test-switch"
    assert "86400 s ahead" in diagnosis.summary
    assert diagnosis_of(directory.run(over)).cause == "secret-expired"


def test_a_shifted_clock_refuses_assertions(directory: Directory, switch: Switching) -> None:
    certificate = directory.certificate(Client())
    directory.refuse(700024)
    switch(clock_shift=-120)
    assert diagnosis_of(directory.run(certificate)).cause != "test-switch"
    switch(clock_shift=-3600)
    diagnosis = diagnosis_of(directory.run(certificate))
    assert diagnosis.cause == "test-switch"
    assert leads_to_testing(directory, diagnosis)


def test_switches_of_another_client_are_no_cause(directory: Directory, switch: Switching) -> None:
    secret, _ = directory.secret(end_at=directory.now + timedelta(hours=12))
    directory.refuse(7000222)
    switch(clock_shift=86400, client_id=directory.register("Other").client_id)
    assert diagnosis_of(directory.run(secret)).cause != "test-switch"


@pytest.mark.parametrize(
    ("switches", "said"),
    [
        (["--code", "500011"], "forces AADSTS500011"),
        pytest.param(["--clock-shift", "7200"], "shifts the clock", marks=pytest.mark.slow),
    ],
)
def test_on_the_running_server(
    fresh_installation: InstallationFactory, switches: list[str], said: str
) -> None:
    """The whole way: the command sets the switch, the endpoint obeys, the tester tells why."""
    server = fresh_installation(admin=False)
    app = server.json("register_app", "Client")
    server.json("add_secret", app["appId"])
    assert server.manage("test_token", app["appId"]).returncode == 0
    server.json("set_test_switches", "--mark", *switches)
    done = server.manage("test_token", app["appId"])
    assert done.returncode != 0
    assert said in done.stdout + done.stderr
    server.json("set_test_switches")
    assert server.manage("test_token", app["appId"]).returncode == 0
