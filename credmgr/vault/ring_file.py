"""Changes a key ring that is kept in a file: whole or not at all, and never readable by others."""

import base64
import contextlib
import fcntl
import os
import secrets
import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from django.views.decorators.debug import sensitive_variables

from credmgr.vault.errors import KeyRingError
from credmgr.vault.keyring import KEY_BYTES, parse_key_ring

_UNFINISHED = ".keyring-"


def new_key_line() -> str:
    """A fresh key as a line of a key ring."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")


@sensitive_variables()
def add_key(file: Path, line: str, *, first: bool) -> None:
    """Add a key (see new_key_line) at the end, or at the front where it seals everything from now on.

    Raises KeyRingError when the file cannot be read or replaced; it is unchanged then.
    """

    def changed(text: str) -> str:
        if text and not text.endswith("\n"):
            text += "\n"
        return f"{line}\n{text}" if first else f"{text}{line}\n"

    _replace(file, changed)


@sensitive_variables()
def move_to_front(file: Path, key_id: bytes) -> None:
    """Let this key of the file seal from now on. Raises KeyRingError, UnknownKeyError."""

    def changed(text: str) -> str:
        parse_key_ring(text).get(key_id)
        lines = text.splitlines()
        chosen = next(line for line in lines if _key_id_of_line(line) == key_id)
        return "\n".join([chosen, *(line for line in lines if line != chosen)]) + "\n"

    _replace(file, changed)


@sensitive_variables()
def drop_keys(file: Path, key_ids: Collection[bytes]) -> None:
    """Remove these keys' lines; comments and the other keys stay. Raises KeyRingError.

    The first key cannot be dropped.
    """

    def changed(text: str) -> str:
        if parse_key_ring(text).primary.key_id in key_ids:
            raise KeyRingError("The first key seals what is stored and cannot be dropped.")
        return "".join(f"{line}\n" for line in text.splitlines() if _key_id_of_line(line) not in key_ids)

    _replace(file, changed)


@sensitive_variables()
def make_file(file: Path, line: str) -> None:
    """Make a file that holds one secret line, mode 0600, whole or not at all, also when killed in between.

    Raises FileExistsError when it is there already, OSError when it cannot be written.
    """
    with _locked(file.parent):
        _sweep(file.parent)
        if file.exists():
            raise FileExistsError(file)
        _put(file, f"{line}\n", None)


def sweep(folder: Path) -> None:
    """Remove what a killed change left beside the ring: a key must not lie about. Raises OSError.

    Nothing in such a file was ever in force.
    """
    with _locked(folder):
        _sweep(folder)


@sensitive_variables()
def _key_id_of_line(line: str) -> bytes | None:
    if not line.strip() or line.strip().startswith("#"):
        return None
    return parse_key_ring(line).primary.key_id


@sensitive_variables()
def _replace(file: Path, change: Callable[[str], str]) -> None:
    """Write the changed ring beside the old one and put it in its place: one step, safe at a power cut."""
    file = file.resolve()
    try:
        with _locked(file.parent):
            _sweep(file.parent)
            facts = file.stat()
            text = change(file.read_text("ascii"))
            parse_key_ring(text)  # never replace a good ring by a bad one
            _put(file, text, (facts.st_uid, facts.st_gid))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise KeyRingError(f"The key ring {file} was not changed: {reason}.") from None


@sensitive_variables()
def _put(file: Path, text: str, owner: tuple[int, int] | None) -> None:
    """Write beside the file and put it in its place. owner: user and group it shall have, None for ours."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=_UNFINISHED)  # made with mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(text)
            stream.flush()
            if owner is not None and owner != (os.geteuid(), os.getegid()):
                os.fchown(stream.fileno(), *owner)
            os.fsync(stream.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)  # a key must not lie about in a file that nobody knows
        raise
    _sync_folder(file.parent)


def _sweep(folder: Path) -> None:
    for file in folder.glob(f"{_UNFINISHED}*"):
        file.unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One change at a time: two together could lose a key that is in use by then."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
