"""Expose an API, App roles, API permissions: what each page shows, changes and refuses."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from credmgr.accounts.models import User
from credmgr.audit.models import AuditEvent
from credmgr.audit.recording import Actor
from credmgr.registrations.app_roles import add_app_role, set_app_role_enabled
from credmgr.registrations.deleting import delete_application
from credmgr.registrations.graph_roles import GRAPH_ROLES
from credmgr.registrations.models import Application, AppRole, AppRoleAssignment, RequestedPermission
from credmgr.registrations.permissions import grant_admin_consent, request_permissions
from credmgr.registrations.queries import identifier_uri_of
from credmgr.registrations.registering import update_application
from credmgr.registrations.resources import GRAPH_CLIENT_ID
from tests.portal.conftest import PASSWORD, UNKNOWN, Register
from tests.portal.questions import assert_asks_for_sign_in, assert_hides, assert_refuses_methods

pytestmark = pytest.mark.django_db
BY: dict[str, Any] = {"actor": Actor.command()}
GRAPH = {role.value: role.id for role in GRAPH_ROLES}
PAGES = (
    "/expose-an-api",
    "/expose-an-api/uri",
    "/app-roles",
    "/app-roles/new",
    "/api-permissions",
    "/api-permissions/new",
    "/api-permissions/grant",
)
ROLE = {"display_name": "Read orders", "value": "Orders.Read", "description": "Read every order."}


def of(application: Application, rest: str) -> str:
    return f"/applications/{application.pk}{rest}"


def body(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return str(answer.content.decode())


def role(api: Application, value: str = "Orders.Read", **given: Any) -> AppRole:
    return add_app_role(api, **{**ROLE, "value": value, **given}, **BY, now=timezone.now())


def asked(app: Application, api: Application, *roles: AppRole) -> None:
    request_permissions(
        app,
        api_client_id=api.client_id,
        role_ids=[each.pk for each in roles],
        **BY,
        now=timezone.now(),
    )


def granted(app: Application, api: Application, *roles: AppRole) -> None:
    asked(app, api, *roles)
    grant_admin_consent(app, **BY, now=timezone.now())


def permission(app: Application, each: AppRole, act: str) -> str:
    return of(app, f"/api-permissions/{each.application.client_id}/{each.pk}/{act}")


@pytest.fixture
def stale(signed_in: Client) -> Client:
    """A browser whose password was given too long ago."""
    session = signed_in.session
    past = (timezone.now() - timedelta(seconds=settings.STEP_UP_SECONDS + 5)).timestamp()
    for name, value in list(session.items()):
        if isinstance(value, int | float):
            session[name] = type(value)(past)
    session.save()
    return signed_in


@pytest.fixture
def orders(register: Register) -> Application:
    """An API."""
    return register("Orders API", identifier_uri="api://orders")


def test_questions_every_page_is_asked(signed_in: Client, harbor: Application, foreign: Application) -> None:
    made = role(harbor)
    granted(harbor, harbor, made)
    addresses = [of(harbor, page) for page in PAGES]
    addresses += [of(harbor, f"/app-roles/{made.pk}{rest}") for rest in ("", "/enable", "/delete")]
    addresses += [permission(harbor, made, act) for act in ("remove", "revoke")]
    for address in addresses:
        assert_asks_for_sign_in(address)
        assert_refuses_methods(signed_in, address, ["PUT", "DELETE", "PATCH"])
        text = body(signed_in, address)
        assert text.count("<h1") == 1
        assert_hides(signed_in, address.replace(str(harbor.pk), "{}"), foreign)
    for page in ("/app-roles", "/api-permissions"):
        assert_refuses_methods(signed_in, of(harbor, page), ["POST"])


def test_unknown_roles_and_permissions_are_404(
    signed_in: Client, harbor: Application, orders: Application
) -> None:
    """A role of another registration is none of this one's."""
    other = role(orders)
    asked(harbor, orders, other)
    for rest in ("", "/enable", "/delete"):
        assert signed_in.get(of(harbor, f"/app-roles/{other.pk}{rest}")).status_code == 404
        assert signed_in.get(of(harbor, f"/app-roles/{UNKNOWN}{rest}")).status_code == 404
    assert signed_in.get(permission(harbor, other, "revoke")).status_code == 404, "not granted"
    assert signed_in.get(of(harbor, f"/api-permissions/{UNKNOWN}/{UNKNOWN}/remove")).status_code == 404
    assert signed_in.get(permission(orders, other, "remove")).status_code == 404, "not requested"


def test_the_menu_leads_to_them(signed_in: Client, harbor: Application) -> None:
    text = body(signed_in, of(harbor, ""))
    for page in ("/expose-an-api", "/app-roles", "/api-permissions"):
        assert f'href="{of(harbor, page)}"' in text
    assert 'aria-current="page"' in body(signed_in, of(harbor, "/app-roles/new"))


def test_the_uri_is_offered_as_the_portal_does(signed_in: Client, harbor: Application) -> None:
    """Default api:// and the client id; saved, changed, removed."""
    address = of(harbor, "/expose-an-api/uri")
    assert f'value="api://{harbor.client_id}"' in body(signed_in, address)
    assert identifier_uri_of(harbor) == "", "looking saves nothing"
    for typed, said in (
        (f"api://{harbor.client_id}", "is saved"),
        ("api://harbor", "is saved"),
        ("", "is removed"),
    ):
        harbor.refresh_from_db()
        answer = signed_in.post(address, {"identifier_uri": typed, "version": harbor.version}, follow=True)
        assert said in answer.content.decode()
        assert identifier_uri_of(harbor) == typed


@pytest.mark.parametrize("typed", ["api://x/", "nonsense", "api://orders", "https://graph.microsoft.com"])
def test_a_uri_that_cannot_be_is_kept_in_the_form(
    signed_in: Client, harbor: Application, orders: Application, typed: str
) -> None:
    answer = signed_in.post(
        of(harbor, "/expose-an-api/uri"), {"identifier_uri": typed, "version": harbor.version}
    )
    assert answer.status_code == 422
    assert f'value="{typed}"' in answer.content.decode()
    assert identifier_uri_of(harbor) == ""


def test_the_switches(signed_in: Client, harbor: Application) -> None:
    address = of(harbor, "/expose-an-api")
    typed = {"app_role_assignment_required": "on", "includes_idtyp": "on", "version": harbor.version}
    assert signed_in.post(address, typed).status_code == 302
    harbor.refresh_from_db()
    assert (harbor.app_role_assignment_required, harbor.includes_idtyp) == (True, True)
    event = AuditEvent.objects.order_by("-sequence").first()
    assert event is not None
    assert event.changes == {"appRoleAssignmentRequired": [False, True], "includesIdtyp": [False, True]}
    log = body(signed_in, of(harbor, "/audit"))
    assert "Assignment required: no, now yes" in log
    assert body(signed_in, address).count("checked") >= 2


def test_a_stale_page_of_switches_changes_nothing(signed_in: Client, harbor: Application) -> None:
    """C-4."""
    update_application(harbor, notes="x", expected_version=harbor.version, **BY, now=timezone.now())
    answer = signed_in.post(of(harbor, "/expose-an-api"), {"includes_idtyp": "on", "version": harbor.version})
    assert answer.status_code == 422
    assert "changed meanwhile" in answer.content.decode()
    for version in ("", "abc", "9" * 30):
        assert signed_in.post(of(harbor, "/expose-an-api"), {"version": version}).status_code == 422
    harbor.refresh_from_db()
    assert not harbor.includes_idtyp


def test_a_role_from_birth_to_deletion(signed_in: Client, harbor: Application) -> None:
    assert "No app roles" in body(signed_in, of(harbor, "/app-roles"))
    assert signed_in.post(of(harbor, "/app-roles/new"), {**ROLE, "is_enabled": "on"}).status_code == 302
    made = AppRole.objects.get()
    text = body(signed_in, of(harbor, "/app-roles"))
    for shown in ("Read orders", "Orders.Read", "Read every order.", str(made.pk), "Applications", "Enabled"):
        assert shown in text
    one = of(harbor, f"/app-roles/{made.pk}")
    changed = {**ROLE, "value": "Orders.Read.All", "version": made.version}
    assert signed_in.post(one, changed).status_code == 302
    refused = signed_in.post(f"{one}/delete")
    assert refused.status_code == 422
    assert "Disable it first" in refused.content.decode()
    assert 'value="no"' in body(signed_in, f"{one}/enable")
    assert signed_in.post(f"{one}/enable", {"enabled": "no"}).status_code == 302
    assert "Disabled" in body(signed_in, of(harbor, "/app-roles"))
    assert signed_in.post(f"{one}/delete").status_code == 302
    assert not AppRole.objects.exists()
    log = body(signed_in, of(harbor, "/audit"))
    for words in ("App role added", "App role changed", "App role disabled", "App role deleted"):
        assert words in log


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"value": "two words"}, "holds a space"),
        ({"value": "Orders.Read"}, "Another enabled app role"),
        ({"value": ""}, "Enter a value."),
        ({"display_name": " "}, "Enter a display name."),
        ({"description": ""}, "Enter a description."),
        ({"value": "a\x00"}, "Null characters"),
        ({"display_name": "x" * 101}, "Shorten it to 100"),
    ],
)
def test_a_role_that_cannot_be_is_kept_in_the_form(
    signed_in: Client, harbor: Application, typed: dict[str, str], words: str
) -> None:
    role(harbor)
    given = {**ROLE, "value": "Orders.Write", "is_enabled": "on", **typed}
    answer = signed_in.post(of(harbor, "/app-roles/new"), given)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert words in text
    assert "Read every order." in text or not given["description"]
    assert AppRole.objects.count() == 1


def test_a_script_in_a_role_is_text(signed_in: Client, harbor: Application) -> None:
    role(harbor, display_name="<script>x</script>", description="<b>y</b>")
    for page in ("/app-roles", "/api-permissions/new?api=" + str(harbor.client_id)):
        text = body(signed_in, of(harbor, page))
        assert "<script>x" not in text
        assert "<b>y" not in text


def test_permissions_from_asking_to_revoking(
    signed_in: Client, harbor: Application, orders: Application
) -> None:
    assert "No permissions requested" in body(signed_in, of(harbor, "/api-permissions"))
    made = role(orders)
    page = of(harbor, f"/api-permissions/new?api={orders.client_id}")
    assert "Orders.Read" in body(signed_in, page)
    assert "User.Read.All" in body(signed_in, of(harbor, "/api-permissions/new")), "Graph comes first"
    assert signed_in.post(page, {"roles": [str(made.pk)]}).status_code == 302
    graph = [str(GRAPH["User.Read.All"]), str(GRAPH["Mail.Send"])]
    assert signed_in.post(of(harbor, "/api-permissions/new"), {"roles": graph}).status_code == 302
    text = body(signed_in, of(harbor, "/api-permissions"))
    tenant = harbor.tenant.name
    assert text.count(f"Not granted for {tenant}") == 3
    assert "3 permissions not granted." in text
    assert "Requested already." in body(signed_in, page)
    panel = body(signed_in, of(harbor, "/api-permissions/grant"))
    assert "Mail.Send" in panel
    assert signed_in.post(of(harbor, "/api-permissions/grant")).status_code == 302
    assert AppRoleAssignment.objects.count() == 3
    text = body(signed_in, of(harbor, "/api-permissions"))
    assert text.count(f"Granted for {tenant}") == 3
    assert "not granted" not in text
    assert signed_in.post(permission(harbor, made, "remove")).status_code == 302
    text = body(signed_in, of(harbor, "/api-permissions"))
    assert f"Other permissions granted for {tenant}" in text
    assert signed_in.post(permission(harbor, made, "revoke")).status_code == 302
    assert "Other permissions granted" not in body(signed_in, of(harbor, "/api-permissions"))
    log = body(signed_in, of(harbor, "/audit"))
    for words in (
        "API permission requested",
        "Admin consent granted",
        "API permission removed",
        "Admin consent revoked",
    ):
        assert words in log
    assert "Nothing is left to grant" in body(signed_in, of(harbor, "/api-permissions/grant"))


@pytest.mark.parametrize("roles", [[], ["x"], [str(UNKNOWN)], ["a\x00"], [str(uuid.UUID(int=7))] * 3])
def test_what_is_not_on_offer_is_refused(signed_in: Client, harbor: Application, roles: list[str]) -> None:
    answer = signed_in.post(of(harbor, "/api-permissions/new"), {"roles": roles})
    assert answer.status_code == 422
    assert not RequestedPermission.objects.exists()


@pytest.mark.parametrize("api", ["", "x", str(UNKNOWN), "%00"])
def test_an_unknown_api_shows_microsoft_graph(signed_in: Client, harbor: Application, api: str) -> None:
    assert "Permissions of Microsoft Graph" in body(signed_in, of(harbor, f"/api-permissions/new?api={api}"))


def test_a_refused_choice_stays_ticked(signed_in: Client, harbor: Application, orders: Application) -> None:
    """The page was open while a role was disabled."""
    kept, gone = role(orders), role(orders, "Orders.Write")
    set_app_role_enabled(gone, enabled=False, **BY, now=timezone.now())
    page = of(harbor, f"/api-permissions/new?api={orders.client_id}")
    answer = signed_in.post(page, {"roles": [str(kept.pk), str(gone.pk)]})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert re.search(rf'value="{kept.pk}" checked', text)
    assert not RequestedPermission.objects.exists()


def test_disabled_and_vanished_roles_say_so(
    signed_in: Client, harbor: Application, orders: Application, register: Register
) -> None:
    disabled = role(orders)
    gone = register("Gone API")
    vanished = role(gone)
    granted(harbor, orders, disabled)
    granted(harbor, gone, vanished)
    set_app_role_enabled(disabled, enabled=False, **BY, now=timezone.now())
    delete_application(gone, **BY, now=timezone.now())
    text = body(signed_in, of(harbor, "/api-permissions"))
    assert "Granted, but the app role is disabled" in text
    assert "An API that is not there any more" in text
    assert str(vanished.pk) in text
    assert signed_in.post(permission(harbor, vanished, "revoke")).status_code == 302
    assert signed_in.post(permission(harbor, vanished, "remove")).status_code == 302


def test_what_grants_or_takes_away_asks_for_the_password(
    stale: Client, harbor: Application, orders: Application
) -> None:
    """L-2: nothing happens without it, and what was typed stays."""
    made, other = role(orders), role(orders, "Orders.Write")
    granted(harbor, orders, made)
    asked(harbor, orders, other)
    off = role(orders, "Orders.Off", is_enabled=False)
    one = of(orders, f"/app-roles/{made.pk}")
    harbor.refresh_from_db()
    forms: dict[str, dict[str, Any]] = {
        of(harbor, "/api-permissions/grant"): {},
        permission(harbor, made, "revoke"): {},
        f"{one}/enable": {"enabled": "no"},
        of(orders, f"/app-roles/{off.pk}/delete"): {},
        one: {**ROLE, "version": 1, "value": "Changed"},
        of(orders, "/app-roles/new"): {**ROLE, "value": "Third"},
        of(harbor, "/expose-an-api"): {"includes_idtyp": "on", "version": harbor.version},
    }
    for address, typed in forms.items():
        answer = stale.post(address, typed)
        assert answer.status_code == 422, address
        assert 'name="current_password"' in answer.content.decode(), address
    assert stale.post(of(harbor, "/api-permissions/grant"), {"current_password": "wrong"}).status_code == 422
    assert AppRoleAssignment.objects.count() == 1
    assert AppRole.objects.filter(is_enabled=True).count() == 2
    assert AppRole.objects.filter(pk=off.pk).exists()
    assert stale.post(of(harbor, "/api-permissions/grant"), {"current_password": PASSWORD}).status_code == 302
    assert AppRoleAssignment.objects.count() == 2


def test_the_pages_take_few_questions(
    signed_in: Client,
    person: User,
    harbor: Application,
    orders: Application,
    django_assert_max_num_queries: Any,
) -> None:
    """The number does not grow with the rows."""
    roles = [role(orders, f"Orders.{number}") for number in range(30)]
    granted(harbor, orders, *roles)
    for address in (
        of(harbor, "/api-permissions"),
        of(orders, "/app-roles"),
        of(harbor, "/api-permissions/new"),
    ):
        with django_assert_max_num_queries(12):
            signed_in.get(address)


def test_graph_is_named_by_its_real_id(signed_in: Client, harbor: Application) -> None:
    assert f"?api={GRAPH_CLIENT_ID}" in body(signed_in, of(harbor, "/api-permissions/new"))
