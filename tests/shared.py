"""What the pytest processes of one run use together and the first that asks for it makes, while others wait.

The process that starts the others makes a folder for it, and clears up at the end.
"""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

# Only to the processes that this one starts as pytest-xdist: a run within a test shares nothing with it.
_NAME = "PYTEST_SHARED_FOLDER"
_IS_STARTED = "PYTEST_XDIST_WORKER" in os.environ
if not _IS_STARTED:
    os.environ[_NAME] = tempfile.mkdtemp(prefix="credmgr-shared-")
FOLDER = Path(os.environ[_NAME])


def once(name: str, make: Callable[[], dict[str, str]]) -> dict[str, str]:
    """What `make` told when it ran, which it does in one of the processes only."""
    told = FOLDER / f"{name}.json"
    with (FOLDER / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            text = json.dumps(make())
            told.write_text(text)
    found: dict[str, str] = json.loads(told.read_text())
    return found


def clear_up(forget: Callable[[dict[str, str]], None]) -> None:
    """At the end of the process that made the folder: let `forget` remove what lies elsewhere."""
    if not _IS_STARTED:
        for each in FOLDER.glob("*.json"):
            forget(json.loads(each.read_text()))
        shutil.rmtree(FOLDER, ignore_errors=True)
