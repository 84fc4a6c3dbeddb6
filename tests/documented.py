"""What documents claim and tests can check: tables of Markdown, and the names of all tests."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMED = re.compile(r"`(tests/[\w/]+\.py::(?:\w+::)?test_\w+)`")


@cache
def tests() -> frozenset[str]:
    """Every test there is, as path::function or path::class::function."""
    found = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        name = path.relative_to(ROOT).as_posix()
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found.add(f"{name}::{node.name}")
            elif isinstance(node, ast.ClassDef):
                found |= {
                    f"{name}::{node.name}::{each.name}"
                    for each in node.body
                    if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")
                }
    return frozenset(found)


def rows(text: str) -> list[list[str]]:
    """The cells of every table line, heads and rules left out (a head is what stands above a rule)."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    tables = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    rules = {number for number, cells in enumerate(tables) if set("".join(cells)) <= set(":-")}
    return [cells for number, cells in enumerate(tables) if not {number, number + 1} & rules]


def sections(text: str) -> dict[str, str]:
    """{heading of the second level: what stands below it}."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))
