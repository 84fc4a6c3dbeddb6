"""Figures for scrapers: who gets them, what they say, read by Prometheus' own parser."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import LazySettings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from credmgr import measures
from credmgr.accounts.throttling import Limit, admit
from credmgr.ops.installation import SERVER
from credmgr.ops.jobs import JOBS
from credmgr.ops.maintenance import run_due
from credmgr.ops.metrics import metrics_text
from credmgr.ops.models import MetricsSnapshot
from credmgr.ops.snapshots import take_snapshot
from credmgr.registrations.deleting import delete_application
from tests.acceptance.portal_session import PortalSession
from tests.factories import NOW, application, elsewhere, pasted, secret
from tests.installation import Installation, InstallationFactory
from tests.ops.test_crashes import ask_for_token
from tests.ops.test_serve import get, wait_until

TOKEN = "a-token-of-enough-characters"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parsed(text: str) -> Samples:
    """Every sample by name and labels. The parser refuses what is no exposition."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((f"credmgr_{name}", frozenset(labels.items())), 0.0)


@pytest.fixture
def folder(settings: LazySettings, tmp_path: Path) -> Iterator[Path]:
    """Counts of one's own; the keys stay where they are."""
    measures._begin_in_child()
    settings.DATA_DIR = tmp_path
    yield tmp_path
    measures._begin_in_child()


# ---------------------------------------------------------------------------------------------- who gets them


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({}, 200),
        ({"REMOTE_ADDR": "10.1.2.3"}, 404),
        # A proxy on this machine that nobody named: the world would come in through it.
        ({"HTTP_X_FORWARDED_FOR": "10.1.2.3"}, 404),
        ({"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 404),
        ({"HTTP_FORWARDED": "for=127.0.0.1"}, 404),
        ({"REMOTE_ADDR": "not an address"}, 404),
    ],
)
def test_without_a_setting_only_this_machine_gets_them(given: dict[str, str], status: int) -> None:
    assert Client(**given).get("/metrics").status_code == status  # type: ignore[arg-type] # of the environ


@pytest.mark.django_db
def test_named_scrapers_get_them(settings: LazySettings) -> None:
    settings.METRICS_FROM = ["10.1.0.0/16", "::1"]
    assert Client(REMOTE_ADDR="10.1.2.3").get("/metrics").status_code == 200
    assert Client(REMOTE_ADDR="::1").get("/metrics").status_code == 200
    assert Client(REMOTE_ADDR="10.2.2.3").get("/metrics").status_code == 404
    settings.TRUSTED_PROXIES = ["10.1.0.9"]
    behind = Client(REMOTE_ADDR="10.1.0.9", HTTP_X_FORWARDED_FOR="10.2.2.3")
    assert behind.get("/metrics").status_code == 404
    behind = Client(REMOTE_ADDR="10.1.0.9", HTTP_X_FORWARDED_FOR="10.1.2.3")
    assert behind.get("/metrics").status_code == 200


@pytest.mark.django_db
def test_a_token_opens_from_anywhere_and_nothing_like_it_does(settings: LazySettings) -> None:
    settings.METRICS_FROM, settings.METRICS_TOKEN = [], TOKEN
    client = Client(REMOTE_ADDR="203.0.113.9")
    assert client.get("/metrics", HTTP_AUTHORIZATION=f"Bearer {TOKEN}").status_code == 200
    for wrong in (
        "",
        "Bearer",
        "Bearer ",
        f"bearer{TOKEN}",
        f"Bearer {TOKEN}x",
        f"Basic {TOKEN}",
        "Bearer \u00e9",
    ):
        refused = client.get("/metrics", HTTP_AUTHORIZATION=wrong)
        assert (refused.status_code, refused.content) == (401, b"")
        assert refused.headers["WWW-Authenticate"] == 'Bearer realm="Metrics"'
    assert client.post("/metrics").status_code == 405


def test_with_a_public_url_nobody_gets_them_unless_named(fresh_installation: InstallationFactory) -> None:
    """A proxy on the same machine makes everybody look like this machine."""
    one = fresh_installation(start=False, CREDMGR_PUBLIC_URL="https://credentials.example.com")
    ask = "from django.conf import settings; print(settings.METRICS_FROM)"
    assert one.manage("shell", "--no-imports", "-c", ask).stdout.strip() == "[]"


# ---------------------------------------------------------------------------------------------- what they say


@pytest.mark.django_db
def test_credentials_are_told_by_days_left_without_a_name() -> None:
    app, gone = application("canary-application"), application("canary-deleted")
    for days in (-1, 3, 6, 20, 400):
        made, _ = secret(app, days=days, age=30, description="canary-description")
    pasted(elsewhere("canary-elsewhere"), description="canary-description")
    secret(gone, days=3)
    delete_application(gone, actor=SERVER, now=NOW)
    take_snapshot(SERVER, NOW)
    text = metrics_text()
    samples = parsed(text)
    found = {
        left: value(samples, "credentials", kind="secret", days_left=left)
        for left in ("expired", "7", "30", "90", "more", "unknown")
    }
    assert found == {"expired": 1, "7": 2, "30": 1, "90": 0, "more": 1, "unknown": 1}
    assert value(samples, "credentials_next_end_timestamp_seconds") == (NOW + timedelta(days=3)).timestamp()
    assert value(samples, "applications", state="live") == 2
    assert value(samples, "applications", state="deleted") == 1
    assert ("credmgr_credentials", frozenset({("kind", "certificate"), ("days_left", "7")})) in samples
    for canary in ("canary", str(app.client_id), str(app.pk), str(made.pk)):
        assert canary not in text


@pytest.mark.django_db
def test_the_age_of_the_vault_key_begins_with_the_key() -> None:
    def snapshot() -> dict[str, Any]:
        run_due(JOBS, actor=SERVER, now=timezone.now(), names=["metrics"])
        key: dict[str, Any] = MetricsSnapshot.objects.get().figures["vaultKey"]
        return key

    first = snapshot()
    assert snapshot() == first
    MetricsSnapshot.objects.update(figures={"vaultKey": {"id": "0123", "since": 7.0}})
    assert snapshot()["since"] >= first["since"]


@pytest.mark.django_db
def test_limits_that_are_met_are_counted(folder: Path) -> None:
    for _ in range(5):
        admit("test:key", Limit("step-up", 2, 60), NOW)
    assert value(parsed(metrics_text()), "refused_attempts_total", limit="step-up") == 3


def route_names(patterns: Iterable[Any], prefix: str = "") -> Iterator[str]:
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from route_names(each.url_patterns, f"{each.namespace}:" if each.namespace else prefix)
        elif isinstance(each, URLPattern):
            yield f"{prefix}{each.name}"


def test_every_route_has_room_among_the_counts() -> None:
    names = list(route_names(get_resolver().url_patterns))
    assert all(len(f"requests\t{name}") <= 64 for name in names)
    assert len(names) < 350


def scraped(one: Installation) -> Samples:
    return parsed(requests.get(f"{one.portal_url}/metrics", timeout=30).text)


def test_what_several_processes_did_adds_up(installation: Installation) -> None:
    """Two listeners with two workers each, and a command: every token, refusal and page is counted once."""
    one = installation
    app = one.json("register_app", "Counted")
    good = one.json("add_secret", app["appId"])["secretText"]
    before = scraped(one)
    for _ in range(20):
        assert ask_for_token(one, app["appId"], good).status_code == 200
    for _ in range(6):
        assert ask_for_token(one, app["appId"], "wrong").status_code == 401
    assert get(one, f"/{one.tenant_id}/oauth2/v2.0/token", method="POST", data={}).status_code == 400
    person = PortalSession(one.portal_url, one.admin_name, one.admin_password)
    for _ in range(3):
        assert person.get("/applications").status_code == 200
    tested = one.manage("test_token", app["appId"], "--json")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    wait_until(lambda: not one.json("run_maintenance", "--job", "metrics")["busyElsewhere"])
    text = get(one, "/metrics").text
    samples = parsed(text)

    def more(name: str, **labels: str) -> float:
        return value(samples, name, **labels) - value(before, name, **labels)

    assert more("token_requests_total", result="success") == 21  # and the test's
    assert more("token_requests_total", result="AADSTS7000215") == 6
    assert more("token_requests_total", result="AADSTS900144") == 1
    assert more("test_runs_total", outcome="verified") == 1
    seconds = "request_duration_seconds"
    assert more(f"{seconds}_count", route="authority:token") == 28
    assert more(f"{seconds}_bucket", route="authority:token", le="+Inf") == 28
    assert more(f"{seconds}_count", route="portal:applications") >= 3
    assert more(f"{seconds}_sum", route="authority:token") > 0
    for check in ("database", "migrations", "key_ring", "signing_key"):
        assert value(samples, "ready", check=check) == 1
    assert value(samples, "credentials", kind="secret", days_left="more") >= 1
    assert value(samples, "signing_keys_published") >= 1
    for canary in (app["appId"], app["id"], good[:3] + "_", "Counted", one.tenant_id):
        assert canary not in text, canary
