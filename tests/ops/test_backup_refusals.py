"""What a backup and a restore refuse, and that nothing is changed then (K-1, K-5, K-8)."""

import io
import json
import zipfile
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given
from hypothesis import settings as pace
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from credmgr.audit.models import AuditEvent
from credmgr.credentials.models import ClientSecret
from credmgr.errors import DomainError
from credmgr.ops.backups import restoring
from credmgr.ops.backups.archive import MANIFEST, SIGNATURE, Manifest, open_archive
from credmgr.ops.backups.making import SEALED_KEYS, signature_of
from credmgr.vault.errors import KeyRingError, VaultError
from credmgr.vault.passphrase import PassphraseError
from credmgr.vault.source import current_key_ring, forget_key_ring
from tests.factories import COMMAND, NOW, application, secret
from tests.fuzzing import examples
from tests.vault.conftest import key_line

PASSPHRASE = "a passphrase long enough"


_made: list[bytes] = []


@pytest.fixture
def backup(transactional_db: None, tmp_path: Path) -> Path:
    """A backup of a secret, with keys: made once for the process, for sealing them takes half a second."""
    secret(application())
    file, phrase = tmp_path / "one.backup", tmp_path / "phrase"
    phrase.write_text(PASSPHRASE)
    if not _made:
        run("backup", str(file), "--with-keys", "--passphrase-file", str(phrase))
        _made.append(file.read_bytes())
    file.touch(mode=0o600)
    file.write_bytes(_made[0])
    return file


def run(*arguments: str) -> str:
    """The command's output; what it says of its progress is dropped."""
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def rewritten(file: Path, change: Callable[[dict[str, bytes]], Any]) -> Path:
    """The backup with its entries changed."""
    with zipfile.ZipFile(file) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    changed = file.with_suffix(".changed")
    with zipfile.ZipFile(changed, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return changed


def damage(entries: dict[str, bytes]) -> None:
    name = "tables/credentials_clientsecret.jsonl"
    entries[name] = entries[name].replace(b"worker", b"walker")


def forge(entries: dict[str, bytes]) -> None:
    """A person makes himself an administrator, and the manifest agrees; only the signature cannot."""
    given = json.loads(entries[MANIFEST])
    given["created_at"] = "2020-01-01T00:00:00+00:00"
    entries[MANIFEST] = json.dumps(given).encode()


def age(entries: dict[str, bytes]) -> None:
    """From a program of next year."""
    given = json.loads(entries[MANIFEST])
    given["migrations"].append(["credentials", "0099_next_year"])
    entries[MANIFEST] = json.dumps(given).encode()
    entries[SIGNATURE] = signature_of(current_key_ring().primary, entries[MANIFEST])


def version(entries: dict[str, bytes]) -> None:
    entries[MANIFEST] = entries[MANIFEST].replace(b'"version": 1', b'"version": 2')


def other_types(name: str, value: object) -> Callable[[dict[str, bytes]], None]:
    """A manifest in which a member is something else."""

    def change(entries: dict[str, bytes]) -> None:
        entries[MANIFEST] = json.dumps({**json.loads(entries[MANIFEST]), name: value}).encode()

    return change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (damage, "tables/credentials_clientsecret.jsonl is not as it was written"),
        (forge, "was changed after it was made"),
        (age, "credentials 0099_next_year is unknown here"),
        (version, "format version 2"),
        (lambda entries: entries.pop("tables/credentials_certificate.jsonl"), "other parts than"),
        (lambda entries: entries.update({"tls/evil.pem": b"x"}), "other parts than its manifest says"),
        (lambda entries: entries.pop(SIGNATURE), "not a backup"),
        (lambda entries: entries.update({MANIFEST: b'{"format": ["credmgr-backup"]}'}), "not a backup"),
        (other_types("key_ids", None), "not a backup"),
        (other_types("key_ids", ["no hex"]), "not a backup"),
        (other_types("chains", [7]), "not a backup"),
        (other_types("has_keys", "yes"), "not a backup"),
        (lambda entries: entries.update({MANIFEST: b"[" * 100_000}), "not a backup"),
        (lambda entries: entries.update({MANIFEST: b" " * 1_000_001}), "not a backup"),
    ],
)
def test_a_backup_that_is_not_as_it_was_made_is_refused_before_anything_is_done(
    backup: Path, change: Callable[[dict[str, bytes]], Any], sentence: str
) -> None:
    with pytest.raises(DomainError, match=sentence):
        restoring.read_backup(rewritten(backup, change), passphrase=None)
    assert restoring.read_backup(rewritten(backup, lambda _: None), passphrase=None).manifest.rows


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"nonsense" * 99])
def test_another_file_is_refused(transactional_db: None, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(DomainError, match="not a backup"):
        restoring.read_backup(file, passphrase=None)
    with pytest.raises(DomainError, match="cannot be read: No such file"):
        restoring.read_backup(tmp_path / "none", passphrase=None)


def test_every_cut_of_the_file_is_refused(backup: Path) -> None:
    content = backup.read_bytes()
    for length in range(0, len(content), len(content) // 40):
        backup.write_bytes(content[:length])
        with pytest.raises(DomainError):
            restoring.read_backup(backup, passphrase=None)


def test_flipped_bits_are_refused_or_touch_nothing_that_is_read(backup: Path) -> None:
    """A zip has bytes that mean nothing, such as the time of an entry."""
    content = backup.read_bytes()
    whole = restoring.read_backup(backup, passphrase=None).manifest
    refused = 0
    for place in range(0, len(content), len(content) // 60):
        backup.write_bytes(content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :])
        try:
            assert restoring.read_backup(backup, passphrase=None).manifest == whole
        except DomainError:
            refused += 1
    assert refused > 40


_PACE = pace(
    max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@_PACE
@given(cut=st.integers(0, 100_000), put=st.binary(max_size=60), lost=st.integers(0, 60))
def test_any_change_of_the_file_is_refused_or_touches_nothing(
    backup: Path, cut: int, put: bytes, lost: int
) -> None:
    """Bytes put in, left out or exchanged anywhere."""
    content = backup.read_bytes()
    place = cut % len(content)
    changed = backup.with_suffix(".any")
    changed.write_bytes(content[:place] + put + content[place + lost :])
    try:
        found = restoring.read_backup(changed, passphrase=None).manifest
    except DomainError:
        return
    assert found == restoring.read_backup(backup, passphrase=None).manifest


@_PACE
@given(data=st.data())
def test_any_manifest_is_refused_in_a_sentence(backup: Path, data: st.DataObject) -> None:
    """Also one that is rightly signed: whoever holds the key ring may still write nonsense."""
    with zipfile.ZipFile(backup) as archive:
        given_manifest = json.loads(archive.read(MANIFEST))
    given_manifest[data.draw(st.sampled_from(sorted(given_manifest)))] = data.draw(_JSON)

    def change(entries: dict[str, bytes]) -> None:
        entries[MANIFEST] = json.dumps(given_manifest).encode()
        entries[SIGNATURE] = signature_of(current_key_ring().primary, entries[MANIFEST])

    with suppress(DomainError, VaultError):
        assert restoring.read_backup(rewritten(backup, change), passphrase=None).manifest.rows


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def test_k5_the_key_ring_at_hand_must_have_the_keys_needed(
    backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = current_key_ring().primary.key_id.hex()
    monkeypatch.setenv("CREDMGR_KEYRING", key_line())
    forget_key_ring()
    with pytest.raises(KeyRingError, match=f"lacks the key {needed}"):
        restoring.read_backup(backup, passphrase=None)
    forget_key_ring()


def test_without_a_key_ring_the_sealed_one_needs_its_passphrase(
    backup: Path, settings: Settings, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path / "elsewhere"
    with pytest.raises(KeyRingError, match="name the passphrase"):
        restoring.read_backup(backup, passphrase=None)
    with pytest.raises(PassphraseError, match="does not open this file"):
        restoring.read_backup(backup, passphrase="another passphrase than that")
    assert restoring.read_backup(backup, passphrase=PASSPHRASE).key_source == "the backup"
    with pytest.raises(VaultError, match="does not open this file"):
        restoring.read_backup(
            resigned(backup, {SEALED_KEYS: _flipped(sealed_keys(backup))}), passphrase=PASSPHRASE
        )
    assert not settings.DATA_DIR.exists()


def sealed_keys(file: Path) -> bytes:
    with zipfile.ZipFile(file) as archive:
        return archive.read(SEALED_KEYS)


def _flipped(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def resigned(file: Path, changed: dict[str, bytes]) -> Path:
    """What a thief can do, who cannot sign: parts and their hashes."""

    def change(entries: dict[str, bytes]) -> None:
        entries.update(changed)
        manifest = Manifest.from_bytes(entries[MANIFEST])
        parts = [part.__class__(**{**vars(part), **_measured(part.name, changed)}) for part in manifest.parts]
        entries[MANIFEST] = Manifest(**{**vars(manifest), "parts": parts}).to_bytes()

    return rewritten(file, change)


def _measured(name: str, changed: dict[str, bytes]) -> dict[str, Any]:
    if name not in changed:
        return {}
    return {"bytes": len(changed[name]), "sha256": sha256(changed[name]).hexdigest()}


def test_an_installation_that_holds_something_is_not_restored_over(backup: Path) -> None:
    rows = ClientSecret.objects.count()
    with pytest.raises(DomainError, match="This installation is not empty"):
        restoring.restore_backup(backup, passphrase=None, actor=COMMAND, now=NOW)
    assert ClientSecret.objects.count() == rows


def test_a_backup_is_not_written_over_another_without_force(backup: Path, tmp_path: Path) -> None:
    before = backup.read_bytes()
    with pytest.raises(CommandError, match="exists already"):
        run("backup", str(backup))
    assert backup.read_bytes() == before
    assert "does not hold the key ring" in run("backup", str(backup), "--force")
    assert backup.read_bytes() != before
    assert backup.stat().st_mode & 0o777 == 0o600
    with pytest.raises(CommandError, match="No such file"):
        run("backup", str(tmp_path / "none" / "one.backup"))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["one.backup", "phrase"], "something is left"


def test_the_key_ring_is_only_in_a_backup_that_was_asked_for_it(backup: Path, tmp_path: Path) -> None:
    with open_archive(backup) as archive:
        assert archive.manifest.has_keys
    run("backup", str(tmp_path / "two.backup"))
    with open_archive(tmp_path / "two.backup") as archive:
        assert not archive.manifest.has_keys
        assert SEALED_KEYS not in [part.name for part in archive.manifest.parts]


def test_a_weak_passphrase_and_half_of_the_options_are_refused(
    transactional_db: None, tmp_path: Path
) -> None:
    phrase, file = tmp_path / "phrase", str(tmp_path / "one.backup")
    phrase.write_text("too short\n")
    for arguments, sentence in (
        (["--with-keys", "--passphrase-file", str(phrase)], "fewer than 12 characters"),
        (["--with-keys"], "go together"),
        (["--passphrase-file", str(phrase)], "go together"),
        (["--with-keys", "--passphrase-file", str(tmp_path / "none")], "cannot be read"),
    ):
        with pytest.raises(CommandError, match=sentence):
            run("backup", file, *arguments)
    assert [each.name for each in tmp_path.iterdir()] == ["phrase"]
    assert not AuditEvent.objects.filter(tag__startswith="installation:backup").exists()
