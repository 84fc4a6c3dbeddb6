"""Federated credentials on the running server: another application as the identity, an issuer that hangs,
an issuer that is put on the list and taken off it while everything runs.
"""

import base64
import json
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.acceptance.portal_session import PortalSession, read_page
from tests.authority.assertion_maker import TYPE, compact
from tests.flowtest.far_side import FarSide
from tests.installation import Installation, InstallationFactory

AUDIENCE = "api://AzureADTokenExchange"


@pytest.fixture
def side(tmp_path: Path) -> Iterator[FarSide]:
    """An outside issuer."""
    one = FarSide(tmp_path)
    yield one
    one.close()


@pytest.fixture
def server(fresh_installation: InstallationFactory, side: FarSide) -> Installation:
    """A server that may call the outside issuer."""
    entry = f"https://localhost:{side.port} private ca={side.ca_file}"
    return fresh_installation(admin=False, CREDMGR_ALLOWED_ORIGINS=entry)


def shell(server: Installation, program: str) -> dict[str, str]:
    """Run lines that end by printing a JSON object."""
    start = """
import json
from django.utils import timezone
from credmgr.audit.recording import Actor
from credmgr.credentials.client_secrets import add_client_secret, end_of_choice
from credmgr.credentials.federated import add_federated_credential
from credmgr.registrations.queries import default_tenant
from credmgr.registrations.registering import register_application
now, actor = timezone.now(), Actor.command()
given = {"actor": actor, "now": now}
app = register_application(tenant=default_tenant(), display_name="Harbor Sync Worker", **given)
value = add_client_secret(app, description="", start_at=now, end_at=end_of_choice(90, now), **given)[1]
"""
    done = server.manage("shell", "--no-imports", "-c", start + program)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def ask(server: Installation, **form: str) -> Any:
    """One token request over https."""
    return requests.post(
        f"{server.authority_url}/{server.tenant_id}/oauth2/v2.0/token",
        {"grant_type": "client_credentials", "scope": "https://graph.microsoft.com/.default", **form},
        verify=str(server.data_dir / "tls" / "ca.pem"),
        timeout=30,
    )


def present(server: Installation, client_id: str, assertion: str) -> Any:
    """One token request with a federated assertion."""
    return ask(server, client_id=client_id, client_assertion=assertion, client_assertion_type=TYPE)


def test_the_token_of_another_application_of_the_directory_is_enough(server: Installation) -> None:
    """The managed identity scenario on one machine: the server fetches its own keys over https."""
    ids = shell(
        server,
        """
tenant = app.tenant
trusting = register_application(tenant=tenant, display_name="Trusting", **given)
from credmgr.authority.access_tokens import issuer
add_federated_credential(trusting, name="worker", issuer=issuer(app.tenant_id, version=2),
    subject=str(app.service_principal_id), **given)
print(json.dumps({"app": str(app.client_id), "value": value, "trusting": str(trusting.client_id)}))
""",
    )
    first = ask(server, client_id=ids["app"], client_secret=ids["value"], scope=f"{AUDIENCE}/.default").json()
    # All at once, on a server that was just started: none of them may wait for a thread that waits for it.
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda _: present(server, ids["trusting"], first["access_token"]), range(24)))
    assert [answer.status_code for answer in answers] == [200] * 24, [answer.text for answer in answers]
    answer = answers[0]
    part = answer.json()["access_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    assert claims["appid"] == ids["trusting"]
    wrong = ask(server, client_id=ids["app"], client_secret=ids["value"]).json()["access_token"]
    assert present(server, ids["trusting"], wrong).json()["error_codes"] == [700211]  # Graph's tokens are v1


def test_f4_an_issuer_that_hangs_delays_nobody_else(server: Installation, side: FarSide) -> None:
    """F-4: 24 requests for a silent issuer, and secrets are answered as ever."""
    issuer = f"{side.url}/pool/v2.0"
    ids = shell(
        server,
        f"""
add_federated_credential(app, name="hangs", issuer="{issuer}", subject="worker", **given)
print(json.dumps({{"app": str(app.client_id), "value": value}}))
""",
    )
    now = int(time.time())
    claims = {"iss": issuer, "sub": "worker", "aud": AUDIENCE, "exp": now + 600, "jti": str(uuid.uuid4())}
    assertion = compact({"alg": "RS256", "kid": "far-1"}, claims, side.signing_key)
    assert present(server, ids["app"], assertion).status_code == 200
    server.stop()
    server.start()
    side.answers["GET", "/openid-configuration"] = side.silence
    with ThreadPoolExecutor(24) as pool:
        hanging = [pool.submit(present, server, ids["app"], assertion) for _ in range(24)]
        time.sleep(0.3)
        slowest = 0.0
        for _ in range(20):
            began = time.monotonic()
            assert ask(server, client_id=ids["app"], client_secret=ids["value"]).status_code == 200
            slowest = max(slowest, time.monotonic() - began)
        answers = [each.result() for each in hanging]
    assert {answer.json()["error_codes"][0] for answer in answers} == {50166}
    assert slowest < 2.5, "a request waited for the issuer's deadline"


def test_adding_and_removing_an_origin_is_in_force_at_once_in_every_process(
    fresh_installation: InstallationFactory, side: FarSide
) -> None:
    """Decision 10: keys that were fetched before do not outlive the entry either."""
    server = fresh_installation(CREDMGR_WORKERS="3")
    issuer = f"{side.url}/pool/v2.0"
    ids = shell(
        server,
        f"""
add_federated_credential(app, name="listed-later", issuer="{issuer}", subject="worker", **given)
print(json.dumps({{"app": str(app.client_id), "value": value}}))
""",
    )
    now = int(time.time())
    claims = {"iss": issuer, "sub": "worker", "aud": AUDIENCE, "exp": now + 600, "jti": str(uuid.uuid4())}
    assertion = compact({"alg": "RS256", "kid": "far-1"}, claims, side.signing_key)

    def statuses() -> set[int]:
        """Of enough requests that each process answers some."""
        with ThreadPoolExecutor(6) as pool:
            return {
                each.status_code
                for each in pool.map(lambda _: present(server, ids["app"], assertion), range(24))
            }

    assert statuses() == {400}
    assert side.requests == []
    person = PortalSession(server.portal_url, server.admin_name, server.admin_password)
    typed = {"address": side.url, "is_private": "on", "own_ca": "on", "ca_text": side.ca_file.read_text()}
    added = person.submit("/origins/new", typed)
    assert "may be called from now on" in added.text
    # Meanwhile a process may wait for its own first fetch, and say so.
    assert statuses() <= {200, 400}
    assert statuses() == {200}
    asked = len(side.requests)
    remove = next(link for link in read_page(added.text).links if link.endswith("/remove"))
    assert "is not called any more" in person.submit(remove, {}).text
    assert statuses() == {400}
    assert len(side.requests) == asked
