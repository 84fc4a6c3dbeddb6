"""The tester and the ready programs against the running server: what works here works in code."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.flowtest.far_side import Client
from tests.installation import Installation, InstallationFactory

Run = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def app(installation: Installation, tmp_path: Path) -> dict[str, Any]:
    """A registration that is an API too, under a name of this test's own."""
    name = re.sub(r"[^a-z0-9]", "-", tmp_path.name.lower())
    made: dict[str, Any] = installation.json(
        "register_app", tmp_path.name, "--identifier-uri", f"api://{name}"
    )
    return {**made, "scope": f"api://{name}/.default"}


@pytest.fixture
def run(installation: Installation, app: dict[str, Any]) -> Run:
    """test_token with --json; (exit code, answer)."""

    def test_token(*arguments: str) -> tuple[int, dict[str, Any]]:
        done = installation.manage("test_token", app["appId"], *arguments, "--json")
        return done.returncode, json.loads(done.stdout)

    return test_token


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Two pairs of key and certificate, as the documentation's commands name them."""
    made = {}
    for number, name in ((1, "server"), (2, "other")):
        client = Client(number=number)
        made[f"{name}.crt"] = tmp_path / f"{name}.crt"
        made[f"{name}.pem"] = tmp_path / f"{name}.pem"
        made[f"{name}.crt"].write_bytes(client.pem)
        made[f"{name}.pem"].write_bytes(client.key_pem)
    return made


def test_a8_a_secret_brings_a_verified_token(
    installation: Installation, app: dict[str, Any], run: Run
) -> None:
    installation.json("add_secret", app["appId"], "--name", "worker")
    code, answer = run()
    assert (code, answer["verdict"], answer["errorCode"]) == (0, "verified", 0)
    assert answer["claims"]["azp"] == app["appId"]
    assert answer["claims"]["azpacr"] == "1"
    assert answer["scope"] == app["scope"]
    assert answer["authority"] == app["authority"]


def test_b7_a_certificate_brings_one_in_both_shapes(
    installation: Installation, app: dict[str, Any], run: Run, files: dict[str, Path]
) -> None:
    installation.json(
        "add_certificate", app["appId"], str(files["server.crt"]), "--private-key", str(files["server.pem"])
    )
    code, answer = run()
    assert code == 0
    assert [(item["shape"], item["verdict"]) for item in answer["shapes"]] == [
        ("thumbprint", "verified"),
        ("public-certificate", "verified"),
    ]
    assert answer["claims"]["azpacr"] == "2"


def test_w5_graph_gives_a_v1_token_that_is_verified_too(
    installation: Installation, app: dict[str, Any], run: Run
) -> None:
    installation.json("add_secret", app["appId"])
    code, answer = run("--scope", "https://graph.microsoft.com/.default")
    assert (code, answer["claims"]["ver"]) == (0, "1.0")


def test_a_key_not_kept_comes_from_a_file(
    installation: Installation, app: dict[str, Any], run: Run, files: dict[str, Path]
) -> None:
    installation.json("add_certificate", app["appId"], str(files["server.crt"]))
    without = installation.manage("test_token", app["appId"])
    assert without.returncode == 1
    assert "--private-key" in without.stderr
    assert run("--private-key", str(files["server.pem"]))[0] == 0


def test_b10_another_key_is_refused_and_explained(
    installation: Installation, app: dict[str, Any], run: Run, files: dict[str, Path]
) -> None:
    installation.json("add_certificate", app["appId"], str(files["server.crt"]))
    code, answer = run("--private-key", str(files["other.pem"]))
    assert (code, answer["errorCode"], answer["diagnosis"]["cause"]) == (1, 700027, "key-mismatch")


def test_a9_the_secret_id_as_value(
    installation: Installation, app: dict[str, Any], run: Run, tmp_path: Path
) -> None:
    secret = installation.json("add_secret", app["appId"])
    file = tmp_path / "value"
    file.write_text(secret["keyId"] + "\n")
    code, answer = run("--key-id", secret["keyId"], "--secret-file", str(file))
    assert (code, answer["errorCode"], answer["diagnosis"]["cause"]) == (1, 7000215, "secret-id-pasted")


def test_a11_an_expired_secret(installation: Installation, app: dict[str, Any], run: Run) -> None:
    secret = installation.json(
        "add_secret", app["appId"], "--start", "2026-01-01T00:00:00Z", "--end", "2026-01-02T00:00:00Z"
    )
    code, answer = run("--key-id", secret["keyId"])
    assert (code, answer["errorCode"], answer["diagnosis"]["cause"]) == (1, 7000222, "secret-expired")


@pytest.mark.parametrize(
    ("scope", "error", "cause"),
    [
        ("https://graph.microsoft.com/User.Read", 1002012, "scope-form"),
        ("api://nobody-has-this-name/.default", 500011, "resource-unknown"),
        ("api://a/.default api://b/.default", 28000, "scope-form"),
    ],
)
def test_a_bad_scope(
    installation: Installation, app: dict[str, Any], run: Run, scope: str, error: int, cause: str
) -> None:
    installation.json("add_secret", app["appId"])
    code, answer = run("--scope", scope)
    assert (code, answer["errorCode"], answer["diagnosis"]["cause"]) == (1, error, cause)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["11111111-2222-4333-8444-555555555555"], "No application has the application (client) ID"),
        (["nonsense"], "No application has the application (client) ID"),
        (["APP"], "No live credential of this application can run by itself"),
        (["APP", "--key-id", "11111111-2222-4333-8444-555555555555"], "no credential with the ID"),
        (["APP", "--key-id", "nonsense"], "no credential with the ID"),
        (["APP", "--private-key", "/nonexistent"], "cannot be read"),
        (["APP", "--secret-file", "/dev/zero"], "larger than 64 KB"),
    ],
)
def test_bad_arguments_are_told_in_words(
    installation: Installation, app: dict[str, Any], arguments: list[str], sentence: str
) -> None:
    done = installation.manage("test_token", *[app["appId"] if word == "APP" else word for word in arguments])
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_when_nothing_is_serving_the_command_says_so(fresh_installation: InstallationFactory) -> None:
    quiet = fresh_installation(start=False)
    assert quiet.manage("prepare").returncode == 0
    app = quiet.json("register_app", "Quiet")
    quiet.json("add_secret", app["appId"])
    done = quiet.manage("test_token", app["appId"])
    assert done.returncode == 1
    assert f"nothing answers at localhost:{quiet.authority_port}" in done.stderr
    assert "Start the server" in done.stderr


# ---------------------------------------------------------------- the ready programs
PROBE = """
import json, sys
from credmgr.portal.snippets import snippets_for
from credmgr.registrations.models import Application
application = Application.objects.select_related("tenant").get(client_id=sys.argv[-1])
print(json.dumps({item.key: item.text for item in snippets_for(application)}))
"""


@pytest.fixture
def programs(installation: Installation, app: dict[str, Any], files: dict[str, Path]) -> dict[str, str]:
    """The texts that the page shows, rendered with the running installation's settings."""
    installation.json("add_certificate", app["appId"], str(files["server.crt"]))
    source = PROBE.replace("sys.argv[-1]", repr(app["appId"]))
    done = installation.manage("shell", "--no-imports", "-c", source)
    assert done.returncode == 0, done.stderr
    texts: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return texts


def execute(text: str, folder: Path, given: str = "") -> "subprocess.CompletedProcess[str]":
    """Run a program as a person would: saved to a file, in a process of its own, REQUESTS_CA_BUNDLE set."""
    file = folder / "program.py"
    file.write_text(text)
    environment = {
        **os.environ,
        "REQUESTS_CA_BUNDLE": "/nonexistent.pem",
        "CURL_CA_BUNDLE": "/nonexistent.pem",
    }
    return subprocess.run(
        [sys.executable, "-I", str(file)],
        input=given,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_p12_every_program_shown_works_as_it_stands(
    installation: Installation, app: dict[str, Any], programs: dict[str, str], tmp_path: Path
) -> None:
    value = installation.json("add_secret", app["appId"])["secretText"]
    assert set(programs) == {"secret", "thumbprint", "certificate", "api"}
    tokens = []
    for key, given in (("secret", value + "\n"), ("thumbprint", ""), ("certificate", "")):
        done = execute(programs[key], tmp_path, given)
        assert done.returncode == 0, (key, done.stderr)
        tokens.append(done.stdout.strip())
    for token in tokens:
        checked = execute(programs["api"], tmp_path, token + "\n")
        assert checked.returncode == 0, checked.stderr
        assert f"Caller: {app['appId']}" in checked.stdout


def test_the_programs_say_why_they_fail(
    installation: Installation, app: dict[str, Any], programs: dict[str, str], tmp_path: Path
) -> None:
    installation.json("add_secret", app["appId"])
    done = execute(programs["secret"], tmp_path, "wrong\n")
    assert done.returncode == 1
    assert "AADSTS7000215" in done.stderr


def test_the_apis_program_refuses_what_is_not_for_it(
    installation: Installation, app: dict[str, Any], programs: dict[str, str], tmp_path: Path
) -> None:
    """A token of the same authority for another audience, a bent signature, an unsigned token."""
    value = installation.json("add_secret", app["appId"])["secretText"]
    graph = programs["secret"].replace(json.dumps(app["scope"]), '"https://graph.microsoft.com/.default"')
    foreign = execute(graph, tmp_path, value + "\n").stdout.strip()
    own = execute(programs["secret"], tmp_path, value + "\n").stdout.strip()
    head, body, signature = own.split(".")
    bent = f"{head}.{body}.{signature[:-8]}{'A' * 8}"
    unsigned = f"eyJhbGciOiJub25lIn0.{body}."
    for token in (foreign, bent, unsigned):
        done = execute(programs["api"], tmp_path, token + "\n")
        assert done.returncode == 1, done.stdout
        assert "Refused" in done.stderr
