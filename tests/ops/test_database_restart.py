"""The process of the PostgreSQL server dies under a running `serve` and is started again (C-7, S-2, A-13)."""

from collections.abc import Iterator
from functools import partial

import pytest

from tests.acceptance.portal_session import PortalSession
from tests.database import postgresql_only
from tests.installation import InstallationFactory
from tests.ops.test_crashes import Storm, ask_for_token
from tests.ops.test_database_trouble import assert_plainly_unavailable, sign_in
from tests.ops.test_serve import get, wait_until
from tests.postgresql_server import PROGRAMS, PostgresqlServer

pytestmark = [
    postgresql_only,
    pytest.mark.skipif(not PROGRAMS, reason="needs PostgreSQL's programs: `sh .ci/postgres` names them"),
]


@pytest.fixture
def server() -> Iterator[PostgresqlServer]:
    """A server apart from the one that the other tests use."""
    made = PostgresqlServer()
    try:
        made.start()
        yield made
    finally:
        made.remove()


def test_a_server_that_dies_and_comes_back_loses_nothing_that_was_given(
    server: PostgresqlServer, fresh_installation: InstallationFactory
) -> None:
    """Twice, while people add secrets and programs ask for tokens; `serve` is not started again."""
    one = fresh_installation(start=False, CREDMGR_SECRETS_PER_APPLICATION="1000")
    one.use_database(server.url)
    one.start()
    one.create_admin()
    steady = one.json("register_app", "Steady")
    growing = one.json("register_app", "Growing")
    known = one.json("add_secret", steady["appId"])["secretText"]
    people = [PortalSession(one.portal_url, one.admin_name, one.admin_password) for _ in range(2)]
    storm = Storm(one)
    storm.start(partial(storm.take_token, steady["appId"], known), 2)
    for person in people:
        storm.start(partial(storm.add_secret, person, growing), 1)
    try:
        for _ in range(2):
            tokens, secrets = len(storm.tokens) + 10, len(storm.secrets) + 2
            wait_until(partial(storm.has_given, tokens, secrets), 60)
            server.crash()
            refused = ask_for_token(one, steady["appId"], known, storm.tenant)
            assert (refused.status_code, refused.json()["error_codes"]) == (503, [90033])
            assert_plainly_unavailable(sign_in(one))
            assert get(one, "/health/live").status_code == 200
            ready = get(one, "/health/ready")
            assert (ready.status_code, ready.json()["checks"]["database"]) == (503, False)
            server.start()
        tokens, secrets = len(storm.tokens) + 10, len(storm.secrets) + 2
        wait_until(partial(storm.has_given, tokens, secrets), 60)
    finally:
        storm.end()
    assert storm.surprises == []
    assert storm.unavailable > 0
    for _ in range(12):  # every worker has met it, and must have recovered
        assert ask_for_token(one, steady["appId"], known, storm.tenant).status_code == 200
    assert sign_in(one).status_code == 302
    assert get(one, "/health/ready").status_code == 200
    storm.assert_nothing_given_is_lost()
