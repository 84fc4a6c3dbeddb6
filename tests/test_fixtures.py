"""Tests run in any order and on several processes, each of which may come back to a file. What is made on an
installation that a process shares lives as long as the process: its second making would collide.
"""

import ast
from pathlib import Path

TESTS = Path(__file__).resolve().parent
# Fixtures of the process's life that keep what is registered on them.
SHARED = {"installation", "stage"}
SHORTER = {"class", "module", "package"}


def scope_of(function: ast.FunctionDef) -> str:
    """Of a fixture; empty for any other function."""
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.fixture":
            named = {word.arg: word.value for word in decorator.keywords}
            return str(ast.literal_eval(named["scope"])) if "scope" in named else "function"
    return ""


def test_what_is_made_on_a_shared_installation_lives_as_long() -> None:
    found, seen = [], 0
    for path in sorted(TESTS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())) if "node_modules" not in path.parts else ():
            if isinstance(node, ast.FunctionDef) and SHARED & {each.arg for each in node.args.args}:
                seen += scope_of(node) == "session"
                if scope_of(node) in SHORTER:
                    found.append(f"{path.relative_to(TESTS)}::{node.name}")
    assert seen > 5
    assert found == []
