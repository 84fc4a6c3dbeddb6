"""The data folder and the two key files in it, made once and never replaced."""

import os
import secrets
import stat
from pathlib import Path

from django.conf import settings

from credmgr import env
from credmgr.errors import DomainError
from credmgr.vault.ring_file import make_file, new_key_line, sweep
from credmgr.vault.source import default_key_ring_file, key_ring_is_configured, load_key_ring

# What marks a folder as ours; anything else in the way was put there by somebody for another purpose.
OWN_NAMES = {"credmgr.sqlite3", "keyring", "secret-key", "serve.lock", "tls"}


class DataFolderError(DomainError):
    """The data folder cannot be used as it is; nothing was changed."""


def ensure_data_folder() -> Path:
    """Make the data folder (0700), or close an existing one of ours to others. Raises DataFolderError."""
    folder = Path(settings.DATA_DIR)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = folder.stat()
        names = {entry.name for entry in folder.iterdir()}
        if facts.st_uid != os.geteuid():
            raise DataFolderError("folder_owner", f"The data folder {folder} belongs to another user.")
        if stat.S_IMODE(facts.st_mode) & 0o077:
            if names and not names & OWN_NAMES:
                raise DataFolderError(
                    "folder_foreign",
                    f"The folder {folder} holds other files and can be read by others. "
                    "Set CREDMGR_DATA_DIR to a folder of its own.",
                )
            folder.chmod(0o700)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise DataFolderError("folder_read_only", f"The data folder {folder} cannot be written.")
    except OSError as error:
        raise DataFolderError(
            "folder_unusable",
            f"The data folder {folder} cannot be used: {error.strerror}. Set CREDMGR_DATA_DIR.",
        ) from None
    return folder


def secret_key_file() -> Path:
    return Path(settings.DATA_DIR) / "secret-key"


def has_secret_key() -> bool:
    """Whether Django's signing key is set or was made."""
    return bool(env.text("CREDMGR_SECRET_KEY")) or secret_key_file().is_file()


def ensure_secret_key() -> None:
    """Make Django's signing key where none is set: file secret-key, 0600. It guards sessions, not secrets."""
    if has_secret_key():
        return
    file = secret_key_file()
    make_file(file, secrets.token_urlsafe(64))
    # This process read its settings before the file was there; those it starts read the file.
    settings.SECRET_KEY = file.read_text("ascii").strip()


def ensure_key_ring(*, database_is_new: bool) -> None:
    """Make a key ring for a new installation, else only check that it can be used.

    Where a database exists already, a missing key ring is never replaced: what was sealed with it would be
    lost for good. Raises KeyRingError.
    """
    file = default_key_ring_file()
    sweep(file.parent)
    if database_is_new and not key_ring_is_configured() and not file.exists():
        make_file(file, new_key_line())
    load_key_ring()
