"""The restore drill: a running installation, its backup, and an empty one that becomes it (C-6, C-8, K-8)."""

import base64
import json
import re
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.acceptance.conftest import make_seed_files
from tests.acceptance.portal_session import PortalSession
from tests.acceptance.test_canary import found_in
from tests.database import postgresql_only
from tests.installation import ROOT, Installation, InstallationFactory
from tests.ops.test_crashes import GRAPH, SECRET, ask_for_token
from tests.ops.test_serve import get

EXCHANGE = "api://AzureADTokenExchange/.default"
FILL = """
import json
from datetime import timedelta
from pathlib import Path
from django.utils import timezone
from credmgr.audit.recording import Actor
from credmgr.credentials.certificates import add_certificate
from credmgr.credentials.client_secrets import add_client_secret
from credmgr.credentials.federated import add_federated_credential
from credmgr.credentials.findings import examine
from credmgr.registrations.queries import default_tenant
from credmgr.registrations.registering import register_application
now, folder = timezone.now(), Path("{folder}")
by = dict(actor=Actor.command(), now=now)
app, trusting = (
    register_application(tenant=default_tenant(), display_name=name, **by) for name in ("Drill", "Trusting")
)
end = now + timedelta(days=9)
_, secret = add_client_secret(app, description="", start_at=now, end_at=end, verify_only=False, **by)
found = examine(
    app,
    certificate_file=(folder / "server.crt").read_bytes(),
    keep_private_key=True,
    key_file=(folder / "server.pem").read_bytes(),
    password="",
    now=now,
)
certificate = add_certificate(app, examination=found, description="", **by)
add_federated_credential(
    trusting,
    name="drill",
    issuer="{url}/" + str(app.tenant_id) + "/v2.0",
    subject=str(app.service_principal_id),
    **by,
)
ids = [dict(id=str(each.pk), appId=str(each.client_id)) for each in (app, trusting)]
print(json.dumps([*ids, secret, str(certificate.pk)]))
"""
PASSPHRASE = "canary passphrase of the drill 90125"


def manage(one: Installation, *arguments: str) -> str:
    """Run a command that must succeed; what it printed."""
    done = one.manage(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout + done.stderr)


def kill_in_the_middle(one: Installation, file: Path) -> None:
    """kill -9 of a restore that has begun to fill tables: no installation is left (C-6)."""
    command = [sys.executable, str(ROOT / "manage.py"), "restore", str(file)]
    with subprocess.Popen(command, env=one.environment, stderr=subprocess.PIPE) as running:
        assert running.stderr is not None
        assert running.stderr.readline()
        running.kill()
    assert not one.database.url or not one.database.rows(
        "SELECT 1 FROM information_schema.tables WHERE table_schema = 'public'"
    )
    assert not one.database.file.exists()


def federated(one: Installation, app_id: str, assertion: str) -> requests.Response:
    """A token request with an outside token."""
    form = {
        "grant_type": "client_credentials",
        "client_id": app_id,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
        "scope": GRAPH,
    }
    return get(one, f"/{one.tenant_id}/oauth2/v2.0/token", method="POST", data=form)


def passphrase_file(folder: Path) -> str:
    file = folder / "passphrase"
    file.write_text(f"{PASSPHRASE}\n")
    return str(file)


@pytest.fixture
def empty(fresh_installation: InstallationFactory) -> Callable[..., Installation]:
    """An installation that does not exist yet, on the ports of another that was stopped."""

    def make(like: Installation, *, with_keys: bool = True) -> Installation:
        made = fresh_installation(
            start=False,
            CREDMGR_PORTAL_PORT=str(like.portal_port),
            CREDMGR_AUTHORITY_PORT=str(like.authority_port),
        )
        made.portal_url, made.authority_url = like.portal_url, like.authority_url
        if with_keys:
            made.data_dir.mkdir(mode=0o700)
            shutil.copy2(like.data_dir / "keyring", made.data_dir / "keyring")
        return made

    return make


def test_c8_the_restore_drill(
    fresh_installation: InstallationFactory, empty: Callable[..., Installation], tmp_path: Path
) -> None:
    """A running installation full of secrets is backed up while it gives tokens and takes secrets; an empty
    one filled from the file gives tokens for every credential, and the file holds none of the planted values.
    """
    one = fresh_installation(CREDMGR_SECRETS_PER_APPLICATION="1000")
    person = PortalSession(one.portal_url, one.admin_name, one.admin_password)
    seed = make_seed_files(tmp_path / "seed")
    filled = one.manage("shell", "-v", "0", "-c", FILL.format(folder=seed.key.parent, url=one.authority_url))
    assert filled.returncode == 0, filled.stderr
    app, trusting, secret, certificate = json.loads(filled.stdout)

    given: list[str] = []
    surprises: list[str] = []
    over = threading.Event()

    def add_secrets() -> None:
        while not over.is_set():
            page = person.submit(f"/applications/{app['id']}/credentials/secrets/new", {"expires": "180"})
            given.extend(SECRET.findall(page.text)[:1])
            over.wait(0.05)  # a pause: the backup needs the processor too

    def take_tokens() -> None:
        while not over.is_set():
            if (status := ask_for_token(one, app["appId"], secret).status_code) != 200:
                surprises.append(str(status))
            over.wait(0.05)

    threads = [threading.Thread(target=work) for work in (add_secrets, take_tokens)]
    for thread in threads:
        thread.start()
    while len(given) < 3:
        time.sleep(0.05)
    before = list(given)
    file = tmp_path / "drill.backup"
    said = one.manage("backup", str(file), "--json")
    over.set()
    for thread in threads:
        thread.join(60)
    assert said.returncode == 0, said.stderr
    assert not surprises
    assert file.stat().st_mode & 0o777 == 0o600
    sealed = tmp_path / "sealed.backup"
    manage(one, "backup", str(sealed), "--with-keys", "--passphrase-file", passphrase_file(tmp_path))

    key_lines = [line for line in seed.key.read_text().splitlines() if not line.startswith("-----")]
    planted = {
        "secret": secret.encode(),
        "one of many": before[-1].encode(),
        "private key": key_lines[9].encode(),
        "key ring": (one.data_dir / "keyring").read_text().strip().rstrip("=").encode(),
        "session key": (one.data_dir / "secret-key").read_text().strip().encode(),
        "session": person.http.cookies.get_dict()["sessionid"].encode(),
        "passphrase": PASSPHRASE.encode(),
        "password": one.admin_password.encode(),
    }
    for made in (file, sealed):
        contents = [made.read_bytes()]
        with zipfile.ZipFile(made) as archive:
            contents += [archive.read(name) for name in archive.namelist()]
        assert not [name for content in contents for name in found_in(content, planted)]
    assert_every_file_has_its_place(one, file)

    old_token = ask_for_token(one, app["appId"], secret).json()["access_token"]
    one.stop()
    two = empty(one)
    kill_in_the_middle(two, file)
    assert "Restored into" in manage(two, "restore", str(file))
    counted = json.loads(said.stdout)["tables"]
    [[secrets]] = two.database.rows("SELECT count(*) FROM credentials_clientsecret")
    assert secrets == counted["credentials_clientsecret"] >= len(before) + 1
    assert two.database.rows("SELECT count(*) FROM accounts_session") == [(0,)]
    assert not [each for each in two.data_dir.rglob("*") if each.stat().st_mode & 0o077]

    two.start()
    for value in [secret, *before]:
        assert ask_for_token(two, app["appId"], value).status_code == 200
    tested = two.json("test_token", app["appId"], "--key-id", certificate, "--scope", GRAPH)
    assert tested["verdict"] == "verified", tested
    form = {"grant_type": "client_credentials", "client_id": app["appId"], "client_secret": secret}
    form["scope"] = EXCHANGE
    exchanged = get(two, f"/{two.tenant_id}/oauth2/v2.0/token", method="POST", data=form).json()
    assert federated(two, trusting["appId"], exchanged["access_token"]).status_code == 200
    keys = get(two, f"/{two.tenant_id}/discovery/v2.0/keys").json()["keys"]
    assert kid_of(old_token) in {key["kid"] for key in keys}, "tokens given before are not good any more"
    assert (two.data_dir / "tls" / "ca.pem").read_bytes() == (one.data_dir / "tls" / "ca.pem").read_bytes()
    columns = two.json("check_vault")["columns"]
    assert sum(each["good"] for each in columns) > 8
    assert not [each for each in columns if each["bad"]]
    manage(two, "verify_audit")
    PortalSession(two.portal_url, one.admin_name, one.admin_password)  # people and passwords are back
    events = two.database.rows(
        "SELECT tag FROM audit_auditevent WHERE object_type = 'backup' ORDER BY sequence"
    )
    assert events == [("installation:backup:made",), ("installation:backup:restored",)]
    two.stop()

    three = empty(one, with_keys=False)
    manage(three, "restore", str(sealed), "--passphrase-file", passphrase_file(tmp_path))
    for name in ("keyring", "secret-key"):
        assert (three.data_dir / name).read_text().strip() == (one.data_dir / name).read_text().strip()


@postgresql_only
@pytest.mark.parametrize("way", ["to PostgreSQL", "from PostgreSQL"])
def test_a_backup_of_one_database_is_restored_into_the_other(
    fresh_installation: InstallationFactory, empty: Callable[..., Installation], tmp_path: Path, way: str
) -> None:
    """As docs/operations.md promises: tokens, people, sealed values and the chain of the audit move along."""
    one = fresh_installation(start=False)
    if way == "to PostgreSQL":
        one.use_database("")
    one.start()
    one.create_admin()
    seed = make_seed_files(tmp_path / "seed")
    filled = one.manage("shell", "-v", "0", "-c", FILL.format(folder=seed.key.parent, url=one.authority_url))
    assert filled.returncode == 0, filled.stderr
    app, _, secret, certificate = json.loads(filled.stdout)
    assert ask_for_token(one, app["appId"], secret).status_code == 200
    manage(one, "backup", str(tmp_path / "moving.backup"))
    before = {each["chain"]: each["entries"] for each in one.json("verify_audit")["chains"]}
    sign_ins = one.database.rows("SELECT trace_id, sequence FROM audit_signin ORDER BY sequence")
    one.stop()

    two = empty(one)
    if way == "from PostgreSQL":
        two.use_database("")
    assert two.database.url != one.database.url
    manage(two, "restore", str(tmp_path / "moving.backup"))
    assert two.database.rows("SELECT trace_id, sequence FROM audit_signin ORDER BY sequence") == sign_ins
    two.start()
    assert ask_for_token(two, app["appId"], secret).status_code == 200
    tested = two.json("test_token", app["appId"], "--key-id", certificate, "--scope", GRAPH)
    assert tested["verdict"] == "verified", tested
    person = PortalSession(two.portal_url, one.admin_name, one.admin_password)
    # New rows go on where the old ones end: the counters of the tables came along.
    added = person.submit(f"/applications/{app['id']}/credentials/secrets/new", {"expires": "180"})
    assert ask_for_token(two, app["appId"], SECRET.findall(added.text)[0]).status_code == 200
    assert not [each for each in two.json("check_vault")["columns"] if each["bad"]]
    verified = two.json("verify_audit")
    assert verified["intact"]
    after = {each["chain"]: each["entries"] for each in verified["chains"]}
    assert all(after[chain] >= entries for chain, entries in before.items())
    assert sum(after.values()) > sum(before.values())


def kid_of(token: str) -> str:
    """The key that signed a token."""
    part = token.split(".")[0]
    return str(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["kid"])


def assert_every_file_has_its_place(one: Installation, backup: Path) -> None:
    """What lies in the data folder is in the backup, or left out on purpose: nothing new is forgotten."""
    left_out = (
        re.compile(  # keys, the database itself, locks, counts since the last start, what is made again
            r"credmgr\.sqlite3(-wal|-shm)?|keyring|secret-key|\w+\.lock|measures/.*|tls/ca-bundle\.pem"
        )
    )
    files = {str(each.relative_to(one.data_dir)) for each in one.data_dir.rglob("*") if each.is_file()}
    with zipfile.ZipFile(backup) as archive:
        assert {name for name in files if not left_out.fullmatch(name)} <= set(archive.namelist())
