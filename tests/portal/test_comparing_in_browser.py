"""Two tests run at once and compared, on the real server and in a browser."""

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.installation import Installation

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture
def tests_address(installation: Installation) -> str:
    """Address of the tests of a registration with two secrets."""
    app: dict[str, str] = installation.json("register_app", "Compared", "--identifier-uri", "api://compared")
    for name in ("old", "new"):
        installation.json("add_secret", app["appId"], "--name", name)
    return f"{installation.portal_url}/applications/{app['id']}/tests"


def test_two_credentials_are_run_and_stand_side_by_side(
    signed_in_page: "Page", axe: Any, tests_address: str
) -> None:
    """From the form to the lasting page; then from a run's page to the form, which begins with its values."""
    page = signed_in_page
    page.goto(f"{tests_address}/compare/new")
    axe(page)
    page.get_by_label("Second: credential").select_option(label="old")
    page.get_by_label("First: credential").select_option(label="new")
    page.get_by_role("button", name="Run both and compare").click()
    page.wait_for_url(re.compile(r"/tests/[0-9a-f-]{36}/compare/[0-9a-f-]{36}$"))
    results = page.get_by_role("table", name="The two runs").inner_text()
    assert results.count("Passed") == 2
    assert "No difference in header and claims" in page.locator("main").inner_text()
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.get_by_role("link", name="Second", exact=True).click()
    page.get_by_role("link", name="Compare", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    chosen = dialog.get_by_label("First: credential").locator("option:checked").inner_text()
    assert chosen == "old"
