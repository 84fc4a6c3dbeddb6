"""The sign-in log in a real browser: a populated chart, filters by hand, with and without script, files."""

import csv
import json
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.audit.rows import store_in, unsaved
from tests.installation import Installation
from tests.portal.test_browser_pages import THEMES, WIDTHS, open_at

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
WRONG_SECRET = 7000215


@pytest.fixture(scope="session")
def busy(installation: Installation) -> dict[str, str]:
    """An application whose sign-ins fill a day: every tenth refused, more in one hour."""
    made: dict[str, str] = installation.json("register_app", "Fleet Telemetry Ingest")
    secret = installation.json("add_secret", made["appId"], "--name", "telemetry-prod", "--days", "90")
    rows = []
    for number in range(400):
        is_bad = number % 10 == 9 or 100 < number < 115
        row = unsaved(
            datetime.now(UTC) - timedelta(minutes=3.5 * number + 1),
            tenant=uuid.UUID(made["tenantId"]),
            application=uuid.UUID(made["id"]),
            credential=None if is_bad else uuid.UUID(secret["keyId"]),
            code=WRONG_SECRET if is_bad else 0,
            service_principal_id=uuid.uuid4(),
            resource="https://graph.microsoft.com" if number % 3 else "api://fleet",
            resource_id="00000003-0000-0000-c000-000000000000",
            credential_type="clientSecret",
            address=f"10.31.0.{number % 7}",
            token_id="" if is_bad else "uti-1234",
        )
        row.client_id = made["appId"]
        rows.append(row)
    store_in(installation.database, rows)
    return made


@pytest.fixture
def walker(signed_in_page: "Page") -> Iterator["Page"]:
    """Signed in; fails the test when a page complains in the console."""
    complaints: list[str] = []
    signed_in_page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    signed_in_page.on("pageerror", lambda error: complaints.append(str(error)))
    yield signed_in_page
    assert [text for text in complaints if "the server responded with a status of 4" not in text] == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_state_has_an_axe_violation_or_scrolls_sideways(
    walker: "Page", busy: dict[str, str], axe: Any, screenshot: Any, width: int, theme: str
) -> None:
    own = f"/applications/{busy['id']}/sign-ins"
    open_at(walker, own, width, theme)
    one = walker.locator("th.moment a").first.get_attribute("href")
    states = {
        "sign-ins": f"{own}?time=24h",
        "sign-ins-refused": f"/sign-ins?result=failure&application={busy['appId']}",
        "sign-ins-none": "/sign-ins?search=nothing-like-it&ip=10.31.0.1",
        "sign-ins-complaint": "/sign-ins?code=abc&resource=api://fleet",
        "sign-in": f"{one}",
    }
    for name, address in states.items():
        open_at(walker, address, width, theme)
        assert walker.locator("h1").count() == 1, address
        if walker.locator("details.reveal").count():
            walker.locator("details.reveal summary").click()
        axe(walker)
        beyond = walker.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert beyond <= 0, f"{address} is {beyond} px wider than {width}"
        screenshot(walker, f"{name}-{width}-{theme}")
    open_at(walker, own, width, theme)
    for opener in ("Time: Last 24 hours", "Add filter"):
        walker.get_by_role("button", name=opener).click()
        form = walker.get_by_role("form", name="Time range" if "Time" in opener else "Filters")
        box = form.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        axe(walker)
        walker.keyboard.press("Escape")


def test_filters_are_set_and_removed_by_hand(walker: "Page", busy: dict[str, str]) -> None:
    open_at(walker, "/sign-ins", 1440, "light")
    walker.get_by_role("button", name="Time: Last 24 hours").click()
    walker.get_by_role("link", name="Last 7 days").click()
    walker.wait_for_url("**time=7d**")
    walker.get_by_role("button", name="Add filter").click()
    walker.get_by_label("Application", exact=True).fill("fleet telemetry ingest")
    walker.get_by_label("IP address").fill("10.31.0.3")
    walker.get_by_role("button", name="Apply filters").click()
    walker.wait_for_url("**ip=10.31.0.3**")
    assert "time=7d" in walker.url
    assert walker.locator("#hist").inner_text() == "57 matching sign-ins in 7 days"
    walker.get_by_role("button", name="Result: All").click()
    walker.get_by_role("link", name="Refused", exact=True).click()
    walker.wait_for_url("**result=failure**")
    count = walker.locator("tbody tr:visible").count()
    assert 0 < count < 57
    walker.get_by_role("link", name="Remove filter IP address").click()
    walker.wait_for_url(re.compile(r"^(?!.*10\.31).*$"))
    assert walker.locator("tbody tr:visible").count() > count


def test_a_bar_s_time_opens_from_the_numbers(walker: "Page", busy: dict[str, str]) -> None:
    open_at(walker, f"/applications/{busy['id']}/sign-ins", 1440, "light")
    walker.get_by_text("Show the numbers").click()
    row = walker.locator("details.reveal tbody tr").nth(5)
    succeeded, refused = (int(text) for text in row.locator("td").all_inner_texts())
    row.get_by_role("link").click()
    walker.wait_for_url("**from=**")
    assert walker.locator("#hist").inner_text() == f"{succeeded + refused} sign-ins in this time range"


def test_the_downloads_have_the_rows_of_the_page(
    walker: "Page", busy: dict[str, str], tmp_path: Path
) -> None:
    open_at(walker, f"/applications/{busy['id']}/sign-ins?result=failure", 1440, "light")
    title = walker.locator("#hist").inner_text()
    with walker.expect_download() as started:
        walker.get_by_role("link", name="Download CSV").click()
    started.value.save_as(tmp_path / "file.csv")
    with (tmp_path / "file.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    with walker.expect_download() as started:
        walker.get_by_role("link", name="Download JSON").click()
    assert re.fullmatch(r"sign-ins-\d{4}-\d\d-\d\d\.json", started.value.suggested_filename)
    started.value.save_as(tmp_path / "file.json")
    members = json.loads((tmp_path / "file.json").read_text())
    assert title == f"{len(lines)} matching sign-ins in 24 hours"
    assert [line["Request ID"] for line in lines] == [each["id"] for each in members]
    assert {each["status"]["errorCode"] for each in members} == {WRONG_SECRET}


def test_copy_takes_the_whole_request_id(walker: "Page", busy: dict[str, str]) -> None:
    walker.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_at(walker, f"/applications/{busy['id']}/sign-ins", 1440, "light")
    button = walker.get_by_role("button", name="Copy request ID of the sign-in").first
    button.click()
    assert walker.evaluate("navigator.clipboard.readText()") == button.get_attribute("data-copy")
    assert uuid.UUID(button.get_attribute("data-copy") or "")


def test_a_real_request_is_on_the_page_at_once(walker: "Page", installation: Installation) -> None:
    """From the token endpoint to the log, with the ids that the client was given."""
    made = installation.json("register_app", "Just now")
    form = {
        "grant_type": "client_credentials",
        "client_id": made["appId"],
        "client_secret": "wrong",
        "scope": "https://graph.microsoft.com/.default",
    }
    address = f"{installation.authority_url}/{made['tenantId']}/oauth2/v2.0/token"
    answer = walker.request.post(address, form=form, fail_on_status_code=False).json()
    open_at(walker, f"/sign-ins?search={answer['trace_id']}", 1440, "light")
    text = walker.locator("table.sign-ins").inner_text()
    assert "Just now" in text
    assert "AADSTS7000215" in text
    walker.locator("th.moment a").click()
    assert answer["correlation_id"] in walker.locator("main").inner_text()


def test_a_range_of_ones_own_works_without_script(
    browser: "Browser", installation: Installation, busy: dict[str, str]
) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(15_000)
    page = context.new_page()
    installation.sign_in(page)
    page.goto(f"{installation.portal_url}/applications/{busy['id']}/sign-ins?result=success")
    page.get_by_role("button", name="Time: Last 24 hours").click()
    start = datetime.now(UTC) - timedelta(hours=5)
    page.get_by_label("From (UTC)").fill(f"{start:%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Show time range").click()
    page.wait_for_url("**from=**")
    assert "result=success" in page.url
    assert "matching sign-ins in this time range" in page.locator("#hist").inner_text()
    page.get_by_role("button", name="Time:").click()
    assert page.get_by_label("From (UTC)").input_value() == f"{start:%Y-%m-%dT%H:%M}"
    context.close()
