"""A-12: directories that take each client assertion once."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate
from django.db import OperationalError
from django.utils import timezone

from credmgr.audit.events import EventTag
from credmgr.audit.models import AuditEvent
from credmgr.audit.recording import Actor
from credmgr.authority import used_assertions
from credmgr.authority.models import UsedAssertion
from credmgr.registrations.directory_rules import set_single_use_assertions
from credmgr.registrations.errors import RegistrationError
from credmgr.registrations.models import Tenant
from tests.authority.assertion_maker import TYPE, KeyPair, b64, claims_of, compact
from tests.authority.conftest import GRAPH, Directory
from tests.installation import InstallationFactory

pytestmark = pytest.mark.database


def switch(tenant: Tenant, *, enabled: bool) -> Tenant:
    """The act."""
    return set_single_use_assertions(
        tenant, enabled=enabled, expected_version=tenant.version, actor=Actor.command(), now=timezone.now()
    )


@pytest.fixture
def strict(directory: Directory, pair: KeyPair) -> Directory:
    """A strict directory with a certificate on its application."""
    switch(directory.tenant, enabled=True)
    directory.add_certificate(pair)
    return directory


def test_the_second_use_is_refused(strict: Directory, pair: KeyPair) -> None:
    """And on record with its certificate, like every refusal of a known client."""
    assertion = strict.assertion(pair)
    assert strict.present(assertion).token
    text = strict.present(assertion).refused(401, "invalid_client", 700028)
    assert f"'{strict.app.client_id}'" in text
    row = strict.last_sign_in()
    assert (row.error_code, row.credential_type, row.token_id) == (700028, "certificate", "")
    assert row.credential_id is not None


def test_another_assertion_is_another_use(strict: Directory, pair: KeyPair) -> None:
    for _ in range(3):
        assert strict.present(strict.assertion(pair)).token


def test_the_jti_counts_whatever_else_changes(strict: Directory, pair: KeyPair) -> None:
    """RFC 7523 section 3: the same identifier is the same assertion."""
    assert strict.present(strict.assertion(pair, jti="one")).token
    later = strict.assertion(pair, jti="one", exp=time.time() + 300)
    strict.present(later).refused(401, "invalid_client", 700028)


def test_the_jti_of_one_client_leaves_another_alone(strict: Directory, pair: KeyPair) -> None:
    other = strict.register("Other")
    strict.add_certificate(pair, other)
    assert strict.present(strict.assertion(pair, jti="one")).token
    client_id = str(other.client_id)
    assertion = strict.assertion(pair, jti="one", iss=client_id, sub=client_id)
    assert strict.present(assertion, client_id=client_id).token


@pytest.mark.parametrize("changes", [{"scope": "api://nobody/.default"}, {"scope": None}])
def test_a_refused_request_uses_nothing_up(strict: Directory, pair: KeyPair, changes: dict[str, Any]) -> None:
    assertion = strict.assertion(pair)
    assert strict.present(assertion, **changes).status == 400
    assert UsedAssertion.objects.count() == 0
    assert strict.present(assertion).token


def test_a_use_without_a_record_is_none(
    strict: Directory, pair: KeyPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are written in one transaction: a full disk at the second leaves neither."""
    assertion = strict.assertion(pair)

    def full(*_: object, **__: object) -> None:
        raise OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("credmgr.authority.attempt.record_sign_in", full)
        strict.present(assertion).refused(503, "temporarily_unavailable", 90033)
    assert UsedAssertion.objects.count() == 0
    assert strict.present(assertion).token


def test_secrets_are_never_used_up(strict: Directory) -> None:
    _, value = strict.add_secret()
    for _ in range(2):
        assert strict.ask(client_secret=value).token
    assert UsedAssertion.objects.count() == 0


def test_the_switch_counts_with_the_next_request(directory: Directory, pair: KeyPair) -> None:
    """Off: nothing is written. On: what was presented before may be presented once more."""
    directory.add_certificate(pair)
    assertion = directory.assertion(pair)
    assert directory.present(assertion).token
    assert directory.present(assertion).token
    assert UsedAssertion.objects.count() == 0
    tenant = switch(directory.tenant, enabled=True)
    assert directory.present(assertion).token
    directory.present(assertion).refused(401, "invalid_client", 700028)
    switch(tenant, enabled=False)
    assert directory.present(assertion).token


def test_rows_go_when_the_assertion_has_run_out(strict: Directory, pair: KeyPair) -> None:
    """Not a moment before: clocks may differ by five minutes."""
    ends = time.time() + 120
    assertion = strict.assertion(pair, exp=ends)
    assert strict.present(assertion).token
    used = UsedAssertion.objects.get()
    assert abs(used.expires_at.timestamp() - ends - 300) < 1
    assert used_assertions.forget_ended(used.expires_at - timedelta(seconds=1)) == 0
    assert used_assertions.forget_ended(used.expires_at + timedelta(seconds=1)) == 1


def test_nothing_of_the_assertion_is_kept(strict: Directory, pair: KeyPair) -> None:
    assert strict.present(strict.assertion(pair, jti="findable")).token
    assert b"findable" not in bytes(UsedAssertion.objects.get().digest)
    assert len(bytes(UsedAssertion.objects.get().digest)) == 32


def test_the_act_is_on_record_once(directory: Directory) -> None:
    """And an edit of somebody else in between is not overwritten (C-4)."""
    tenant = switch(directory.tenant, enabled=True)
    switch(tenant, enabled=True)
    events = AuditEvent.objects.filter(tag=EventTag.DIRECTORY_ASSERTIONS_CHANGED.value)
    assert [event.changes for event in events] == [{"singleUseAssertions": [False, True]}]
    with pytest.raises(RegistrationError) as refused:
        switch(directory.tenant, enabled=False)
    assert refused.value.code == "changed_meanwhile"


def test_of_32_parallel_uses_one_succeeds(
    fresh_installation: InstallationFactory, pair: KeyPair, tmp_path: Path
) -> None:
    """On the running server with its processes and threads; and each of the others is on record."""
    server = fresh_installation(admin=False)
    app = server.json("register_app", "Strict")
    file = tmp_path / "client.pem"
    file.write_bytes(load_der_x509_certificate(pair.der).public_bytes(Encoding.PEM))
    server.json("add_certificate", app["appId"], str(file))
    program = """
from django.utils import timezone
from credmgr.audit.recording import Actor
from credmgr.registrations.directory_rules import set_single_use_assertions
from credmgr.registrations.queries import default_tenant
tenant = default_tenant()
set_single_use_assertions(
    tenant, enabled=True, expected_version=tenant.version, actor=Actor.command(), now=timezone.now())
"""
    assert server.manage("shell", "--no-imports", "-c", program).returncode == 0
    url = f"{app['authority']}/oauth2/v2.0/token"

    def present(assertion: str) -> tuple[int, int]:
        form = {
            "grant_type": "client_credentials",
            "client_id": app["appId"],
            "scope": GRAPH,
            "client_assertion_type": TYPE,
            "client_assertion": assertion,
        }
        answer = requests.post(url, form, verify=str(server.ca_file), timeout=60)
        return answer.status_code, answer.json().get("error_codes", [0])[0]

    header = {"alg": "RS256", "typ": "JWT", "x5t": b64(pair.sha1)}
    with ThreadPoolExecutor(32) as pool:
        for _ in range(3):
            claims = claims_of(app["appId"], url, datetime.now(UTC))
            answers = sorted(pool.map(present, [compact(header, claims, pair.key)] * 32))
            assert answers == [(200, 0), *[(401, 700028)] * 31]
    rows = server.manage(
        "shell",
        "--no-imports",
        "-c",
        "from credmgr.audit.models import SignIn\n"
        "print([SignIn.objects.filter(error_code=code).count() for code in (0, 700028)])",
    )
    assert rows.stdout.strip() == "[3, 93]"
