"""L-2 over the whole map: what makes, keeps, reveals, deletes, exports or grants asks for the password."""

from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.test import Client
from django.utils.html import escape

from credmgr.accounts import sessions
from credmgr.accounts.models import User
from credmgr.audit.models import AuditEvent
from credmgr.registrations.models import Tenant
from tests.portal.conftest import BACKEND
from tests.portal.rights_scene import build, routes

pytestmark = pytest.mark.django_db


def met(client: Client, method: str, address: str) -> tuple[bool, int, int]:
    """(whether the password is asked for, status, audit rows written); what was changed is taken back."""
    cookies, before = client.cookies.output(), AuditEvent.objects.count()
    with transaction.atomic():
        answer = client.generic(method, address)
        text = b"" if answer.streaming else answer.content
        written = AuditEvent.objects.count() - before
        transaction.set_rollback(True)
    client.cookies.clear()
    client.cookies.load(cookies.replace("Set-Cookie: ", ""))
    return b'name="current_password"' in text, answer.status_code, written


# What one may do without giving the password again, and why. Pages that only show are not asked about.
WITHOUT = {
    "account": "one's own name",
    "account_logout": "leaves",
    "account_end_sessions": "ends sessions, and this one",
    "account_change_password": "its form asks for the present password in any case",
    "account_confirm": "without an address to go on to there is nothing to confirm",
    "account_factor_remove": "the address names no factor here; see test_second_factors",
    "portal:application_new": "makes a registration that can do nothing yet",
    "portal:application_properties": "what it is called; asks where it moves to another authority",
    "portal:application_disable": "can be taken back",
    "portal:secret_stored": "says that a value was copied",
    "portal:certificate_examine": "stores nothing",
    "portal:application_identifier_uri": "a name; asks for nothing that is secret",
    "portal:api_permission_new": "asks for a permission, which gives nothing until it is granted",
    "portal:api_permission_remove": "takes a request back",
    "portal:test_compare_new": "asks where a kept private key signs; see test_flow_comparisons",
    "portal:directory_switch": "where one works",
    "portal:directory_rename": "a name",
    "portal:directory_switches_off": "makes nothing less safe",
    "portal:decode": "keeps nothing",
    "portal:audit_verify": "reads the chain and says whether it holds",
    "portal:home": "leads on",
    "portal:theme": "how it looks",
}
# These refuse in the scene before they ask for anything: there is nothing that could be done.
NOTHING_TO_DO = {
    "portal:app_role_delete": "the role is enabled",
    "portal:api_permissions_grant": "everything is granted",
    "portal:directory_testing": "no test directory",
    "portal:directory_delete": "the default directory stays",
    "portal:enterprise_application_grant": "everything is granted",
    "portal:directory_consent": "chooses what to review; the review asks",
    "portal:signing_key_withdraw": "the only key that signs",
}
# Downloads: a link has no form, so a page in between asks.
EXPORTS = {
    "portal:applications_export",
    "portal:sign_ins_export",
    "portal:application_sign_ins_export",
}


def test_l2_every_act_asks_for_the_password_again(root: tuple[Client, User], directory: Tenant) -> None:
    """What is on no list above asks when its form opens and when it is sent, and does nothing before."""
    client, user = root
    scene = build(directory, user)
    acting, seen = set(), set()
    for route in routes():
        address = scene.address(route, own=False)
        asks, status, written = met(client, "POST", address)
        if status == 405:
            continue  # nothing is done here
        acting.add(route.name)
        if asks:
            seen.add(route.name)
            assert written == 0, f"{route.name} did something without the password"
            opened, status, _ = met(client, "GET", address)
            assert opened or status == 405, f"{route.name} does not ask when it opens (P9)"
    assert acting - seen == set(WITHOUT) | set(NOTHING_TO_DO)
    assert len(seen) > 40


def test_l2_exports_ask_on_a_page_of_their_own(root: tuple[Client, User], directory: Tenant) -> None:
    client, user = root
    scene = build(directory, user)
    for route in routes():
        if route.name not in EXPORTS:
            continue
        before = AuditEvent.objects.count()
        address = f"{scene.address(route, own=False)}?format=json"
        answer = client.get(address)
        assert answer.headers["Location"] == f"/account/confirm?{urlencode({'next': address})}"
        assert AuditEvent.objects.count() == before, "nothing was exported"
        page = client.get(answer.headers["Location"])
        assert b'name="current_password"' in page.content
        wrong = client.post(answer.headers["Location"], {"current_password": "not-the-password"})
        assert wrong.status_code == 422
        assert b"The password is not right." in wrong.content
        assert b"Ready to download" not in wrong.content
    user.set_password("a-canary-of-a-password-7")
    user.save()
    client.force_login(user, backend=BACKEND)
    session = client.session
    session[sessions.CONFIRMED_AT] = 0.0
    session.save()
    right = client.post(answer.headers["Location"], {"current_password": "a-canary-of-a-password-7"})
    assert f'href="{escape(address)}"' in right.content.decode()
    assert client.get(address).status_code == 200


@pytest.mark.parametrize(
    "goal", ["", "https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_the_page_in_between_leads_nowhere_else(root: tuple[Client, User], goal: str) -> None:
    client, _ = root
    assert client.get("/account/confirm", {"next": goal}).headers["Location"] == "/account"
