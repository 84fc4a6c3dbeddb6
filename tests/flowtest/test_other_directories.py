"""A test asked of another directory than the application's own: where it goes, and what its refusals say."""

import uuid

import pytest

from credmgr.flowtest.models import FlowRun
from credmgr.flowtest.queries import failing_since, previous_success
from credmgr.flowtest.report import Diagnosis, Report
from credmgr.registrations.deleting import delete_application
from credmgr.registrations.directories import create_directory
from credmgr.registrations.models import MULTITENANT, Application, Tenant
from credmgr.registrations.registering import set_disabled
from credmgr.registrations.service_principals import (
    add_service_principal,
    api_of_elsewhere,
    set_principal_enabled,
)
from tests.flowtest.conftest import Directory

pytestmark = pytest.mark.django_db


@pytest.fixture
def contoso(directory: Directory) -> Tenant:
    """A second directory of the same authority."""
    return create_directory(name="Contoso", domain="contoso", actor=directory.actor, now=directory.now)


def diagnosis_of(run: FlowRun) -> Diagnosis:
    return Report.from_json(run.report).diagnosis


def causes(diagnosis: Diagnosis) -> dict[str, str]:
    return {row.subject: row.finding for row in diagnosis.evidence if row.level == "cause"}


def multitenant(app: Application) -> None:
    Application.objects.filter(pk=app.pk).update(sign_in_audience=MULTITENANT)
    app.refresh_from_db()


def test_the_token_is_asked_of_that_directory_and_verified_there(
    directory: Directory, contoso: Tenant
) -> None:
    multitenant(directory.application)
    add_service_principal(
        contoso,
        client_id=str(directory.application.client_id),
        actor=directory.actor,
        now=directory.now,
    )
    secret, _ = directory.secret()
    scope = f"{directory.application.client_id}/.default"
    run = directory.run(secret, directory=contoso, scope=scope)
    report = Report.from_json(run.report)
    assert run.verdict == "verified"
    assert report.authority.endswith(f"/{contoso.pk}")
    assert report.decisive.token is not None
    assert report.decisive.token.claims["tid"] == str(contoso.pk)
    assert run.target == "Built-in authority, Contoso"
    home = directory.run(secret, directory=directory.tenant, scope=scope)
    assert home.target == "Built-in authority"
    assert home.application.tenant == directory.tenant


def test_runs_of_another_directory_are_not_compared_with_those_at_home(
    directory: Directory, contoso: Tenant
) -> None:
    secret, _ = directory.secret()
    directory.run(secret)
    directory.refuse(7000229)
    there = directory.run(secret, directory=contoso)
    assert previous_success(there) is None
    assert failing_since(there)[1] == 1


def test_without_consent_the_cure_leads_to_it(directory: Directory, contoso: Tenant) -> None:
    multitenant(directory.application)
    secret, _ = directory.secret()
    directory.refuse(7000229)
    diagnosis = diagnosis_of(directory.run(secret, directory=contoso))
    assert diagnosis.cause == "service-principal-missing"
    assert "Contoso has not consented" in diagnosis.headline
    step = diagnosis.steps[0]
    assert (step.page, step.page_arguments) == (
        "portal:directory_consent",
        {"directory_id": str(contoso.pk)},
    )
    assert step.query == {"client_id": str(directory.application.client_id)}
    assert causes(diagnosis)["Service principal"] == "None in Contoso"


def test_a_single_tenant_application_is_sent_home(directory: Directory, contoso: Tenant) -> None:
    secret, _ = directory.secret()
    directory.refuse(700016, "unauthorized_client", status=400)
    diagnosis = diagnosis_of(directory.run(secret, directory=contoso))
    assert diagnosis.cause == "client-of-another-directory"
    assert causes(diagnosis)["Home directory"] == f"{directory.tenant.name}, and Contoso was asked"
    assert causes(diagnosis)["Supported account types"] == "My organization only"
    assert diagnosis_of(directory.run(secret)).cause == "client-unknown", "at home it is another thing"
    run = directory.run(secret, directory=contoso)
    delete_application(directory.application, actor=directory.actor, now=directory.now)
    assert diagnosis_of(run).cause == "client-of-another-directory"
    assert diagnosis_of(directory.run(secret, directory=contoso)).cause == "application-deleted"


def test_disabled_there_is_told_from_disabled_at_home(directory: Directory, contoso: Tenant) -> None:
    multitenant(directory.application)
    secret, _ = directory.secret()
    directory.refuse(7000112, "unauthorized_client", status=400)
    diagnosis = diagnosis_of(directory.run(secret, directory=contoso))
    assert diagnosis.cause == "service-principal-disabled"
    assert "Contoso has switched" in diagnosis.headline
    set_disabled(directory.application, disabled=True, actor=directory.actor, now=directory.now)
    assert diagnosis_of(directory.run(secret, directory=contoso)).cause == "application-disabled"


def test_an_api_of_another_directory_is_named_with_the_way_to_it(
    directory: Directory, contoso: Tenant
) -> None:
    """By its URI and by its client id; without such an API the nearest name is told, as before."""
    api = directory.register("Orders API", "api://orders")
    multitenant(api)
    caller = Application.objects.create(tenant=contoso, display_name="Caller", created_at=directory.now)
    secret, _ = directory.secret(caller)
    directory.refuse(500011, "invalid_resource", status=400)
    for name in ("api://orders", str(api.client_id)):
        diagnosis = diagnosis_of(directory.run(secret, scope=f"{name}/.default"))
        assert diagnosis.cause == "resource-of-another-directory"
        assert diagnosis.steps[0].query == {"client_id": str(api.client_id)}
        assert diagnosis.steps[0].page_arguments == {"directory_id": str(contoso.pk)}
    assert diagnosis_of(directory.run(secret, scope="api://nothing/.default")).cause == "resource-unknown"
    add_service_principal(contoso, client_id=str(api.client_id), actor=directory.actor, now=directory.now)
    assert diagnosis_of(directory.run(secret, scope="api://orders/.default")).cause == "resource-unknown"


def test_a_disabled_api_is_told_with_the_place_where_it_is(directory: Directory, contoso: Tenant) -> None:
    api = directory.register("Orders API", "api://orders")
    multitenant(api)
    principal, _ = add_service_principal(
        contoso, client_id=str(api.client_id), actor=directory.actor, now=directory.now
    )
    caller = Application.objects.create(tenant=contoso, display_name="Caller", created_at=directory.now)
    secret, _ = directory.secret(caller)
    directory.refuse(500014, "invalid_resource", status=400)

    def refused() -> Diagnosis:
        diagnosis = diagnosis_of(directory.run(secret, scope="api://orders/.default"))
        assert diagnosis.cause == "resource-disabled"
        assert diagnosis.headline == "No token: the API Orders API is disabled"
        return diagnosis

    set_principal_enabled(principal, enabled=False, actor=directory.actor, now=directory.now)
    there = refused()
    assert causes(there)["Sign-in of Orders API"].startswith("Disabled in Contoso")
    assert there.steps[0].page_arguments == {"directory_id": str(contoso.pk)}
    set_disabled(api, disabled=True, actor=directory.actor, now=directory.now)
    at_home = refused()
    assert causes(at_home)["Sign-in of Orders API"].startswith(f"Disabled in {directory.tenant.name}")
    assert (at_home.steps[0].page, at_home.steps[0].page_arguments) == (
        "portal:application",
        {"application_id": str(api.pk)},
    )
    secret, _ = directory.secret()
    set_disabled(api, disabled=False, actor=directory.actor, now=directory.now)
    meanwhile = diagnosis_of(directory.run(secret, scope="api://orders/.default"))
    assert causes(meanwhile)["Sign-in of api://orders"] == "Enabled again, or gone meanwhile"


def test_only_what_consent_can_bring_counts_as_an_api_of_elsewhere(
    directory: Directory, contoso: Tenant
) -> None:
    api = directory.register("Orders API", "api://orders")
    assert api_of_elsewhere(contoso, "api://orders") is None, "single tenant"
    multitenant(api)
    assert api_of_elsewhere(contoso, "api://orders") == api
    assert api_of_elsewhere(directory.tenant, "api://orders") is None
    assert api_of_elsewhere(contoso, str(uuid.uuid4())) is None
    delete_application(api, actor=directory.actor, now=directory.now)
    assert api_of_elsewhere(contoso, "api://orders") is None
