"""The token endpoint behind the real server, over https, from many clients at once."""

import random
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.installation import Installation

THREADS = 20
REQUESTS_EACH = 37
GRAPH = "https://graph.microsoft.com/.default"


@pytest.fixture
def client(installation: Installation) -> dict[str, str]:
    """A registration with a live and an expired secret, and where to ask."""
    app = installation.json("register_app", f"Wire {uuid.uuid4()}")
    live = installation.json("add_secret", app["appId"])
    expired = installation.json(
        "add_secret", app["appId"], "--start", "2026-01-01T00:00:00Z", "--end", "2026-02-01T00:00:00Z"
    )
    return {
        "id": app["appId"],
        "url": f"{app['authority']}/oauth2/v2.0/token",
        "live": live["secretText"],
        "key_id": live["keyId"],
        "expired": expired["secretText"],
    }


def ask(installation: Installation, client: dict[str, str], **changes: Any) -> requests.Response:
    """One request on a connection of its own."""
    form = {
        "grant_type": "client_credentials",
        "client_id": client["id"],
        "client_secret": client["live"],
        "scope": GRAPH,
        **changes,
    }
    with requests.Session() as session:
        session.trust_env = False
        return session.post(client["url"], data=form, verify=str(installation.ca_file), timeout=30)


def test_a_mixed_crowd(installation: Installation, client: dict[str, str]) -> None:
    """740 requests from 20 threads: JSON and 200, 400, 401 or 429 only; each token has its sign-in row."""
    kinds: list[tuple[int, dict[str, Any]]] = [
        (200, {}),
        (200, {}),
        (401, {"client_secret": client["expired"]}),
        (401, {"client_secret": client["key_id"]}),
        (401, {"client_secret": ""}),
        (400, {"client_id": str(uuid.uuid4())}),
        (400, {"scope": "User.Read"}),
        (400, {"scope": "api://nobody/.default"}),
        (400, {"grant_type": "password"}),
        (400, {"scope": [GRAPH, GRAPH]}),
        (400, {"client_assertion": "a.b.c", "client_secret": ""}),
    ]

    def run(seed: int) -> Counter[tuple[int, int]]:
        rng = random.Random(seed)  # noqa: S311 - repeatable noise
        seen: Counter[tuple[int, int]] = Counter()
        for _ in range(REQUESTS_EACH):
            expected, changes = rng.choice(kinds)
            answer = ask(installation, client, **changes)
            assert isinstance(answer.json(), dict)
            seen[expected, answer.status_code] += 1
        return seen

    with ThreadPoolExecutor(THREADS) as pool:
        total = sum(pool.map(run, range(THREADS)), Counter[tuple[int, int]]())
    assert sum(total.values()) == THREADS * REQUESTS_EACH
    assert {(expected, got) for expected, got in total if expected != got} == set()
    [[rows]] = installation.database.rows(
        "SELECT COUNT(*) FROM audit_signin WHERE client_id = ? AND error_code = 0", client["id"]
    )
    assert rows == total[200, 200]


def test_both_workers_know_of_a_new_end(installation: Installation, client: dict[str, str]) -> None:
    """A-13: whichever process answers, a change counts with the next request."""
    assert {ask(installation, client).status_code for _ in range(12)} == {200}
    changed = installation.database.change(
        "UPDATE credentials_clientsecret SET end_at = '2026-03-01 00:00:00' WHERE id = ?",
        uuid.UUID(client["key_id"]).hex,
    )
    assert changed == 1
    codes = [ask(installation, client).json()["error_codes"] for _ in range(12)]
    assert codes == [[7000222]] * 12
