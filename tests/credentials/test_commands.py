"""The commands for scripts: exact JSON, sentences on stderr, exit code 1, the value once on stdout."""

import getpass
import json
import re
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from credmgr.accounts.models import User
from credmgr.audit.models import AuditEvent, SignIn
from credmgr.credentials.certificates import open_private_key
from credmgr.credentials.client_secrets import match_secret, open_value
from credmgr.credentials.lifecycle import end_of
from credmgr.credentials.models import Certificate, ClientSecret
from credmgr.registrations.deleting import delete_application
from credmgr.registrations.models import Application
from tests.credentials import making
from tests.factories import COMMAND, NOW, PASTED, application, elsewhere, person

pytestmark = pytest.mark.django_db
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
VALUE = re.compile(r"[0-9A-Za-z]{3}_cm_[0-9A-Za-z]{37}")
TENANT = "2b0f2b5e-6c2f-4b0e-9d5a-0b1c2d3e4f50"
CLIENT = "6f2f4a6e-9f2c-4d0b-8a51-1c6f3f0a7e11"
ISSUER = "https://idp.example.com"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run() -> Run:
    """Runs a command with its arguments as typed; gives (exit code, standard output, standard error)."""

    def call(name: str, *arguments: object) -> tuple[int, str, str]:
        out, err = StringIO(), StringIO()
        try:
            call_command(name, *map(str, arguments), stdout=out, stderr=err, skip_checks=True)
        except CommandError as refused:
            return refused.returncode, out.getvalue(), f"{err.getvalue()}{refused}"
        return 0, out.getvalue(), err.getvalue()

    return call


@pytest.fixture
def answer(run: Run):
    """The parsed JSON of a command that succeeds."""

    def call(*arguments: str) -> Any:
        code, out, err = run(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    return call


@pytest.fixture
def refusal(run: Run):
    """The sentence of a command that is refused; nothing on standard output."""

    def call(*arguments: str) -> str:
        code, out, err = run(*arguments)
        assert (code, out) == (1, "")
        assert "Traceback" not in err
        return err.strip()

    return call


def test_register_app(answer):
    told = answer("register_app", "Harbor Sync Worker", "--identifier-uri", "api://harbor")
    app = Application.objects.get()
    assert told == {
        "tenantId": str(app.tenant_id),
        "appId": str(app.client_id),
        "id": str(app.pk),
        "displayName": "Harbor Sync Worker",
        "livesAt": "Built-in authority",
        "authority": f"https://localhost:8443/{app.tenant_id}",
    }
    assert AuditEvent.objects.get().actor_name == f"Command line ({getpass.getuser()})"


def test_register_app_is_refused_in_a_sentence(refusal):
    assert refusal("register_app", "") == "Enter a name."
    assert "Remove it." in refusal("register_app", "x", "--identifier-uri", "api://x/")
    application("First", identifier_uri="api://taken")
    assert "First already has this URI" in refusal("register_app", "x", "--identifier-uri", "api://taken")
    assert Application.objects.count() == 1


def test_register_app_elsewhere(answer, refusal, run):
    told = answer(
        "register_app", "Ledger", "--entra", "us-government", "--tenant", TENANT, "--client-id", CLIENT
    )
    app = Application.objects.get()
    assert told == {
        "tenantId": TENANT,
        "appId": CLIENT,
        "id": str(app.pk),
        "displayName": "Ledger",
        "livesAt": "Entra ID, US Government",
        "authority": f"https://login.microsoftonline.us/{TENANT}",
    }
    told = answer("register_app", "Other", "--issuer", f"{ISSUER}/", "--client-id", "worker")
    assert (told["tenantId"], told["appId"], told["authority"]) == (None, "worker", f"{ISSUER}/")
    _, out, _ = run("register_app", "Third", "--issuer", ISSUER, "--client-id", "worker")
    assert "tenant" not in out
    assert f"Authority:               {ISSUER}" in out
    for arguments, words in [
        (("--entra", "public", "--issuer", ISSUER), "not both"),
        (("--tenant", TENANT), "--tenant goes with --entra"),
        (("--client-id", CLIENT), "goes with --entra or --issuer"),
        (("--issuer", ISSUER, "--client-id", "c", "--multitenant"), "live here"),
        (("--issuer", ISSUER), "Enter the client ID."),
        (("--entra", "public", "--client-id", CLIENT), "Enter the directory (tenant) ID"),
        (("--issuer", ISSUER, "--client-id", "worker"), "Third already stands"),
    ]:
        assert words in refusal("register_app", "x", *arguments), arguments
    assert Application.objects.count() == 3


def test_an_existing_secret_comes_from_a_file_or_standard_input(answer, run, refusal, tmp_path, monkeypatch):
    app = elsewhere()
    file = tmp_path / "value"
    file.write_text(f"{PASTED}\n")
    code, out, err = run("add_secret", app.external_client_id.upper(), "--value-file", file, "--name", "prod")
    assert (code, err, "Ends:      not known" in out) == (0, "", True)
    assert PASTED not in out
    row = ClientSecret.objects.get()
    assert (open_value(row), row.description, row.end_at) == (PASTED, "prod", None)
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(f"{PASTED}2\r\n".encode())))
    told = answer("add_secret", str(app.pk), "--value-file", "-", "--end", "2099-01-01")
    assert list(told) == ["keyId", "hint", "startDateTime", "endDateTime"]
    assert told["endDateTime"] == "2099-01-01T00:00:00Z"
    assert open_value(ClientSecret.objects.get(pk=told["keyId"])) == f"{PASTED}2"
    assert "Give the value of one with --value-file." in refusal("add_secret", str(app.pk))
    assert "here already" in refusal("add_secret", str(app.pk), "--value-file", str(file))
    assert "--verify-only" in refusal("add_secret", str(app.pk), "--value-file", str(file), "--verify-only")
    assert "cannot be read" in refusal("add_secret", str(app.pk), "--value-file", str(tmp_path / "none"))
    file.write_bytes(b"\xff\xfe")
    assert "not UTF-8" in refusal("add_secret", str(app.pk), "--value-file", str(file))
    file.write_text(f" {PASTED}3 ")
    assert "white space" in refusal("add_secret", str(app.pk), "--value-file", str(file))
    told = answer("add_secret", str(app.pk), "--value-file", str(file), "--as-is", "--days", "10")
    assert open_value(ClientSecret.objects.get(pk=told["keyId"])) == f" {PASTED}3 "
    here = application()
    assert "lives here" in refusal("add_secret", str(here.client_id), "--value-file", str(file))


def test_a_client_id_of_elsewhere_names_a_registration_while_it_is_the_only_one(refusal, answer, tmp_path):
    file = tmp_path / "value"
    file.write_text(PASTED)
    one = elsewhere("One", issuer=ISSUER, client_id="worker")
    assert answer("add_secret", "worker", "--value-file", str(file))
    two = elsewhere("Two", issuer=f"{ISSUER}/other", client_id="worker")
    assert "2 registrations have the client ID worker" in refusal(
        "add_secret", "worker", "--value-file", str(file)
    )
    assert answer("add_secret", str(two.pk), "--value-file", str(file))
    delete_application(one, actor=COMMAND, now=NOW)
    assert "here already" in refusal("add_secret", "worker", "--value-file", str(file))
    delete_application(two, actor=COMMAND, now=NOW)
    assert "was deleted" in refusal("add_secret", "worker", "--value-file", str(file))
    # The GUIDs that it would have here name nothing.
    assert "There is no registration" in refusal("add_secret", str(two.client_id), "--value-file", str(file))


def test_add_secret_prints_the_value_once(answer):
    app = application()
    told = answer("add_secret", str(app.client_id), "--name", "worker", "--days", "90")
    assert list(told) == ["keyId", "hint", "secretText", "startDateTime", "endDateTime"]
    row = ClientSecret.objects.get(pk=told["keyId"])
    assert VALUE.fullmatch(told["secretText"])
    assert told["secretText"][:3] == told["hint"] == row.hint
    assert match_secret([row], told["secretText"], row.start_at).kind == "live"
    lasting = datetime.fromisoformat(told["endDateTime"]) - datetime.fromisoformat(told["startDateTime"])
    assert (lasting, row.description) == (timedelta(days=90), "worker")
    assert told["secretText"] not in str(list(AuditEvent.objects.values()))


def test_add_secret_for_people_and_by_object_id(run):
    app = application()
    code, out, err = run("add_secret", app.pk)
    assert (code, err, len(VALUE.findall(out))) == (0, "", 1)
    row = ClientSecret.objects.get()
    assert end_of(row) - row.start_at == timedelta(days=180)


def test_p2_an_end_in_the_past_is_set_and_said(run):
    """P2."""
    app = application()
    code, out, err = run(
        "add_secret", app.client_id, "--start", "2025-01-01", "--end", "2025-03-01T12:00:00+02:00", "--json"
    )
    assert (code, json.loads(out)["endDateTime"]) == (0, "2025-03-01T10:00:00Z")
    assert "ended on 2025-03-01T10:00:00Z: every sign-in with it is refused" in err
    assert not VALUE.search(err)


def test_verify_only_from_the_command_line(answer):
    app = application()
    answer("add_secret", app.client_id, "--verify-only")
    assert ClientSecret.objects.get().is_verify_only


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--days", "0"], "--days must be 1 or more"),
        (["--days", "100000000000000"], "--days must be 1 or more"),
        (["--days", "800"], "24 months at most"),
        (["--days", "5", "--end", "2027-01-01"], "not both"),
        (["--start", "soon"], "soon is not a date or time"),
        (["--end", "2026-13-01"], "2026-13-01 is not a date or time"),
        (["--end", "0001-01-01T00:00+14:00"], "is not a date or time"),
        (["--start", "9999-12-31"], "Check the year"),
        (["--start", "1900-01-01"], "before the year 2000"),
        (["--start", "2026-02-01", "--end", "2026-01-01"], "not after the start"),
        (["--name", "x" * 300], "Shorten it"),
    ],
)
def test_add_secret_is_refused_in_a_sentence(options, part, refusal):
    app = application()
    assert part in refusal("add_secret", app.client_id, *options)
    assert not ClientSecret.objects.exists()


@pytest.mark.parametrize("command", ["add_secret", "add_certificate"])
def test_an_unknown_or_deleted_registration(command, refusal, tmp_path: Path):
    app = application()
    rest = [tmp_path / "any"] if command == "add_certificate" else []
    for wrong in ("nonsense", "7feab92f-cb5b-426f-a4ce-20428398d805", str(app.client_id)[:-1]):
        assert "There is no registration with the application (client) ID" in refusal(command, wrong, *rest)
    delete_application(app, actor=COMMAND, now=NOW)
    assert "Harbor Sync Worker was deleted. Restore it first." in refusal(command, app.client_id, *rest)


def test_without_a_directory_the_sentence_says_how_to_get_one(refusal):
    assert "There is no directory yet" in refusal("list_apps")


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The seed's three files, and others made from them."""
    tmp_path = tmp_path_factory.mktemp("seed")
    making.run(
        tmp_path,
        making.SEED_COMMANDS + "openssl pkcs8 -topk8 -in server.pem -out locked.pem -passout pass:long-one\n"
        "openssl pkcs12 -export -inkey server.pem -in server.crt -out pair.pfx -passout pass:long-one\n"
        "openssl genrsa -out other.pem 2048\nprintf 'long-one\\n' > password\nprintf wrong > wrong\n",
    )
    return tmp_path


def test_add_certificate(answer, files: Path):
    app = application()
    told = answer("add_certificate", app.client_id, files / "server.crt")
    row = Certificate.objects.get()
    assert told == {
        "keyId": str(row.pk),
        "thumbprint": making.fingerprint(files / "server.crt", "sha1"),
        "thumbprintSha256": making.fingerprint(files / "server.crt", "sha256"),
        "startDateTime": row.start_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "endDateTime": row.end_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    assert GUID.fullmatch(told["keyId"])
    assert not row.has_private_key


@pytest.mark.parametrize(
    "arguments",
    [
        ["server.crt", "--private-key", "server.pem"],
        ["server.crt", "--private-key", "locked.pem", "--password-file", "password"],
        ["pair.pfx", "--private-key", "pair.pfx", "--password-file", "password"],
    ],
)
def test_add_certificate_with_its_key(arguments, answer, files: Path):
    app = application()
    answer("add_certificate", app.client_id, *(a if a.startswith("--") else files / a for a in arguments))
    row = Certificate.objects.get()
    assert open_private_key(row).startswith(b"-----BEGIN PRIVATE KEY-----")


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["server.pem"], "This file contains a private key."),
        (["server.pem"], "name its file with --private-key"),
        (["pair.pfx"], "This is a PKCS #12 file"),
        (["server.csr"], "This is a certificate signing request"),
        (["missing"], "missing cannot be read: No such file or directory"),
        (["."], "cannot be read: Is a directory"),
        (["server.crt", "--private-key", "other.pem"], "The key does not belong to this certificate."),
        (["server.crt", "--private-key", "locked.pem"], "This file needs its password."),
        (
            ["server.crt", "--private-key", "locked.pem", "--password-file", "wrong"],
            "The password does not open",
        ),
        (["server.crt", "--private-key", "locked.pem", "--password-file", "gone"], "gone cannot be read"),
    ],
)
def test_add_certificate_is_refused_in_a_sentence(arguments, part, refusal, files: Path):
    app = application()
    told = refusal(
        "add_certificate", app.client_id, *(a if a.startswith("--") else files / a for a in arguments)
    )
    assert part in told
    assert "long-one" not in told
    assert not Certificate.objects.exists()


def test_list_apps(answer, run):
    app = application()
    application("Other")
    delete_application(application("Gone"), actor=COMMAND, now=datetime.now(NOW.tzinfo))
    rows = answer("list_apps")
    assert [row["displayName"] for row in rows] == ["Harbor Sync Worker", "Other"]
    assert rows[0] | {"createdDateTime": ""} == {
        "appId": str(app.client_id),
        "id": str(app.pk),
        "displayName": "Harbor Sync Worker",
        "livesAt": "Built-in authority",
        "authority": f"https://localhost:8443/{app.tenant_id}",
        "createdDateTime": "",
        "deletedDateTime": None,
        "isDisabled": False,
        "status": "none",
        "credentials": "No credentials",
        "nearestEndDateTime": None,
        "secrets": 0,
        "certificates": 0,
        "owners": [],
    }
    assert [row["displayName"] for row in answer("list_apps", "--deleted")] == ["Gone"]
    assert [row["displayName"] for row in answer("list_apps", "--search", "other")] == ["Other"]
    code, out, _ = run("list_apps")
    assert (code, out.splitlines()[-1]) == (0, "2 registrations.")


# ---------------------------------------------------------------- demo data


def test_demo_data_shows_every_state_and_goes_without_a_trace(answer, refusal):
    robin = person()
    mine = application("Mine")
    told = answer("load_demo")
    assert told["loaded"] == len(told["applications"]) == 15
    demo = Application.objects.filter(is_demo=True)
    live = answer("list_apps")
    assert {row["status"] for row in live} == {"none", "no-live", "soon", "current", "current-expired"}
    assert {row["isDisabled"] for row in live} == {True, False}
    assert len(answer("list_apps", "--deleted")) == 2
    assert ClientSecret.objects.filter(value=None).exists()
    assert Certificate.objects.filter(key_type="EC").exists()
    assert Certificate.objects.exclude(private_key=None).exists()
    assert robin.owned_applications.filter(is_demo=True).exists()
    assert SignIn.objects.exclude(error_code=0).exists()
    assert "already" in refusal("load_demo")

    # An account would end the one-time set-up link, a counted registration would stop a newcomer.
    assert list(User.objects.all()) == [robin]
    assert not demo.exclude(created_by=None).exists()
    # The log is read by sequence, so that has to be the order of time; invented people are marked.
    times = list(SignIn.objects.order_by("sequence").values_list("at", flat=True))
    assert times == sorted(times)
    acted = AuditEvent.objects.exclude(actor_name=COMMAND.name).values_list("actor_name", flat=True)
    assert all(name.endswith(" (demo)") for name in acted)

    assert answer("load_demo", "--remove") == {"removed": 15}
    assert not demo.exists()
    assert not SignIn.objects.exists()
    assert not ClientSecret.objects.exists()
    assert list(Application.objects.all()) == [mine]
    assert answer("load_demo", "--remove") == {"removed": 0}
