"""The layout guards itself: imports point downward, few import outside libraries, one file one subject."""

import ast
from collections.abc import Iterator
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
    "requests": {"flowtest", "outbound.py", "ops/bench"},
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


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downward(path: Path) -> None:
    """A package imports only from layers below its own, never from a sibling."""
    own = _package_of(path)
    if own == "__init__":
        return
    assert own in LEVEL, f"{own} has no layer yet: add it to LAYERS and to docs/architecture.md"
    tree = ast.parse(path.read_text())
    for name in _imports(tree):
        target = _first_party(name)
        if target is not None and target != own:
            assert LEVEL[target] < LEVEL[own], f"{path.name} imports {name}, which is not below {own}"


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_first_party_import_hides_in_a_function(path: Path) -> None:
    """An import inside a function usually dodges a circle; the circle is the fault."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            hidden = [name for name in _imports(node) if _first_party(name)]
            assert not hidden, f"{path.name}: {node.name} imports {hidden}"


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_outside_libraries_have_few_importers(path: Path) -> None:
    """Each outside library of weight is known in one or two places."""
    place = path.relative_to(PACKAGE).as_posix()
    for name in _imports(ast.parse(path.read_text())):
        allowed = IMPORTERS.get(name.split(".")[0])
        if allowed is not None:
            assert any(place == entry or place.startswith(f"{entry}/") for entry in allowed), (
                f"{place} imports {name}"
            )


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_is_one_subject(path: Path) -> None:
    """Above this many lines a file holds two subjects."""
    if path.name not in DATA_TABLES:
        assert len(path.read_text().splitlines()) <= LINES_AT_MOST


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


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.glob("*/management/commands/*.py")), ids=lambda path: path.stem
)
def test_commands_act_under_one_name(path: Path) -> None:
    """Actor.command() names the user of the operating system; no command calls itself something else."""
    called = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    assert not [each for each in called if isinstance(each, ast.Name) and each.id == "Actor"]
