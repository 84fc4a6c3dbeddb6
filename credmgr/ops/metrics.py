"""Figures for Prometheus and whatever reads its text format (version 0.0.4). No names, no ids, no clients.

Counters are this machine's own, over all its processes (measures); what lies in the database is told alike by
all machines that share it.
"""

import platform
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone

from credmgr import measures
from credmgr.accounts.throttling import REFUSED_ATTEMPTS
from credmgr.audit.forwarding import waiting
from credmgr.authority.models import SigningKey
from credmgr.authority.signing_keys import current_signing_key, is_published
from credmgr.authority.token_endpoint import TOKEN_REQUESTS
from credmgr.flowtest.models import RunningTest
from credmgr.flowtest.testing import TEST_RUNS
from credmgr.localca.authority import listener_certificate_end
from credmgr.ops.health import readiness
from credmgr.ops.models import MaintenanceRun, MetricsSnapshot
from credmgr.ops.watching import REQUESTS

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
COUNTER, GAUGE, HISTOGRAM = "counter", "gauge", "histogram"

# What waits, counted at each scrape. A further queue is a further line here.
QUEUES: dict[str, Callable[[], int]] = {
    "running-tests": RunningTest.objects.count,
    "audit-forwarding": waiting,
}


@dataclass
class Family:
    """One metric with its samples: (suffix of the name, labels, value)."""

    name: str
    kind: str
    help: str
    samples: list[tuple[str, dict[str, str], float]] = field(default_factory=list)

    def add(self, value: float, **labels: str) -> None:
        """One sample."""
        self.samples.append(("", labels, value))


def metrics_text() -> str:
    """Everything, as text. What the database would have told is left out where it does not answer."""
    families = [*_of_process(), *_of_machine()]
    with suppress(DatabaseError):  # credmgr_ready says so
        families += [*_of_database(), *_of_snapshot()]
    return "".join(line for family in families for line in _lines(family))


def _of_process() -> Iterator[Family]:
    info = Family("credmgr_build_info", GAUGE, "The release that runs; always 1.")
    info.add(1, version=settings.VERSION, python=platform.python_version())
    yield info
    ready = Family("credmgr_ready", GAUGE, "1 for each thing that is as it must be, see /health/ready.")
    for check, holds in readiness().items():
        ready.add(int(holds), check=check)
    yield ready
    tls = Family("credmgr_tls_certificate_end_timestamp_seconds", GAUGE, "End of the certificate in use.")
    if (end := listener_certificate_end()) is not None:
        tls.add(end.timestamp())
    yield tls


# ----------------------------------------------------------------------------------- counted on this machine


def _of_machine() -> list[Family]:
    tokens = Family(
        "credmgr_token_requests_total", COUNTER, "Token requests by result: success, or the AADSTS code."
    )
    tests = Family("credmgr_test_runs_total", COUNTER, "Runs of Test acquire token by outcome.")
    refused = Family("credmgr_refused_attempts_total", COUNTER, "Attempts that met a full limit, by limit.")
    durations = Family(
        "credmgr_request_duration_seconds",
        HISTOGRAM,
        "Time to answer, by route.",
    )
    for (name, label), numbers in sorted(measures.figures().items()):
        if name == TOKEN_REQUESTS:
            tokens.add(numbers[0], result="success" if label == "0" else f"AADSTS{label}")
        elif name == TEST_RUNS:
            tests.add(numbers[0], outcome=label)
        elif name == REFUSED_ATTEMPTS:
            refused.add(numbers[0], limit=label)
        elif name == REQUESTS:
            durations.samples += _histogram(label, numbers)
    return [tokens, tests, refused, durations]


def _histogram(route: str, numbers: list[int]) -> Iterator[tuple[str, dict[str, str], float]]:
    *buckets, microseconds = numbers
    seen = 0
    for bound, number in zip([*map(str, measures.BOUNDS), "+Inf"], buckets, strict=True):
        seen += number
        yield "_bucket", {"route": route, "le": bound}, seen
    yield "_sum", {"route": route}, microseconds / 1e6
    yield "_count", {"route": route}, seen


# ------------------------------------------------------------------------------------ read from the database


def _of_database() -> Iterator[Family]:
    now = timezone.now()
    queues = Family("credmgr_queue_depth", GAUGE, "What waits or is under way, by queue.")
    for queue, depth in QUEUES.items():
        queues.add(depth(), queue=queue)
    yield queues
    published = Family("credmgr_signing_keys_published", GAUGE, "Keys in the key set of the authority.")
    published.add(SigningKey.objects.filter(is_published(now)).count())
    yield published
    signer = current_signing_key(now)
    age = Family("credmgr_signing_key_age_seconds", GAUGE, "How long the key that signs tokens has done so.")
    if signer is not None:
        age.add(max(0.0, (now - signer.signs_from).total_seconds()))
    yield age
    last = Family("credmgr_maintenance_last_run_timestamp_seconds", GAUGE, "Start of each job's last run.")
    failed = Family("credmgr_maintenance_failed", GAUGE, "1 for each job whose last run failed.")
    for run in MaintenanceRun.objects.order_by("name"):
        last.add(run.started_at.timestamp(), job=run.name)
        failed.add(int(run.has_failed), job=run.name)
    yield from (last, failed)


def _of_snapshot() -> Iterator[Family]:
    row = MetricsSnapshot.objects.first()
    if row is None:
        return
    figures: dict[str, Any] = row.figures
    credentials = Family(
        "credmgr_credentials",
        GAUGE,
        "Credentials of live registrations by days left: expired, up to 7, 30, 90, more, unknown. Disjoint.",
    )
    for kind, classes in figures["credentials"].items():
        for name, number in classes.items():
            credentials.add(number, kind=kind, days_left=name)
    yield credentials
    next_end = Family(
        "credmgr_credentials_next_end_timestamp_seconds", GAUGE, "When the credential ends that ends next."
    )
    if figures["nextEnd"] is not None:
        next_end.add(figures["nextEnd"])
    yield next_end
    applications = Family("credmgr_applications", GAUGE, "App registrations by state.")
    for state, number in figures["applications"].items():
        applications.add(number, state=state)
    yield applications
    sessions = Family("credmgr_sessions", GAUGE, "Sessions of people that have not ended.")
    sessions.add(figures["sessions"])
    yield sessions
    key = Family("credmgr_vault_key_age_seconds", GAUGE, "How long the key that seals has done so.")
    key.add(max(0.0, time.time() - figures["vaultKey"]["since"]))
    yield key
    age = Family(
        "credmgr_snapshot_age_seconds", GAUGE, "Age of the figures of credentials, applications and sessions."
    )
    age.add(max(0.0, time.time() - row.taken_at.timestamp()))
    yield age


# -------------------------------------------------------------------------------------------------- as text


def _lines(family: Family) -> Iterator[str]:
    yield f"# HELP {family.name} {family.help}\n# TYPE {family.name} {family.kind}\n"
    for suffix, labels, value in family.samples:
        yield f"{family.name}{suffix}{_labels(labels.items())} {_number(value)}\n"


def _labels(labels: Iterable[tuple[str, str]]) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{pairs}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else repr(float(value))
