"""The catalogue, the authority's code and docs/differences-from-entra.md say the same."""

import ast
import re
from pathlib import Path

from credmgr.aadsts import CATALOGUE, UNCONFIRMED

ROOT = Path(__file__).resolve().parent.parent
AUTHORITY = ROOT / "credmgr" / "authority"
ROW = re.compile(r"^\| AADSTS(\d+) \| (.+) \|$", re.MULTILINE)


def codes_in_source() -> set[int]:
    """The number of each RefusalError, also where it stands in a variable first."""
    found: set[int] = set()
    for path in sorted(AUTHORITY.rglob("*.py")):
        if "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") != "RefusalError":
                continue
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, int):
                found.add(first.value)
            elif isinstance(first, ast.Name):
                found |= _values_of(first.id, path)
    return found


def _values_of(name: str, path: Path) -> set[int]:
    """What a variable of that file may hold: the numbers in its assignments."""
    values: set[int] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Assign) and any(getattr(each, "id", "") == name for each in node.targets):
            constants = (each for each in ast.walk(node.value) if isinstance(each, ast.Constant))
            values |= {each.value for each in constants if isinstance(each.value, int)}
    return values


def test_each_code_the_authority_raises_is_in_the_table_with_its_text() -> None:
    missing = {code for code in codes_in_source() if code not in CATALOGUE or not CATALOGUE[code].text}
    assert missing == set()


def test_each_text_in_the_table_is_raised_somewhere() -> None:
    """A text that nothing raises would promise an answer that never comes."""
    emitted = {code for code, entry in CATALOGUE.items() if entry.can_be_emitted}
    assert emitted - codes_in_source() == set()


def test_unconfirmed_codes_are_emitted_ones() -> None:
    for code, sentence in UNCONFIRMED.items():
        assert CATALOGUE[code].can_be_emitted, code
        assert sentence.endswith("."), code
        assert "|" not in sentence, code


def test_the_document_has_each_unconfirmed_code_with_its_sentence() -> None:
    text = (ROOT / "docs" / "differences-from-entra.md").read_text()
    assert {int(code): sentence for code, sentence in ROW.findall(text)} == UNCONFIRMED
