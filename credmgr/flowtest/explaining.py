"""Makes of what a run saw the report that is kept and shown: the token explained, or the error's cause."""

from dataclasses import asdict, dataclass, field
from datetime import datetime

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from credmgr.credentials.models import Certificate, ClientSecret, FederatedCredential
from credmgr.flowtest.diagnosis.case import Case
from credmgr.flowtest.diagnosis.directories import DISABLED_RESOURCE
from credmgr.flowtest.diagnosis.rules import diagnose
from credmgr.flowtest.diagnosis.success import succeeded
from credmgr.flowtest.federation import presented_values
from credmgr.flowtest.material import Credential, Prepared, credential_name
from credmgr.flowtest.report import Aim, Report, ShapeResult, decisive
from credmgr.flowtest.runner import FlowOutcome
from credmgr.flowtest.shapes import SecretMaterial
from credmgr.flowtest.spec import FlowSpec
from credmgr.registrations.models import BUILT_IN, Application, Tenant
from credmgr.registrations.near_resources import NOTHING_NEAR, resources_near
from credmgr.registrations.resources import find_resource
from credmgr.registrations.service_principals import api_of_elsewhere

_UNKNOWN_RESOURCE = 500011


@dataclass(frozen=True)
class Attempt:
    """What one run is made from.

    application: the registration that has the credential; place: the one whose authority and client id are
    used, often the same; asked_in: the directory that is asked. now: aware UTC.
    """

    application: Application
    place: Application
    asked_in: Tenant
    credential: Credential
    prepared: Prepared = field(repr=False)
    spec: FlowSpec = field(repr=False)
    now: datetime

    @property
    def is_built_in(self) -> bool:
        """Whether the authority is this installation's own, whose data can be asked."""
        return self.spec.target.kind == BUILT_IN


@sensitive_variables("outcome")
def explained(attempt: Attempt, outcome: FlowOutcome) -> Report:
    """The report of a run: what every shape of the request saw, and the diagnosis of the decisive one."""
    spec, credential = attempt.spec, attempt.credential
    told = decisive(outcome.shapes, any_suffices=outcome.any_suffices)
    if told.verdict.is_success:
        diagnosis = succeeded(outcome.shapes, told, credential_name(credential), attempt.now)
    else:
        diagnosis = diagnose(_case(attempt, told, outcome.shapes))
    return Report(
        spec.target.authority,
        told.client,
        outcome.shapes,
        diagnosis,
        outcome.any_suffices,
        Aim(spec.target.kind, spec.target.authority, spec.target.client_id, **asdict(spec.asked)),
        presented_values(credential, told) if isinstance(credential, FederatedCredential) else [],
    )


@sensitive_variables("material")
def _case(attempt: Attempt, told: ShapeResult, shapes: list[ShapeResult]) -> Case:
    place, asked_in, credential = attempt.place, attempt.asked_in, attempt.credential
    asked, material = attempt.spec.asked, attempt.prepared.material
    return Case(
        target=attempt.spec.target,
        owner_id=attempt.application.pk,
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
        key_matches=attempt.prepared.key_matches,
        asked=asked,
        near=resources_near(asked_in.pk, asked.scope) if attempt.is_built_in else NOTHING_NEAR,
        api_elsewhere=_api_elsewhere(attempt, told),
        disabled_api=_disabled_api(attempt, told),
        deadline_seconds=settings.TEST_DEADLINE_SECONDS,
        result=told,
        shapes=shapes,
        now=attempt.now,
    )


def _was_refused(attempt: Attempt, told: ShapeResult, code: int) -> bool:
    """Whether the authority here said so; another's directory cannot be looked into."""
    return attempt.is_built_in and told.error is not None and told.error.code == code


def _api_elsewhere(attempt: Attempt, told: ShapeResult) -> Application | None:
    """The multitenant API of another directory that the scope names, where the authority knew none."""
    if not _was_refused(attempt, told, _UNKNOWN_RESOURCE):
        return None
    return api_of_elsewhere(attempt.asked_in, attempt.spec.asked.scope.removesuffix("/.default"))


def _disabled_api(attempt: Attempt, told: ShapeResult) -> Application | None:
    if not _was_refused(attempt, told, DISABLED_RESOURCE):
        return None
    resource = find_resource(attempt.asked_in.pk, attempt.spec.asked.scope.removesuffix("/.default"))
    if resource is None or resource.application_id is None:
        return None
    return Application.objects.filter(pk=resource.application_id).select_related("tenant").first()
