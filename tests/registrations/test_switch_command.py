"""The command that sets the switches of a test directory."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from credmgr.registrations.directories import ensure_default_tenant
from credmgr.registrations.models import Tenant
from credmgr.registrations.switches import Switches, read_switches

pytestmark = pytest.mark.django_db
CLIENT = "12345678-90ab-4cde-8f01-234567890abc"


@pytest.fixture
def tenant() -> Tenant:
    return ensure_default_tenant(timezone.now())


def run(*options: str) -> Any:
    output = io.StringIO()
    call_command("set_test_switches", *options, stdout=output)
    return output.getvalue()


def stored(tenant: Tenant) -> Switches:
    tenant.refresh_from_db()
    return read_switches(tenant.test_switches)


def test_an_ordinary_directory_is_left_alone(tenant: Tenant) -> None:
    with pytest.raises(CommandError, match="not a test directory"):
        run("--code", "90033")
    assert stored(tenant) == Switches()


def test_what_is_named_is_on_and_all_else_off(tenant: Tenant) -> None:
    run("--mark", "--throttle-every", "3", "--delay", "0.5", "--client", CLIENT, "--minutes", "5")
    first = stored(tenant)
    assert (first.every, first.retry_after, first.delay, str(first.client_id)) == (3, 5, 0.5, CLIENT)
    assert first.until is not None
    answer = json.loads(run("--code", "90033", "--lifetime", "60", "--clock-shift", "-301", "--json"))
    assert answer["switches"] == {"code": 90033, "lifetime": 60, "clockShift": -301}
    assert stored(tenant) == Switches(code=90033, lifetime=60, clock_shift=-301)
    assert "all switches are off" in run()
    assert stored(tenant) == Switches()


@pytest.mark.parametrize(
    "options",
    [["--code", "1"], ["--delay", "31"], ["--client", "nobody"], ["--minutes", "-1"], ["--lifetime", "1"]],
)
def test_out_of_limits(tenant: Tenant, options: list[str]) -> None:
    with pytest.raises(CommandError):
        run("--mark", *options)
    assert stored(tenant) == Switches()
