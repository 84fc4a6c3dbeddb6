"""The pages in a real browser: axe, widths, themes, keyboard, with script and without."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
WIDTHS = (1440, 390)
THEMES = ("light", "dark")


@pytest.fixture(scope="session")
def harbor(installation: Any) -> dict[str, str]:
    """A registration with a secret and an identifier URI, made the way scripts do."""
    made: dict[str, str] = installation.json(
        "register_app", "Harbor Sync Worker", "--identifier-uri", "api://harbor-sync"
    )
    installation.json("add_secret", made["appId"], "--name", "worker-prod", "--days", "12")
    return made


@pytest.fixture
def walker(signed_in_page: "Page") -> Iterator["Page"]:
    """Signed in; fails the test when a page complains in the console."""
    complaints: list[str] = []
    signed_in_page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    signed_in_page.on("pageerror", lambda error: complaints.append(str(error)))
    yield signed_in_page
    expected = "the server responded with a status of 4"
    assert [text for text in complaints if expected not in text] == []


def pages_of(harbor: dict[str, str]) -> list[str]:
    """Every page of this part of the portal."""
    one = f"/applications/{harbor['id']}"
    return [
        "/applications",
        "/applications?tab=owned&search=nothing-like-it",
        "/applications?tab=deleted",
        "/applications/new",
        one,
        *(f"{one}/{page}" for page in ("endpoints", "properties", "owners", "disable", "delete")),
        f"{one}/sign-ins",
        f"{one}/audit",
        "/sign-ins",
        "/audit",
        "/decode-token",
        "/help",
        "/no-such-page",
    ]


def open_at(page: "Page", address: str, width: int, theme: str) -> None:
    """Show the page at that width and in that theme."""
    page.set_viewport_size({"width": width, "height": 900 if width > 600 else 844})
    origin = re.match(r"https?://[^/]+", page.url)
    assert origin
    page.context.add_cookies([{"name": "theme", "value": theme, "url": origin[0]}])
    page.goto(f"{origin[0]}{address}")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_has_an_axe_violation_or_scrolls_sideways(
    walker: "Page", harbor: dict[str, str], axe: Any, width: int, theme: str
) -> None:
    for address in pages_of(harbor):
        open_at(walker, address, width, theme)
        assert walker.locator("html").get_attribute("data-theme") == theme
        assert walker.locator("h1").count() == 1, address
        axe(walker)
        beyond = walker.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert beyond <= 0, f"{address} is {beyond} px wider than {width}"


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_states_after_a_refusal_are_as_clean(walker: "Page", axe: Any, width: int, theme: str) -> None:
    open_at(walker, "/applications/new", width, theme)
    walker.get_by_label("Name").fill("Kept name")
    walker.get_by_label("Application ID URI").fill("nonsense")
    walker.get_by_role("button", name="Register").click()
    summary = walker.get_by_role("alert")
    assert "The application was not registered." in summary.inner_text()
    assert walker.get_by_label("Name").input_value() == "Kept name"
    assert walker.evaluate("document.activeElement.id") == "errors", "the summary has the focus"
    axe(walker)
    summary.get_by_role("link").first.click()
    assert walker.evaluate("document.activeElement.name") == "identifier_uri"
    open_at(walker, "/decode-token", width, theme)
    walker.get_by_label("Token").fill("no token")
    walker.get_by_role("button", name="Decode").click()
    axe(walker)


def test_registers_from_the_list_and_lands_where_the_next_step_is(walker: "Page", axe: Any) -> None:
    walker.get_by_role("link", name="New registration").first.click()
    walker.wait_for_url("**/applications/new")
    assert walker.evaluate("document.activeElement.name") == "display_name"
    walker.get_by_label("Name").fill("Registered by hand")
    walker.get_by_label("Nothing yet").check()
    walker.get_by_role("button", name="Register").click()
    walker.wait_for_url(re.compile(r"/applications/[0-9a-f-]{36}$"))
    assert walker.locator("h1").inner_text() == "Registered by hand"
    assert "Registered by hand is registered." in walker.locator(".toasts").inner_text()
    axe(walker)


def test_a_panel_opens_over_the_page_and_gives_the_focus_back(
    walker: "Page", harbor: dict[str, str], axe: Any
) -> None:
    open_at(walker, f"/applications/{harbor['id']}", 1440, "light")
    opener = walker.get_by_role("link", name="Endpoints")
    opener.focus()
    walker.keyboard.press("Enter")
    dialog = walker.get_by_role("dialog", name="Endpoints")
    dialog.wait_for()
    assert "/oauth2/v2.0/token" in dialog.inner_text()
    axe(walker)
    walker.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert walker.evaluate("document.activeElement.textContent.trim()") == "Endpoints"
    assert walker.url.endswith(harbor["id"])


def test_the_delete_question_starts_on_the_safe_side(walker: "Page", harbor: dict[str, str]) -> None:
    open_at(walker, f"/applications/{harbor['id']}", 1440, "light")
    walker.get_by_role("link", name="Delete", exact=True).click()
    dialog = walker.get_by_role("dialog")
    dialog.wait_for()
    assert "Delete Harbor Sync Worker?" in dialog.inner_text()
    assert walker.evaluate("document.activeElement.className").find("btn-danger") == -1
    dialog.get_by_role("link", name="Cancel").click()
    dialog.wait_for(state="detached")


def test_every_listed_endpoint_answers(walker: "Page", harbor: dict[str, str]) -> None:
    """W6: only endpoints that answer are published."""
    open_at(walker, f"/applications/{harbor['id']}/endpoints", 1440, "light")
    addresses = walker.locator("#panel pre").all_inner_texts()
    assert len(addresses) >= 6
    for address in addresses:
        if address.endswith(("/v2.0", harbor["tenantId"])):
            continue  # names of the issuer and the authority, which the documents below them belong to
        status = walker.request.get(address, fail_on_status_code=False).status
        assert status in (200, 405), f"{address} answered {status}"


def test_copy_takes_the_whole_value_and_says_so(walker: "Page", harbor: dict[str, str]) -> None:
    walker.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_at(walker, f"/applications/{harbor['id']}", 1440, "light")
    walker.get_by_role("button", name="Copy object ID").click()
    assert walker.evaluate("navigator.clipboard.readText()") == harbor["id"]
    assert walker.locator("#announcer").inner_text() == "Copied"


def test_theme_switches_at_once_and_stays(walker: "Page") -> None:
    open_at(walker, "/applications", 1440, "light")
    walker.get_by_role("button", name="Switch to dark theme").click()
    assert walker.locator("html").get_attribute("data-theme") == "dark"
    walker.reload()
    assert walker.locator("html").get_attribute("data-theme") == "dark"


def test_the_keys_lead_where_they_say_and_rest_while_typing(walker: "Page", harbor: dict[str, str]) -> None:
    open_at(walker, "/applications", 1440, "light")
    walker.keyboard.press("/")
    assert walker.evaluate("document.activeElement.name") == "search"
    walker.keyboard.type("gan")
    assert walker.url.endswith("/applications")
    walker.evaluate("document.activeElement.blur()")
    walker.keyboard.press("g")
    walker.keyboard.press("l")
    walker.wait_for_url("**/sign-ins")
    walker.keyboard.press("?")
    walker.wait_for_url("**/help")
    walker.get_by_label("Use single-key shortcuts in this browser").uncheck()
    walker.keyboard.press("g")
    walker.keyboard.press("a")
    walker.wait_for_timeout(200)
    assert walker.url.endswith("/help")
    walker.get_by_label("Use single-key shortcuts in this browser").check()


def test_the_skip_link_is_the_first_stop(walker: "Page") -> None:
    open_at(walker, "/applications", 1440, "light")
    walker.keyboard.press("Tab")
    assert walker.evaluate("document.activeElement.textContent") == "Skip to main content"
    walker.keyboard.press("Enter")
    assert walker.evaluate("document.activeElement.id") == "main"


def test_a_filter_is_a_link_in_a_popover(walker: "Page", harbor: dict[str, str]) -> None:
    open_at(walker, "/applications", 1440, "light")
    walker.get_by_role("button", name="Status: All").click()
    walker.get_by_role("link", name="Expiring soon").click()
    walker.wait_for_url("**status=soon**")
    assert "Harbor Sync Worker" in walker.locator("main").inner_text()
    walker.get_by_role("link", name="Remove filter Status").click()
    walker.wait_for_url(re.compile(r"/applications$"))


def test_leaving_a_changed_form_is_questioned(walker: "Page") -> None:
    open_at(walker, "/applications/new", 1440, "light")
    walker.get_by_label("Name").fill("Unsaved")
    asked: list[str] = []

    def answer(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.accept()

    walker.on("dialog", answer)
    walker.get_by_role("link", name="Cancel").click()
    walker.wait_for_url(re.compile(r"/applications$"))
    assert asked == ["beforeunload"]


def test_the_navigation_is_a_drawer_on_a_phone(walker: "Page") -> None:
    open_at(walker, "/applications", 390, "light")
    navigation = walker.get_by_role("navigation", name="Portal")
    assert not navigation.is_visible()
    button = walker.get_by_role("button", name="Navigation")
    button.click()
    assert navigation.is_visible()
    assert button.get_attribute("aria-expanded") == "true"
    walker.keyboard.press("Escape")
    assert not navigation.is_visible()


@pytest.mark.parametrize("width", [390, 320])
def test_a_phone_shows_every_command(walker: "Page", harbor: dict[str, str], width: int) -> None:
    one = f"/applications/{harbor['id']}"
    for address in ("/applications", "/sign-ins", one, f"{one}/sign-ins", f"{one}/api-permissions"):
        open_at(walker, address, width, "light")
        bar = walker.locator(".command-bar").first
        assert bar.evaluate("bar => bar.scrollWidth - bar.clientWidth") == 0, address
        for command in bar.locator(".btn").all():
            place = command.bounding_box()
            assert place is not None
            assert place["x"] >= 8, address
            assert place["x"] + place["width"] <= width - 16, address


def test_a_row_of_secrets_fits_where_it_is_barely_no_card(walker: "Page", harbor: dict[str, str]) -> None:
    open_at(walker, f"/applications/{harbor['id']}/credentials/secrets", 834, "light")
    beyond = walker.locator(".table-wrap").evaluate("table => table.scrollWidth - table.clientWidth")
    assert beyond == 0, "its menu stands at the end"


def test_everything_works_without_script(
    browser: "Browser", installation: Any, harbor: dict[str, str]
) -> None:
    """Decision 12: a panel is a page, a filter is a link, the theme is a form."""
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(15_000)
    page = context.new_page()
    installation.sign_in(page)
    page.goto(f"{installation.portal_url}/applications/{harbor['id']}")
    page.get_by_role("link", name="Endpoints").click()
    page.wait_for_url("**/endpoints")
    page.get_by_role("link", name="Close").first.click()
    page.wait_for_url(f"**/{harbor['id']}")
    page.get_by_role("link", name="Disable sign-in").click()
    page.get_by_role("button", name="Disable sign-in").click()
    page.wait_for_url(f"**/{harbor['id']}")
    assert "Sign-in is disabled." in page.locator("main").inner_text()
    page.get_by_role("link", name="Enable sign-in").first.click()
    page.get_by_role("button", name="Enable sign-in").click()
    page.wait_for_url(f"**/{harbor['id']}")
    page.get_by_role("button", name="Switch to dark theme").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    context.close()


def test_a_real_token_is_verified_and_a_changed_one_is_not(
    walker: "Page", installation: Any, axe: Any
) -> None:
    """The keys come over https from the built-in authority, a listed issuer."""
    made = installation.json("register_app", "Token maker")
    secret = installation.json("add_secret", made["appId"], "--days", "30")
    address = f"{installation.authority_url}/{made['tenantId']}/oauth2/v2.0/token"
    answer = walker.request.post(
        address,
        form={
            "grant_type": "client_credentials",
            "client_id": made["appId"],
            "client_secret": secret["secretText"],
            "scope": "https://graph.microsoft.com/.default",
        },
    )
    token = answer.json()["access_token"]
    head, claims, signature = token.split(".")
    other = ("A" if signature[0] != "A" else "B") + signature[1:]
    for pasted, verdict in ((token, "Verified"), (f"{head}.{claims}.{other}", "Not valid")):
        open_at(walker, "/decode-token", 1440, "light")
        walker.get_by_label("Token").fill(pasted)
        walker.get_by_role("button", name="Decode").click()
        assert walker.locator("#verdict").inner_text() == verdict
        assert "Token maker" in walker.locator("main").inner_text()
        assert pasted not in walker.content()
        axe(walker)
