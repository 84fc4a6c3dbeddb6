"""The file of a backup: a zip of parts and a manifest that names each with its SHA-256."""

import hashlib
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from credmgr.ops.backups.errors import BackupError

FORMAT = "credmgr-backup"
VERSION = 1
MANIFEST = "manifest.json"
SIGNATURE = "manifest.mac"
_MANIFEST_BYTES_MAX = 1_000_000
_STEP = 1 << 20


@dataclass(frozen=True)
class Part:
    """One entry of the zip. table and rows: of a table; another's name is its place in the data folder."""

    name: str
    bytes: int
    sha256: str
    table: str = ""
    rows: int = 0


@dataclass(frozen=True)
class Manifest:
    """What the backup is of.

    created_at: ISO 8601. migrations: the last ones of each app. key_ids: hex, needed to open it. left_out:
    tables. chains: id, length and head (hex) of each audit chain.
    """

    created_at: str
    database: str
    migrations: list[tuple[str, str]]
    key_ids: list[str]
    left_out: list[str]
    has_keys: bool
    chains: list[dict[str, Any]] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)

    def to_bytes(self) -> bytes:
        """The JSON that is stored and signed."""
        described = {"format": FORMAT, "version": VERSION, **asdict(self)}
        return json.dumps(described, indent=1).encode()

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(part.rows for part in self.parts)

    @classmethod
    def from_bytes(cls, content: bytes) -> "Manifest":
        """Read it back. Raises BackupError."""
        try:
            given: dict[str, Any] = json.loads(content)
            if given.pop("format") != FORMAT:
                raise ValueError
            version = given.pop("version")
            if version != VERSION:
                raise BackupError(
                    "backup_version",
                    f"This backup has the format version {version}; this program reads version {VERSION}. "
                    "Use the program that made it, or a newer one.",
                )
            parts = [Part(**each) for each in given.pop("parts")]
            migrations = [(str(app), str(name)) for app, name in given.pop("migrations")]
            made = cls(parts=parts, migrations=migrations, **given)
            made._require_types()
            return made
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise not_a_backup() from None

    def _require_types(self) -> None:
        """What is read before the signature is checked may hold anything. Raises ValueError."""
        texts = [self.created_at, self.database, *self.key_ids, *self.left_out]
        numbers: list[object] = []
        for part in self.parts:
            texts += [part.name, part.sha256, part.table]
            numbers += [part.bytes, part.rows]
        if not (
            all(isinstance(each, str) for each in texts)
            and all(type(each) is int for each in numbers)
            and isinstance(self.has_keys, bool)
            and all(isinstance(each, list) for each in (self.key_ids, self.left_out, self.chains))
            and all(isinstance(each, dict) for each in self.chains)
        ):
            raise ValueError
        for key_id in self.key_ids:
            bytes.fromhex(key_id)


def not_a_backup() -> BackupError:
    """For whatever has another form."""
    return BackupError("not_a_backup", "This file is not a backup of Credential Manager, or it is damaged.")


class ArchiveWriter:
    """Writes parts one after the other."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def add(self, name: str, chunks: Iterable[bytes], *, table: str = "") -> Part:
        """Write an entry; what it is. For a table each chunk but the first is a row."""
        digest, size, number = hashlib.sha256(), 0, 0
        with self._archive.open(name, "w", force_zip64=True) as stream:
            for chunk in chunks:
                stream.write(chunk)
                digest.update(chunk)
                size += len(chunk)
                number += 1
        return Part(name, size, digest.hexdigest(), table, max(0, number - 1) if table else 0)


@contextmanager
def new_archive(file: Path, *, force: bool) -> Iterator[ArchiveWriter]:
    """A backup that stands under its name once it is whole, mode 0600, or not at all. Raises BackupError."""
    if file.exists() and not force:
        raise BackupError("backup_exists", f"{file} exists already. Name another file, or add --force.")
    try:
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # made with mode 0600
        try:
            with os.fdopen(descriptor, "wb") as stream:
                with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
                    yield ArchiveWriter(archive)
                stream.flush()
                os.fsync(stream.fileno())
            if force:
                Path(name).replace(file)
            else:
                os.link(name, file)  # fails where somebody made one meanwhile
                Path(name).unlink()
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        sync_folder(file.parent)
    except OSError as error:
        raise BackupError("backup_write", f"The backup {file} was not written: {error.strerror}.") from None


def sync_folder(folder: Path) -> None:
    """Let the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Archive:
    """A backup that is read: the manifest as stored, its signature, and the parts."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.manifest_bytes = self.content(MANIFEST, _MANIFEST_BYTES_MAX)
        self.signature = self.content(SIGNATURE, _MANIFEST_BYTES_MAX)
        self.manifest = Manifest.from_bytes(self.manifest_bytes)

    def content(self, name: str, most: int) -> bytes:
        """A small entry. Raises BackupError when it is missing or larger than `most` bytes."""
        with self._open(name) as stream:
            found: bytes = stream.read(most + 1)
        if len(found) > most:
            raise not_a_backup()
        return found

    def lines(self, part: Part) -> Iterator[bytes]:
        """The lines of a table."""
        with self._open(part.name) as stream:
            yield from stream

    def verify(self) -> None:
        """Read every part and compare. Raises BackupError, naming the first that is not as it was written."""
        named = [part.name for part in self.manifest.parts]
        if sorted([*named, MANIFEST, SIGNATURE]) != sorted(self._archive.namelist()):
            raise BackupError(
                "backup_parts", "The backup has other parts than its manifest says. Nothing was done."
            )
        for part in self.manifest.parts:
            digest, size = hashlib.sha256(), 0
            with self._open(part.name) as stream:
                while chunk := stream.read(_STEP):
                    digest.update(chunk)
                    size += len(chunk)
                    if size > part.bytes:
                        break
            if (size, digest.hexdigest()) != (part.bytes, part.sha256):
                raise BackupError(
                    "backup_damaged",
                    f"The backup is damaged: {part.name} is not as it was written. Nothing was done.",
                )

    @contextmanager
    def _open(self, name: str) -> Iterator[Any]:
        try:
            with self._archive.open(name) as stream:
                yield stream
        except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
            raise not_a_backup() from None


@contextmanager
def open_archive(file: Path) -> Iterator[Archive]:
    """Raises BackupError when there is none, or what lies there is something else."""
    try:
        with zipfile.ZipFile(file) as archive:
            yield Archive(archive)
    except zipfile.BadZipFile:
        raise not_a_backup() from None
    except OSError as error:
        raise BackupError("backup_read", f"The backup {file} cannot be read: {error.strerror}.") from None
