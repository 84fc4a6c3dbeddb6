"""Token servers that nobody here wrote, each in a process of its own on a free port of 127.0.0.1."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).with_name("node")


def node() -> str:
    """The Node to run them with; skips where it or the packages cannot be had."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("no Node on this machine: the token servers of tests/peers cannot be run")
    if not (FOLDER / "node_modules" / ".ready").exists():
        pytest.skip("the token servers are not installed: run make test, or sh .ci/node-packages peers")
    return found


@contextmanager
def peer(program: str, **told: Any) -> Iterator[str]:
    """Start a server of tests/peers/node, give it its orders, and yield its issuer. Ends it afterwards."""
    process = subprocess.Popen(
        [node(), str(FOLDER / program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=FOLDER,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        process.stdin.write(json.dumps(told) + "\n")
        process.stdin.flush()
        said = process.stdout.readline()
        assert said, process.stderr.read()
        issuer: str = json.loads(said)["issuer"]
        yield issuer
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()
        process.stderr.close()
