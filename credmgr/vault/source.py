"""Where the key ring comes from: systemd credential, file, environment, command, or the data folder."""

import os
import shlex
import stat
import subprocess
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from credmgr import env
from credmgr.vault.errors import KeyRingError
from credmgr.vault.keyring import KeyRing, parse_key_ring

COMMAND_SECONDS = 10


def default_key_ring_file() -> Path:
    """The file used when no other source is set."""
    return Path(settings.DATA_DIR) / "keyring"


def key_ring_is_configured() -> bool:
    """Whether a setting names a source; otherwise the data folder's file is the one. Raises KeyRingError for two."""
    return _source()[2] != str(default_key_ring_file())


def source_name() -> str:
    """The source in words, for messages. Raises KeyRingError when two are set."""
    return _source()[0]


def _source() -> tuple[str, str, str]:
    """(name in words, kind, value) of the one source in force."""
    found: list[tuple[str, str, str]] = []
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials and (Path(credentials) / "keyring").is_file():
        path = str(Path(credentials) / "keyring")
        found.append(("the systemd credential keyring", "file", path))
    # Read here and never kept in settings: settings are printed by too many tools.
    if file := os.environ.get("CREDMGR_KEYRING_FILE"):
        found.append((f"the file {file} (CREDMGR_KEYRING_FILE)", "file", file))
    if text := os.environ.get("CREDMGR_KEYRING"):
        found.append(("CREDMGR_KEYRING", "text", text))
    if command := env.text("CREDMGR_KEYRING_COMMAND"):
        found.append(("the command in CREDMGR_KEYRING_COMMAND", "command", command))
    if len(found) > 1:
        both = " and ".join(name for name, _, _ in found)
        raise KeyRingError(f"Two sources of the key ring are set: {both}. Keep one.")
    path = default_key_ring_file()
    return found[0] if found else (f"the file {path}", "file", str(path))


@lru_cache(maxsize=1)
def current_key_ring() -> KeyRing:
    """The key ring of this process, read once. Raises KeyRingError with the source's name."""
    return load_key_ring()


def load_key_ring() -> KeyRing:
    """Read the key ring afresh. Raises KeyRingError."""
    name, kind, value = _source()
    if kind == "file":
        text = _read_file(Path(value), name)
    elif kind == "command":
        text = _run(value, name)
    else:
        text = value
    try:
        return parse_key_ring(text)
    except KeyRingError as error:
        raise KeyRingError(f"The key ring from {name} cannot be used: {error}.") from None


def _read_file(path: Path, name: str) -> str:
    try:
        facts = path.stat()
        text = path.read_text("ascii")
    except FileNotFoundError:
        raise KeyRingError(
            f"The key ring is missing: {name} does not exist. Put it back from your backup of the keys; "
            "nothing stored was changed."
        ) from None
    except (OSError, UnicodeDecodeError):
        raise KeyRingError(f"The key ring cannot be read: {name}.") from None
    if facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO) and "systemd" not in name:
        raise KeyRingError(f"The key ring can be read by others: {name}. Run: chmod 600 {path}")
    if facts.st_uid not in (0, os.geteuid()):
        raise KeyRingError(f"The key ring belongs to another user: {name}.")
    return text


def _run(command: str, name: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own setting, split without a shell
            shlex.split(command), capture_output=True, timeout=COMMAND_SECONDS, check=True
        )
        return done.stdout.decode("ascii")
    except (OSError, ValueError, subprocess.SubprocessError):
        raise KeyRingError(f"The key ring could not be fetched: {name} failed.") from None
