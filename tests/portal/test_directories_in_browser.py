"""Several directories in a real browser: the menu, the pages, axe at two widths in two themes."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.portal.test_browser_pages import THEMES, WIDTHS, open_at

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.installation import Installation, InstallationFactory

pytestmark = pytest.mark.browser


@pytest.fixture
def own(fresh_installation: "InstallationFactory") -> "Installation":
    """A server of its own: the directory in use is remembered, and other tests share theirs."""
    return fresh_installation(start=True, admin=True)


@pytest.fixture
def walker(own: "Installation", page: "Page") -> Iterator["Page"]:
    """Signed in; fails the test when a page complains in the console."""
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    own.sign_in(page)
    yield page
    assert [text for text in complaints if "the server responded with a status of 4" not in text] == []


def test_no_page_has_an_axe_violation_or_scrolls_sideways(
    walker: "Page", own: "Installation", axe: Any, screenshot: Any
) -> None:
    made = own.json(
        "create_directory", "Contoso Retail and Logistics Europe (test)", "--domain", "contoso-retail"
    )
    one = f"/directories/{made['tenantId']}"
    pages = ["/directories", "/directories/new", one, f"{one}/rename", f"{one}/domains/new", f"{one}/delete"]
    for width in WIDTHS:
        for theme in THEMES:
            for number, address in enumerate(pages):
                open_at(walker, address, width, theme)
                assert walker.locator("h1").count() == 1, address
                axe(walker)
                screenshot(walker, f"directories-{number}-{width}-{theme}")
                beyond = walker.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert beyond <= 0, f"{address} is {beyond} px wider than {width}"
            walker.get_by_role("button", name="Account").click()
            menu = walker.locator("#account-menu")
            menu.wait_for()
            axe(walker)
            screenshot(walker, f"directories-menu-{width}-{theme}")


def test_one_creates_a_directory_and_switches_to_it(walker: "Page") -> None:
    walker.get_by_role("button", name="Account").click()
    walker.get_by_role("link", name="Manage directories").last.click()
    walker.get_by_role("link", name="Create directory").click()
    dialog = walker.get_by_role("dialog", name="Create a directory")
    dialog.get_by_label("Name").fill("Fabrikam")
    dialog.get_by_label("Initial domain").fill("fabrikam")
    dialog.get_by_role("button", name="Create directory").click()
    walker.wait_for_url(re.compile(r"/directories/[0-9a-f-]{36}$"))
    walker.get_by_role("button", name="Switch to this directory").click()
    walker.wait_for_url(re.compile(r"/applications$"))
    button = walker.get_by_role("button", name="Account")
    assert "Fabrikam" in button.inner_text()
    button.click()
    walker.locator("#account-menu").get_by_role("button", name="Default Directory").click()
    walker.wait_for_url(re.compile(r"/applications$"))
    assert "Default Directory" in walker.get_by_role("button", name="Account").inner_text()
