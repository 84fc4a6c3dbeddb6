"""The sign-in pages in a real browser: by keyboard, without script, in both themes, wide and narrow."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.installation import Installation, InstallationFactory

pytestmark = pytest.mark.browser
Axe = Callable[[Page], None]
Screenshot = Callable[[Page, str], Path]


def look(page: Page, axe: Axe, screenshot: Screenshot, name: str) -> None:
    """Zero axe violations and a picture: light and wide, dark and narrow; nothing sticks out at the side."""
    looks: list[tuple[Literal["dark", "light"], int]] = [("dark", 390), ("light", 1440)]
    for theme, width in looks:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # no color half-way
        page.set_viewport_size({"width": width, "height": 900})
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} at {width}"
        screenshot(page, f"account-{name}-{theme}-{width}")


def test_sign_in_by_keyboard_with_a_slip(
    page: Page, installation: Installation, axe: Axe, screenshot: Screenshot
) -> None:
    page.goto(f"{installation.portal_url}/account/login?next=/account")
    expect(page.get_by_label("User name")).to_be_focused()
    look(page, axe, screenshot, "login")
    page.keyboard.type(installation.admin_name)
    page.keyboard.press("Tab")
    page.keyboard.type("not the password at all")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text(
        re.compile("User name and password do not match. Check both and try again.")
    )
    expect(page.get_by_label("User name")).to_have_value(installation.admin_name)
    password = page.get_by_label("Password", exact=True)
    expect(password).to_be_focused()
    expect(password).to_have_value("")
    look(page, axe, screenshot, "login-error")
    password.fill(installation.admin_password)
    eye = page.get_by_role("button", name="Show password")
    eye.click()
    expect(password).to_have_attribute("type", "text")
    expect(eye).to_have_attribute("aria-pressed", "true")
    password.press("Enter")
    page.wait_for_url("**/account")
    look(page, axe, screenshot, "account")
    page.get_by_role("link", name="Change password").last.click()
    look(page, axe, screenshot, "password")
    page.get_by_role("button", name="Change password").click()
    page.goto(f"{installation.portal_url}/account/logout")
    look(page, axe, screenshot, "logout")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/account/login")


def test_password_change_tells_its_errors(
    signed_in_page: Page, installation: Installation, axe: Axe, screenshot: Screenshot
) -> None:
    page = signed_in_page
    page.goto(f"{installation.portal_url}/account/password")
    page.get_by_label("Current password").fill("not the password at all")
    page.get_by_label(re.compile(r"^New password \*$")).fill("short")
    page.get_by_label("New password again").fill("shorter")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("alert")).to_contain_text("The password was not changed.")
    look(page, axe, screenshot, "password-error")


def test_sign_in_works_without_script(browser: Browser, installation: Installation) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{installation.portal_url}/account/login")
    assert not page.get_by_role("button", name="Show password").is_visible()
    installation.sign_in(page, "/account")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account")
    context.close()


def test_set_up_of_the_first_administrator(
    page: Page, fresh_installation: InstallationFactory, axe: Axe, screenshot: Screenshot
) -> None:
    """As a newcomer does it: the link from the terminal, one form, and in."""
    made = fresh_installation(admin=False)
    found = re.search(r"http://\S+/account/setup/\S+", made.logs())
    assert found
    link = found.group()
    page.goto(f"{made.portal_url}/")
    expect(page.get_by_text("There is no administrator yet.")).to_be_visible()
    page.goto(link)
    assert page.url == f"{made.portal_url}/account/setup"
    expect(page.get_by_label("User name")).to_be_focused()
    look(page, axe, screenshot, "setup")
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Full name").fill("Ada Lovelace")
    page.get_by_label(re.compile(r"^Password \*$")).fill("a long enough phrase")
    page.get_by_label("Password again").fill("a long enough phrasf")
    page.get_by_role("button", name="Create administrator and sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("The two passwords differ.")
    look(page, axe, screenshot, "setup-error")
    for label in (re.compile(r"^Password \*$"), re.compile("Password again")):
        page.get_by_label(label).fill("a long enough phrase")
    page.get_by_role("button", name="Create administrator and sign in").click()
    page.wait_for_url("**/applications")
    expect(page.locator(".account-name")).to_have_text("Ada Lovelace")
    page.context.clear_cookies()
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text("This link cannot be used")
    look(page, axe, screenshot, "setup-unavailable")
    cookies = {cookie["name"] for cookie in page.context.cookies()}
    assert cookies <= {"sessionid", "csrftoken", "theme"}


def test_too_many_attempts(
    page: Page, fresh_installation: InstallationFactory, axe: Axe, screenshot: Screenshot
) -> None:
    made = fresh_installation()
    for _ in range(6):
        page.goto(f"{made.portal_url}/account/login")
        page.get_by_label("User name").fill("nobody")
        page.get_by_label("Password", exact=True).fill("not a password at all")
        page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Too many attempts")
    look(page, axe, screenshot, "throttled")
