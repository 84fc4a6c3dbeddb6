"""The tester against the running server: what works here works in code."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.flowtest.far_side import Client
from tests.installation import Installation, InstallationFactory

# Every row in one process of the installation: starting an interpreter costs more than the runs.
BATCH = """
import io, json, sys
from django.core.management import CommandError, call_command

def said(*arguments):
    out = io.StringIO()
    try:
        call_command(*arguments, stdout=out)
    except CommandError as error:
        return {"failed": True, "sentence": str(error), "answer": json.loads(out.getvalue() or "null")}
    return {"failed": False, "sentence": "", "answer": json.loads(out.getvalue() or "null")}

def made(*arguments):
    return said(*arguments, "--json")["answer"]

folder = FOLDER
def app(name):
    return made("register_app", name, "--identifier-uri", "api://" + name)["appId"]

secret_app, certificate_app = app("flow-secret"), app("flow-certificate")
bare_app, mixed_app = app("flow-bare"), app("flow-mixed")
secret = made("add_secret", secret_app, "--name", "worker")
expired = made("add_secret", secret_app, "--start", "2026-01-01T00:00:00Z", "--end", "2026-01-02T00:00:00Z")
made("add_certificate", certificate_app, folder + "/server.crt", "--private-key", folder + "/server.pem")
made("add_certificate", mixed_app, folder + "/server.crt")
open(folder + "/id", "w").write(secret["keyId"] + "\\n")
def token(*arguments):
    return said("test_token", *arguments, "--json")
unknown = "11111111-2222-4333-8444-555555555555"
rows = {
    "apps": {"secret": secret_app},
    "secret": token(secret_app),
    "graph": token(secret_app, "--scope", "https://graph.microsoft.com/.default"),
    "certificate": token(certificate_app),
    "key from a file": token(mixed_app, "--private-key", folder + "/server.pem"),
    "another key": token(mixed_app, "--private-key", folder + "/other.pem"),
    "secret id": token(secret_app, "--key-id", secret["keyId"], "--secret-file", folder + "/id"),
    "expired": token(secret_app, "--key-id", expired["keyId"]),
    "not default": token(secret_app, "--scope", "https://graph.microsoft.com/User.Read"),
    "no resource": token(secret_app, "--scope", "api://nobody-has-this-name/.default"),
    "two scopes": token(secret_app, "--scope", "api://a/.default api://b/.default"),
    "unknown app": token(unknown),
    "nonsense app": token("nonsense"),
    "nothing to test": token(bare_app),
    "unknown key id": token(secret_app, "--key-id", unknown),
    "nonsense key id": token(secret_app, "--key-id", "nonsense"),
    "no file": token(secret_app, "--private-key", "/nonexistent"),
    "endless file": token(secret_app, "--secret-file", "/dev/zero"),
    "key needed": token(mixed_app),
}
print(json.dumps(rows))
"""


@pytest.fixture(scope="session")
def rows(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What test_token said in every case, by the case's name."""
    folder = tmp_path_factory.mktemp("files")
    write_files(folder)
    done = installation.manage("shell", "--no-imports", "-c", BATCH.replace("FOLDER", repr(str(folder))))
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answers


def write_files(folder: Path) -> None:
    """Two pairs of key and certificate, named as the documentation's commands name them."""
    for number, name in ((1, "server"), (2, "other")):
        client = Client(number=number)
        (folder / f"{name}.crt").write_bytes(client.pem)
        (folder / f"{name}.pem").write_bytes(client.key_pem)


def test_a8_a_secret_brings_a_verified_token(rows: dict[str, Any], installation: Installation) -> None:
    assert not rows["secret"]["failed"]
    answer = rows["secret"]["answer"]
    assert (answer["verdict"], answer["errorCode"]) == ("verified", 0)
    assert answer["claims"]["azp"] == rows["apps"]["secret"]
    assert answer["claims"]["azpacr"] == "1"
    assert answer["scope"] == "api://flow-secret/.default"
    assert answer["authority"] == f"{installation.authority_url}/{answer['claims']['tid']}"


def test_w5_graph_gives_a_v1_token_that_is_verified_too(rows: dict[str, Any]) -> None:
    assert not rows["graph"]["failed"]
    assert rows["graph"]["answer"]["claims"]["ver"] == "1.0"


def test_b7_a_certificate_brings_one_in_both_shapes(rows: dict[str, Any]) -> None:
    assert not rows["certificate"]["failed"]
    answer = rows["certificate"]["answer"]
    assert [(item["shape"], item["verdict"]) for item in answer["shapes"]] == [
        ("thumbprint", "verified"),
        ("public-certificate", "verified"),
    ]
    assert answer["claims"]["azpacr"] == "2"


def test_a_key_not_kept_comes_from_a_file(rows: dict[str, Any]) -> None:
    assert not rows["key from a file"]["failed"]
    assert rows["key needed"]["failed"]
    assert "--private-key" in rows["key needed"]["sentence"]


@pytest.mark.parametrize(
    ("row", "error", "cause"),
    [
        ("another key", 700027, "key-mismatch"),  # B10
        ("secret id", 7000215, "secret-id-pasted"),  # A9
        ("expired", 7000222, "secret-expired"),  # A11
        ("not default", 1002012, "scope-form"),
        ("no resource", 500011, "resource-unknown"),
        ("two scopes", 28000, "scope-form"),
    ],
)
def test_refusals_are_explained(rows: dict[str, Any], row: str, error: int, cause: str) -> None:
    answer = rows[row]["answer"]
    assert rows[row]["failed"]
    assert (answer["verdict"], answer["errorCode"]) == ("refused", error)
    assert answer["diagnosis"]["cause"] == cause
    assert rows[row]["sentence"].startswith(answer["diagnosis"]["headline"])


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("unknown app", "There is no registration with the application (client) ID"),
        ("nonsense app", "There is no registration with the application (client) ID"),
        ("nothing to test", "No live credential of this application can run by itself"),
        ("unknown key id", "no credential with the ID"),
        ("nonsense key id", "no credential with the ID"),
        ("no file", "cannot be read"),
        ("endless file", "larger than 64 KB"),
    ],
)
def test_bad_arguments_are_told_in_words(rows: dict[str, Any], row: str, sentence: str) -> None:
    assert rows[row]["failed"]
    assert rows[row]["answer"] is None
    assert sentence in rows[row]["sentence"]


def test_the_exit_code_is_0_only_with_a_verified_token(
    rows: dict[str, Any], installation: Installation
) -> None:
    good = installation.manage("test_token", rows["apps"]["secret"])
    bad = installation.manage("test_token", rows["apps"]["secret"], "--scope", "nonsense")
    assert (good.returncode, bad.returncode) == (0, 1)
    assert "Token acquired and verified" in good.stdout
    assert "Traceback" not in bad.stderr


def test_when_nothing_is_serving_the_command_says_so(fresh_installation: InstallationFactory) -> None:
    quiet = fresh_installation(start=False, prepared=True)
    app = quiet.json("register_app", "Quiet")
    quiet.json("add_secret", app["appId"])
    done = quiet.manage("test_token", app["appId"])
    assert done.returncode == 1
    assert f"nothing answers at localhost:{quiet.authority_port}" in done.stderr
    assert "Start the server" in done.stderr
