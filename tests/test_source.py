"""Habits of the source that close whole classes of faults; each is cheap to keep and easy to lose."""

import ast
import functools
import importlib
import re
from pathlib import Path

import pytest
from django import forms

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = [path for path in sorted((ROOT / "credmgr").rglob("*.py")) if "migrations" not in path.parts]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
MODULES = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in PROGRAM]
SCRIPTS = sorted((ROOT / "static" / "js").rglob("*.js"))

RUNS_TEXT = {"eval", "exec", "compile", "__import__"}
OPENS_OBJECTS = {"pickle", "marshal", "shelve", "dill", "yaml", "plistlib"}
READS_MARKUP = {"xml", "lxml", "defusedxml"}
# The file that says why nothing secret hangs on it.
DRAWS_ORDINARY_NUMBERS = {"credmgr/conflicts.py"}
ADDS_MARKUP = {"credmgr/portal/templatetags/flow_tests.py"}


@functools.cache
def read() -> list[tuple[str, ast.AST]]:
    """Every node of the program that matters here, with the file that it stands in."""
    wanted = (ast.Import, ast.ImportFrom, ast.Call)
    return [
        (path.relative_to(ROOT).as_posix(), node)
        for path in PROGRAM
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, wanted)
    ]


def imported(node: ast.AST) -> set[str]:
    """First parts of the names that a statement imports."""
    if isinstance(node, ast.Import):
        return {each.name.partition(".")[0] for each in node.names}
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return {node.module.partition(".")[0]}
    return set()


def test_there_is_something_to_read() -> None:
    assert len(PROGRAM) > 200
    assert len(TEMPLATES) > 50
    assert len(SCRIPTS) > 2


def test_no_text_is_run_as_program() -> None:
    """Nor as a template: those are files, named by a constant."""
    found = [
        (file, node.lineno)
        for file, node in read()
        if isinstance(node, ast.Call)
        and (
            getattr(node.func, "id", "") in RUNS_TEXT
            or getattr(node.func, "attr", "") == "from_string"
            or getattr(node.func, "id", "") == "Template"
        )
    ]
    assert found == []


def test_nothing_is_read_that_could_build_objects_or_fetch_entities() -> None:
    found = [
        (file, imported(node)) for file, node in read() if imported(node) & (OPENS_OBJECTS | READS_MARKUP)
    ]
    assert found == []


def test_no_program_is_run_through_a_shell() -> None:
    for file, node in read():
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        assert name not in {"system", "popen", "getoutput", "getstatusoutput"}, (file, node.lineno)
        shell = [word for word in node.keywords if word.arg == "shell"]
        assert not shell, (file, node.lineno)


def test_statements_for_the_database_are_not_glued_from_values() -> None:
    """Django's own doors for raw SQL stay shut; what is executed is a constant or holds placeholders."""
    for file, node in read():
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            assert name not in {"raw", "extra", "RawSQL"}, (file, node.lineno)
            if name in {"execute", "executemany"} and node.args:
                first = node.args[0]
                glued = isinstance(first, ast.BinOp) or (
                    isinstance(first, ast.Call) and getattr(first.func, "attr", "") == "format"
                )
                assert not glued, (file, node.lineno)


def test_numbers_that_must_not_be_guessed_come_from_the_system() -> None:
    assert {file for file, node in read() if "random" in imported(node)} == DRAWS_ORDINARY_NUMBERS


def test_weak_hashes_protect_nothing() -> None:
    """SHA-1 makes the thumbprints that everybody's tools show, and says that it protects nothing."""
    for file, node in read():
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", "")).lower()
        assert name != "md5", (file, node.lineno)
        if name == "sha1":
            said = {word.arg: getattr(word.value, "value", None) for word in node.keywords}
            assert said == {"usedforsecurity": False}, (file, node.lineno)


def test_the_one_cipher_is_authenticated() -> None:
    """AES-GCM of the cryptography package; no mode, padding or cipher is put together by hand."""
    for file, node in read():
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module.endswith("primitives.ciphers.aead"):
                assert {each.name for each in node.names} == {"AESGCM"}, file
            else:
                assert "primitives.ciphers" not in node.module, file
        if isinstance(node, ast.Call):
            assert getattr(node.func, "attr", "") not in {"encrypt_rsa", "PKCS1v15Encryption"}, file


def test_markup_comes_from_templates_which_escape() -> None:
    for path in TEMPLATES:
        text = path.read_text()
        assert not re.search(r"\|\s*safe\b|\|\s*safeseq|autoescape\s+off", text), path
    adds = {
        file
        for file, node in read()
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "mark_safe"
    }
    assert adds == ADDS_MARKUP


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_make_no_markup_and_keep_nothing(path: Path) -> None:
    """No text becomes HTML or program; only the switch of the shortcut keys is stored."""
    text = path.read_text()
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|document\.write|\beval\(|"
        r"new Function|setTimeout\(\s*[\"'`]|sessionStorage|indexedDB|postMessage|\"message\"|__proto__|"
        r"https?://(?!www\.w3\.org)",
        text,
    )
    assert set(re.findall(r"localStorage\.\w+\(\"(\w+)\"", text)) <= {"keys"}
    assert not re.search(r"\[[A-Za-z_.]+\]\s*=[^=]", text), "a member named by data could be the prototype"
    assert "onpaste" not in text
    assert '"paste"' not in text, "passwords may be pasted"


def test_passwords_are_typed_unseen_and_no_page_keeps_them() -> None:
    """Every form that the program has, wherever it stands, and the boxes that templates write themselves."""
    seen = 0
    for module in sorted({name for name in MODULES if ".forms" in name or name.endswith("step_up")}):
        importlib.import_module(module)
    waiting: list[type[forms.BaseForm]] = [forms.BaseForm]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if not kind.__module__.startswith("credmgr."):
            continue
        for name, field in getattr(kind, "base_fields", {}).items():
            if re.search("password|passphrase", name):
                seen += 1
                assert isinstance(field.widget, forms.PasswordInput), (kind, name)
                assert not field.widget.render_value, (kind, name)
                assert field.max_length is None or field.max_length >= 64, (kind, name)
    assert seen > 4
    for path in TEMPLATES:
        for box in re.findall(r"<input[^>]*name=\"[^\"]*password[^\"]*\"[^>]*>", path.read_text()):
            assert 'type="password"' in box, path
            assert "value=" not in box, path
