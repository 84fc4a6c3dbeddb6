"""The tools of the browser tests work: a check that finds nothing must be able to find something."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.installation import Installation

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_the_browser_reaches_both_listeners(page: "Page", installation: Installation) -> None:
    for base in (installation.portal_url, installation.authority_url):
        answer = page.goto(f"{base}/health/live")
        assert answer is not None
        assert answer.status == 200


def test_axe_runs_under_the_csp_and_finds_a_fault(
    page: "Page", installation: Installation, axe: Callable[["Page"], None]
) -> None:
    page.goto(f"{installation.portal_url}/account/login")
    page.evaluate("() => document.querySelector('html').removeAttribute('lang')")
    with pytest.raises(AssertionError, match="html-has-lang"):
        axe(page)


def test_signing_in_lands_in_the_portal(signed_in_page: "Page", installation: Installation) -> None:
    assert signed_in_page.url == f"{installation.portal_url}/applications"


def test_a_screenshot_is_stored(
    page: "Page",
    installation: Installation,
    screenshot: Callable[["Page", str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.installation.TAKES_SCREENSHOTS", True)
    page.goto(f"{installation.portal_url}/account/login")
    assert screenshot(page, "login").stat().st_size > 1000
