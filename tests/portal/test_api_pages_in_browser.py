"""API permissions, app roles, exposing an API and AADSTS codes in a real browser: a walk, axe, widths."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.portal.test_browser_pages import THEMES, WIDTHS, open_at

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture
def walker(signed_in_page: "Page") -> Iterator["Page"]:
    """Signed in; fails the test when a page complains in the console."""
    complaints: list[str] = []
    signed_in_page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    signed_in_page.on("pageerror", lambda error: complaints.append(str(error)))
    yield signed_in_page
    assert [text for text in complaints if "the server responded with a status of 4" not in text] == []


def registered(installation: Any, name: str) -> str:
    """The address of a new registration."""
    made = installation.json("register_app", name)
    return f"/applications/{made['id']}"


def define_role(page: "Page", api: str, value: str) -> None:
    """By the panel, as a person does."""
    open_at(page, f"{api}/app-roles", 1440, "light")
    page.get_by_role("link", name="Create app role").first.click()
    dialog = page.get_by_role("dialog", name="Create app role")
    dialog.get_by_label("Display name").fill("Read orders")
    dialog.get_by_label("Value").fill(value)
    dialog.get_by_label("Description").fill("Read every order of every customer.")
    dialog.get_by_role("button", name="Create").click()
    page.wait_for_url(re.compile(r"/app-roles$"))


def ask_for_mail(page: "Page", app: str) -> None:
    """One permission of Microsoft Graph."""
    open_at(page, f"{app}/api-permissions/new", 1440, "light")
    page.get_by_label("Mail.Send").check()
    page.get_by_role("button", name="Add permissions").click()
    page.wait_for_url(re.compile(r"/api-permissions$"))


def test_a_permission_is_asked_for_granted_and_revoked(walker: "Page", installation: Any, axe: Any) -> None:
    app = registered(installation, "Permission walker")
    ask_for_mail(walker, app)
    main = walker.locator("main")
    assert "Not granted for" in main.inner_text()
    walker.get_by_role("link", name="Grant admin consent", exact=True).click()
    dialog = walker.get_by_role("dialog")
    dialog.wait_for()
    axe(walker)
    dialog.get_by_role("button", name="Grant consent").click()
    walker.wait_for_url(re.compile(r"/api-permissions$"))
    assert "Granted for" in walker.locator("main table").inner_text()
    walker.get_by_role("link", name="Revoke consent of Mail.Send").click()
    walker.get_by_role("dialog").get_by_role("button", name="Revoke consent").click()
    walker.wait_for_url(re.compile(r"/api-permissions$"))
    assert "Not granted for" in walker.locator("main table").inner_text()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_has_an_axe_violation_or_scrolls_sideways(
    walker: "Page", installation: Any, axe: Any, width: int, theme: str
) -> None:
    app = registered(installation, f"Page walker {width} {theme}")
    empty = registered(installation, f"Empty {width} {theme}")
    define_role(walker, app, "Orders.Read.All")
    role = walker.locator("tbody th a").first.get_attribute("href")
    ask_for_mail(walker, app)
    remove = walker.get_by_role("link", name="Remove permission Mail.Send").get_attribute("href")
    pages = [f"{app}/{page}" for page in ("expose-an-api", "expose-an-api/uri", "app-roles", "app-roles/new")]
    pages += [f"{role}", f"{role}/enable", f"{role}/delete", f"{remove}"]
    pages += [f"{app}/api-permissions{rest}" for rest in ("", "/new", "/grant")]
    pages += [f"{empty}/app-roles", f"{empty}/api-permissions"]
    pages += ["/aadsts", "/aadsts?search=nothing-like-it", "/aadsts/501051", "/aadsts/53003", "/aadsts/1"]
    for address in pages:
        open_at(walker, address, width, theme)
        assert walker.locator("h1").count() == 1, address
        axe(walker)
        beyond = walker.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert beyond <= 0, f"{address} is {beyond} px wider than {width}"
