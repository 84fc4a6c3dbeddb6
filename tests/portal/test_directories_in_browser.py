"""Several directories in a real browser: the menu, the pages, axe at two widths in two themes."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from credmgr.jose.jws import UnverifiedToken
from tests.installation import clean_environment
from tests.portal.test_api_pages_in_browser import ask_for_mail
from tests.portal.test_browser_pages import THEMES, WIDTHS, open_at

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

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


def enterprise_pages(own: "Installation", directory: str) -> list[str]:
    """Pages of a directory to which two applications of another one came, and of one that may come."""
    apps = [
        own.json("register_app", name, "--directory", directory, "--multitenant", "--identifier-uri", uri)
        for name, uri in (
            ("Contoso Worker", "api://contoso-worker"),
            ("Fulfilment and returns gateway for the northern region", "api://gateway"),
        )
    ]
    principal = own.json("add_enterprise_app", apps[0]["appId"])["id"]
    one, consent = f"/enterprise-applications/{principal}", f"/directories/{own.tenant_id}/consent"
    return [
        "/enterprise-applications",
        "/enterprise-applications?search=nothing-like-it",
        *(f"{one}{page}" for page in ("", "/enable", "/remove", "/grant")),
        *(f"{consent}{page}" for page in ("", f"/{apps[1]['appId']}", f"/{apps[0]['appId']}")),
        f"{consent}?client_id=nonsense",
    ]


def test_no_page_has_an_axe_violation_or_scrolls_sideways(
    walker: "Page", own: "Installation", axe: Any, screenshot: Any
) -> None:
    made = own.json(
        "create_directory", "Contoso Retail and Logistics Europe (test)", "--domain", "contoso-retail"
    )
    one = f"/directories/{made['tenantId']}"
    pages = ["/directories", "/directories/new", one]
    pages += [f"{one}{page}" for page in ("/rename", "/domains/new", "/delete")]
    pages += enterprise_pages(own, made["tenantId"])
    for width, theme in zip(WIDTHS, THEMES, strict=True):  # make screenshots has all four
        for number, address in enumerate(pages):
            open_at(walker, address, width, theme)
            assert walker.locator("h1").count() == 1, address
            axe(walker)
            screenshot(walker, f"directories-{number:02}-{width}-{theme}")
            beyond = walker.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert beyond <= 0, f"{address} is {beyond} px wider than {width}"
        walker.get_by_role("button", name="Account").click()
        walker.locator("#account-menu").wait_for()
        axe(walker)
        screenshot(walker, f"directories-menu-{width}-{theme}")


def create_in_browser(page: "Page", name: str, domain: str) -> None:
    """By the menu, as a person does; switches to it."""
    page.get_by_role("button", name="Account").click()
    page.locator("#account-menu").get_by_role("link", name="Manage directories").click()
    page.get_by_role("link", name="Create directory").click()
    dialog = page.get_by_role("dialog", name="Create a directory")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Initial domain").fill(domain)
    dialog.get_by_role("button", name="Create directory").click()
    page.wait_for_url(re.compile(r"/directories/[0-9a-f-]{36}$"))
    page.get_by_role("button", name="Switch to this directory").click()
    page.wait_for_url(re.compile(r"/applications$"))
    assert name in page.get_by_role("button", name="Account").inner_text()


def switch_in_browser(page: "Page", name: str) -> None:
    """By the top bar's menu."""
    page.get_by_role("button", name="Account").click()
    page.locator("#account-menu").get_by_role("button", name=name).click()
    page.wait_for_url(re.compile(r"/applications$"))
    assert name in page.get_by_role("button", name="Account").inner_text()


def token_by_msal(own: "Installation", directory: str, client_id: str, secret: str) -> dict[str, Any]:
    """What MSAL Python answers in a process of its own, for Microsoft Graph."""
    order = {
        "authority": f"{own.authority_url}/{directory}",
        "client_id": client_id,
        "scopes": ["https://graph.microsoft.com/.default"],
        "verify": str(own.ca_file),
        "credential": {"secret": secret},
    }
    program = Path(__file__).parent.parent / "acceptance" / "msal_program.py"
    done = subprocess.run(
        [sys.executable, str(program)],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=clean_environment(),
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_an_application_of_one_directory_gets_tokens_in_another_after_consent(
    walker: "Page", own: "Installation", axe: Any, screenshot: Any
) -> None:
    """Create a directory, switch, register a multitenant application there, consent to it in the default
    one, acquire a token there with MSAL; take the consent back, and it is refused.
    """
    create_in_browser(walker, "Fabrikam", "fabrikam")
    walker.get_by_role("link", name="New registration").first.click()
    walker.get_by_label("Name").fill("Fabrikam Worker")
    walker.get_by_label("Accounts in any organizational directory").check()
    walker.get_by_label("Nothing yet").check()
    walker.get_by_role("button", name="Register").click()
    walker.wait_for_url(re.compile(r"/applications/[0-9a-f-]{36}$"))
    app = walker.url.removeprefix(own.portal_url)
    screenshot(walker, "directories-home-overview")
    ask_for_mail(walker, app)
    rows = own.json("list_apps", "--directory", "fabrikam.onmicrosoft.example")
    assert [row["displayName"] for row in rows] == ["Fabrikam Worker"]
    client_id = rows[0]["appId"]
    secret = own.json("add_secret", client_id)["secretText"]
    before = token_by_msal(own, own.tenant_id, client_id, secret)
    assert before["error_codes"] == [7000229]

    switch_in_browser(walker, "Default Directory")
    walker.get_by_role("link", name="Enterprise applications").click()
    walker.get_by_role("link", name="Add application").first.click()
    dialog = walker.get_by_role("dialog", name="Add application")
    dialog.get_by_label("Application (client) ID").fill(client_id)
    dialog.get_by_role("button", name="Review application").click()
    walker.wait_for_url(re.compile(rf"/consent/{client_id}$"))
    assert "Add Fabrikam Worker?" in walker.locator("main").inner_text()
    screenshot(walker, "directories-consent")
    walker.get_by_role("button", name="Grant consent").click()
    walker.wait_for_url(re.compile(r"/enterprise-applications/[0-9a-f-]{36}$"))
    screenshot(walker, "directories-enterprise-application")
    principal_id = walker.url.rpartition("/")[2]
    for directory in (own.tenant_id, "default.onmicrosoft.example"):
        claims = UnverifiedToken.parse(
            token_by_msal(own, directory, client_id, secret)["access_token"]
        ).claims
        assert (claims["tid"], claims["oid"]) == (own.tenant_id, principal_id)
        assert claims["roles"] == ["Mail.Send"]
    walker.get_by_role("link", name="Sign-ins").click()
    assert "Fabrikam Worker" in walker.locator("main").inner_text()

    token = token_by_msal(own, "fabrikam.onmicrosoft.example", client_id, secret)["access_token"]
    walker.goto(f"{own.portal_url}/decode-token")
    walker.get_by_label("Token").fill(token)
    walker.get_by_role("button", name="Decode").click()
    assert walker.locator("#verdict").inner_text() == "Verified", "of whichever directory of this server"

    walker.goto(f"{own.portal_url}/enterprise-applications/{principal_id}")
    walker.get_by_role("link", name="Remove").click()
    walker.get_by_role("dialog").get_by_role("button", name="Remove application").click()
    walker.wait_for_url(re.compile(r"/enterprise-applications$"))
    assert token_by_msal(own, own.tenant_id, client_id, secret)["error_codes"] == [7000229]
    ask_the_default_directory(walker, app, axe, screenshot)


def ask_the_default_directory(page: "Page", app: str, axe: Any, screenshot: Any) -> None:
    """The Test button asks another directory; its refusal leads to consent, and then there is a token."""
    switch_in_browser(page, "Fabrikam")
    open_at(page, f"{app}/tests/new", 1440, "light")
    page.get_by_role("combobox", name="Directory").select_option(label="Default Directory, no consent")
    screenshot(page, "directories-test-form")
    axe(page)
    page.get_by_role("button", name="Test acquire token").click()
    page.wait_for_url(re.compile(r"/tests/[0-9a-f-]{36}$"))
    assert "Default Directory has not consented to this application" in page.locator("#verdict").inner_text()
    screenshot(page, "directories-test-refused")
    page.get_by_role("link", name="Review application").click()
    page.get_by_role("button", name="Grant consent").click()
    page.wait_for_url(re.compile(rf"{app}$"))
    open_at(page, f"{app}/tests", 1440, "light")
    page.locator("main table").get_by_role("link").first.click()
    page.get_by_role("button", name="Run again").click()
    page.wait_for_url(re.compile(r"/tests/[0-9a-f-]{36}$"))
    page.get_by_text("Built-in authority, Default Directory").wait_for()
    assert "verified" in page.locator("#verdict").inner_text().lower()


def test_switching_works_without_script(browser: "Browser", own: "Installation") -> None:
    own.json("create_directory", "Contoso", "--domain", "contoso")
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(15_000)
    page = context.new_page()
    own.sign_in(page)
    switch_in_browser(page, "Contoso")
    page.get_by_role("link", name="Manage directories").last.click()
    page.get_by_role("button", name="Switch to Default Directory").click()
    page.wait_for_url(re.compile(r"/applications$"))
    assert "Default Directory" in page.get_by_role("button", name="Account").inner_text()
    context.close()
