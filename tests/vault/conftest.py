"""Key rings in files of their own, and rows to seal."""

import base64
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from credmgr.vault.keyring import KeyRing, VaultKey, parse_key_ring
from credmgr.vault.source import forget_key_ring


def key_line() -> str:
    """A fresh key as a line of a key ring."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def key_of(line: str) -> VaultKey:
    """The key of such a line."""
    return parse_key_ring(line).primary


class RingFile:
    """A key ring that a test changes as an operator would."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, *lines: str) -> KeyRing:
        """Replace the content; returns it parsed."""
        text = "".join(f"{line}\n" for line in lines)
        self.path.touch(mode=0o600)
        self.path.write_text(text)
        forget_key_ring()
        return parse_key_ring(text)


@pytest.fixture
def ring_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RingFile]:
    """The key ring in force for this test; empty until it writes one."""
    path = tmp_path / "ring"
    monkeypatch.setenv("CREDMGR_KEYRING_FILE", str(path))
    forget_key_ring()
    yield RingFile(path)
    monkeypatch.undo()
    forget_key_ring()
