"""A passkey of Chromium itself: made and used by our own script, under the strict policy."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.installation import Installation

pytestmark = pytest.mark.browser
PASSWORD = "a-long-phrase-for-pat"


def test_a_passkey_from_the_account_page_to_the_next_sign_in(
    page: Page,
    installation: Installation,
    axe: Callable[[Page], None],
    screenshot: Callable[[Page, str], Path],
) -> None:
    installation.manage("create_admin", "pat", "--password-file", "-", input=f"{PASSWORD}\n", check=True)
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "usb",
                "hasResidentKey": False,
                "hasUserVerification": False,
                "automaticPresenceSimulation": True,
            }
        },
    )
    _password(page, installation)
    page.goto(f"{installation.portal_url}/account/second-factors/passkey")
    page.get_by_label("Name").fill("Blue key")
    axe(page)
    screenshot(page, "passkey-add")
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Copy your recovery codes now")
    page.get_by_role("link", name="Done").click()
    expect(page.locator("table")).to_contain_text("Blue key")
    page.context.clear_cookies()
    _password(page, installation)
    expect(page.get_by_role("heading", level=1)).to_have_text("Second factor")
    axe(page)
    screenshot(page, "passkey-sign-in")
    page.get_by_role("button", name="Use passkey").click()
    page.wait_for_url(re.compile("/applications$"))


def _password(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.portal_url}/account/login")
    page.get_by_label("User name").fill("pat")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
