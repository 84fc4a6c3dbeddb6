"""The programs of the page "Use it from your code", saved and run exactly as they are shown."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.clients.stage import Stage, bare_environment

NODE_MODULES = Path(__file__).with_name("node") / "node_modules"
# Run by the test that needs them; the wrapper writes down how each was called (P12).
WATCHED = ("curl", "openssl")
WRAPPER = """#!/bin/sh
printf '%s\\n' "$0 $*" >>"$CALLS"
exec {real} "$@"
"""
# What a person's machine may have set, all of it wrong.
MISLEADING = dict.fromkeys(("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"), "/nonexistent.pem")

SOURCE = """
import json
from credmgr.portal.snippets import client_tabs
from credmgr.registrations.models import Application

row = Application.objects.select_related("tenant").get(client_id=CLIENT)
print(json.dumps({
    f"{tab.key}/{each.key}": [each.language, each.text]
    for tab in client_tabs(row, thumbprint=THUMBPRINT) for each in tab.snippets
}))
"""


@dataclass(frozen=True)
class ProgramsShown:
    """Every program by "client/credential": its language and its text; the folder they are run in."""

    stage: Stage
    folder: Path
    texts: dict[str, tuple[str, str]]

    def save(self, name: str) -> Path:
        """The program in a file of its own, named after it."""
        language, text = self.texts[name]
        file = self.folder / f"{name.replace('/', '-')}.{language}"
        file.write_text(text)
        return file

    def run(self, name: str, given: str = "", text: str = "") -> "subprocess.CompletedProcess[str]":
        """Run one program. given: its standard input; text: run this instead of what is shown."""
        file = self.save(name)
        if text:
            file.write_text(text)
        return self.call([*_INTERPRETERS[file.suffix], str(file)], given)

    def call(
        self, command: list[str], given: str = "", environment: dict[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command among the programs and the files that they name, misled by its environment."""
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        own = {"PATH": path, "HOME": str(self.folder), "CALLS": str(self.calls_file)}
        return subprocess.run(
            command,
            input=given,
            cwd=self.folder,
            env={**bare_environment(), **MISLEADING, **own, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=120,
        )

    @property
    def calls_file(self) -> Path:
        """How the watched commands were called, one line each."""
        return self.folder / "calls"


_INTERPRETERS = {".py": [sys.executable, "-I"], ".mjs": ["node"], ".sh": ["bash"]}


def show_programs(stage: Stage, folder: Path) -> ProgramsShown:
    """Have the programs rendered by the running installation's settings, and lay out the files they name."""
    for name, source in {
        "server.pem": "worker.key.pem",
        "server.crt": "worker.crt.pem",
        "both.pem": "worker.pem",
    }.items():
        shutil.copy(stage.folder / source, folder / name)
    (folder / "node_modules").symlink_to(NODE_MODULES)
    (folder / "bin").mkdir()
    for command in WATCHED:
        wrapper = folder / "bin" / command
        wrapper.write_text(WRAPPER.format(real=shutil.which(command)))
        wrapper.chmod(0o755)
    source = SOURCE.replace("CLIENT", repr(stage.facts["client_id"]), 1)
    source = source.replace("THUMBPRINT", repr(stage.facts["thumbprint"]))
    done = stage.installation.manage("shell", "--no-imports", "-c", source)
    assert done.returncode == 0, done.stderr
    texts = json.loads(done.stdout.splitlines()[-1])
    return ProgramsShown(stage, folder, {name: (each[0], each[1]) for name, each in texts.items()})
