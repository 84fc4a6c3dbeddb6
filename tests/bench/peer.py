"""Node's oidc-provider on two processes, as far as this machine has it."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.installation import ROOT, Processes
from tests.bench.load import Target, post

FOLDER = ROOT / "tests" / "peers" / "node"
PROCESSES = 2


def version() -> str:
    """Its version as pinned; "" where Node or the package cannot be had."""
    package = FOLDER / "node_modules" / "oidc-provider" / "package.json"
    if shutil.which("node") is None or not package.is_file():
        return ""
    found: str = json.loads(package.read_text())["version"]
    return found


@contextmanager
def served_peer() -> Iterator[tuple[Target, Processes]]:
    """Run it, in memory, until the block ends."""
    client = {"client_id": "bench", "client_secret": "q7w" + "x" * 41}
    node = shutil.which("node")
    if node is None:
        raise RuntimeError("There is no Node.")
    process = subprocess.Popen(
        [node, "provider_cluster.mjs"],
        cwd=FOLDER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"NODE_ENV": "production", "PATH": str(Path(node).parent)},
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("Node has no pipes.")
    try:
        process.stdin.write(json.dumps({"processes": PROCESSES, **client}).encode() + b"\n")
        process.stdin.flush()
        said = json.loads(process.stdout.readline())
        form = {"grant_type": "client_credentials", **client, "scope": "routes.read"}
        request = post("/token", {**form, "resource": said["resource"]})
        yield Target(said["port"], [request]), Processes(process)
    finally:
        process.stdin.close()
        process.wait(timeout=30)
        process.stdout.close()
