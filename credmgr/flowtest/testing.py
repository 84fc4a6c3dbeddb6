"""The act behind "Test acquire token": run the flow with a stored credential, explain it, keep the report."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.credentials.models import Certificate, ClientSecret
from credmgr.errors import NotFoundError
from credmgr.flowtest.diagnosis.case import Case
from credmgr.flowtest.diagnosis.rules import diagnose
from credmgr.flowtest.diagnosis.success import succeeded
from credmgr.flowtest.limits import place_for
from credmgr.flowtest.material import Prepared, credential_name, prepare
from credmgr.flowtest.models import FlowRun
from credmgr.flowtest.report import Report, ShapeResult, Verdict
from credmgr.flowtest.runner import CLIENT_NAME, FlowOutcome, FlowSpec, SecretMaterial, run_flow
from credmgr.flowtest.scopes import clean_scope, resources_for
from credmgr.flowtest.verification import Expectations
from credmgr.outbound import built_in_origin
from credmgr.registrations.models import Application
from credmgr.registrations.resources import find_resource


@sensitive_variables("secret_value", "private_key_file", "password", "prepared", "outcome", "raw_token")
def test_credential(
    application: Application,
    credential: ClientSecret | Certificate,
    *,
    scope: str,
    secret_value: str | None = None,  # noqa: PT028 - an act, no pytest test
    private_key_file: bytes | None = None,  # noqa: PT028 - an act, no pytest test
    password: str = "",  # noqa: PT028 - an act, no pytest test
    include_raw_token: bool = False,  # noqa: PT028 - an act, no pytest test
    actor: Actor,
    now: datetime,
) -> tuple[FlowRun, str | None]:
    """Run the flow once and keep its redacted report; never longer than the deadline of the settings.

    secret_value: for a secret of which only the digest is kept. private_key_file and password: for a
    certificate without a kept key; used for this run, in memory. Returns the stored run, and the raw token
    only when asked for and only here. Raises DomainError for input that no run can be made from; what the
    authority does, or fails to do, is a verdict of the run and never raised.
    """
    scope = clean_scope(scope)
    prepared = prepare(credential, secret_value, private_key_file, password)
    authority = f"{settings.AUTHORITY_URL}/{application.tenant_id}"
    spec = FlowSpec(
        origin=built_in_origin(),
        authority=authority,
        client_id=str(application.client_id),
        scope=scope,
        material=prepared.material,
        expectations=_expectations(application, authority, scope, prepared.material),
    )
    with place_for(actor.user, now=now):
        outcome = run_flow(spec, deadline_seconds=settings.TEST_DEADLINE_SECONDS, now=now)
    report = _report(application, credential, prepared, outcome, scope, authority, now)
    run = _keep(application, credential, report, outcome, scope, actor, now)
    return run, outcome.raw_token if include_raw_token else None


def _expectations(application: Application, authority: str, scope: str, material: object) -> Expectations:
    """What a right token says, from what is stored here; audiences by the resource's token format (W5)."""
    identifier = scope.removesuffix("/.default")
    resource = find_resource(application.tenant_id, identifier)
    return Expectations(
        tenant_id=str(application.tenant_id),
        client_id=str(application.client_id),
        proof="1" if isinstance(material, SecretMaterial) else "2",
        resource_name=resource.name if resource else identifier or "the resource",
        audience_v2=str(resource.client_id) if resource else "",
        audiences_v1=frozenset({identifier, str(resource.client_id), *resource.names} if resource else ()),
        issuer_v2=f"{authority}/v2.0",
        issuer_v1=f"{authority}/",
    )


@sensitive_variables("prepared", "outcome", "case")
def _report(
    application: Application,
    credential: ClientSecret | Certificate,
    prepared: Prepared,
    outcome: FlowOutcome,
    scope: str,
    authority: str,
    now: datetime,
) -> Report:
    failed = next((item for item in outcome.shapes if item.verdict is not Verdict.VERIFIED), None)
    if failed is None:
        diagnosis = succeeded(outcome.shapes, credential_name(credential), now)
        return Report(authority, CLIENT_NAME, outcome.shapes, diagnosis)
    material = prepared.material
    case = Case(
        application_id=application.pk,
        client_id=application.client_id,
        tenant_id=application.tenant_id,
        tenant_name=application.tenant.name,
        # Read again: a change during the run is often the very cause.
        application=Application.objects.filter(pk=application.pk).first(),
        credential_id=credential.pk,
        credential_name=credential_name(credential),
        credential=type(credential)._default_manager.filter(pk=credential.pk).first(),
        is_secret=isinstance(credential, ClientSecret),
        thumbprint=credential.thumbprint_sha1 if isinstance(credential, Certificate) else "",
        presented=material.value if isinstance(material, SecretMaterial) else "",
        key_matches=prepared.key_matches,
        scope=scope,
        resources=resources_for(application),
        authority=authority,
        deadline_seconds=settings.TEST_DEADLINE_SECONDS,
        result=failed,
        now=now,
    )
    return Report(authority, CLIENT_NAME, outcome.shapes, diagnose(case))


@sensitive_variables("outcome")
@transaction.atomic
def _keep(
    application: Application,
    credential: ClientSecret | Certificate,
    report: Report,
    outcome: FlowOutcome,
    scope: str,
    actor: Actor,
    now: datetime,
) -> FlowRun:
    if not Application.objects.filter(pk=application.pk).exists():
        raise NotFoundError(
            "application_gone",
            "This application was deleted permanently while the test ran. Nothing was kept.",
        )
    decisive = _decisive(outcome.shapes)
    run = FlowRun.objects.create(
        application=application,
        credential_id=credential.pk,
        credential_kind="secret" if isinstance(credential, ClientSecret) else "certificate",
        credential_name=credential_name(credential),
        target="Built-in authority",
        scope=scope,
        verdict=str(decisive.verdict),
        error_code=decisive.error.code if decisive.error else 0,
        duration_ms=round(outcome.duration_ms),
        correlation_id=_uuid(decisive.correlation_id) or actor.correlation_id,
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
            "scope": ["", scope],
            "verdict": ["", run.verdict],
            "error_code": [0, run.error_code],
        },
        succeeded=decisive.verdict is Verdict.VERIFIED,
    )
    return run


def _decisive(shapes: list[ShapeResult]) -> ShapeResult:
    """The shape that decides the run's verdict: the first that failed, else the first."""
    return next((item for item in shapes if item.verdict is not Verdict.VERIFIED), shapes[0])


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
