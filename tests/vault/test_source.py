"""Where the key ring comes from, and what it must not be (K-1 to K-4)."""

import base64
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from credmgr.vault import ring_file as ring_files
from credmgr.vault.errors import KeyRingError, UnknownKeyError
from credmgr.vault.keyring import parse_key_ring
from credmgr.vault.source import current_key_ring, forget_key_ring, load_key_ring
from tests.vault.conftest import RingFile, key_line, key_of

SOURCES = ["CREDENTIALS_DIRECTORY", "CREDMGR_KEYRING_FILE", "CREDMGR_KEYRING", "CREDMGR_KEYRING_COMMAND"]


@pytest.fixture(autouse=True)
def no_source(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test sets its own."""
    for name in SOURCES:
        monkeypatch.delenv(name, raising=False)
    forget_key_ring()
    yield
    monkeypatch.undo()
    forget_key_ring()


def write(path: Path, *lines: str) -> Path:
    path.touch(mode=0o600)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


# ---------------------------------------------------------------- K-1
def test_k1_none_set_reads_the_data_folder() -> None:
    assert (
        load_key_ring().primary.key_id
        == parse_key_ring((settings.DATA_DIR / "keyring").read_text()).primary.key_id
    )


def test_k1_each_source_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = key_line()
    file = write(tmp_path / "keyring", line)
    set_to = {
        "CREDENTIALS_DIRECTORY": str(tmp_path),
        "CREDMGR_KEYRING_FILE": str(file),
        "CREDMGR_KEYRING": line,
        "CREDMGR_KEYRING_COMMAND": f"{sys.executable} -c \"print('{line}')\"",
    }
    for name, value in set_to.items():
        monkeypatch.setenv(name, value)
        assert load_key_ring().primary.key_id == key_of(line).key_id, name
        monkeypatch.delenv(name)


def test_k1_two_sources_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDMGR_KEYRING_FILE", str(write(tmp_path / "a", key_line())))
    monkeypatch.setenv("CREDMGR_KEYRING", key_line())
    with pytest.raises(
        KeyRingError, match=r"Two sources .*CREDMGR_KEYRING_FILE.* and CREDMGR_KEYRING\. Keep one"
    ):
        load_key_ring()


@pytest.mark.parametrize(
    "command", ["/no/such/program", f"{sys.executable} -c 'raise SystemExit(3)'", "'unclosed quote"]
)
def test_k1_a_failing_command_is_told(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("CREDMGR_KEYRING_COMMAND", command)
    with pytest.raises(
        KeyRingError, match="could not be fetched: the command in CREDMGR_KEYRING_COMMAND failed"
    ):
        load_key_ring()


# ---------------------------------------------------------------- K-2
def test_k2_first_key_seals_all_open_and_comments_are_passed_over() -> None:
    first, second = key_line(), key_line()
    ring = parse_key_ring(f"# made in spring\n\n  {first}  \n{second.rstrip('=')}\r\n")
    assert ring.key_ids() == [key_of(first).key_id, key_of(second).key_id]
    assert ring.primary.key_id == key_of(first).key_id


CANARY = base64.urlsafe_b64encode(b"canary-canary-canary-canary-cana").decode()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "it holds no key"),
        ("# only words\n", "it holds no key"),
        (f"{CANARY}\n{CANARY}\n", "line 2 repeats an earlier key"),
        (f"{CANARY}\nnot base64!\n", "line 2 is not base64url"),
        (f"{CANARY}A\n", "line 1 is not base64url"),
        (CANARY[:40] + "\n", "a key has 30 bytes instead of 32"),
        (CANARY.replace("=", "") + "AAAA\n", "bytes instead of 32"),
        ("Ω" * 44, "cannot be read"),
    ],
)
def test_k2_k4_a_malformed_ring_is_told_by_source_without_key_material(
    ring_file: RingFile, text: str, sentence: str
) -> None:
    ring_file.path.touch(mode=0o600)
    ring_file.path.write_text(text)
    with pytest.raises(KeyRingError, match=sentence) as caught:
        load_key_ring()
    assert str(ring_file.path) in str(caught.value)
    for length in range(6, len(CANARY)):
        assert CANARY[:length] not in str(caught.value)
    assert "canary" not in str(caught.value)


def test_k2_a_missing_file_is_told(ring_file: RingFile) -> None:
    with pytest.raises(KeyRingError, match=r"does not exist\. Put it back from your backup"):
        load_key_ring()


def test_k2_a_folder_in_its_place_is_told(ring_file: RingFile) -> None:
    ring_file.path.mkdir()
    with pytest.raises(KeyRingError, match="cannot be read"):
        load_key_ring()


# ---------------------------------------------------------------- K-3
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_k3_a_file_that_others_can_read_is_refused(ring_file: RingFile, mode: int) -> None:
    ring_file.write(key_line())
    ring_file.path.chmod(mode)
    with pytest.raises(KeyRingError, match=f"can be read by others.*chmod 600 {ring_file.path}"):
        load_key_ring()
    ring_file.path.chmod(0o400)
    assert load_key_ring()


def test_k3_a_path_that_speaks_of_systemd_is_a_file_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "systemd").mkdir()
    file = write(tmp_path / "systemd" / "keyring", key_line())
    file.chmod(0o644)
    monkeypatch.setenv("CREDMGR_KEYRING_FILE", str(file))
    with pytest.raises(KeyRingError, match="can be read by others"):
        load_key_ring()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_k3_a_file_of_somebody_else_is_refused(ring_file: RingFile) -> None:
    ring_file.write(key_line())
    os.chown(ring_file.path, 4711, 4711)
    with pytest.raises(KeyRingError, match="belongs to another user"):
        load_key_ring()


def test_k4_the_ring_is_not_in_the_settings() -> None:
    line = (settings.DATA_DIR / "keyring").read_text().strip()
    for name in dir(settings):
        assert line not in repr(getattr(settings, name)), name


# ---------------------------------------------------------------- a ring that changes under a running server
def test_k6_a_changed_file_takes_effect_in_a_running_process(ring_file: RingFile) -> None:
    old, new = key_line(), key_line()
    ring_file.write(old)
    assert current_key_ring().primary.key_id == key_of(old).key_id
    ring_files.add_key(ring_file.path, new, first=True)
    assert current_key_ring().key_ids() == [key_of(new).key_id, key_of(old).key_id]


def test_a_ring_that_becomes_unusable_stays_in_memory_and_is_logged(
    ring_file: RingFile, caplog: pytest.LogCaptureFixture
) -> None:
    old = key_line()
    ring_file.write(old)
    assert current_key_ring()
    ring_file.path.unlink()
    for _ in range(3):
        assert current_key_ring().primary.key_id == key_of(old).key_id
    assert caplog.text.count("the one in memory stays") == 1
    ring_file.path.touch(mode=0o600)
    ring_file.path.write_text(f"{old}\n{key_line()}\n")
    assert len(current_key_ring().key_ids()) == 2


# ---------------------------------------------------------------- changing the file
def test_keys_are_added_moved_and_dropped_whole(ring_file: RingFile) -> None:
    a, b, c = key_line(), key_line(), key_line()
    ring_file.write("# ours", a)
    ring_files.add_key(ring_file.path, b, first=False)
    ring_files.add_key(ring_file.path, c, first=True)
    assert ring_file.path.read_text() == f"{c}\n# ours\n{a}\n{b}\n"
    ring_files.move_to_front(ring_file.path, key_of(b).key_id)
    ring_files.drop_keys(ring_file.path, [key_of(a).key_id])
    assert ring_file.path.read_text() == f"{b}\n{c}\n# ours\n"
    assert ring_file.path.stat().st_mode & 0o777 == 0o600
    assert list(ring_file.path.parent.iterdir()) == [ring_file.path], "nothing left lying about"


def test_a_refused_change_leaves_the_file_alone(ring_file: RingFile) -> None:
    a, b = key_line(), key_line()
    ring_file.write(a, b)
    before = ring_file.path.read_bytes()
    with pytest.raises(KeyRingError, match="cannot be dropped"):
        ring_files.drop_keys(ring_file.path, [key_of(a).key_id])
    with pytest.raises(UnknownKeyError):
        ring_files.move_to_front(ring_file.path, b"unknown!")
    with pytest.raises(KeyRingError, match="repeats"):
        ring_files.add_key(ring_file.path, b, first=True)
    assert ring_file.path.read_bytes() == before
    assert list(ring_file.path.parent.iterdir()) == [ring_file.path]


def test_a_missing_file_is_not_made(ring_file: RingFile) -> None:
    with pytest.raises(KeyRingError, match="was not changed: No such file"):
        ring_files.add_key(ring_file.path, key_line(), first=False)
    assert not ring_file.path.exists()


def test_what_a_killed_change_left_behind_is_swept_away(ring_file: RingFile, tmp_path: Path) -> None:
    """A key that was never in force must not lie about (K-4); the ring itself is whole at every moment."""
    a, b = key_line(), key_line()
    ring_file.write(a)
    left = tmp_path / ".keyring-k1ll3d"
    left.write_text(b[:20])
    ring_files.add_key(ring_file.path, b, first=False)
    assert not left.exists()
    left.write_text(b[:20])
    ring_files.sweep(tmp_path)
    assert not left.exists()
    assert ring_file.path.read_text() == f"{a}\n{b}\n"


def test_a_new_ring_is_made_whole_and_never_over_another(tmp_path: Path) -> None:
    file = tmp_path / "keyring"
    ring_files.make_file(file, key_line())
    before = file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        ring_files.make_file(file, key_line())
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_k2_a_ring_cut_off_anywhere_gives_no_key_that_was_not_in_it() -> None:
    """Half-written by another tool: refused, or a ring of whole keys, whose missing ones K-5 names."""
    a, b = key_line(), key_line()
    whole = f"{a}\n{b}\n"
    known = [key_of(a).key_id, key_of(b).key_id]
    refused = []
    for length in range(len(whole)):
        try:
            found = parse_key_ring(whole[:length]).key_ids()
        except KeyRingError as error:
            refused.append(str(error))
        else:
            assert found == known[: len(found)]
    assert len(refused) > 60
    assert not [text for text in refused if a[:8] in text or b[:8] in text]
