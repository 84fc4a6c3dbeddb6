"""The layout guards itself: imports point downward, few import outside libraries, one file one subject."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "credmgr"

# Lowest first. Packages on one line are siblings: neither imports the other.
LAYERS: list[set[str]] = [
    {"env", "errors", "aadsts", "bodies", "clouds", "conflicts", "measures", "triggers"},
    {"jose", "outbound"},
    {"accounts", "vault"},
    {"audit"},
    {"factors", "origins", "registrations"},
    {"credentials", "membership"},
    {"authority", "flowtest", "localca", "signon", "transfer"},
    {"portal"},
    {"ops"},
    {"settings", "urls", "wsgi"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}

# Outside libraries that only these places may import.
IMPORTERS = {
    "jwt": {"jose/jws.py"},
    "msal": {"flowtest"},
    "cryptography": {"vault", "credentials", "jose", "authority/signing_keys.py", "localca"},
    "requests": {"flowtest", "outbound", "ops/bench"},
    "granian": {"ops"},
    "fido2": {"factors"},
}
# Tables of data, not code: length says nothing about them.
DATA_TABLES = {"aadsts.py"}
LINES_AT_MOST = 500


def _modules() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if "migrations" not in path.parts]


def _package_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _by_package() -> dict[str, list[Path]]:
    """The modules of each part of the program: a test for each file would cost more than what it looks at."""
    found: dict[str, list[Path]] = {}
    for path in _modules():
        found.setdefault(_package_of(path), []).append(path)
    return found


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _imports(node: ast.AST) -> Iterator[str]:
    for child in ast.walk(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module and child.level == 0:
            if child.module == "credmgr":
                yield from (f"credmgr.{alias.name}" for alias in child.names)
            else:
                yield child.module


def _first_party(name: str) -> str | None:
    parts = name.split(".")
    return parts[1] if parts[0] == "credmgr" and len(parts) > 1 else None


@pytest.mark.parametrize("package", _by_package())
def test_imports_point_downward(package: str) -> None:
    """A package imports only from layers below its own, never from a sibling."""
    if package == "__init__":
        return
    assert package in LEVEL, f"{package} has no layer yet: add it to LAYERS and to docs/architecture.md"
    for path in _by_package()[package]:
        for name in _imports(_tree(path)):
            target = _first_party(name)
            if target is not None and target != package:
                assert LEVEL[target] < LEVEL[package], f"{path} imports {name}, which is not below {package}"


@pytest.mark.parametrize("package", _by_package())
def test_no_first_party_import_hides_in_a_function(package: str) -> None:
    """An import inside a function usually dodges a circle; the circle is the fault."""
    for path in _by_package()[package]:
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                hidden = [name for name in _imports(node) if _first_party(name)]
                assert not hidden, f"{path}: {node.name} imports {hidden}"


@pytest.mark.parametrize("package", _by_package())
def test_outside_libraries_have_few_importers(package: str) -> None:
    """Each outside library of weight is known in one or two places."""
    for path in _by_package()[package]:
        place = path.relative_to(PACKAGE).as_posix()
        for name in _imports(_tree(path)):
            allowed = IMPORTERS.get(name.split(".")[0])
            if allowed is not None:
                assert any(place == entry or place.startswith(f"{entry}/") for entry in allowed), (
                    f"{place} imports {name}"
                )


def test_a_file_is_one_subject() -> None:
    """Above this many lines a file holds two subjects."""
    measured = {path: len(path.read_text().splitlines()) for path in _modules()}
    long = {path: lines for path, lines in measured.items() if lines > LINES_AT_MOST}
    assert {path.name for path in long} <= DATA_TABLES, long


def test_the_layer_list_is_the_documented_one() -> None:
    """docs/architecture.md names every layer in this order."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    start = text.index("## Layers")
    positions = [text.index(f"`{name}`", start) for names in LAYERS for name in sorted(names)[:1]]
    assert positions == sorted(positions)


def test_no_names_that_say_nothing() -> None:
    """No utils, helpers or managers."""
    empty_names = {"utils", "helpers", "manager", "managers", "common", "misc"}
    assert not [path for path in _modules() if empty_names & set(path.with_suffix("").parts)]


def test_commands_act_under_one_name() -> None:
    """Actor.command() names the user of the operating system; no command calls itself something else."""
    commands = sorted(PACKAGE.glob("*/management/commands/*.py"))
    assert commands
    for path in commands:
        called = [node.func for node in ast.walk(_tree(path)) if isinstance(node, ast.Call)]
        assert not [each for each in called if isinstance(each, ast.Name) and each.id == "Actor"], path
