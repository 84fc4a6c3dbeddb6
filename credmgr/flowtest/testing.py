"""The act behind "Test acquire token": run the flow with a stored credential, explain it, keep the report."""

import uuid
from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from credmgr import measures
from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.credentials.models import Certificate
from credmgr.errors import NotFoundError
from credmgr.flowtest.expecting import expected_token
from credmgr.flowtest.explaining import Attempt, explained
from credmgr.flowtest.limits import place_for
from credmgr.flowtest.material import (
    Brought,
    Credential,
    credential_kind,
    credential_name,
    needs_input,
    prepare,
)
from credmgr.flowtest.models import FlowRun
from credmgr.flowtest.report import Report, ShapeResult
from credmgr.flowtest.runner import run_flow
from credmgr.flowtest.scopes import clean_asked
from credmgr.flowtest.spec import Asked, FlowSpec
from credmgr.flowtest.targets import Target, target_of
from credmgr.origins.queries import allowed_origins
from credmgr.outbound.origin import Origin, built_in_origin
from credmgr.registrations.models import BUILT_IN, Application, Tenant

# What runs are counted under in measures.
TEST_RUNS = "test-runs"


@sensitive_variables("brought", "prepared", "outcome", "raw_token")
def test_credential(
    application: Application,
    credential: Credential,
    *,
    asked: Asked,
    brought: Brought = Brought(),  # noqa: PT028, B008 - the same; the default is frozen
    place: Application | None = None,  # noqa: PT028 - an act, no pytest test
    directory: Tenant | None = None,  # noqa: PT028 - an act, no pytest test
    include_raw_token: bool = False,  # noqa: PT028 - an act, no pytest test
    actor: Actor,
    now: datetime,
) -> tuple[FlowRun, str | None]:
    """Run the flow once and keep its redacted report; never longer than the deadline of the settings.

    place: the registration whose authority and client id are used, the credential's own where None.
    directory: of the built-in authority, the registration's home where None. Returns the stored run, and the
    raw token only when asked for and only here. Raises DomainError for input that no run can be made from;
    what the authority does, or fails to do, is a verdict of the run and never raised.
    """
    place = place or application
    target = target_of(place, directory)
    asked = clean_asked(asked, needs_scope=target.has_tenants)
    prepared = prepare(credential, brought)
    spec = FlowSpec(
        target=target,
        origins=_origins(target),
        asked=asked,
        material=prepared.material,
        expected=expected_token(target, asked, prepared.material),
    )
    with place_for(actor.user, now=now):
        outcome = run_flow(spec, deadline_seconds=settings.TEST_DEADLINE_SECONDS, now=now)
    asked_in = directory if directory is not None and target.kind == BUILT_IN else place.tenant
    attempt = Attempt(application, place, asked_in, credential, prepared, spec, now)
    read = _read_here(credential, is_token_shown=include_raw_token and outcome.raw_token is not None)
    run = _keep(attempt, explained(attempt, outcome), outcome.duration_ms, read, actor)
    measures.count(TEST_RUNS, run.verdict)
    return run, outcome.raw_token if include_raw_token else None


def _origins(target: Target) -> list[Origin]:
    """A credential for the built-in authority goes nowhere else; any other goes to listed origins only."""
    return [built_in_origin()] if target.kind == BUILT_IN else allowed_origins()


@transaction.atomic
def _keep(
    attempt: Attempt, report: Report, duration_ms: float, read: Mapping[str, list[str]], actor: Actor
) -> FlowRun:
    application, place, credential = attempt.application, attempt.place, attempt.credential
    if not Application.objects.filter(pk=application.pk).exists():
        raise NotFoundError(
            "application_gone",
            "This application was deleted permanently while the test ran. Nothing was kept.",
        )
    told: ShapeResult = report.decisive
    run = FlowRun.objects.create(
        application=application,
        place_id=None if place.pk == application.pk else place.pk,
        credential_id=credential.pk,
        credential_kind=credential_kind(credential),
        credential_name=credential_name(credential),
        target=attempt.spec.target.name[:255],
        scope=report.aim.scope,
        verdict=str(told.verdict),
        error=told.error.error[:64] if told.error else "",
        error_code=told.error.code if told.error else 0,
        duration_ms=round(duration_ms),
        correlation_id=_uuid(told.correlation_id) or actor.correlation_id,
        actor=actor.user,
        actor_name=actor.name,
        started_at=attempt.now,
        report=report.to_json(),
    )
    _record(run, report, read, actor)
    return run


def _record(run: FlowRun, report: Report, read: Mapping[str, list[str]], actor: Actor) -> None:
    record_event(
        EventTag.FLOW_TESTED,
        actor=actor,
        now=run.started_at,
        tenant_id=run.application.tenant_id,
        application_id=run.application_id,
        object_type=run.credential_kind,
        object_id=run.credential_id,
        object_name=run.credential_name,
        changes={
            "authority": ["", report.authority],
            "client_id": ["", report.aim.client_id],
            "scope": ["", run.scope],
            "verdict": ["", run.verdict],
            "error_code": [0, run.error_code],
            **read,
        },
        succeeded=report.decisive.verdict.is_success,
    )


def _read_here(credential: Credential, *, is_token_shown: bool) -> dict[str, list[str]]:
    """What the audit says of reads that matter: a kept private key was used, a raw token was shown."""
    uses_kept_key = isinstance(credential, Certificate) and not needs_input(credential)
    return {
        **({"privateKey": ["", "the kept one"]} if uses_kept_key else {}),
        **({"rawToken": ["", "shown once"]} if is_token_shown else {}),
    }


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
