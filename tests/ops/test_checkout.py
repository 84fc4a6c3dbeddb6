"""What a fresh machine gets: pinned packages, and a Makefile that says what it can do."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ["requirements.txt", "requirements-test.txt"]


@pytest.mark.parametrize("name", LOCKS)
def test_lock_files_hold_names_versions_and_hashes_only(name: str) -> None:
    """R9: no URLs, no paths, no index lines, no options."""
    for number, line in enumerate((ROOT / name).read_text().splitlines(), start=1):
        stripped = line.strip()
        assert "://" not in line, f"{name}:{number} holds a URL"
        assert not re.match(r"(-i|-f|--index|--extra-index|--find-links|--trusted-host|-e)\b", stripped), (
            f"{name}:{number}"
        )
        assert "@ " not in stripped.split("#")[0], f"{name}:{number} names a place"
        if stripped and not stripped.startswith("#"):
            pinned = r"[a-z0-9][a-z0-9._-]*(\[[a-z0-9,_-]+\])?==\S+( ; [^\\]+)? \\"
            assert re.fullmatch(rf"{pinned}|--hash=sha256:[0-9a-f]{{64}}( \\)?", stripped), (
                f"{name}:{number}: {line}"
            )


@pytest.mark.parametrize("name", LOCKS)
def test_every_pinned_package_has_a_hash(name: str) -> None:
    text = (ROOT / name).read_text()
    packages = re.findall(r"^([a-z0-9][^=\n]*==[^\n]*\\\n(?:    --hash=\S+(?: \\)?\n)+)", text, re.MULTILINE)
    assert len(packages) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE)) > 10


@pytest.mark.parametrize("name", ["requirements", "requirements-test"])
def test_every_wanted_package_is_pinned(name: str) -> None:
    pinned = set(
        re.findall(r"^([a-z0-9._-]+)(?:\[.*\])?==", (ROOT / f"{name}.txt").read_text(), re.MULTILINE)
    )
    for line in (ROOT / f"{name}.in").read_text().splitlines():
        if wanted := re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line):
            assert re.sub(r"[-_.]+", "-", wanted.group()).lower() in {
                each.replace("_", "-") for each in pinned
            }


def test_both_locks_agree() -> None:
    run, test = (
        dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE)) for name in LOCKS
    )
    assert {name: version for name, version in run.items() if test.get(name) != version} == {}


def test_make_help_lists_every_target() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("run", "test", "test-all", "test-postgres", "lint", "bench", "clean", "reset", "lock"):
        assert re.search(rf"\bmake {target}\b", listed), target


def reset(folder: Path, answer: str) -> "subprocess.CompletedProcess[str]":
    """`make reset` with an answer to its question."""
    return subprocess.run(
        ["make", "reset", f"CREDMGR_DATA_DIR={folder}", "PYTHON=python3"],
        cwd=ROOT,
        input=answer,
        capture_output=True,
        text=True,
        check=False,
    )


def test_make_reset_asks_before_it_forgets(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "secret-key").write_text("x")
    assert reset(folder, "yes\n").returncode != 0
    assert folder.exists()
    assert reset(folder, "forget\n").returncode == 0
    assert not folder.exists()
    assert reset(folder, "").returncode == 0


def test_make_reset_forgets_no_other_folder(tmp_path: Path) -> None:
    (tmp_path / "holiday.txt").write_text("mine")
    done = reset(tmp_path, "forget\n")
    assert done.returncode != 0
    assert "nothing was removed" in done.stdout
    assert (tmp_path / "holiday.txt").exists()
