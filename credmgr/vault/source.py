"""Where the key ring comes from: systemd credential, file, environment, command, or the data folder.

A ring that comes from a file is read again when the file changes, so that a key can be added, moved to the
front or dropped while every worker keeps working (K-6).
"""

import logging
import os
import shlex
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from credmgr import env
from credmgr.vault.errors import KeyRingError
from credmgr.vault.keyring import KeyRing, parse_key_ring

COMMAND_SECONDS = 10
KEY_RING_BYTES_MAX = 65536

logger = logging.getLogger(__name__)


def default_key_ring_file() -> Path:
    """The file used when no other source is set."""
    return Path(settings.DATA_DIR) / "keyring"


def key_ring_is_configured() -> bool:
    """Whether a setting names a source; else it is the data folder's file. Raises KeyRingError for two."""
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
        found.append(("the systemd credential keyring", "systemd", path))
    # Read here and never kept in settings: settings are printed by too many tools.
    if named := os.environ.get("CREDMGR_KEYRING_FILE"):
        found.append((f"the file {named} (CREDMGR_KEYRING_FILE)", "file", named))
    if text := os.environ.get("CREDMGR_KEYRING"):
        found.append(("CREDMGR_KEYRING", "text", text))
    if command := env.text("CREDMGR_KEYRING_COMMAND"):
        found.append(("the command in CREDMGR_KEYRING_COMMAND", "command", command))
    if len(found) > 1:
        both = " and ".join(name for name, _, _ in found)
        raise KeyRingError(f"Two sources of the key ring are set: {both}. Keep one.")
    default = default_key_ring_file()
    return found[0] if found else (f"the file {default}", "file", str(default))


def key_ring_file() -> Path | None:
    """The file in force, which commands may change; None for keys from elsewhere. Raises KeyRingError."""
    _, kind, value = _source()
    return Path(value) if kind == "file" else None


# What tells one state of a file from the next: device, inode, size, time of change in nanoseconds.
_Stamp = tuple[int, int, int, int]


@dataclass(frozen=True)
class _Loaded:
    ring: KeyRing
    file: str | None
    stamp: _Stamp | None


_loaded: _Loaded | None = None


def current_key_ring() -> KeyRing:
    """The key ring of this process. Raises KeyRingError with the source's name when it never was good.

    A file that changed is read again. When it has become unusable meanwhile, the ring in memory stays in
    force: a running server does not stop for a slip of its operator; the log says it, and the next start
    refuses.
    """
    global _loaded
    if _loaded is None:
        found = key_ring_file()
        file = str(found) if found else None
        stamp = _stamp(file)
        _loaded = _Loaded(load_key_ring(), file, stamp)
    elif (stamp := _stamp(_loaded.file)) != _loaded.stamp:
        try:
            ring = load_key_ring()
        except KeyRingError as error:
            logger.error("The key ring changed and cannot be used now; the one in memory stays. %s", error)
            ring = _loaded.ring
        _loaded = _Loaded(ring, _loaded.file, stamp)
    return _loaded.ring


def forget_key_ring() -> None:
    """Make the next use read the source afresh, whichever it is by then."""
    global _loaded
    _loaded = None


def _stamp(file: str | None) -> _Stamp | None:
    if file is None:
        return None
    try:
        facts = os.stat(file)  # noqa: PTH116 - asked with every token, and a Path doubles its price
    except OSError:
        return None
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns


def load_key_ring() -> KeyRing:
    """Read the key ring afresh. Raises KeyRingError."""
    return parse_key_ring(key_ring_text())


@sensitive_variables("text", "value")
def key_ring_text() -> str:
    """The key ring as its source has it, found good. For backups with keys. Raises KeyRingError."""
    name, kind, value = _source()
    if kind in ("file", "systemd"):
        text = _read_file(Path(value), name, may_be_shared=kind == "systemd")
    elif kind == "command":
        text = _run(value, name)
    else:
        text = value
    try:
        parse_key_ring(text)
    except KeyRingError as error:
        raise KeyRingError(f"The key ring from {name} cannot be used: {error}.") from None
    return text


def _read_file(path: Path, name: str, *, may_be_shared: bool) -> str:
    """may_be_shared: systemd lets the service's user in by an access list, which shows as group bits."""
    try:
        with path.open(encoding="ascii") as stream:
            facts = os.fstat(stream.fileno())  # of the very file that is read
            text = stream.read(KEY_RING_BYTES_MAX)
    except FileNotFoundError:
        raise KeyRingError(
            f"The key ring is missing: {name} does not exist. Put it back from your backup of the keys; "
            "nothing stored was changed."
        ) from None
    except (OSError, UnicodeDecodeError):
        raise KeyRingError(
            f"The key ring cannot be read: {name}. It must be a text file that this user may read."
        ) from None
    if facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO) and not may_be_shared:
        raise KeyRingError(f"The key ring can be read by others: {name}. Run: chmod 600 {path}")
    if facts.st_uid not in (0, os.geteuid()):
        raise KeyRingError(
            f"The key ring belongs to another user: {name}. It must belong to the user who runs the server, "
            "or to root."
        )
    return text


def _run(command: str, name: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own setting, split without a shell
            shlex.split(command), capture_output=True, timeout=COMMAND_SECONDS, check=True
        )
        return done.stdout.decode("ascii")
    except (OSError, ValueError, subprocess.SubprocessError):
        raise KeyRingError(f"The key ring could not be fetched: {name} failed.") from None
