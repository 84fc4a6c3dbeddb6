"""P12: every program of "Use it from your code" that can run here, run exactly as it is shown."""

import json
import re
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.clients.conftest import assert_token
from tests.clients.programs.assertion import make_assertion
from tests.clients.programs_shown import ProgramsShown, show_programs
from tests.clients.stage import Stage
from tests.clients.test_node import node

BY_SECRET = [
    "msal-python/secret",
    "azure-identity-python/secret",
    "azure-identity-python/async",
    "msal-node/secret",
    "azure-identity-node/secret",
]
BY_CERTIFICATE = [
    "msal-python/thumbprint",
    "msal-python/certificate",
    "azure-identity-python/certificate",
    "msal-node/certificate",
    "azure-identity-node/certificate",
]
ELSEWHERE = [
    # Run by tests of their own below, or by test_azure_cli.
    "curl/secret",
    "curl-assertion/certificate",
    "environment/secret",
    "environment/certificate",
    "environment/program",
    "github-actions/workflow",
    "api/api",
    "az/secret",
    "az/certificate",
]
# No toolchain of theirs is asked for: their texts are compared with the published interfaces by people.
NOT_RUN = [f"msal-{each}/{kind}" for each in ("dotnet", "java", "go") for kind in ("secret", "certificate")]


@pytest.fixture(scope="session")
def shown(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> ProgramsShown:
    """The programs as the running installation shows them."""
    return show_programs(stage, tmp_path_factory.mktemp("programs"))


def secret_line(stage: Stage) -> str:
    """As a file with the value would hold it."""
    return stage.facts["secret"] + "\n"


def skip_without_node(name: str) -> None:
    """Node's programs need Node."""
    if "node" in name:
        node()


def test_every_program_is_accounted_for(shown: ProgramsShown) -> None:
    assert sorted(shown.texts) == sorted([*BY_SECRET, *BY_CERTIFICATE, *ELSEWHERE, *NOT_RUN])


@pytest.mark.parametrize("name", BY_SECRET)
def test_a_program_with_a_secret(shown: ProgramsShown, stage: Stage, name: str) -> None:
    skip_without_node(name)
    done = shown.run(name, secret_line(stage))
    assert done.returncode == 0, done.stderr
    assert_token({"token": done.stdout.strip()}, stage, by_assertion=False)


@pytest.mark.parametrize("name", BY_CERTIFICATE)
def test_a_program_with_a_certificate(shown: ProgramsShown, stage: Stage, name: str) -> None:
    skip_without_node(name)
    done = shown.run(name)
    assert done.returncode == 0, done.stderr
    assert_token({"token": done.stdout.strip()}, stage, by_assertion=True)


@pytest.mark.parametrize("name", [*BY_SECRET, "curl/secret"])
def test_a_program_says_why_it_fails(shown: ProgramsShown, name: str) -> None:
    skip_without_node(name)
    done = shown.run(name, "wrong\n")
    assert done.returncode != 0
    assert "AADSTS7000215" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def answered(done: "subprocess.CompletedProcess[str]") -> dict[str, str]:
    """The token of a token answer."""
    assert done.returncode == 0, done.stdout + done.stderr
    return {"token": json.loads(done.stdout)["access_token"]}


@pytest.mark.parametrize("ending", ["\n", ""])
def test_curl_with_a_secret(shown: ProgramsShown, stage: Stage, ending: str) -> None:
    """With and without a line break at the end of the file. The value stands on no command line."""
    done = shown.run("curl/secret", stage.facts["secret"] + ending)
    assert_token(answered(done), stage, by_assertion=False)
    calls = shown.calls_file.read_text()
    assert "--data-urlencode client_secret@-" in calls
    assert stage.facts["secret"] not in calls


def test_curl_with_an_assertion_by_openssl(shown: ProgramsShown, stage: Stage) -> None:
    done = shown.run("curl-assertion/certificate")
    assert_token(answered(done), stage, by_assertion=True)
    calls = shown.calls_file.read_text()
    assert "rsa_padding_mode:pss" in calls
    assert not re.search(r"eyJ[\w-]+\.eyJ[\w-]+\.", calls)


@pytest.mark.parametrize("kind", ["secret", "certificate"])
def test_the_environment_and_the_program_that_reads_it(shown: ProgramsShown, stage: Stage, kind: str) -> None:
    """The lines are read by the shell that then starts the program."""
    lines, program = shown.save(f"environment/{kind}"), shown.save("environment/program")
    command = ["bash", "-c", f'. {lines} && exec "$PYTHON" -I {program}']
    done = shown.call(command, secret_line(stage), {"PYTHON": sys.executable})
    assert done.returncode == 0, done.stderr
    assert_token({"token": done.stdout.strip()}, stage, by_assertion=kind == "certificate")


# ---------------------------------------------------------------- GitHub Actions
@pytest.fixture
def github(stage: Stage) -> Iterator[str]:
    """Stands for GitHub's token service; the token is an assertion that this authority trusts."""
    asked: list[tuple[str, str]] = []

    class Service(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["Authorization"]))
            body = json.dumps({"count": 1, "value": make_assertion(stage.facts)}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/token?api-version=2.0"
    server.shutdown()
    server.server_close()
    path, authorization = asked[0]
    assert path.lower().endswith("&audience=api%3a%2f%2fazureadtokenexchange")
    assert authorization == "Bearer of-the-job"


def test_the_workflows_step(shown: ProgramsShown, stage: Stage, github: str) -> None:
    """The step's own lines with the step's own variables, as a runner starts them."""
    head, script = shown.texts["github-actions/workflow"][1].split("        run: |\n")
    variables = dict(re.findall(r'^          ([A-Z_]+): "(.*)"$', head, re.MULTILINE))
    assert set(variables) == {"CLIENT_ID", "TOKEN_ENDPOINT", "SCOPE", "CA_FILE"}
    output = shown.folder / "github-env"
    runner = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": github,
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-job",
        "GITHUB_ENV": str(output),
    }
    command = ["bash", "--noprofile", "--norc", "-c", textwrap.dedent(script)]
    done = shown.call(command, environment={**variables, **runner})
    assert done.returncode == 0, done.stdout + done.stderr
    name, _, token = output.read_text().strip().partition("=")
    assert name == "ACCESS_TOKEN"
    assert done.stdout == f"::add-mask::{token}\n"
    assert_token({"token": token}, stage, by_assertion=True)
    calls = shown.calls_file.read_text()
    assert "of-the-job" not in calls
    assert not re.search(r"eyJ[\w-]+\.eyJ[\w-]+\.", calls)


# ---------------------------------------------------------------- the other side
def test_the_apis_program_takes_every_clients_token(shown: ProgramsShown, stage: Stage) -> None:
    for name, given in (("msal-python/secret", secret_line(stage)), ("msal-python/certificate", "")):
        done = shown.run("api/api", shown.run(name, given).stdout)
        assert done.returncode == 0, done.stderr
        assert f"Caller: {stage.facts['client_id']}" in done.stdout


def test_the_apis_program_refuses_what_is_not_for_it(shown: ProgramsShown, stage: Stage) -> None:
    """A token of the same authority for another audience, a bent signature, an unsigned token."""
    name, given = "msal-python/secret", secret_line(stage)
    text = shown.texts[name][1].replace(f'"{stage.facts["scope"]}"', '"https://graph.microsoft.com/.default"')
    foreign = shown.run(name, given, text).stdout.strip()
    own = shown.run(name, given).stdout.strip()
    head, body, signature = own.split(".")
    bent = f"{head}.{body}.{signature[:-8]}{'A' * 8}"
    unsigned = f"eyJhbGciOiJub25lIn0.{body}."
    assert foreign != own
    for token in (foreign, bent, unsigned):
        done = shown.run("api/api", token + "\n")
        assert done.returncode == 1, done.stdout
        assert "Refused" in done.stderr
