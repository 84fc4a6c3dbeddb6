"""The sign-in log: of the directory, of an application, of one request."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from credmgr.audit.models import SignIn
from credmgr.credentials.models import FederatedCredential
from credmgr.flowtest.models import FlowRun
from credmgr.portal.views.sign_ins import PAGE_SIZE
from credmgr.registrations.models import Application, ServicePrincipal
from tests.portal.conftest import UNKNOWN, Register
from tests.portal.questions import assert_asks_for_sign_in, assert_hides, assert_refuses_methods
from tests.portal.test_overview import add_secret

pytestmark = pytest.mark.django_db
THUMBPRINT = "A1B2C3D4E5F60718293A4B5C6D7E8F9001122334"


def record(application: Application, count: int = 1, **given: object) -> SignIn:
    """Rows as the token endpoint writes them; the newest is returned."""
    for number in range(count):
        row = SignIn.objects.create(
            **{
                "at": timezone.now() - timedelta(seconds=count - number),
                "trace_id": uuid.uuid4(),
                "correlation_id": uuid.uuid4(),
                "tenant_id": application.tenant_id,
                "client_id": str(application.client_id),
                "application_id": application.pk,
                "resource": "api://route-planner",
                "address": "10.24.6.11",
            }
            | given
        )
    return row


def test_questions_every_page_is_asked(signed_in: Client, harbor: Application, foreign: Application) -> None:
    row = record(harbor)
    for address in ("/sign-ins", f"/sign-ins/{row.pk}", f"/applications/{harbor.pk}/sign-ins"):
        assert_asks_for_sign_in(address)
        assert_refuses_methods(signed_in, address, ["POST", "PUT", "DELETE"])
    assert_hides(signed_in, "/applications/{}/sign-ins", foreign)


def test_without_rows_it_says_what_would_be_here(signed_in: Client, harbor: Application) -> None:
    for address in ("/sign-ins", f"/applications/{harbor.pk}/sign-ins"):
        body = signed_in.get(address).content.decode()
        assert "No sign-ins in 24 hours" in body
        assert "Each token request leaves a row here" in body
        assert "Show the last 90 days" in body


def test_a_row_names_application_credential_and_the_reason(signed_in: Client, harbor: Application) -> None:
    secret = add_secret(harbor, "worker-prod-2026", 30)
    record(harbor, credential_id=secret.pk, credential_type="clientSecret")
    record(harbor, error_code=7000215, credential_type="clientSecret", count=1)
    for address in ("/sign-ins", f"/applications/{harbor.pk}/sign-ins"):
        body = signed_in.get(address).content.decode()
        assert "worker-prod-2026" in body
        assert "AADSTS7000215" in body
        assert "None matched" in body
        assert "api://route-planner" in body
        assert "1 succeeded" in body
        assert "1 refused" in body
    assert "Harbor Sync Worker" in signed_in.get("/sign-ins").content.decode()


def test_unknown_callers_and_deleted_things_are_said(signed_in: Client, harbor: Application) -> None:
    record(harbor, application_id=None, client_id="5d0e0000-0000-4000-8000-000000000091", error_code=700016)
    record(harbor, credential_id=UNKNOWN, credential_type="clientSecret")
    body = signed_in.get("/sign-ins").content.decode()
    assert "Not known" in body
    assert "5d0e0000-0000-4000-8000-000000000091" in body
    assert "Since deleted" in body


def test_what_a_client_wrote_is_data_and_not_markup(signed_in: Client, harbor: Application) -> None:
    row = record(
        harbor,
        application_id=None,
        client_id="<script>alert(1)</script>",
        resource='"><img src=x>',
        error_code=700016,
    )
    for address in ("/sign-ins", f"/sign-ins/{row.pk}"):
        body = signed_in.get(address).content.decode()
        assert "<script>alert" not in body
        assert "<img src" not in body


def test_one_request_shows_every_id_with_its_copy_button_and_the_cure(
    signed_in: Client, harbor: Application
) -> None:
    row = record(
        harbor,
        error_code=7000222,
        thumbprint=THUMBPRINT,
        service_principal_id=UNKNOWN,
        credential_id=UNKNOWN,
        credential_type="certificate",
        resource_id="00000003-0000-0000-c000-000000000000",
        token_id="uti-1234",
        test_switches="clockShift",
    )
    assert "Clock shifted by a test switch" in signed_in.get("/sign-ins").content.decode()
    body = signed_in.get(f"/sign-ins/{row.pk}").content.decode()
    for value, label in (
        (row.trace_id, "request ID"),
        (row.correlation_id, "correlation ID"),
        (harbor.client_id, "application (client) ID"),
        (UNKNOWN, "service principal ID"),
        ("10.24.6.11", "IP address"),
        ("api://route-planner", "resource"),
        (row.resource_id, "resource ID"),
        (UNKNOWN, "credential key ID"),
        (THUMBPRINT, "credential thumbprint"),
        ("uti-1234", "unique token identifier"),
    ):
        assert f'data-copy="{value}" aria-label="Copy {label}"' in body
    assert "Copy federated credential ID" not in body
    assert body.count("Clock shifted by a test switch") == 1
    assert "AADSTS7000222" in body
    assert 'class="message section message-bad"' in body


def test_a_federated_sign_in_names_the_federated_credential(signed_in: Client, harbor: Application) -> None:
    trusted = FederatedCredential.objects.create(
        application=harbor,
        name="main-branch",
        issuer="https://token.actions.githubusercontent.com",
        subject="repo:octo/app:ref:refs/heads/main",
        audience="api://AzureADTokenExchange",
        created_at=timezone.now(),
    )
    row = record(harbor, credential_id=trusted.pk, credential_type="federatedIdentityCredential")
    body = signed_in.get(f"/sign-ins/{row.pk}").content.decode()
    assert f'data-copy="{trusted.pk}" aria-label="Copy federated credential ID"' in body
    assert "Copy credential key ID" not in body
    assert "main-branch" in signed_in.get("/sign-ins").content.decode()


def test_a_request_of_a_token_test_leads_to_the_test(signed_in: Client, harbor: Application) -> None:
    row = record(harbor)
    record(harbor)
    run = FlowRun.objects.create(
        application=harbor,
        credential_kind="secret",
        target="built-in",
        scope="api://route-planner/.default",
        verdict="verified",
        duration_ms=12,
        correlation_id=row.correlation_id,
        started_at=row.at - timedelta(seconds=1),
    )
    rows = signed_in.get("/sign-ins").context["rows"]
    assert [each.test_id for each in rows] == [None, run.pk]
    assert (
        f"/applications/{harbor.pk}/tests/{run.pk}" in signed_in.get(f"/sign-ins/{row.pk}").content.decode()
    )


def test_an_application_of_another_directory_is_named_and_nothing_of_it_opens(
    signed_in: Client, harbor: Application, foreign: Application
) -> None:
    """A multitenant one that signs in here: its pages and the names of its credentials stay at home."""
    secret = add_secret(foreign, "at-home", 30)
    row = record(
        harbor,
        application_id=foreign.pk,
        client_id=str(foreign.client_id),
        credential_id=secret.pk,
        credential_type="clientSecret",
    )
    for address in ("/sign-ins", f"/sign-ins/{row.pk}"):
        body = signed_in.get(address).content.decode()
        assert "Foreign" in body
        assert "f another directory" in body
        assert "at-home" not in body
        assert f"/applications/{foreign.pk}" not in body
        assert "/enterprise-applications/" not in body
    principal = ServicePrincipal.objects.create(
        application=foreign, tenant=harbor.tenant, created_at=timezone.now()
    )
    SignIn.objects.filter(pk=row.pk).update(service_principal_id=principal.pk)
    for address in ("/sign-ins", f"/sign-ins/{row.pk}"):
        assert f"/enterprise-applications/{principal.pk}" in signed_in.get(address).content.decode()


def test_an_applications_page_shows_its_sign_ins_here_alone(
    signed_in: Client, harbor: Application, foreign: Application
) -> None:
    """Those of a multitenant one in another directory are that directory's."""
    own = record(harbor)
    record(harbor, tenant_id=foreign.tenant_id, address="203.0.113.9")
    answer = signed_in.get(f"/applications/{harbor.pk}/sign-ins")
    assert [row.record.pk for row in answer.context["rows"]] == [own.pk]
    assert "203.0.113.9" not in answer.content.decode()
    assert "1 sign-in in 24 hours" in answer.content.decode()


def test_another_directorys_rows_are_hidden(
    signed_in: Client, harbor: Application, foreign: Application
) -> None:
    theirs = record(foreign, address="203.0.113.9")
    assert "203.0.113.9" not in signed_in.get("/sign-ins").content.decode()
    assert signed_in.get(f"/sign-ins/{theirs.pk}").status_code == 404
    assert signed_in.get("/sign-ins/99999999").status_code == 404
    assert signed_in.get("/sign-ins/99999999999999999999999").status_code == 404


def test_filters_by_result_and_code(signed_in: Client, harbor: Application) -> None:
    record(harbor, 2)
    record(harbor, error_code=7000215)
    record(harbor, error_code=7000222)

    def codes(query: str) -> list[int]:
        return [row.record.error_code for row in signed_in.get(f"/sign-ins?{query}").context["rows"]]

    assert codes("result=success") == [0, 0]
    assert codes("result=failure") == [7000222, 7000215]
    assert codes("code=7000215") == [7000215]
    assert codes("result=nonsense") == [7000222, 7000215, 0, 0]
    body = signed_in.get("/sign-ins?code=abc").content.decode()
    assert "A code is a number such as 7000215." in body


@pytest.mark.parametrize(
    "by", ["correlation_id", "trace_id", "client_id", "application_id", "thumbprint", "address", "token_id"]
)
def test_search_finds_by_any_id(signed_in: Client, harbor: Application, register: Register, by: str) -> None:
    record(register("Other"), 3)
    wanted = record(harbor, thumbprint=THUMBPRINT, address="2001:db8::7", token_id="uti-1234")
    found = signed_in.get("/sign-ins", {"search": str(getattr(wanted, by))})
    assert [row.record.pk for row in found.context["rows"]] == [wanted.pk]


def test_search_takes_thumbprints_in_other_spellings_and_names(
    signed_in: Client, harbor: Application, register: Register
) -> None:
    record(register("Other"))
    wanted = record(harbor, thumbprint=THUMBPRINT)
    with_colons = ":".join(THUMBPRINT[at : at + 2] for at in range(0, 40, 2)).lower()
    for search in (with_colons, "harbor"):
        found = signed_in.get("/sign-ins", {"search": search})
        assert [row.record.pk for row in found.context["rows"]] == [wanted.pk]


def test_pages_go_to_older_and_back_without_counting(signed_in: Client, harbor: Application) -> None:
    record(harbor, PAGE_SIZE + 3)
    first = signed_in.get("/sign-ins")
    second = signed_in.get(first.context["page"].older_address)
    assert len(second.context["rows"]) == 3
    back = signed_in.get(second.context["page"].newer_address)
    assert [row.record.pk for row in back.context["rows"]] == [row.record.pk for row in first.context["rows"]]


def test_the_number_of_queries_does_not_grow(
    signed_in: Client, harbor: Application, register: Register, django_assert_max_num_queries: Any
) -> None:
    for number in range(10):
        other = register(f"Other {number}")
        record(other, 3, credential_id=add_secret(other, "a", 9).pk)
    with django_assert_max_num_queries(17):
        signed_in.get("/sign-ins")


@pytest.mark.parametrize(
    "query",
    [
        "before=x",
        "after=-1",
        "before=9" + "9" * 30,
        "before=9999999999999999.999999999999999999",
        "after=9999999999999999.999999999999999999",
        "after=0.0",
        "before=1.1&after=1.1",
        "time=nonsense",
        "from=nonsense",
        "from=0001-01-01T00:00&to=9999-12-31T23:59",
        "from=2026-01-01T00:00%2B99:99",
        "to=2026-01-01T00:00",
        "application=%00&resource=%00&ip=%00&credential=%00",
        "application=" + "a" * 5000,
        "ip=999.1.1.1",
        "resource=<script>",
        "code=99999999999999",
        "search=%00",
        "search=" + "a" * 5000,
    ],
)
def test_nonsense_in_the_address_is_no_server_error(
    signed_in: Client, harbor: Application, query: str
) -> None:
    record(harbor)
    assert signed_in.get(f"/sign-ins?{query}").status_code == 200
