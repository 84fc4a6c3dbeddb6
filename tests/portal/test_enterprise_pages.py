"""Enterprise applications: the list, consent, one application, what it may do here."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from credmgr.accounts import sessions
from credmgr.audit.models import AuditEvent, SignIn
from credmgr.audit.recording import Actor
from credmgr.registrations.app_roles import add_app_role
from credmgr.registrations.deleting import delete_application
from credmgr.registrations.directories import create_directory
from credmgr.registrations.graph_roles import GRAPH_ROLES
from credmgr.registrations.models import (
    MULTITENANT,
    SINGLE_TENANT,
    Application,
    AppRoleAssignment,
    ServicePrincipal,
    Tenant,
)
from credmgr.registrations.permissions import request_permissions
from credmgr.registrations.registering import register_application, set_disabled
from credmgr.registrations.resources import GRAPH_CLIENT_ID
from credmgr.registrations.service_principals import add_service_principal
from tests.portal.conftest import PASSWORD, UNKNOWN
from tests.portal.questions import assert_asks_for_sign_in, assert_refuses_methods

pytestmark = pytest.mark.django_db
ACTOR = Actor.command()
MAIL = next(role.id for role in GRAPH_ROLES if role.value == "Mail.Send")


@pytest.fixture
def contoso(directory: Tenant) -> Tenant:
    """Another directory."""
    return create_directory(name="Contoso", domain="contoso", actor=ACTOR, now=timezone.now())


@pytest.fixture
def worker(contoso: Tenant) -> Application:
    """A multitenant application that lives in Contoso and asks to send mail."""
    made = register_application(
        tenant=contoso,
        display_name="Worker",
        sign_in_audience=MULTITENANT,
        identifier_uri="api://worker",
        actor=ACTOR,
        now=timezone.now(),
    )
    request_permissions(made, api_client_id=GRAPH_CLIENT_ID, role_ids=[MAIL], actor=ACTOR, now=timezone.now())
    return made


@pytest.fixture
def principal(worker: Application, directory: Tenant) -> ServicePrincipal:
    """Its service principal in the directory in use."""
    return consented(worker, directory)


def consented(app: Application, tenant: Tenant) -> ServicePrincipal:
    return add_service_principal(tenant, client_id=str(app.client_id), actor=ACTOR, now=timezone.now())[0]


def make_stale(client: Client) -> None:
    """The password was given too long ago."""
    session = client.session
    session[sessions.CONFIRMED_AT] = (timezone.now() - timedelta(hours=1)).timestamp()
    session.save()


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def test_questions_every_page_is_asked(
    signed_in: Client, principal: ServicePrincipal, contoso: Tenant, worker: Application, directory: Tenant
) -> None:
    one = f"/enterprise-applications/{principal.pk}"
    revoke = f"{one}/permissions/{GRAPH_CLIENT_ID}/{MAIL}/revoke"
    consent = f"/directories/{directory.pk}/consent"
    reads = ["/enterprise-applications", one]
    acts = [
        f"{one}/enable",
        f"{one}/remove",
        f"{one}/grant",
        revoke,
        consent,
        f"{consent}/{worker.client_id}",
    ]
    for address in [*reads, *acts]:
        assert_asks_for_sign_in(address)
        page(signed_in, address)
        assert_refuses_methods(signed_in, address, ["PUT", "DELETE"])
        for known in (str(principal.pk), str(directory.pk)):
            unknown = address.replace(known, str(UNKNOWN))
            if unknown != address:
                assert signed_in.get(unknown).status_code == 404
                assert signed_in.post(unknown).status_code in (404, 405)
    for address in reads:
        assert_refuses_methods(signed_in, address, ["POST"])
    # Of another directory: hidden until one switches.
    signed_in.post("/directories/switch", {"directory": str(contoso.pk)})
    for address in (one, *acts[:4]):
        assert signed_in.get(address).status_code == 404
        assert signed_in.post(address).status_code in (404, 405)
    assert ServicePrincipal.objects.get(pk=principal.pk).is_enabled
    assert "No enterprise applications" in page(signed_in, "/enterprise-applications")


def test_an_application_is_found_reviewed_and_added(
    signed_in: Client, directory: Tenant, worker: Application
) -> None:
    consent = f"/directories/{directory.pk}/consent"
    assert "No enterprise applications" in page(signed_in, "/enterprise-applications")
    found = signed_in.post(consent, {"client_id": str(worker.client_id)})
    review = f"{consent}/{worker.client_id}"
    assert found.headers["Location"] == review
    body = page(signed_in, review)
    for expected in ("Add Worker?", "Contoso", "api://worker", "Mail.Send", "Grant consent</button>"):
        assert expected in body
    assert ServicePrincipal.objects.count() == 0, "looking adds nothing"
    answer = signed_in.post(review, follow=True)
    principal = ServicePrincipal.objects.get()
    assert answer.redirect_chain == [(f"/enterprise-applications/{principal.pk}", 302)]
    body = answer.content.decode()
    assert "Worker can be used in Default Directory with 1 permission." in body
    assert str(principal.pk) in body
    assert "Granted for Default Directory" in body
    listed = page(signed_in, "/enterprise-applications")
    assert "Worker" in listed
    assert str(worker.client_id) in listed
    assert "Enabled" in listed
    assert "Enterprise application added" in page(signed_in, "/audit")
    assert AuditEvent.objects.latest("sequence").actor_name == "Robin Vale"


def test_a_consent_link_brings_the_client_id(
    signed_in: Client, directory: Tenant, worker: Application
) -> None:
    """As an admin consent URL; what cannot be added is said in the form it opens."""
    consent = f"/directories/{directory.pk}/consent"
    assert signed_in.get(f"{consent}?client_id={worker.client_id}").headers["Location"] == (
        f"{consent}/{worker.client_id}"
    )
    assert signed_in.get(f"/enterprise-applications/new?client_id={worker.client_id}").headers[
        "Location"
    ] == (f"{consent}?client_id={worker.client_id}")
    assert signed_in.get("/enterprise-applications/new").headers["Location"] == consent
    assert_asks_for_sign_in("/enterprise-applications/new")
    for wrong, said in (
        (str(UNKNOWN), "No directory has a registration with this application (client) ID"),
        ("%00", "Null characters are not allowed."),
        ("x" * 500, "This is not an application (client) ID."),
    ):
        answer = signed_in.get(f"{consent}?client_id={wrong}")
        assert answer.status_code == 422
        assert said in answer.content.decode()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ({"sign_in_audience": SINGLE_TENANT}, "Worker is single tenant: only Contoso can use it."),
        ({"deleted_at": timezone.now()}, "No directory has a registration with this"),
    ],
)
def test_what_cannot_be_added_says_why_and_keeps_what_was_typed(
    signed_in: Client, directory: Tenant, worker: Application, spoil: dict[str, Any], said: str
) -> None:
    Application.objects.filter(pk=worker.pk).update(**spoil)
    consent = f"/directories/{directory.pk}/consent"
    answer = signed_in.post(consent, {"client_id": str(worker.client_id)})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert f'value="{worker.client_id}"' in answer.content.decode()
    body = page(signed_in, f"{consent}/{worker.client_id}")
    assert said in body
    assert "Grant consent" not in body
    assert signed_in.post(f"{consent}/{worker.client_id}").status_code == 422
    assert ServicePrincipal.objects.count() == 0


def test_what_is_there_already_is_one_press_away(
    signed_in: Client, directory: Tenant, worker: Application, principal: ServicePrincipal
) -> None:
    body = page(signed_in, f"/directories/{directory.pk}/consent/{worker.client_id}")
    assert "Worker is in Default Directory already." in body
    assert f'href="/enterprise-applications/{principal.pk}"' in body


def test_home_consents_for_another_directory_and_comes_back(
    signed_in: Client, contoso: Tenant, harbor: Application
) -> None:
    """The Overview lists where a multitenant application may be used, and offers consent for the rest."""
    assert "No consent" not in page(signed_in, f"/applications/{harbor.pk}")
    Application.objects.filter(pk=harbor.pk).update(sign_in_audience=MULTITENANT)
    overview = page(signed_in, f"/applications/{harbor.pk}")
    review = f"/directories/{contoso.pk}/consent/{harbor.client_id}"
    assert f'href="{review}"' in overview
    assert "Managed application in local directory" in overview
    assert f"/organizations/adminconsent?client_id={harbor.client_id}" in overview
    answer = signed_in.post(review)
    assert answer.headers["Location"] == f"/applications/{harbor.pk}"
    overview = page(signed_in, f"/applications/{harbor.pk}")
    assert review not in overview
    assert str(ServicePrincipal.objects.get().pk) in overview
    third = Tenant.objects.create(name="Third", created_at=timezone.now())
    signed_in.post("/directories/switch", {"directory": str(third.pk)})
    fourth = Tenant.objects.create(name="Fourth", created_at=timezone.now())
    answer = signed_in.post(f"/directories/{fourth.pk}/consent/{harbor.client_id}")
    assert answer.headers["Location"] == f"/directories/{fourth.pk}"


def test_it_is_disabled_and_enabled_in_this_directory(signed_in: Client, principal: ServicePrincipal) -> None:
    one = f"/enterprise-applications/{principal.pk}"
    assert "Disable sign-in for Worker?" in page(signed_in, f"{one}/enable")
    assert signed_in.post(f"{one}/enable", {"enabled": "no"}).headers["Location"] == one
    assert not ServicePrincipal.objects.get().is_enabled
    assert "Disabled" in page(signed_in, "/enterprise-applications")
    again = signed_in.post(f"{one}/enable", {"enabled": "no"})
    assert again.status_code == 302, "a stale page does not do the opposite"
    assert not ServicePrincipal.objects.get().is_enabled
    assert signed_in.post(f"{one}/enable", {"enabled": "maybe"}).status_code == 422
    assert signed_in.post(f"{one}/enable", {"enabled": "yes"}).status_code == 302
    assert ServicePrincipal.objects.get().is_enabled


def test_it_is_removed_with_its_grants(signed_in: Client, principal: ServicePrincipal) -> None:
    one = f"/enterprise-applications/{principal.pk}"
    body = page(signed_in, f"{one}/remove")
    assert "Remove Worker from Default Directory?" in body
    assert "1 permission that it was granted is taken back" in body
    assert signed_in.post(f"{one}/remove").headers["Location"] == "/enterprise-applications"
    assert ServicePrincipal.objects.count() == AppRoleAssignment.objects.count() == 0
    assert signed_in.get(one).status_code == 404
    assert Application.objects.filter(display_name="Worker", deleted_at=None).exists()


def test_permissions_are_revoked_and_granted_here_alone(
    signed_in: Client, principal: ServicePrincipal, worker: Application, directory: Tenant
) -> None:
    one = f"/enterprise-applications/{principal.pk}"
    revoke = f"{one}/permissions/{GRAPH_CLIENT_ID}/{MAIL}/revoke"
    assert "Revoke consent of Mail.Send?" in page(signed_in, revoke)
    assert signed_in.post(revoke).headers["Location"] == one
    assert AppRoleAssignment.objects.count() == 0
    assert signed_in.get(revoke).status_code == 404
    assert "Not granted for Default Directory" in page(signed_in, one)
    assert "Mail.Send" in page(signed_in, f"{one}/grant")
    assert signed_in.post(f"{one}/grant").headers["Location"] == one
    assert AppRoleAssignment.objects.get().tenant == directory
    assert "Nothing is left to grant." in page(signed_in, f"{one}/grant")


def test_an_api_that_this_directory_does_not_know_is_left_out_and_named(
    signed_in: Client, worker: Application, contoso: Tenant, directory: Tenant
) -> None:
    orders = register_application(tenant=contoso, display_name="Orders API", actor=ACTOR, now=timezone.now())
    role = add_app_role(
        orders,
        display_name="Read",
        value="Orders.Read",
        description="Read",
        actor=ACTOR,
        now=timezone.now(),
    )
    request_permissions(
        worker, api_client_id=orders.client_id, role_ids=[role.pk], actor=ACTOR, now=timezone.now()
    )
    body = page(signed_in, f"/directories/{directory.pk}/consent/{worker.client_id}")
    assert "Orders.Read" in body
    assert "API not known in Default Directory: it is left out." in body
    principal = consented(worker, directory)
    assert "API not known in Default Directory" in page(signed_in, f"/enterprise-applications/{principal.pk}")


def test_the_api_permissions_page_offers_an_api_that_was_consented_to(
    signed_in: Client, worker: Application, harbor: Application, directory: Tenant
) -> None:
    role = add_app_role(
        worker, display_name="Run", value="Jobs.Run", description="Run", actor=ACTOR, now=timezone.now()
    )
    choose = f"/applications/{harbor.pk}/api-permissions/new?api={worker.client_id}"
    assert "Jobs.Run" not in page(signed_in, choose)
    principal = consented(worker, directory)
    assert "Jobs.Run" in page(signed_in, choose)
    assert signed_in.post(choose, {"roles": str(role.pk)}).status_code == 302
    signed_in.post(f"/applications/{harbor.pk}/api-permissions/grant")
    assert AppRoleAssignment.objects.get(application=harbor).tenant == directory
    assert "1 application has" in page(signed_in, f"/enterprise-applications/{principal.pk}")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda app: delete_application(app, actor=ACTOR, now=timezone.now()), "Registration deleted"),
        (
            lambda app: set_disabled(app, disabled=True, actor=ACTOR, now=timezone.now()),
            "Disabled by its home directory",
        ),
        (
            lambda app: Application.objects.filter(pk=app.pk).update(sign_in_audience=SINGLE_TENANT),
            "No effect: single tenant now",
        ),
    ],
)
def test_the_list_says_why_one_gets_no_token(
    signed_in: Client, principal: ServicePrincipal, worker: Application, change: Any, words: str
) -> None:
    change(worker)
    assert words in page(signed_in, "/enterprise-applications")
    assert words in page(signed_in, f"/enterprise-applications/{principal.pk}")


@pytest.mark.parametrize("act", ["enable", "remove", "grant", "revoke", "consent"])
def test_every_act_asks_for_the_password_again(
    signed_in: Client, principal: ServicePrincipal, harbor: Application, contoso: Tenant, act: str
) -> None:
    Application.objects.filter(pk=harbor.pk).update(sign_in_audience=MULTITENANT)
    one = f"/enterprise-applications/{principal.pk}"
    if act == "grant":
        AppRoleAssignment.objects.all().delete()
    address = {
        "revoke": f"{one}/permissions/{GRAPH_CLIENT_ID}/{MAIL}/revoke",
        "consent": f"/directories/{contoso.pk}/consent/{harbor.client_id}",
    }.get(act, f"{one}/{act}")
    make_stale(signed_in)
    before = _state()
    refused = signed_in.post(address, {"enabled": "no"})
    assert refused.status_code == 422
    assert b"Enter your password" in refused.content
    assert _state() == before
    assert signed_in.post(address, {"enabled": "no", "current_password": PASSWORD}).status_code == 302
    assert _state() != before


def _state() -> list[object]:
    rows = ServicePrincipal.objects.order_by("pk").values_list("pk", "is_enabled")
    return [*rows, AppRoleAssignment.objects.count()]


def test_home_logs_what_happened_at_home(
    signed_in: Client, worker: Application, principal: ServicePrincipal, contoso: Tenant, directory: Tenant
) -> None:
    """Consent and sign-ins of another directory stand in that one's logs alone."""
    for tenant in (directory, contoso):
        SignIn.objects.create(
            at=timezone.now(),
            trace_id=uuid.uuid4(),
            correlation_id=uuid.uuid4(),
            tenant_id=tenant.pk,
            client_id=str(worker.client_id),
            application_id=worker.pk,
            address="192.0.2.1" if tenant == directory else "192.0.2.2",
        )
    assert "Enterprise application added" in page(signed_in, "/audit")
    body = page(signed_in, "/sign-ins")
    assert "Worker" in body
    assert "192.0.2.1" in body
    assert "192.0.2.2" not in body
    signed_in.post("/directories/switch", {"directory": str(contoso.pk)})
    audit = page(signed_in, f"/applications/{worker.pk}/audit")
    assert "Application registered" in audit
    assert "Enterprise application added</span>" not in audit
    assert signed_in.get(f"/applications/{worker.pk}").context["activity"].total == 1
    assert "192.0.2.1" not in page(signed_in, "/sign-ins")
    breaks = page(signed_in, f"/applications/{worker.pk}/delete")
    assert "192.0.2.1" in breaks, "deleting it breaks sign-ins of every directory"


def test_a_test_offers_the_directories_of_a_multitenant_application(
    signed_in: Client, harbor: Application, contoso: Tenant, directory: Tenant
) -> None:
    """Others are asked of their home alone, but for a test of elsewhere that is run again."""
    form = f"/applications/{harbor.pk}/tests/new"
    assert "directory" not in signed_in.get(form).context["form"].fields
    assert "directory" in signed_in.get(f"{form}?directory={contoso.pk}").context["form"].fields
    Application.objects.filter(pk=harbor.pk).update(sign_in_audience=MULTITENANT)
    field = signed_in.get(form).context["form"].fields["directory"]
    assert field.choices == [
        (str(directory.pk), "Default Directory, its home directory"),
        (str(contoso.pk), "Contoso, no consent"),
    ]
    consented(harbor, contoso)
    assert signed_in.get(form).context["form"].fields["directory"].choices[1][1] == "Contoso"
    answer = signed_in.post(
        form, {"directory": str(UNKNOWN), "scope": "https://graph.microsoft.com/.default"}
    )
    assert "Choose a directory." in str(answer.context["form"].errors["directory"])


def test_the_list_is_searched_and_paged_at_a_constant_price(
    signed_in: Client, directory: Tenant, contoso: Tenant, django_assert_max_num_queries: Any
) -> None:
    now = timezone.now()
    apps = Application.objects.bulk_create(
        Application(
            tenant=contoso, display_name=f"App {number:02}", sign_in_audience=MULTITENANT, created_at=now
        )
        for number in range(60)
    )
    ServicePrincipal.objects.bulk_create(
        ServicePrincipal(application=app, tenant=directory, created_at=now) for app in apps
    )
    with django_assert_max_num_queries(8):
        first = signed_in.get("/enterprise-applications")
    assert len(first.context["rows"]) == 50
    assert len(signed_in.get(first.context["next_address"]).context["rows"]) == 10
    for search in ("app 07", str(apps[7].client_id), str(uuid.UUID(int=0))):
        rows = signed_in.get("/enterprise-applications", {"search": search}).context["rows"]
        assert [row.application for row in rows] in ([apps[7]], [])
    assert "No enterprise application matches" in page(signed_in, "/enterprise-applications?search=zzz")
    for nonsense in ("?page=abc", "?page=999999", "?search=%00"):
        assert signed_in.get(f"/enterprise-applications{nonsense}").status_code == 200
