"""Allowed origins in a real browser: from the page that met an unlisted one and back, axe, widths."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.flowtest.far_side import make_ca
from tests.installation import Installation
from tests.portal.test_browser_pages import THEMES, WIDTHS, open_at

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def add(page: "Page", address: str) -> None:
    """By the form as it stands alone."""
    page.goto(re.sub(r"(https?://[^/]+).*", r"\1/origins/new", page.url))
    page.get_by_role("textbox", name="Origin", exact=True).fill(address)
    page.get_by_role("button", name="Add origin").click()
    page.wait_for_url(re.compile(r"/origins$"))


def test_an_unlisted_issuer_leads_to_the_list_and_off_it_again(
    signed_in_page: "Page", installation: Installation, axe: Any
) -> None:
    """The row of the federated credential offers it; the panel opens over that page, filled in."""
    page = signed_in_page
    base = f"/applications/{installation.json('register_app', 'Unlisted issuer')['id']}/credentials/federated"
    page.goto(f"{installation.portal_url}{base}/new")
    page.get_by_role("radio", name="Other issuer").check()
    page.locator("#id_issuer").fill("https://walk.example.com/pool")
    page.get_by_label("Subject identifier").fill("worker")
    page.locator("#id_name").fill("walker")
    page.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_url(re.compile(r"/federated$"))
    toast = page.locator(".toasts")
    assert "https://walk.example.com is not on the list of allowed origins" in toast.inner_text()
    assert toast.get_by_role("link", name="Add it to the list").is_visible()
    axe(page)
    page.get_by_role("link", name="Add the issuer of walker to the list").click()
    panel = page.get_by_role("dialog", name="Add origin")
    assert panel.get_by_role("textbox", name="Origin", exact=True).input_value() == "https://walk.example.com"
    assert not panel.get_by_label("CA certificate").is_visible()
    axe(page)
    panel.get_by_role("button", name="Add origin").click()
    page.wait_for_url(re.compile(r"/origins$"))
    assert "https://walk.example.com may be called from now on." in page.locator(".toasts").inner_text()
    page.goto(f"{installation.portal_url}{base}")
    assert "Not on the list" not in page.locator("table").inner_text()
    page.goto(f"{installation.portal_url}/origins")
    page.get_by_role("link", name="Remove https://walk.example.com").click()
    panel = page.get_by_role("dialog", name="Remove https://walk.example.com?")
    assert "Unlisted issuer trusts it with the credential walker" in panel.inner_text()
    panel.get_by_role("button", name="Remove").click()
    page.wait_for_url(re.compile(r"/origins$"))
    assert "https://walk.example.com is not called any more." in page.locator(".toasts").inner_text()
    assert "walk.example.com" not in page.locator("table").inner_text()


def test_without_script_the_box_shows_the_ca_fields(
    browser: Any, installation: Installation, tmp_path: Path
) -> None:
    """Decision 12."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    installation.sign_in(page)
    page.goto(f"{installation.portal_url}/origins/new")
    assert not page.locator("#id_ca_text").is_visible()
    page.get_by_label("Its certificate comes from a private CA").check()
    assert page.locator("#id_ca_text").is_visible()
    page.get_by_role("textbox", name="Origin", exact=True).fill("https://scriptless.example.com")
    ca_file, _, _ = make_ca(tmp_path)
    page.get_by_label("or its file").set_input_files(ca_file)
    page.get_by_role("button", name="Add origin").click()
    row = page.get_by_role("row", name=re.compile("scriptless"))
    assert "Own CA" in row.inner_text()
    row.get_by_role("link", name="Remove").click()
    page.get_by_role("button", name="Remove").click()
    assert "scriptless" not in page.locator("table").inner_text()
    context.close()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_has_an_axe_violation_or_scrolls_sideways(
    signed_in_page: "Page", axe: Any, screenshot: Any, width: int, theme: str
) -> None:
    page = signed_in_page
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    address = f"https://a-rather-long-name-of-a-host-{width}-{theme}.identity.staging.example.com:8443"
    add(page, address)

    def look(name: str) -> None:
        assert page.locator("h1").count() == 1
        axe(page)
        beyond = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert beyond <= 0, f"{page.url} is {beyond} px wider than {width}"
        screenshot(page, f"origins-{name}-{width}-{theme}")

    open_at(page, "/origins", width, theme)
    look("list")
    remove = page.get_by_role("link", name=f"Remove {address}").get_attribute("href")
    open_at(page, "/origins/new", width, theme)
    look("new")
    page.get_by_label("Its certificate comes from a private CA").check()
    page.get_by_role("textbox", name="Origin", exact=True).fill("http://localhost:9000/tenant")
    page.get_by_role("button", name="Add origin").click()
    page.locator("#errors").wait_for()
    look("refused")
    open_at(page, str(remove), width, theme)
    look("remove")
    page.get_by_role("button", name="Remove").click()
    page.wait_for_url(re.compile(r"/origins$"))
    assert [text for text in complaints if "the server responded with a status of 4" not in text] == []
