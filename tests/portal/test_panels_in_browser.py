"""A panel over a page that has the same field: each has ids of its own."""

from typing import TYPE_CHECKING, Any

import pytest

from tests.installation import Installation

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

PREPARE = """
from credmgr.accounts import sessions
from credmgr.accounts.session_store import SessionStore
from credmgr.registrations.models import Tenant
Tenant.objects.filter(pk="{directory}").update(is_test=True)
session = SessionStore("{session}")
session[sessions.CONFIRMED_AT] -= 7200
session.save()
"""


@pytest.fixture
def testing_page(signed_in_page: "Page", installation: Installation) -> str:
    """Address of the switches of a test directory; they ask for the password, which was given long ago."""
    made = installation.json("create_directory", "Panels (test)", "--domain", "panels-over-pages")
    cookies = {each["name"]: each["value"] for each in signed_in_page.context.cookies()}
    program = PREPARE.format(directory=made["tenantId"], session=cookies["sessionid"])
    done = installation.manage("shell", "--no-imports", "-c", program)
    assert done.returncode == 0, done.stderr
    return f"{installation.portal_url}/directories/{made['tenantId']}/testing"


def test_a_panel_asks_for_the_password_in_a_field_of_its_own(
    signed_in_page: "Page", testing_page: str, axe: Any
) -> None:
    page = signed_in_page
    page.goto(testing_page)
    below = page.get_by_label("Your password", exact=False).first
    assert below.is_visible()
    page.locator("a[data-panel][href$='/testing/mark']").click()
    dialog = page.get_by_role("dialog")
    own = dialog.locator("input[name=current_password]")
    own.wait_for()
    axe(page)
    dialog.locator("label", has_text="password").click()
    assert own.evaluate("each => each === document.activeElement"), "the label leads to the field below"
    own.fill("shown-for-a-moment")
    dialog.get_by_role("button", name="Show password").click()
    assert own.get_attribute("type") == "text"
    assert dialog.locator(f"#{own.get_attribute('aria-describedby')}").count() == 1
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(each => each.id)")
    assert len(ids) == len(set(ids)), sorted(each for each in ids if ids.count(each) > 1)
