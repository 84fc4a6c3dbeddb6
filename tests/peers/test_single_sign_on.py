"""People sign in with oidc-provider: a real browser, the running server, a provider nobody here wrote."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.installation import InstallationFactory
from tests.peers.conftest import SECRET, Tls
from tests.peers.processes import peer
from tests.peers.test_in_browser import look

if TYPE_CHECKING:
    from playwright.sync_api import Page

PEOPLE = {
    "kim": {"name": "Kim Abel", "preferred_username": "kim", "roles": ["Credential.Admin"]},
    "kit": {"name": "Kit Brown", "preferred_username": "kit", "roles": []},
}


def at_provider(page: Any, person: str) -> None:
    """Its own sign-in page."""
    page.locator("input[name=person]").fill(person)
    page.get_by_role("button", name="Go on").click()


@pytest.mark.browser
def test_in_and_confirmed_and_refused(
    page: "Page",
    fresh_installation: InstallationFactory,
    tls: Tls,
    axe: Callable[["Page"], None],
    screenshot: Callable[["Page", str], Path],
) -> None:
    one = fresh_installation(start=False, prepared=True, admin=False)
    client = {
        "client_id": "credmgr",
        "client_secret": SECRET,
        "redirect_uris": [f"{one.portal_url}/account/single-sign-on/callback"],
    }
    with peer("oidc_provider.mjs", tls=tls[1], path="", clients=[client], people=PEOPLE) as issuer:
        one.environment |= {
            "CREDMGR_ALLOWED_ORIGINS": f"{issuer} private ca={tls[0]}",
            "CREDMGR_SSO_ISSUER": issuer,
            "CREDMGR_SSO_CLIENT_ID": "credmgr",
            "CREDMGR_SSO_CLIENT_SECRET": SECRET,
            "CREDMGR_SSO_NAME": "Harbor identity",
            "CREDMGR_SSO_ROLE_MAP": "Credential.Admin=directory-administrator@*",
            "CREDMGR_STEP_UP_SECONDS": "30",
        }
        one.start()
        page.goto(f"{one.portal_url}/account/login?next=/account")
        look(page, axe)
        screenshot(page, "single-sign-on-login")
        page.set_viewport_size({"width": 1440, "height": 900})
        page.get_by_role("link", name="Sign in with Harbor identity").click()
        at_provider(page, "kit")
        page.wait_for_url("**/account/single-sign-on/refused")
        assert "no role here goes with what it says of you" in page.locator("main").inner_text()
        look(page, axe)
        screenshot(page, "single-sign-on-refused")
        page.set_viewport_size({"width": 1440, "height": 900})
        page.context.clear_cookies()
        page.goto(f"{one.portal_url}/account/single-sign-on?next=/account")
        at_provider(page, "kim")
        page.wait_for_url(f"{one.portal_url}/account")
        assert "Harbor identity" in page.locator("main").inner_text()
        assert "Directory administrator (every directory)" in page.locator("main").inner_text()
        screenshot(page, "single-sign-on-account")
        told = one.manage("shell", "--no-imports", "-c", STALE)
        assert told.returncode == 0, told.stderr
        page.goto(f"{one.portal_url}/origins/new")
        look(page, axe)
        screenshot(page, "single-sign-on-step-up")
        page.set_viewport_size({"width": 1440, "height": 900})
        page.get_by_role("link", name="Confirm with Harbor identity").click()
        at_provider(page, "kim")
        page.wait_for_url(f"{one.portal_url}/origins/new")
        assert page.get_by_role("link", name="Confirm with Harbor identity").count() == 0
    assert SECRET not in one.logs()
    assert "code=" not in one.logs()


STALE = """
from credmgr.accounts.models import Session
from credmgr.accounts.session_store import SessionStore
for row in Session.objects.exclude(user=None):
    session = SessionStore(row.session_key)
    session["confirmed_at"] -= 60
    session.save()
"""
