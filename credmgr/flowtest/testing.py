"""The act behind "Test acquire token": run the flow with a stored credential, explain it, keep the report."""

import uuid
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from credmgr import measures
from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.credentials.models import Certificate, ClientSecret, FederatedCredential
from credmgr.errors import NotFoundError
from credmgr.flowtest.diagnosis.case import Case
from credmgr.flowtest.diagnosis.rules import diagnose
from credmgr.flowtest.diagnosis.success import succeeded
from credmgr.flowtest.expecting import expected_token
from credmgr.flowtest.federation import presented_values
from credmgr.flowtest.limits import place_for
from credmgr.flowtest.material import (
    Brought,
    Credential,
    Prepared,
    credential_kind,
    credential_name,
    needs_input,
    prepare,
)
from credmgr.flowtest.models import FlowRun
from credmgr.flowtest.report import Aim, Report, ShapeResult, decisive
from credmgr.flowtest.runner import FlowOutcome, run_flow
from credmgr.flowtest.scopes import clean_asked
from credmgr.flowtest.shapes import SecretMaterial
from credmgr.flowtest.spec import Asked, FlowSpec
from credmgr.flowtest.targets import Target, target_of
from credmgr.origins.queries import allowed_origins
from credmgr.outbound.origin import Origin, built_in_origin
from credmgr.registrations.models import BUILT_IN, Application, Tenant
from credmgr.registrations.near_resources import NOTHING_NEAR, resources_near
from credmgr.registrations.resources import find_resource
from credmgr.registrations.service_principals import api_of_elsewhere

UNKNOWN_RESOURCE, DISABLED_RESOURCE = 500011, 500014
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
    report = _report(application, place, asked_in, credential, prepared, spec, outcome, now)
    read = _read_here(credential, is_token_shown=include_raw_token and outcome.raw_token is not None)
    run = _keep(application, place, target, credential, report, outcome, read, actor, now)
    measures.count(TEST_RUNS, run.verdict)
    return run, outcome.raw_token if include_raw_token else None


def _origins(target: Target) -> list[Origin]:
    """A credential for the built-in authority goes nowhere else; any other goes to listed origins only."""
    return [built_in_origin()] if target.kind == BUILT_IN else allowed_origins()


@sensitive_variables("prepared", "outcome", "case", "material")
def _report(
    application: Application,
    place: Application,
    asked_in: Tenant,
    credential: Credential,
    prepared: Prepared,
    spec: FlowSpec,
    outcome: FlowOutcome,
    now: datetime,
) -> Report:
    target, asked = spec.target, spec.asked
    told = decisive(outcome.shapes, any_suffices=outcome.any_suffices)
    if told.verdict.is_success:
        diagnosis = succeeded(outcome.shapes, told, credential_name(credential), now)
    else:
        material = prepared.material
        case = Case(
            target=target,
            owner_id=application.pk,
            application_id=place.pk,
            client_id=place.client_id,
            tenant_id=asked_in.pk,
            tenant_name=asked_in.name,
            home_name=place.tenant.name,
            is_at_home=asked_in.pk == place.tenant_id,
            # Read again: a change during the run is often the very cause.
            application=Application.objects.filter(pk=place.pk).first(),
            credential_id=credential.pk,
            credential_name=credential_name(credential),
            credential=type(credential)._default_manager.filter(pk=credential.pk).first(),
            is_secret=isinstance(credential, ClientSecret),
            thumbprint=credential.thumbprint_sha1 if isinstance(credential, Certificate) else "",
            presented=material.value if isinstance(material, SecretMaterial) else "",
            key_matches=prepared.key_matches,
            asked=asked,
            near=resources_near(asked_in.pk, asked.scope) if target.kind == BUILT_IN else NOTHING_NEAR,
            api_elsewhere=_api_elsewhere(asked_in, asked, told) if target.kind == BUILT_IN else None,
            disabled_api=_disabled_api(asked_in, asked, told) if target.kind == BUILT_IN else None,
            deadline_seconds=settings.TEST_DEADLINE_SECONDS,
            result=told,
            shapes=outcome.shapes,
            now=now,
        )
        diagnosis = diagnose(case)
    return Report(
        target.authority,
        told.client,
        outcome.shapes,
        diagnosis,
        outcome.any_suffices,
        Aim(target.kind, target.authority, target.client_id, **asdict(asked)),
        presented_values(credential, told) if isinstance(credential, FederatedCredential) else [],
    )


def _api_elsewhere(asked_in: Tenant, asked: Asked, told: ShapeResult) -> Application | None:
    """The multitenant API of another directory that the scope names, where the authority knew none."""
    if told.error is None or told.error.code != UNKNOWN_RESOURCE:
        return None
    return api_of_elsewhere(asked_in, asked.scope.removesuffix("/.default"))


def _disabled_api(asked_in: Tenant, asked: Asked, told: ShapeResult) -> Application | None:
    if told.error is None or told.error.code != DISABLED_RESOURCE:
        return None
    resource = find_resource(asked_in.pk, asked.scope.removesuffix("/.default"))
    if resource is None or resource.application_id is None:
        return None
    return Application.objects.filter(pk=resource.application_id).select_related("tenant").first()


@sensitive_variables("outcome")
@transaction.atomic
def _keep(
    application: Application,
    place: Application,
    target: Target,
    credential: Credential,
    report: Report,
    outcome: FlowOutcome,
    read: Mapping[str, list[str]],
    actor: Actor,
    now: datetime,
) -> FlowRun:
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
        target=target.name[:255],
        scope=report.aim.scope,
        verdict=str(told.verdict),
        error=told.error.error[:64] if told.error else "",
        error_code=told.error.code if told.error else 0,
        duration_ms=round(outcome.duration_ms),
        correlation_id=_uuid(told.correlation_id) or actor.correlation_id,
        actor=actor.user,
        actor_name=actor.name,
        started_at=now,
        report=report.to_json(),
    )
    record_event(
        EventTag.FLOW_TESTED,
        actor=actor,
        now=now,
        tenant_id=application.tenant_id,
        application_id=application.pk,
        object_type=run.credential_kind,
        object_id=credential.pk,
        object_name=run.credential_name,
        changes={
            "authority": ["", report.authority],
            "client_id": ["", report.aim.client_id],
            "scope": ["", run.scope],
            "verdict": ["", run.verdict],
            "error_code": [0, run.error_code],
            **read,
        },
        succeeded=told.verdict.is_success,
    )
    return run


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
