"""Every page of the portal has its picture, and the tool that takes them works."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from django.urls import URLPattern, URLResolver, get_resolver

from tests.database import same_on_both
from tests.installation import ROOT, Installation
from tests.screenshots.camera import Camera
from tests.screenshots.pictures import ALL, PICTURES, WITHOUT_PICTURE
from tests.screenshots.sheets import SHEETS, write_sheets
from tests.screenshots.views import VIEWS


def _names(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            inner = f"{prefix}{entry.namespace}:" if entry.namespace else prefix
            yield from _names(entry, inner)
        elif isinstance(entry, URLPattern):
            assert entry.name, f"{entry.pattern} has no name: give it one, so that it can be pictured"
            yield f"{prefix}{entry.name}"


def test_every_address_is_pictured_or_says_why_not() -> None:
    """A new page is one entry in tests/screenshots/pictures."""
    known = set(_names(get_resolver()))
    pictured = {picture.route for picture in PICTURES.values() if picture.route}
    exempted = set(WITHOUT_PICTURE)
    assert sorted(known - pictured - exempted) == [], "add them to tests/screenshots/pictures"
    assert sorted(exempted - known) == [], "exempted, and no longer there"
    assert sorted(exempted & pictured) == [], "exempted although pictured"
    assert sorted(pictured - known) == [], "pictured, and no longer there"


def test_no_two_pictures_overwrite_each_other() -> None:
    """Names become file names."""
    names = [picture.name for picture in ALL]
    assert len(set(names)) == len(names)
    assert not [name for name in names if name.endswith("-page")], "that ending is a panel at its own address"


@pytest.mark.browser
def test_a_page_is_taken_in_every_view_and_its_faults_are_told(
    signed_in_page: Any, installation: Installation, tmp_path: Path
) -> None:
    """Pictures, a sheet of them, and what axe and a ruler find on a page that was spoiled."""
    camera = Camera(tmp_path, AXE_FILE_PATH.read_text("utf-8"))
    signed_in_page.goto(f"{installation.portal_url}/help")
    assert camera.take(signed_in_page, "help") == []
    for view in VIEWS:
        assert (tmp_path / f"help-{view.name}.png").stat().st_size > 10_000
    signed_in_page.evaluate(
        """() => {
          const wide = document.createElement("p");
          wide.textContent = "m".repeat(4000);
          const unlabelled = document.createElement("input");
          document.querySelector("main").append(wide, unlabelled);
        }"""
    )
    faults = "\n".join(camera.take(signed_in_page, "spoiled", VIEWS[2:3]))
    assert "px wider than the window" in faults
    assert "axe label" in faults
    write_sheets(signed_in_page.context.browser, tmp_path, ["help", "spoiled", "never-taken"])
    assert (tmp_path / SHEETS / "help.png").stat().st_size > 10_000
    assert "never-taken" not in (tmp_path / "index.html").read_text()


@same_on_both
@pytest.mark.slow
@pytest.mark.browser
def test_the_whole_tool_finds_nothing_to_complain_about(browser: Any) -> None:
    """`make screenshots`, from the first server to the last sheet."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.screenshots"], cwd=ROOT, capture_output=True, text=True, timeout=3600
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
