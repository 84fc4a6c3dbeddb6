"""docs/clients.md names tests: each of them exists, and no cell is without one unless it says so."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "clients.md"
NAMED = re.compile(r"`(test_\w+\.py::test_\w+(?:\[[^\]`]+\])?)`")


@pytest.fixture(scope="session")
def collected() -> set[str]:
    """Every test of this folder, by the name that pytest gives it."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:randomly", "tests/clients"]
    own = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    return {line.removeprefix("tests/clients/") for line in done.stdout.splitlines() if "::" in line}


def test_every_test_that_the_page_names_exists(collected: set[str]) -> None:
    named = set(NAMED.findall(PAGE.read_text()))
    assert len(named) > 90
    assert named - collected == set()


def test_every_cell_names_a_test_or_says_that_there_is_none() -> None:
    """The first two tables: a row is a kind of credential or of refusal, a column a client."""
    text = PAGE.read_text()
    seen = text.partition("## What has been seen")[2].partition("## What a refusal")[0]
    refusals = text.partition("## What a refusal")[2].partition("## Settings")[0]
    for table, first in ((seen, 1), (refusals, 2)):
        rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
        for row in rows[1:]:
            assert len(row) == first + 5, row
            for cell in row[first:]:
                rest = NAMED.sub("", cell).replace("<br>", "").strip()
                assert (rest == "none") != bool(NAMED.search(cell)), row
                assert rest in ("", "none"), row
