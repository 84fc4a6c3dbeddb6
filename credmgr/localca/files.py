"""Writing a file so that a reader sees the old or the new one, never a half."""

import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, content: bytes, *, mode: int) -> None:
    """Replace the file by `content` (bytes) with these permission bits; nothing to do when it has both.

    The parent folder must exist. Raises OSError when it cannot be written; the old file is then untouched.
    """
    if path.is_file() and path.stat().st_mode & 0o777 == mode and path.read_bytes() == content:
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
