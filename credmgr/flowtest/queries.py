"""Look-ups over the history of tests."""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, QuerySet

from credmgr.credentials.lifecycle import is_live
from credmgr.credentials.models import Certificate, ClientSecret
from credmgr.flowtest.material import needs_input
from credmgr.flowtest.models import FlowRun
from credmgr.flowtest.patience import LIMIT, TRIES_MAX, Refused
from credmgr.flowtest.report import SUCCESSES, Verdict
from credmgr.registrations.models import Application

_TONES = {Verdict.VERIFIED: "ok", Verdict.ACQUIRED: "ok", Verdict.UNREACHABLE: "warn"}


@dataclass(frozen=True)
class LastTest:
    """The newest test of a credential. words as the list shows them; tone: ok, warn, bad."""

    run_id: uuid.UUID
    at: datetime
    words: str
    tone: str


def verdict_words(run: FlowRun) -> str:
    """A run's verdict for a list: "Passed", "Failed, AADSTS7000215" or an OAuth error, "Not reached"."""
    verdict = run.verdict
    if verdict == Verdict.VERIFIED:
        return "Passed"
    if verdict == Verdict.ACQUIRED:
        return "Passed, token not checked"
    if verdict == Verdict.UNREACHABLE:
        return "Not reached"
    if verdict == Verdict.INVALID:
        return "Not sent"
    if verdict == Verdict.UNVERIFIED:
        return "Token not verified"
    code = f"AADSTS{run.error_code}" if run.error_code else run.error
    return f"Failed, {code}" if code else "Failed"


def verdict_tone(verdict: str) -> str:
    """ok, warn or bad."""
    return _TONES.get(Verdict(verdict), "bad")


def runs_by_correlation(
    *, application_ids: Collection[uuid.UUID], correlation_ids: Collection[uuid.UUID], since: datetime
) -> dict[uuid.UUID, tuple[uuid.UUID, uuid.UUID]]:
    """{correlation id: (run, its application)} of these applications' runs that began since then."""
    found = FlowRun.objects.filter(
        application__in=application_ids, correlation_id__in=correlation_ids, started_at__gte=since
    )
    return {
        correlation: (run, application)
        for correlation, run, application in found.values_list("correlation_id", "pk", "application_id")
    }


def runs_of(application: Application) -> QuerySet[FlowRun]:
    """All runs of the application, newest first, without their reports."""
    return FlowRun.objects.filter(application=application).order_by("-started_at", "-pk").defer("report")


def last_tests(credential_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, LastTest]:
    """The newest test per credential at its own place; credentials never tested are absent. Two queries."""
    newest = (
        FlowRun.objects.filter(credential_id__in=list(credential_ids), place_id=None)
        .values("credential_id")
        .annotate(at=Max("started_at"))
        .values_list("credential_id", "at")
    )
    moments = dict(newest)
    rows = FlowRun.objects.filter(
        credential_id__in=moments.keys(), started_at__in=moments.values(), place_id=None
    ).defer("report")
    return {
        row.credential_id: LastTest(row.pk, row.started_at, verdict_words(row), verdict_tone(row.verdict))
        for row in rows
        if row.credential_id is not None and moments[row.credential_id] == row.started_at
    }


def previous_success(run: FlowRun) -> FlowRun | None:
    """The run before this one that worked, with the same credential, place and scope."""
    return (
        FlowRun.objects.filter(
            application_id=run.application_id,
            credential_id=run.credential_id,
            place_id=run.place_id,
            target=run.target,
            scope=run.scope,
            verdict__in=SUCCESSES,
            started_at__lt=run.started_at,
        )
        .order_by("-started_at")
        .first()
    )


def failing_since(run: FlowRun) -> tuple[datetime, int]:
    """(start of the unbroken row of failures that ends with this run, how many they are)."""
    alike = FlowRun.objects.filter(
        application_id=run.application_id,
        credential_id=run.credential_id,
        place_id=run.place_id,
        target=run.target,
        started_at__lte=run.started_at,
    )
    passed = alike.filter(verdict__in=SUCCESSES).order_by("-started_at").first()
    if passed is not None:
        alike = alike.filter(started_at__gt=passed.started_at)
    first = alike.order_by("started_at").values_list("started_at", flat=True).first()
    return first or run.started_at, alike.count()


def refused_until(run: FlowRun) -> list[Refused]:
    """The run and those before it of its credential at its place, newest first; none where one came after.

    As many as patience looks at. One query.
    """
    alike = FlowRun.objects.filter(
        application_id=run.application_id,
        credential_id=run.credential_id,
        place_id=run.place_id,
        target=run.target,
        started_at__gte=run.started_at - TRIES_MAX * LIMIT,
    ).order_by("-started_at", "-pk")
    rows = list(alike.values_list("pk", "started_at", "error_code")[: TRIES_MAX + 1])
    if not rows or rows[0][0] != run.pk:
        return []
    return [Refused(started_at, code) for _, started_at, code in rows]


def runnable_credentials(
    application: Application, now: datetime, *, with_key: bool = False, with_value: bool = False
) -> list[ClientSecret | Certificate]:
    """Live credentials that can run with what is at hand, newest first.

    with_key: a key file is given, so certificates without a kept key can run; with_value: a value is.
    """
    rows: list[ClientSecret | Certificate] = [
        *ClientSecret.objects.filter(application=application),
        *Certificate.objects.filter(application=application),
    ]
    given = {"": True, "key": with_key, "value": with_value}
    fit = [row for row in rows if is_live(row, now) and given[needs_input(row)]]
    # A given file was given for a reason: what needs it comes before what does not.
    return sorted(fit, key=lambda row: (bool(needs_input(row)), row.created_at), reverse=True)
