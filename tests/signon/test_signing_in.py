"""Signing in with an OpenID Connect provider: who comes in, with which roles, and what is on record."""

import logging
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from credmgr.accounts import administrators
from credmgr.accounts.models import BY_PROVIDER, ExternalIdentity, RoleAssignment, Session, User
from credmgr.accounts.roles import Role
from credmgr.audit.models import AuditEvent
from credmgr.membership.errors import LastAdministratorError, MembershipError
from credmgr.membership.invitations import invite
from credmgr.membership.people import set_roles
from credmgr.registrations.models import Tenant
from tests import factories
from tests.signon.conftest import CLIENT_ID, Provider, come_back, leave, sign_on, told

pytestmark = pytest.mark.django_db
PASSWORD = "a-canary-of-a-password-7"


def tags() -> list[str]:
    return list(AuditEvent.objects.order_by("sequence").values_list("tag", flat=True))


def roles(user: User) -> set[tuple[bool, str, str]]:
    rows = RoleAssignment.objects.filter(user=user)
    return {(row.tenant_id is None, row.role, row.source) for row in rows}


def test_without_a_provider_nothing_is_there(client: Client, db: None) -> None:
    page: Any = client.get("/account/login")
    assert b"Sign in with" not in page.content
    for end in ("", "/callback", "/refused"):
        assert client.get(f"/account/single-sign-on{end}").status_code == 404


def test_the_button_leads_to_the_provider_with_pkce(client: Client, idp: Provider) -> None:
    page: Any = client.get("/account/login?next=/decode-token")
    assert (
        'href="/account/single-sign-on?next=/decode-token">Sign in with Contoso</a>'
        in page.content.decode().replace("%2F", "/")
    )
    asked = {}
    answer: Any = client.get("/account/single-sign-on?next=/decode-token", headers={"host": "127.0.0.1"})
    idp.authorize(answer["Location"])
    [asked] = idp.asked.values()
    assert {
        name: asked[name] for name in ("response_type", "client_id", "scope", "code_challenge_method")
    } == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "scope": "openid profile",
        "code_challenge_method": "S256",
    }
    # Of the setting, whatever Host the request came with.
    assert asked["redirect_uri"] == "http://localhost:8000/account/single-sign-on/callback"
    assert len(asked["state"]) >= 43
    assert len(asked["nonce"]) >= 43
    assert "prompt" not in asked


def test_a_new_person_is_made_and_in(client: Client, idp: Provider, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answer = sign_on(client, idp, "/decode-token")
    assert answer["Location"] == "/decode-token"
    assert client.get("/decode-token").status_code == 200
    user = User.objects.get()
    assert (user.username, user.first_name, user.has_usable_password()) == (
        "kim@contoso.example",
        "Kim Abel",
        False,
    )
    assert roles(user) == {(False, "reader", BY_PROVIDER)}
    assert tags() == [
        "account:external-person:created",
        "account:external-person:roles-changed",
        "account:session:signed-in",
    ]
    signed_in = AuditEvent.objects.get(tag="account:session:signed-in")
    assert signed_in.changes == {"signedInWith": ["", "Contoso"]}
    kept = str(list(AuditEvent.objects.values())) + str([row.get_decoded() for row in Session.objects.all()])
    for canary in ("canary", "subject-1"):
        assert canary not in kept
        assert canary not in caplog.text
    assert b"canary" not in client.get("/account").content
    [request] = [each for each in idp.requests if each[1].endswith("/token")]
    assert request[2]["authorization"].startswith("Basic ")
    assert "canary" not in request[3].replace("code=canary-code-0", "")


def test_the_same_subject_is_the_same_person_whatever_it_is_called(client: Client, idp: Provider) -> None:
    sign_on(client, idp)
    idp.claims = {"preferred_username": "somebody@else.example", "name": "Other"}
    sign_on(Client(), idp)
    assert User.objects.get().username == "kim@contoso.example"
    assert ExternalIdentity.objects.get().subject == "subject-1"


def test_a_name_opens_nobodys_account(client: Client, idp: Provider) -> None:
    robin = factories.person("Kim@contoso.example")
    sign_on(client, idp)
    names = set(User.objects.values_list("username", flat=True))
    assert names == {"Kim@contoso.example", "kim@contoso.example-2"}
    assert not ExternalIdentity.objects.filter(user=robin).exists()


def test_the_same_subject_of_another_provider_is_somebody_else(client: Client, idp: Provider) -> None:
    robin = factories.person("robin.vale")
    ExternalIdentity.objects.create(
        user=robin, issuer="https://other.example/", subject="subject-1", created_at=robin.date_joined
    )
    sign_on(client, idp)
    assert ExternalIdentity.objects.get(user=robin).issuer == "https://other.example/"
    assert ExternalIdentity.objects.exclude(user=robin).get().subject == "subject-1"
    assert "kim@contoso.example" in client.get("/account").content.decode()


@pytest.mark.parametrize("claims", [{"roles": ["Other"]}, {"roles": None}, {"roles": {"a": 1}}])
def test_without_a_role_there_is_no_account(client: Client, idp: Provider, claims: dict[str, Any]) -> None:
    idp.claims = claims
    sign_on(client, idp)
    assert "no role here goes with what it says of you" in told(client)
    assert not User.objects.exists()
    assert client.get("/account").status_code == 302
    event = AuditEvent.objects.get()
    assert (event.tag, event.succeeded, event.changes) == (
        "account:external-person:refused",
        False,
        {"reason": ["", "no_role"]},
    )


@pytest.mark.parametrize(
    ("name", "claims"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["Credential.Reader"]}}),
        ("a.b.my.client.roles", {"a": 1, "a.b": {"my.client": {"roles": "Credential.Reader"}}}),
        ("https://example.com/roles", {"https://example.com/roles": ["Credential.Reader"]}),
        ("a.b", {"a.b": ["Credential.Reader"], "a": {"b": ["Credential.Admin"]}}),
        ("a.b", {"a": {"b": ["Credential.Reader"]}}),
    ],
)
def test_the_role_claim_may_stand_inside_another(
    client: Client, idp: Provider, settings: Settings, name: str, claims: dict[str, Any]
) -> None:
    settings.SSO_ROLE_CLAIM = name
    idp.claims = {"roles": ["Credential.Admin"], **claims}
    sign_on(client, idp)
    assert roles(User.objects.get()) == {(False, "reader", BY_PROVIDER)}


@pytest.mark.parametrize("claims", [{"a": "b"}, {"a": {"b": {"c": "x"}}}, {"a": []}, {"a": {"b": None}}, {}])
def test_a_role_claim_that_leads_nowhere_gives_no_role(
    client: Client, idp: Provider, settings: Settings, claims: dict[str, Any]
) -> None:
    settings.SSO_ROLE_CLAIM = "a.b"
    idp.claims = {"roles": ["Credential.Admin"], **claims}
    sign_on(client, idp)
    assert not User.objects.exists()


def test_roles_follow_the_provider_and_leave_those_given_here(
    client: Client, idp: Provider, directory: Tenant
) -> None:
    factories.person("root")
    sign_on(client, idp)
    user = User.objects.get(username="kim@contoso.example")
    set_roles(
        user, tenant=directory, roles=[Role.READER, Role.TESTER], actor=factories.COMMAND, now=timezone.now()
    )
    idp.claims = {"roles": ["Credential.Admin", "Credential.Auditor"]}
    sign_on(Client(), idp)
    by_hand = {(False, "reader", ""), (False, "tester", "")}
    assert roles(user) == by_hand | {
        (True, "directory-administrator", BY_PROVIDER),
        (True, "auditor", BY_PROVIDER),
    }
    event = AuditEvent.objects.filter(tag="account:external-person:roles-changed").latest("sequence")
    assert event.changes == {
        "roles": [
            "Reader (Default Directory)",
            "Auditor (every directory), Directory administrator (every directory)",
        ]
    }
    idp.claims = {"roles": []}
    again = Client()
    assert sign_on(again, idp)["Location"] == "/account"
    assert roles(user) == by_hand
    assert b"Reader, Tester" in again.get("/account").content


def test_a_person_whose_roles_are_gone_is_refused(client: Client, idp: Provider) -> None:
    sign_on(client, idp)
    idp.claims = {"roles": "nothing that counts"}
    other = Client()
    sign_on(other, idp)
    assert "no role here" in told(other)
    assert not RoleAssignment.objects.exists()
    assert client.get("/applications").status_code == 403


def test_a_disabled_person_stays_out(client: Client, idp: Provider) -> None:
    sign_on(client, idp)
    User.objects.update(is_active=False)
    other = Client()
    sign_on(other, idp)
    assert "is disabled" in told(other)
    assert other.get("/account").status_code == 302
    assert client.get("/account").status_code == 302


def test_a_directory_is_named_by_its_domain(client: Client, idp: Provider, settings: Settings) -> None:
    domain = Tenant.objects.get().domains.get().name
    settings.SSO_ROLE_MAP = [
        f"Credential.Reader=tester@{domain.upper()}",
        "Credential.Reader=reader@gone.example",
    ]
    sign_on(client, idp)
    assert roles(User.objects.get()) == {(False, "tester", BY_PROVIDER)}


def test_the_last_administrator_is_one_that_needs_no_provider(
    client: Client, idp: Provider, directory: Tenant
) -> None:
    root = factories.person("root")
    idp.claims = {"roles": ["Credential.Admin"]}
    sign_on(client, idp)
    with pytest.raises(LastAdministratorError):
        set_roles(root, tenant=None, roles=[], actor=factories.COMMAND, now=timezone.now())
    assert roles(root) == {(True, "directory-administrator", "")}


def test_the_set_up_link_stays_until_somebody_needs_no_provider(client: Client, idp: Provider) -> None:
    idp.claims = {"roles": ["Credential.Admin"]}
    sign_on(client, idp)
    assert not administrators.exists()
    factories.person("root")
    assert administrators.exists()


def test_the_roles_page_changes_those_given_here_alone(client: Client, idp: Provider) -> None:
    sign_on(client, idp)
    user = User.objects.get()
    root = Client()
    root.force_login(factories.person("root"), backend="allauth.account.auth_backends.AuthenticationBackend")
    page: Any = root.get(f"/users/{user.pk}/roles")
    assert "Single sign-on gives besides: Reader." in page.content.decode()
    assert page.context["form"].initial == {"here": [], "everywhere": []}


# ---------------------------------------------------------------- who must come that way
def test_where_it_is_required_only_administrators_have_passwords(
    client: Client, idp: Provider, directory: Tenant, settings: Settings
) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    for name, role, tenant in (
        ("root", Role.DIRECTORY_ADMINISTRATOR, None),
        ("reader", Role.READER, None),
        ("local", Role.DIRECTORY_ADMINISTRATOR, directory),
    ):
        user = factories.person(name, role, tenant=tenant)
        user.set_password(PASSWORD)
        user.save()
    settings.SSO_REQUIRED = True
    page: Any = client.get("/account/login")
    assert "Only administrators of every directory sign in with a password." in page.content.decode()
    for name in ("reader", "local"):
        answer: Any = client.post("/account/login", {"login": name, "password": PASSWORD})
        assert answer.status_code == 200
        assert AuditEvent.objects.latest("sequence").tag == "account:session:refused"
    assert client.post("/account/login", {"login": "root", "password": PASSWORD}).status_code == 302
    with pytest.raises(MembershipError, match="with Contoso alone"):
        invite(
            name="Kit",
            tenant=directory,
            roles=[Role.READER],
            actor=factories.COMMAND,
            now=timezone.now(),
        )
    sign_on(Client(), idp)
    assert User.objects.filter(username="kim@contoso.example").exists()


# ---------------------------------------------------------------- second factors
@pytest.mark.parametrize(
    ("setting", "amr", "goes_on"),
    [
        ("AMR", ["pwd", "mfa"], True),
        ("AMR", ["pwd"], False),
        ("AMR", None, False),
        ("NEVER", ["mfa"], False),
        ("ALWAYS", None, True),
    ],
)
def test_a_directorys_rule_and_what_the_provider_says(
    client: Client,
    idp: Provider,
    directory: Tenant,
    settings: Settings,
    setting: str,
    amr: list[str] | None,
    goes_on: bool,
) -> None:
    settings.SSO_SECOND_FACTOR = setting
    Tenant.objects.update(second_factor_for="administrators")
    idp.claims = {"roles": ["Credential.Admin"], "amr": amr}
    sign_on(client, idp)
    answer: Any = client.get("/applications")
    assert answer.status_code == (200 if goes_on else 302)


def test_a_factor_of_this_server_is_asked_for_unless_the_provider_gave_one(
    client: Client, idp: Provider
) -> None:
    sign_on(client, idp)
    user = User.objects.get()
    Authenticator.objects.create(user=user, type="webauthn", data={"name": "Key"}, created_at=timezone.now())
    other = Client()
    assert sign_on(other, idp)["Location"] == "/account/login/second-factor"
    assert other.get("/account").status_code == 302
    idp.claims = {"amr": ["mfa"]}
    assert sign_on(other, idp)["Location"] == "/account"
    assert other.get("/account").status_code == 200


# ---------------------------------------------------------------- the way there
def test_a_link_of_another_site_signs_nobody_in(client: Client, idp: Provider) -> None:
    answer: Any = client.get(
        "/account/single-sign-on?next=/decode-token", headers={"sec-fetch-site": "cross-site"}
    )
    assert answer["Location"] == "/account/login?next=%2Fdecode-token"
    assert not idp.requests


@pytest.mark.parametrize("goal", ["https://evil.example/", "//evil.example/", "\\\\evil.example", ""])
def test_it_leads_nowhere_else(client: Client, idp: Provider, goal: str) -> None:
    assert sign_on(client, idp, goal)["Location"] == "/applications"


def test_from_the_other_listener_to_the_one_that_the_provider_knows(
    client: Client, idp: Provider, settings: Settings
) -> None:
    settings.LISTENER = "secure"
    assert leave(client, "/decode-token") == "http://localhost:8000/account/login?next=%2Fdecode-token"


def test_too_many_begun_from_an_address(client: Client, idp: Provider, settings: Settings) -> None:
    settings.LOGIN_FAILURES_PER_ADDRESS = 1
    for _ in range(20):
        leave(client)
    assert client.get("/account/single-sign-on").status_code == 429


def test_too_many_failures_of_an_address(client: Client, idp: Provider, settings: Settings) -> None:
    settings.LOGIN_FAILURES_PER_ADDRESS = 2
    idp.claims = {"nonce": "another"}
    for _ in range(2):
        sign_on(client, idp)
    idp.claims = {}
    sign_on(client, idp)
    assert "Too many sign-ins from your address failed." in told(client)
    assert len(tags()) == 2, "what is over the limit leaves no row"
    come_back(client, {"code": "x", "state": "y"})
    assert not User.objects.exists()
