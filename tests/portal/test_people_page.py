"""Users: inviting, roles, switching off, sessions; nobody locks himself or everybody out."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from credmgr.accounts.models import Invitation, RoleAssignment, Session, User
from credmgr.accounts.roles import Right, Role
from credmgr.audit.events import EventTag
from credmgr.audit.models import AuditEvent
from credmgr.membership.queries import standing_of
from credmgr.registrations.models import Tenant
from tests import factories
from tests.portal.conftest import BACKEND, PASSWORD

pytestmark = pytest.mark.django_db
LINK = re.compile(r"http://[a-z]+(/account/invitation/[A-Za-z0-9_-]{40,})")


def client_of(user: User) -> Client:
    """Their browser."""
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def invited(client: Client, *roles: Role, name: str = "Kim Park") -> str:
    """The path of a new invitation's link."""
    answer = client.post("/users/invite", {"name": name, "roles": [role.value for role in roles]})
    assert "no-store" in answer["Cache-Control"]
    found = LINK.search(answer.content.decode())
    assert found
    return found[1]


def accept(client: Client, user_name: str = "kim", password: str = PASSWORD) -> int:
    """Choose a name and a password at the form that the link leads to."""
    form = {"user_name": user_name, "full_name": "", "password1": password, "password2": password}
    return client.post("/account/invitation", form).status_code


def test_an_invitation_from_link_to_role(signed_in: Client, directory: Tenant) -> None:
    """The link leaves the address at once, works once, and gives the roles it was made with, no more."""
    path = invited(signed_in, Role.TESTER, Role.AUDITOR)
    token = path.rsplit("/", 1)[1]
    guest = Client()
    assert guest.head(path).status_code == 302
    answer = guest.get(path)
    assert answer["Location"] == "/account/invitation"
    assert "Tester, Auditor" in guest.get("/account/invitation").content.decode()
    assert accept(guest) == 302
    kim = User.objects.get(username="kim")
    assert standing_of(kim).roles == {directory.pk: {Role.TESTER, Role.AUDITOR}}
    assert guest.get("/applications").status_code == 200
    assert Client().get(path).status_code == 404
    kept = " ".join(str(row.__dict__) for model in (AuditEvent, Invitation) for row in model.objects.all())
    assert token not in kept
    assert token not in signed_in.get("/users").content.decode()
    assert all(token not in str(row.get_decoded()) for row in Session.objects.all())


def test_an_invitation_is_used_once_even_by_two(signed_in: Client) -> None:
    """Two people open the same link; the second to finish is told."""
    path = invited(signed_in, Role.READER)
    first, second = Client(), Client()
    for each in (first, second):
        each.get(path)
    assert accept(first, "kim") == 302
    assert accept(second, "eve") == 404
    assert not User.objects.filter(username="eve").exists()


def test_an_invitation_ends(signed_in: Client) -> None:
    path = invited(signed_in, Role.READER)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Client().get(path).status_code == 404
    path = invited(signed_in, Role.READER)
    row = Invitation.objects.latest("created_at")
    assert signed_in.post(f"/users/invitations/{row.pk}/withdraw").status_code == 302
    assert Client().get(path).status_code == 404


def test_a_taken_name_is_refused_and_the_link_lives(signed_in: Client) -> None:
    guest = Client()
    guest.get(invited(signed_in, Role.READER))
    answer = guest.post(
        "/account/invitation",
        {"user_name": "ROBIN", "full_name": "", "password1": PASSWORD, "password2": PASSWORD},
    )
    assert "has this user name" in answer.content.decode()
    assert accept(guest, "kim") == 302


def test_inviting_needs_a_role(signed_in: Client) -> None:
    answer = signed_in.post("/users/invite", {"name": "Kim"})
    assert "Choose at least one role." in answer.content.decode()
    assert 'value="Kim"' in answer.content.decode()
    assert not Invitation.objects.exists()


def test_roles_are_given_and_taken(signed_in: Client, directory: Tenant) -> None:
    kim = factories.person("kim", Role.READER, tenant=directory)
    assert signed_in.post(f"/users/{kim.pk}/roles", {"here": ["tester", "auditor"]}).status_code == 302
    assert standing_of(kim).roles_in(directory.pk) == {Role.TESTER, Role.AUDITOR}
    row = AuditEvent.objects.get(tag=EventTag.ROLES_CHANGED)
    assert row.changes["roles"] == ["Reader", "Tester, Auditor"]
    signed_in.post(f"/users/{kim.pk}/roles", {"here": ["tester", "auditor"]})
    assert AuditEvent.objects.filter(tag=EventTag.ROLES_CHANGED).count() == 1


def test_an_unknown_role_is_refused(signed_in: Client, directory: Tenant) -> None:
    kim = factories.person("kim", Role.READER, tenant=directory)
    answer = signed_in.post(f"/users/{kim.pk}/roles", {"here": ["emperor"]})
    assert answer.status_code == 422
    assert standing_of(kim).roles_in(directory.pk) == {Role.READER}


def test_a_directorys_administrator_gives_nothing_beyond_it(directory: Tenant) -> None:
    """No field for it, and a form made by hand changes nothing (L-7)."""
    boss = factories.person("boss", Role.DIRECTORY_ADMINISTRATOR, tenant=directory)
    client = client_of(boss)
    assert "In every directory" not in client.get(f"/users/{boss.pk}/roles").content.decode()
    form = {"here": ["directory-administrator"], "everywhere": ["directory-administrator"]}
    client.post(f"/users/{boss.pk}/roles", form)
    assert not standing_of(boss).allows(Right.OPERATE, None)


def test_the_last_administrator_stays(signed_in: Client, person: User, directory: Tenant) -> None:
    answer = signed_in.post(f"/users/{person.pk}/roles", {"here": [], "everywhere": ["reader"]})
    assert "last person who administers every directory" in answer.content.decode()
    assert standing_of(person).allows(Right.OPERATE, None)
    answer = signed_in.post(f"/users/{person.pk}/disable")
    assert "cannot disable your own account" in answer.content.decode()
    person.refresh_from_db()
    assert person.is_active


def test_roles_here_stay_when_those_everywhere_are_refused(
    signed_in: Client, person: User, directory: Tenant
) -> None:
    """One form, one act: a refused one changes nothing, and the audit tells of nothing."""
    before = set(RoleAssignment.objects.values_list("user", "tenant_id", "role"))
    answer = signed_in.post(f"/users/{person.pk}/roles", {"here": ["tester"], "everywhere": []})
    assert "last person who administers every directory" in answer.content.decode()
    assert set(RoleAssignment.objects.values_list("user", "tenant_id", "role")) == before
    assert not AuditEvent.objects.filter(tag=EventTag.ROLES_CHANGED).exists()


def test_disabling_ends_every_session_at_once(signed_in: Client, directory: Tenant) -> None:
    kim = factories.person("kim", Role.READER, tenant=directory)
    theirs = client_of(kim)
    assert theirs.get("/applications").status_code == 200
    assert signed_in.post(f"/users/{kim.pk}/disable").status_code == 302
    assert theirs.get("/applications").status_code == 302
    assert not Session.objects.filter(user=kim).exists()
    assert signed_in.post(f"/users/{kim.pk}/enable").status_code == 302
    assert client_of(kim).get("/applications").status_code == 200


def test_ending_sessions_signs_out_and_no_more(signed_in: Client, directory: Tenant) -> None:
    kim = factories.person("kim", Role.READER, tenant=directory)
    first, second = client_of(kim), client_of(kim)
    signed_in.post(f"/users/{kim.pk}/end-sessions")
    assert [each.get("/applications").status_code for each in (first, second)] == [302, 302]
    assert client_of(kim).get("/applications").status_code == 200


def test_who_has_roles_elsewhere_is_not_switched_off_from_here(directory: Tenant) -> None:
    """Neither page nor act: their other directories need them."""
    boss = factories.person("boss", Role.DIRECTORY_ADMINISTRATOR, tenant=directory)
    elsewhere = Tenant.objects.create(name="Elsewhere", created_at=timezone.now())
    kim = factories.person("kim", Role.READER, tenant=directory)
    factories.give_roles(kim, Role.READER, tenant=elsewhere)
    client = client_of(boss)
    assert "Disable" not in client.get(f"/users/{kim.pk}").content.decode()
    answer = client.post(f"/users/{kim.pk}/disable")
    assert "Your roles do not allow this" in answer.content.decode()
    kim.refresh_from_db()
    assert kim.is_active


def test_people_of_other_directories_are_not_known_of(directory: Tenant) -> None:
    boss = factories.person("boss", Role.DIRECTORY_ADMINISTRATOR, tenant=directory)
    elsewhere = Tenant.objects.create(name="Elsewhere", created_at=timezone.now())
    kim = factories.person("kim", Role.READER, tenant=elsewhere)
    client = client_of(boss)
    assert "kim" not in client.get("/users").content.decode()
    assert client.get(f"/users/{kim.pk}").status_code == 404


def test_an_existing_user_is_added_by_name(signed_in: Client, directory: Tenant) -> None:
    kim = User.objects.create_user("kim")
    answer = signed_in.post("/users/add", {"user_name": "nobody", "roles": ["reader"]})
    assert "Nobody here has this user name" in answer.content.decode()
    assert signed_in.post("/users/add", {"user_name": "Kim", "roles": ["reader"]}).status_code == 302
    assert RoleAssignment.objects.get(user=kim).role == "reader"


def test_signing_oneself_out_everywhere(person: User) -> None:
    first, second = client_of(person), client_of(person)
    assert "This browser" in first.get("/account").content.decode()
    assert first.post("/account/sessions/end").status_code == 302
    assert [each.get("/applications").status_code for each in (first, second)] == [302, 302]


def test_each_panel_offers_cancel_once(signed_in: Client, directory: Tenant) -> None:
    """The panel that stands alone brings the button with it."""
    noor = factories.person("noor", Role.READER, tenant=directory)
    panels = [f"/users/{noor.pk}/{panel}" for panel in ("roles", "disable", "end-sessions")]
    for address in ("/users/invite", "/users/add", *panels):
        answer = signed_in.get(address)
        assert answer.status_code == 200, address
        assert answer.content.decode().count(">Cancel</a>") == 1, address
