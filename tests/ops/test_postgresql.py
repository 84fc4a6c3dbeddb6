"""What only PostgreSQL can show: several machines on one database, deadlocks, a database gone and back."""

import base64
import json
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.acceptance.portal_session import PortalSession
from tests.database import postgresql_only
from tests.installation import ROOT, Installation, InstallationFactory
from tests.ops.test_crashes import GRAPH, ask_for_token
from tests.ops.test_database_trouble import assert_plainly_unavailable, sign_in
from tests.ops.test_serve import get, wait_until

pytestmark = postgresql_only


# Each test stays below them but the one about them.
LIMITS = ("20", "3")


@pytest.fixture
def machines(fresh_installation: InstallationFactory) -> list[Installation]:
    """Two machines: `serve` twice, on ports and data folders of their own, with one database and key ring."""
    secrets, passwords = LIMITS
    first = fresh_installation(
        CREDMGR_WRONG_SECRETS_PER_MINUTE=secrets, CREDMGR_LOGIN_FAILURES_PER_ACCOUNT=passwords
    )
    second = fresh_installation(
        beside=first, CREDMGR_WRONG_SECRETS_PER_MINUTE=secrets, CREDMGR_LOGIN_FAILURES_PER_ACCOUNT=passwords
    )
    return [first, second]


def header_of(token: str) -> dict[str, Any]:
    """The first part of a JWT."""
    part = token.split(".")[0]
    header: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return header


def ask(one: Installation, tenant: str, app_id: str, secret: str) -> requests.Response:
    """One token request; asks nothing of the database itself."""
    form = {"grant_type": "client_credentials", "client_id": app_id, "client_secret": secret, "scope": GRAPH}
    return get(one, f"/{tenant}/oauth2/v2.0/token", method="POST", data=form)


def get_with(person: PortalSession, one: Installation) -> requests.Response:
    """A page of another machine with the same browser: a load balancer does this all the time."""
    cookie = {"Cookie": f"sessionid={person.http.cookies.get_dict()['sessionid']}"}
    return requests.get(f"{one.portal_url}/applications", headers=cookie, timeout=30, allow_redirects=False)


def waits_for_a_lock(one: Installation) -> bool:
    """Whether some connection of the server stands still at a lock."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return one.database.rows(waiting) != [(0,)]


def statuses(machines: list[Installation], app_id: str, secret: str, times: int = 8) -> set[int]:
    """What the token endpoints of all machines say, often enough for every worker to have been asked."""
    return {ask_for_token(one, app_id, secret).status_code for one in machines for _ in range(times)}


# ---------------------------------------------------------------- several machines


def test_what_one_machine_revokes_the_other_refuses_with_the_next_request(
    machines: list[Installation],
) -> None:
    """A-13, C-5 across machines: secret deleted, application disabled, each from either side."""
    first, second = machines
    app = first.json("register_app", "Shared")
    secret = second.json("add_secret", app["appId"])
    kept = first.json("add_secret", app["appId"])
    assert statuses(machines, app["appId"], secret["secretText"]) == {200}
    person = PortalSession(second.portal_url, second.admin_name, second.admin_password)
    path = f"/applications/{app['id']}"
    assert person.submit(f"{path}/credentials/secrets/{secret['keyId']}/delete", {}).status_code == 200
    assert statuses(machines, app["appId"], secret["secretText"]) == {401}
    assert statuses(machines, app["appId"], kept["secretText"]) == {200}
    other = PortalSession(first.portal_url, first.admin_name, first.admin_password)
    assert other.submit(f"{path}/disable", {}).status_code == 200
    for one in machines:
        answer = ask_for_token(one, app["appId"], kept["secretText"])
        assert answer.json()["error_codes"] == [7000112]


def test_sign_ins_of_both_stand_in_one_log(machines: list[Installation]) -> None:
    first = machines[0]
    app = first.json("register_app", "Logged")
    secret = first.json("add_secret", app["appId"])["secretText"]
    traces = [
        uuid.UUID(ask_for_token(one, app["appId"], secret).headers["x-ms-request-id"]).hex
        for one in machines
        for _ in range(3)
    ]
    stored = [row[0] for row in first.database.rows("SELECT trace_id FROM audit_signin ORDER BY sequence")]
    assert stored == traces
    for one in machines:
        page = PortalSession(one.portal_url, one.admin_name, one.admin_password).get("/sign-ins").text
        assert page.count("Logged") >= len(traces)


@pytest.mark.database
def test_limits_hold_for_all_machines_together(machines: list[Installation]) -> None:
    """C-2: wrong secrets of a client, and wrong passwords of a person, are counted in the database."""
    first, second = machines
    # The limit counts by the clock's minute: on its edge a second round is needed, with another client.
    for number in range(2):
        app = first.json("register_app", f"Guessed {number}")
        first.json("add_secret", app["appId"])
        codes = [ask_for_token(one, app["appId"], "wrong").status_code for _ in range(12) for one in machines]
        if codes[20:] == [429] * 4:
            break
    assert codes == [401] * 20 + [429] * 4
    first.admin_password += " is wrong"
    second.admin_password = first.admin_password
    answers = [sign_in(one).status_code for _ in range(2) for one in machines]
    assert answers == [200, 200, 200, 429]


def test_a_key_rolled_on_one_machine_signs_on_the_other(machines: list[Installation]) -> None:
    """C-5: both publish it, both sign with it, and a token of one is signed by a key that the other shows."""
    first, second = machines
    app = first.json("register_app", "Rolled")
    secret = first.json("add_secret", app["appId"])["secretText"]
    assert statuses(machines, app["appId"], secret) == {200}
    rolled = second.json("roll_signing_key", "--emergency")
    for one in machines:
        keys = get(one, f"/{one.tenant_id}/discovery/v2.0/keys").json()["keys"]
        assert [key["kid"] for key in keys] == [rolled["kid"]]
        token = ask_for_token(one, app["appId"], secret).json()["access_token"]
        assert header_of(token)["kid"] == rolled["kid"]


@pytest.mark.database
def test_acts_on_both_at_once_give_one_chain(machines: list[Installation]) -> None:
    """D-4: every secret added on either stands in the directory's one chain, without a gap."""
    app = machines[0].json("register_app", "Busy")

    # One after the other: sign-ins that are under way count as failures of the account until they succeed.
    people = [PortalSession(one.portal_url, one.admin_name, one.admin_password) for one in machines * 2]

    def work(person: PortalSession) -> None:
        for _ in range(5):
            path = f"/applications/{app['id']}/credentials/secrets/new"
            assert person.submit(path, {"expires": "180"}).status_code == 200

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, people))
    added = "SELECT count(*) FROM audit_auditevent WHERE tag = 'application:secret:added'"
    assert machines[0].database.rows(added) == [(20,)]
    heads = [one.json("verify_audit") for one in machines]
    assert heads[0] == heads[1]
    assert heads[0]["intact"]


def test_a_session_holds_on_both_and_ends_on_both(machines: list[Installation]) -> None:
    """Sessions lie in the database; machines that share a name share CREDMGR_SECRET_KEY."""
    first, second = machines
    person = PortalSession(first.portal_url, first.admin_name, first.admin_password)
    assert get_with(person, second).status_code == 200
    assert second.database.change("DELETE FROM accounts_session") == 1
    assert get_with(person, first).status_code == get_with(person, second).status_code == 302


@pytest.mark.database
def test_two_machines_prepare_a_new_database_at_once(fresh_installation: InstallationFactory) -> None:
    """One directory, one CA, one signing key; neither fails, though both find an empty database."""
    first = fresh_installation(start=False)
    assert first.manage("generate_vault_key").returncode == 0
    first.data_dir.mkdir(mode=0o700)
    ring = first.data_dir / "keyring"
    ring.touch(mode=0o600)
    ring.write_text(first.json("generate_vault_key")["key"] + "\n")
    (first.data_dir / "secret-key").touch(mode=0o600)
    (first.data_dir / "secret-key").write_text("k" * 64)
    second = fresh_installation(start=False, beside=first)
    running = [
        subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "prepare"],
            env=one.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for one in (first, second)
    ]
    for process in running:
        printed, _ = process.communicate(timeout=120)
        assert process.returncode == 0, printed
    for table in ("registrations_tenant", "localca_localauthority", "authority_signingkey"):
        assert first.database.rows(f"SELECT count(*) FROM {table}") == [(1,)], table  # noqa: S608
    for one in (first, second):
        one.start()
        assert get(one, "/health/ready").status_code == 200


# ---------------------------------------------------------------- conflicts


@pytest.mark.database
def test_a_deadlock_ends_in_an_answer_and_the_act_happens_once(
    fresh_installation: InstallationFactory,
) -> None:
    """C-3. The page holds the application and waits for the audit, a stranger the other way round."""
    one = fresh_installation()
    app = one.json("register_app", "Contended")
    person = PortalSession(one.portal_url, one.admin_name, one.admin_password)
    answers: list[requests.Response] = []
    page = threading.Thread(
        target=lambda: answers.append(person.submit(f"/applications/{app['id']}/disable", {}))
    )
    with one.database.connection() as stranger:
        stranger.execute("LOCK TABLE audit_auditevent IN SHARE MODE")
        page.start()
        wait_until(lambda: waits_for_a_lock(one))
        stranger.execute("SELECT 1 FROM registrations_application FOR UPDATE")
        stranger.rollback()
    page.join(60)
    assert [answer.status_code for answer in answers] == [200]
    assert "it is made again" in one.logs()
    disabled = "SELECT count(*) FROM audit_auditevent WHERE tag = 'application:disabled'"
    assert one.database.rows(disabled) == [(1,)]


# ---------------------------------------------------------------- trouble


@pytest.mark.database
def test_a_database_that_is_gone_and_back(fresh_installation: InstallationFactory) -> None:
    """C-7: 503 on every path, liveness stays, and all is well afterwards without a restart."""
    one = fresh_installation()
    app = one.json("register_app", "Patient")
    secret = one.json("add_secret", app["appId"])["secretText"]
    assert sign_in(one).status_code == 302
    tenant = one.tenant_id
    with one.database.gone():
        assert_plainly_unavailable(sign_in(one))
        refused = ask(one, tenant, app["appId"], secret)
        assert (refused.status_code, refused.json()["error_codes"]) == (503, [90033])
        assert get(one, "/health/live").status_code == 200
        ready = get(one, "/health/ready")
        assert (ready.status_code, ready.json()["checks"]["database"]) == (503, False)
        metrics = get(one, "/metrics")
        assert 'credmgr_ready{check="database"} 0' in metrics.text
        assert 'credmgr_token_requests_total{result="AADSTS90033"}' in metrics.text
    for _ in range(12):  # every worker has met it, and must have recovered
        assert ask(one, tenant, app["appId"], secret).status_code == 200
    assert sign_in(one).status_code == 302
    assert get(one, "/health/ready").status_code == 200


def test_a_server_that_cannot_be_reached_is_told_at_the_start(
    fresh_installation: InstallationFactory,
) -> None:
    one = fresh_installation(start=False)
    one.environment["DATABASE_URL"] = "postgres://credmgr:a-password-of-mine@/nothing?host=/nowhere"
    began = time.monotonic()
    for command in ("serve", "prepare"):
        done = one.manage(command)
        assert done.returncode == 1
        assert "The database cannot be used" in done.stderr
        assert "Traceback" not in done.stderr
        assert "a-password-of-mine" not in done.stdout + done.stderr
    assert time.monotonic() - began < 60


def test_checks_pass_before_the_first_start(fresh_installation: InstallationFactory) -> None:
    """`manage.py check` in a fresh checkout with an empty database; it makes nothing."""
    one = fresh_installation(start=False)
    done = one.manage("check")
    assert done.returncode == 0, done.stderr
    assert not one.data_dir.exists()


def test_nul_never_reaches_the_database(fresh_installation: InstallationFactory) -> None:
    """PostgreSQL takes no NUL in text: wherever text comes in, one is refused or dropped, never a 5xx."""
    one = fresh_installation()
    app = one.json("register_app", "Odd")
    secret = one.json("add_secret", app["appId"])["secretText"]
    person = PortalSession(one.portal_url, one.admin_name, one.admin_password)
    pages = [
        "/applications?search=a%00b",
        "/applications?status=%00&tab=%00&sort=%00&page=%00",
        "/sign-ins?search=%00&code=%00&result=%00&before=%00",
        "/audit?search=a%00b&activity=%00&after=%00",
        f"/applications/{app['id']}%00",
        "/aadsts?search=%00",
        "/applications/new?name=%00",
        "/account/setup/a%00b",
    ]
    for path in pages:
        assert person.get(path).status_code < 500, path
    session = person.http.cookies.get_dict()["sessionid"]
    cookie = {"Cookie": f'sessionid="{session[:12]}\\000{session[12:]}"'}
    assert requests.get(one.portal_url + "/applications", headers=cookie, timeout=10).status_code < 500
    form = person.submit("/applications/new", {"name": "a\0b", "display_name": "a\0b", "notes": "\0"})
    assert form.status_code < 500
    for field in ("client_id", "client_secret", "scope", "resource", "grant_type", "client_assertion"):
        changed = {
            "grant_type": "client_credentials",
            "client_id": app["appId"],
            "client_secret": secret,
            "scope": "https://graph.microsoft.com/.default",
        }
        changed[field] = changed.get(field, "") + "\0"
        for version in ("oauth2/v2.0/token", "oauth2/token"):
            answer = get(one, f"/{one.tenant_id}/{version}", method="POST", data=changed)
            assert answer.status_code < 500, (field, version, answer.text)
    assert get(one, "/a%00b.example/oauth2/v2.0/token", method="POST", data={}).status_code < 500
    assert get(one, "/a%00b.example/v2.0/.well-known/openid-configuration").status_code < 500
