"""A directory may demand a second factor of its administrators or of everybody; nobody locks himself out with
that.
"""

import re

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from credmgr.accounts.models import User
from credmgr.accounts.roles import Role
from credmgr.audit.events import EventTag
from credmgr.audit.models import AuditEvent
from credmgr.registrations.models import Tenant
from tests import factories
from tests.portal.conftest import BACKEND

pytestmark = pytest.mark.django_db


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def give_factor(user: User) -> None:
    Authenticator.objects.create(user=user, type="webauthn", data={"name": "Laptop"})


def demand(client: Client, directory: Tenant, asked: str) -> str:
    """Send the panel as it stands; what the page said."""
    directory.refresh_from_db()
    form = {"asked": asked, "version": str(directory.version)}
    answer = client.post(f"/directories/{directory.pk}/second-factor", form, follow=True)
    return answer.content.decode()


@pytest.fixture
def demanding(signed_in: Client, person: User, directory: Tenant) -> Tenant:
    """A directory that asks its administrators; the person who saw to it has a factor."""
    give_factor(person)
    assert f"Administrators of {directory.name} must have a" in demand(signed_in, directory, "administrators")
    return directory


@pytest.mark.parametrize("asked", ["administrators", "everybody"])
def test_who_has_none_cannot_ask_for_one(signed_in: Client, directory: Tenant, asked: str) -> None:
    page = demand(signed_in, directory, asked)
    assert "You have no second factor yourself" in page
    assert re.search(f'value="{asked}"[^>]* checked', page), "what was chosen is kept"
    directory.refresh_from_db()
    assert directory.second_factor_for == "nobody"
    assert signed_in.get("/applications").status_code == 200


def test_it_is_on_record_and_can_be_lifted(signed_in: Client, demanding: Tenant) -> None:
    row = AuditEvent.objects.get(tag=EventTag.DIRECTORY_SECOND_FACTOR_RULE)
    assert (row.tenant_id, row.changes) == (demanding.pk, {"secondFactorFor": ["nobody", "administrators"]})
    assert "Demanded of administrators" in signed_in.get(f"/directories/{demanding.pk}").content.decode()
    assert "the password alone will do" in demand(signed_in, demanding, "nobody")


@pytest.mark.parametrize("asked", ["", "somebody"])
def test_nothing_else_can_be_asked(signed_in: Client, demanding: Tenant, asked: str) -> None:
    assert "Choose one of the three." in demand(signed_in, demanding, asked)
    demanding.refresh_from_db()
    assert demanding.second_factor_for == "administrators"


@pytest.mark.parametrize("everywhere", [False, True], ids=["role here", "role everywhere"])
def test_everybody_sets_one_up_first_where_everybody_is_asked(
    signed_in: Client, demanding: Tenant, everywhere: bool
) -> None:
    assert "Everybody who has a role in" in demand(signed_in, demanding, "everybody")
    assert "Demanded of everybody" in signed_in.get(f"/directories/{demanding.pk}").content.decode()
    reader = factories.person("reader", Role.READER, tenant=None if everywhere else demanding)
    client = client_of(reader)
    assert client.get("/applications").headers["Location"] == "/account/second-factors"
    page = client.get("/account/second-factors").content.decode()
    assert f"{demanding.name} asks one of everybody." in page
    give_factor(reader)
    assert client.get("/applications").status_code == 200
    elsewhere = Tenant.objects.create(name="Elsewhere", created_at=factories.NOW)
    other = factories.person("other", Role.DIRECTORY_ADMINISTRATOR, tenant=elsewhere)
    assert client_of(other).get("/applications").status_code == 200, "not of that directory"


@pytest.mark.parametrize(
    ("role", "everywhere"),
    [
        (Role.DIRECTORY_ADMINISTRATOR, False),
        (Role.DIRECTORY_ADMINISTRATOR, True),
        (Role.APPLICATION_ADMINISTRATOR, False),
    ],
)
def test_an_administrator_without_one_sets_one_up_first(
    demanding: Tenant, role: Role, everywhere: bool
) -> None:
    """From the next click on, for looking and for acting; only the own account is open."""
    boss = factories.person("boss", role, tenant=None if everywhere else demanding)
    app = factories.application(tenant=demanding)
    client = client_of(boss)
    for path in ("/", "/applications", f"/applications/{app.pk}", f"/directories/{demanding.pk}", "/users"):
        for answer in (client.get(path), client.post(path)):
            assert answer.headers["Location"] == "/account/second-factors", path
    answer = client.post(f"/applications/{app.pk}/disable")
    assert answer.headers["Location"] == "/account/second-factors"
    app.refresh_from_db()
    assert not app.is_disabled
    page = client.get("/account/second-factors").content.decode()
    assert f"{demanding.name} asks one of its administrators." in page
    assert client.get("/account/second-factors/app").status_code == 200
    assert client.get("/account/password").status_code == 200
    give_factor(boss)
    assert client.get("/applications").status_code == 200
    Authenticator.objects.filter(user=boss).delete()
    assert client.get("/applications").status_code == 302, "one that is gone again"


def test_others_are_not_asked(demanding: Tenant, directory: Tenant) -> None:
    reader = factories.person("reader", Role.READER, tenant=directory)
    assert client_of(reader).get("/applications").status_code == 200
    elsewhere = Tenant.objects.create(name="Elsewhere", created_at=factories.NOW)
    other = factories.person("other", Role.DIRECTORY_ADMINISTRATOR, tenant=elsewhere)
    assert client_of(other).get("/applications").status_code == 200


def test_the_rule_of_another_directory_counts_wherever_one_works(demanding: Tenant) -> None:
    """Who administers it without a factor keeps nothing, in no directory."""
    elsewhere = Tenant.objects.create(name="Elsewhere", created_at=factories.NOW)
    boss = factories.person("boss", Role.DIRECTORY_ADMINISTRATOR, tenant=demanding)
    factories.give_roles(boss, Role.READER, tenant=elsewhere)
    client = client_of(boss)
    client.post("/directories/switch", {"directory": str(elsewhere.pk)})
    assert client.get("/applications").headers["Location"] == "/account/second-factors"
