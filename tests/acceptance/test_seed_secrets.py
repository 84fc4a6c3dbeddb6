"""The seed's acceptance rows A1 to A12: client secrets, seen from outside."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.acceptance.conftest import RegisteredApp

VALUE = re.compile(r"\b[0-9A-Za-z]{3}_cm_[0-9A-Za-z]{37}\b")


def codes(answer: dict[str, Any]) -> tuple[str, list[int]]:
    """OAuth error and AADSTS numbers of a refusal."""
    assert "access_token" not in answer
    return answer["error"], answer["error_codes"]


def create_in_browser(page: Any, app: RegisteredApp, description: str) -> str:
    """Follow the page as a person would and return the value that was shown."""
    page.goto(app.page())
    page.get_by_role("link", name=re.compile("^Certificates & secrets")).first.click()
    page.get_by_role("link", name=re.compile("^Client secrets")).click()
    page.get_by_role("link", name="New client secret").first.click()
    page.get_by_label("Description").fill(description)
    page.get_by_role("button", name="Add", exact=True).click()
    value = page.locator("#secret-value").inner_text()
    assert VALUE.fullmatch(value)
    return str(value)


@pytest.mark.browser
def test_a1_the_menu_leads_to_one_page_with_both_kinds(signed_in_page: Any, app: RegisteredApp) -> None:
    """A1: a Certificates & secrets entry leads to one page holding both kinds."""
    signed_in_page.goto(app.page())
    signed_in_page.get_by_role("link", name=re.compile("^Certificates & secrets")).first.click()
    for tab in ("Certificates", "Client secrets", "Federated credentials"):
        assert signed_in_page.get_by_role("link", name=re.compile(f"^{tab} ?\\(0\\)")).is_visible()


@pytest.mark.browser
def test_a2_the_server_makes_the_secret(signed_in_page: Any, app: RegisteredApp) -> None:
    """A2: the panel has no field for a value; two secrets differ."""
    signed_in_page.goto(app.page("/credentials/secrets/new"))
    names = signed_in_page.eval_on_selector_all(
        "main input, main select, main textarea", "all => all.map(one => one.name)"
    )
    assert not {"value", "secret", "client_secret"} & set(names)
    assert create_in_browser(signed_in_page, app, "one") != create_in_browser_again(signed_in_page, app)


def create_in_browser_again(page: Any, app: RegisteredApp) -> str:
    """A second secret; the first page is left by ticking that it was stored."""
    page.get_by_label(re.compile("I have stored it")).check()
    page.get_by_role("button", name="Done").click()
    return create_in_browser(page, app, "two")


@pytest.mark.browser
def test_a3_the_value_is_shown_once_with_a_way_to_copy(signed_in_page: Any, app: RegisteredApp) -> None:
    """A3: full value and copy button; what is copied is the value."""
    signed_in_page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    value = create_in_browser(signed_in_page, app, "copied")
    signed_in_page.get_by_role("button", name="Copy the value").click()
    assert signed_in_page.evaluate("navigator.clipboard.readText()") == value


@pytest.mark.browser
def test_a4_it_is_never_shown_again(signed_in_page: Any, app: RegisteredApp) -> None:
    """A4: reload, leaving and returning, back: only hint and mask."""
    value = create_in_browser(signed_in_page, app, "gone")
    signed_in_page.get_by_label(re.compile("I have stored it")).check()
    signed_in_page.get_by_role("button", name="Done").click()
    signed_in_page.wait_for_url("**/credentials/secrets*")
    assert f"{value[:3]}{'*' * 18}" in signed_in_page.locator("main").inner_text()
    assert value not in signed_in_page.content()
    signed_in_page.go_back()
    assert value not in signed_in_page.content()
    for rest in ("", "/credentials/secrets", "/audit", "/code", "/tests/new"):
        signed_in_page.goto(app.page(rest))
        assert value not in signed_in_page.content()
    export = signed_in_page.request.get(f"{app.installation.portal_url}/applications/export.csv")
    assert value not in export.text()


def test_a4_no_command_shows_it_again(app: RegisteredApp) -> None:
    """A4: the list command knows nothing but what the pages know."""
    value = app.add_secret()["secretText"]
    done = app.installation.manage("list_apps", "--json")
    assert done.returncode == 0
    assert app.client_id in done.stdout
    assert value not in done.stdout


@pytest.mark.browser
def test_a6_the_page_says_that_it_must_be_copied_now(signed_in_page: Any, app: RegisteredApp) -> None:
    """A6: help near the Value column."""
    app.add_secret()
    signed_in_page.goto(app.page("/credentials/secrets"))
    text = signed_in_page.locator("main").inner_text()
    assert re.search(r"shown (only )?once|cannot be (seen|shown) again", text, re.IGNORECASE)


def test_a7_a8_msal_acquires_a_token(app: RegisteredApp) -> None:
    """A7, A8: MSAL Python constructs and gets a Bearer token."""
    answer = app.acquire({"secret": app.add_secret()["secretText"]})
    assert answer["token_type"] == "Bearer"
    assert answer["access_token"].count(".") == 2
    assert isinstance(answer["expires_in"], int)


def test_a9_the_secret_id_is_not_the_secret(app: RegisteredApp) -> None:
    """A9: 7000215."""
    secret = app.add_secret()
    assert codes(app.acquire({"secret": secret["keyId"]})) == ("invalid_client", [7000215])


@pytest.mark.browser
def test_a10_a_deleted_secret_stops_working(signed_in_page: Any, app: RegisteredApp) -> None:
    """A10: deleted on the page, refused with 7000215 for a fresh client object."""
    secret = app.add_secret("--name", "short-lived")
    assert "access_token" in app.acquire({"secret": secret["secretText"]})
    signed_in_page.goto(app.page(f"/credentials/secrets/{secret['keyId']}/delete"))
    signed_in_page.get_by_role("button", name=re.compile("^Delete")).click()
    signed_in_page.wait_for_url("**/credentials/secrets*")
    assert codes(app.acquire({"secret": secret["secretText"]})) == ("invalid_client", [7000215])


def test_a11_an_expired_secret(app: RegisteredApp) -> None:
    """A11: 7000222."""
    secret = app.add_secret("--start", "2025-01-01T00:00:00Z", "--end", "2025-06-30T00:00:00Z")
    assert codes(app.acquire({"secret": secret["secretText"]})) == ("invalid_client", [7000222])


def test_a12_two_secrets_live_side_by_side(
    app: RegisteredApp, delete_secret: Callable[[RegisteredApp, str], None]
) -> None:
    """A12: both work; deleting one leaves the other."""
    first, second = app.add_secret(), app.add_secret()
    for secret in (first, second):
        assert "access_token" in app.acquire({"secret": secret["secretText"]})
    delete_secret(app, first["keyId"])
    assert codes(app.acquire({"secret": first["secretText"]})) == ("invalid_client", [7000215])
    assert "access_token" in app.acquire({"secret": second["secretText"]})
