"""Registrations that live elsewhere in a real browser: the folding form, the pages, axe, widths."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.installation import Installation
from tests.portal.test_browser_pages import THEMES, WIDTHS, open_at

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
TENANT = "2b0f2b5e-6c2f-4b0e-9d5a-0b1c2d3e4f50"
VALUE = "p.8Q~canary-of-another-authority_0123456"
FIELDS = {
    "built-in": ["sign_in_audience_0", "identifier_uri"],
    "entra": ["cloud", "tenant", "client_id"],
    "oidc": ["issuer", "client_id"],
}


@pytest.fixture
def walker(signed_in_page: "Page") -> Iterator["Page"]:
    """Signed in; fails the test when a page complains in the console."""
    complaints: list[str] = []
    signed_in_page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    signed_in_page.on("pageerror", lambda error: complaints.append(str(error)))
    yield signed_in_page
    assert [text for text in complaints if "the server responded with a status of 4" not in text] == []


def assert_folds(page: "Page") -> None:
    """Each place shows its own fields and no others'."""
    for place, shown in FIELDS.items():
        page.locator(f"[name=place][value={place}]").check()
        for name in {name for names in FIELDS.values() for name in names}:
            assert page.locator(f"#id_{name}").is_visible() == (name in shown), (place, name)


def test_an_entra_registration_is_made_its_secret_pasted_and_deleted(walker: "Page", axe: Any) -> None:
    """Every panel over its page; the value is in none of them."""
    open_at(walker, "/applications/new", 1440, "light")
    assert_folds(walker)
    walker.get_by_role("textbox", name="Name", exact=True).fill("Ledger Export by hand")
    walker.get_by_role("radio", name="Microsoft Entra ID").check()
    walker.get_by_label("Cloud").select_option("germany")
    walker.get_by_label("Directory (tenant) ID or domain").fill("contoso.onmicrosoft.com")
    walker.get_by_role("textbox", name="Application (client) ID").fill("0d0d6f0a-4a1c-4f0e-8a51-1c6f3f0a7e11")
    walker.get_by_role("radio", name="A client secret").check()
    walker.get_by_role("button", name="Register").click()
    walker.wait_for_url(re.compile(r"/credentials/secrets/new$"))
    assert walker.evaluate("document.activeElement.name") == "value"
    axe(walker)
    value = walker.locator("#id_value")
    value.fill(f" {VALUE}")
    walker.get_by_role("button", name="Add", exact=True).click()
    walker.locator("#errors").wait_for()
    assert value.input_value() == ""
    assert walker.get_by_label("The value is meant exactly so").is_visible()
    axe(walker)
    value.fill(VALUE)
    walker.get_by_label("Description").fill("prod")
    walker.get_by_role("button", name="Add", exact=True).click()
    walker.wait_for_url(re.compile(r"/credentials/secrets$"))
    assert "No end known" in walker.locator("table").inner_text()
    assert VALUE not in walker.content()
    axe(walker)
    walker.get_by_role("button", name="More for prod").click()
    walker.get_by_role("link", name="Delete").last.click()
    dialog = walker.get_by_role("dialog")
    dialog.wait_for()
    assert "Nothing changes at Entra ID, Germany (Delos)" in dialog.inner_text()
    dialog.get_by_role("button", name="Delete").click()
    walker.get_by_role("heading", name="No client secrets").wait_for()


def test_without_script_the_choice_folds_the_form(browser: Any, installation: Installation) -> None:
    """Decision 12."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    installation.sign_in(page)
    page.goto(f"{installation.portal_url}/applications/new")
    assert_folds(page)
    page.get_by_role("textbox", name="Name", exact=True).fill("Issuer Worker without script")
    page.locator("#id_issuer").fill("https://idp.example.com/scriptless")
    page.get_by_role("textbox", name="Application (client) ID").fill("worker")
    page.get_by_role("radio", name="Nothing yet").check()
    page.get_by_role("button", name="Register").click()
    assert "Tests cannot be run yet." in page.locator("main").inner_text()
    page.get_by_role("link", name="Add origin").click()
    assert page.locator("#id_address").input_value() == "https://idp.example.com"
    context.close()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_has_an_axe_violation_or_scrolls_sideways(
    walker: "Page", installation: Installation, axe: Any, screenshot: Any, width: int, theme: str
) -> None:
    name = f"{width} {theme}"
    entra = installation.json(
        "register_app",
        f"Ledger Export {name}",
        *("--entra", "us-government", "--tenant", TENANT),
        *("--client-id", f"6f2f4a6e-9f2c-4d0b-8a51-{width + len(theme):012}"),
    )["id"]
    issuer = f"https://identity.a-rather-long-name.example.com/realms/production-{width}-{theme}/"
    oidc = installation.json(
        "register_app", f"Issuer Worker {name}", "--issuer", issuer, "--client-id", "ledger-export-worker"
    )["id"]
    for app, more in ((entra, ["--days", "20"]), (oidc, [])):
        done = installation.manage(
            "add_secret", app, "--value-file", "-", "--name", "prod", *more, input=f"{VALUE}{app}"
        )
        assert done.returncode == 0, done.stderr
    open_at(walker, f"/applications/{oidc}/credentials/secrets", width, theme)
    delete = walker.locator('a[href$="/delete"]').last.get_attribute("href")
    pages = {
        "register": "/applications/new",
        "list": "/applications",
        "overview-entra": f"/applications/{entra}",
        "overview-issuer": f"/applications/{oidc}",
        "endpoints-entra": f"/applications/{entra}/endpoints",
        "endpoints-issuer": f"/applications/{oidc}/endpoints",
        "properties-entra": f"/applications/{entra}/properties",
        "properties-issuer": f"/applications/{oidc}/properties",
        "secrets-entra": f"/applications/{entra}/credentials/secrets",
        "secrets-issuer": f"/applications/{oidc}/credentials/secrets",
        "secret-existing": f"/applications/{oidc}/credentials/secrets/new",
        "secret-delete": str(delete),
        "federated": f"/applications/{oidc}/credentials/federated",
        "delete": f"/applications/{entra}/delete",
        "code-entra": f"/applications/{entra}/code",
        "code-issuer": f"/applications/{oidc}/code",
    }
    for page, address in pages.items():
        open_at(walker, address, width, theme)
        if page == "register":
            walker.get_by_role("radio", name="Microsoft Entra ID").check()
        assert walker.locator("h1").count() == 1, address
        axe(walker)
        beyond = walker.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert beyond <= 0, f"{address} is {beyond} px wider than {width}"
        screenshot(walker, f"elsewhere-{page}-{width}-{theme}")
