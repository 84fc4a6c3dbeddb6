"""Limits, and whose address they count, on a server behind a proxy.

They count in the database, so they hold over both listeners and every worker: with counters of its own in
each process a limit of three would let through up to three for each of them.
"""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.acceptance.portal_session import PortalSession, read_page
from tests.installation import Installation, Prepared
from tests.ops.test_crashes import GRAPH
from tests.ops.test_serve import get, wait_until

LIMIT = 3
HERE, ELSEWHERE = "203.0.113.9", "203.0.113.10"
NEXT_DOOR = "2001:db8::1", "2001:db8::2"


@pytest.fixture(scope="module")
def limited(prepared_with_admin: Prepared) -> Iterator[Installation]:
    """A server with small limits, behind a proxy that says whom it speaks for: so each test has addresses."""
    with tempfile.TemporaryDirectory(prefix="credmgr-limited-") as name:
        made = Installation(
            Path(name),
            CREDMGR_TRUSTED_PROXIES="127.0.0.1,192.0.2.0/28",
            CREDMGR_LOGIN_FAILURES_PER_ACCOUNT=str(LIMIT),
            CREDMGR_LOGIN_FAILURES_PER_ADDRESS=str(LIMIT + 2),
            CREDMGR_WRONG_SECRETS_PER_MINUTE=str(LIMIT),
            CREDMGR_UPLOADS_PER_MINUTE=str(LIMIT),
            CREDMGR_TESTS_PER_MINUTE=str(LIMIT),
            CREDMGR_TESTS_AT_ONCE="1",
        )
        made.become_copy_of(prepared_with_admin)
        try:
            made.start()
            yield made
        finally:
            made.stop()
            made.database.drop()


@pytest.fixture(scope="module")
def app(limited: Installation) -> dict[str, str]:
    """A registration with a secret: id, appId, keyId, secretText."""
    made: dict[str, str] = limited.json("register_app", "Limited")
    made |= limited.json("add_secret", made["appId"])
    return made


def ask(one: Installation, app: dict[str, str], secret: str, address: str) -> requests.Response:
    """A token request from that address."""
    form = {"grant_type": "client_credentials", "client_id": app["appId"], "scope": GRAPH}
    path = f"/{one.tenant_id}/oauth2/v2.0/token"
    headers = {"X-Forwarded-For": address}
    return get(one, path, method="POST", data=form | {"client_secret": secret}, headers=headers)


@pytest.fixture
def person(limited: Installation) -> PortalSession:
    """Somebody whose every request may reach another worker."""
    signed_in = PortalSession(limited.portal_url, limited.admin_name, limited.admin_password)
    signed_in.http.headers["Connection"] = "close"
    return signed_in


def try_to_sign_in(one: Installation, base: str, name: str, password: str, address: str) -> int:
    """Status of the answer: 200 a refusal, 302 in, 429 too many."""
    with requests.Session() as browser:
        browser.trust_env, browser.verify = False, str(one.ca_file)
        browser.headers.update({"X-Forwarded-For": address, "Referer": base})
        page = browser.get(f"{base}/account/login", timeout=30)
        form = read_page(page.text).forms[0]["fields"] | {"login": name, "password": password}
        return browser.post(page.url, data=form, timeout=60, allow_redirects=False).status_code


def test_behind_named_proxies_the_clients_own_address_stands_in_every_row(
    limited: Installation, app: dict[str, str]
) -> None:
    """H-7: read from the end of the list, past the proxies named; nothing else that is forwarded counts."""
    client, claimed, proxy = "203.0.113.77", "198.51.100.66", "192.0.2.7"
    through = f"{claimed}, {client}, {proxy}"
    assert ask(limited, app, app["secretText"], through).status_code == 200
    heads = {"X-Forwarded-For": through, "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
    page = get(limited, "/applications", headers=heads)
    assert page.headers["Location"].startswith("/account/login")
    assert "evil.example" not in page.text + repr(page.headers)
    assert try_to_sign_in(limited, limited.authority_url, "nobody", "wrong-password", through) == 200
    for table in ("audit_signin", "audit_auditevent"):
        query = f"SELECT address FROM {table} WHERE address IN (?, ?, ?)"  # noqa: S608 - two names
        assert limited.database.rows(query, client, claimed, proxy) == [(client,)], table


def test_sign_in_by_account_and_address_over_both_listeners(limited: Installation) -> None:
    one, name = limited, limited.admin_name
    bases = [one.portal_url, one.authority_url] * 3

    def tries(password: str, *addresses: str) -> list[int]:
        pairs = zip(bases, addresses, strict=False)
        return [try_to_sign_in(one, base, name, password, address) for base, address in pairs]

    assert tries("wrong-password", *[HERE] * 5) == [200, 200, 200, 429, 429]
    assert tries(one.admin_password, HERE, HERE) == [429, 429]
    assert tries(one.admin_password, ELSEWHERE, ELSEWHERE) == [302, 302]
    # Neighbours of one network of IPv6 are one.
    assert tries("wrong-password", *NEXT_DOOR, *NEXT_DOOR) == [200, 200, 200, 429]


def test_sign_in_by_address_whatever_the_name(limited: Installation) -> None:
    bases = [limited.portal_url, limited.authority_url] * 4
    codes = [
        try_to_sign_in(limited, base, f"guess-{number}", "wrong-password", "198.51.100.1")
        for number, base in enumerate(bases)
    ]
    assert codes == [200] * (LIMIT + 2) + [429] * 3


def test_wrong_secrets_lock_out_the_guesser_and_not_the_client(
    limited: Installation, app: dict[str, str]
) -> None:
    # The window is a minute of the clock: on its edge a second round is needed.
    for _ in range(2):
        codes = [ask(limited, app, "wrong", HERE).status_code for _ in range(6)]
        refused = ask(limited, app, app["secretText"], HERE)
        if refused.status_code == 429:
            break
    assert codes == [401] * LIMIT + [429] * 3
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert [ask(limited, app, app["secretText"], ELSEWHERE).status_code for _ in range(4)] == [200] * 4


def test_uploads_of_a_person(app: dict[str, str], person: PortalSession) -> None:
    path = f"/applications/{app['id']}/credentials/certificates/new"
    codes = [
        person.submit(path, {}, files={"certificate_file": ("x.cer", b"nonsense")}).status_code
        for _ in range(LIMIT + 2)
    ]
    assert codes == [422] * LIMIT + [429] * 2


def test_tests_of_a_person_at_once_and_in_a_minute(
    limited: Installation, app: dict[str, str], person: PortalSession
) -> None:
    path = f"/applications/{app['id']}/tests/new"

    def press(_: int) -> requests.Response:
        return person.submit(path, {"credential": app["keyId"], "scope": GRAPH})

    # The answer to the first is held until the second has been refused.
    limited.json("set_test_switches", "--directory", limited.tenant_id, "--mark", "--delay", "3")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(press, 1)
        running = "SELECT count(*) FROM flowtest_runningtest"
        wait_until(lambda: limited.database.rows(running) == [(1,)])
        second = press(2)
        assert first.result().status_code == 200
    assert second.status_code == 429
    assert "still running" in second.text
    limited.json("set_test_switches", "--directory", limited.tenant_id)
    codes = [press(number).status_code for number in range(LIMIT + 1)]
    assert codes == [200] * (LIMIT - 1) + [429] * 2
