"""A database of the first version that ran end to end, brought up to date by the program of today (C-9).

tests/vectors/first_version holds its SQL text with the throw-away key ring and what was told when its
credentials were made, by the commands of the revision that facts.json names. Only the ends of the secrets
were moved, so that the test does not run out.
"""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.portal_session import PortalSession
from tests.database import embedded_only
from tests.installation import InstallationFactory
from tests.ops.test_crashes import GRAPH, ask_for_token

VECTORS = Path(__file__).resolve().parent.parent / "vectors" / "first_version"
FACTS: dict[str, Any] = json.loads((VECTORS / "facts.json").read_text())


@embedded_only  # the first version knew no other
def test_c9_credentials_of_the_first_version_work_after_the_upgrade(
    fresh_installation: InstallationFactory,
) -> None:
    one = fresh_installation(start=False)
    one.data_dir.mkdir(mode=0o700)
    with closing(sqlite3.connect(one.database.file)) as database:
        database.executescript((VECTORS / "database.sql").read_text())
    ring = one.data_dir / "keyring"
    with os.fdopen(os.open(ring, os.O_WRONLY | os.O_CREAT, 0o600), "w") as stream:
        stream.write(FACTS["keyring"] + "\n")
    counted = "SELECT count(*) FROM credentials_clientsecret UNION ALL SELECT count(*) FROM audit_auditevent"
    [(secrets,), (events,)] = one.database.rows(counted)
    assert (secrets, events > 4) == (2, True)

    one.start()  # as `make run` does: it prepares what is older than the program
    for value in (FACTS["secret"], FACTS["digestOnly"]):
        assert ask_for_token(one, FACTS["appId"], value).status_code == 200
    tested = one.json("test_token", FACTS["appId"], "--key-id", FACTS["certificateId"], "--scope", GRAPH)
    assert tested["verdict"] == "verified", tested
    assert not [each for each in one.json("check_vault")["columns"] if each["bad"]]
    [(secrets_now,), (events_now,)] = one.database.rows(counted)
    assert secrets_now == secrets
    assert events_now > events, "the old audit rows are there, and new ones are written"
    audit = one.manage("verify_audit")
    assert audit.returncode == 0, audit.stdout + audit.stderr
    PortalSession(one.portal_url, FACTS["admin"], FACTS["password"])


@pytest.mark.database
def test_a_demanded_second_factor_stays_demanded(fresh_installation: InstallationFactory) -> None:
    """The rule asked administrators alone before it could ask everybody."""
    one = fresh_installation(start=False, prepared=True)
    one.manage("migrate", "registrations", "0011", check=True)
    one.database.change("UPDATE registrations_tenant SET administrators_need_second_factor = TRUE")
    asked = "SELECT second_factor_for FROM registrations_tenant"
    one.manage("prepare", check=True)
    assert one.database.rows(asked) == [("administrators",)]
    one.database.change("UPDATE registrations_tenant SET second_factor_for = 'everybody'")
    one.manage("migrate", "registrations", "0011", check=True)
    one.manage("prepare", check=True)
    assert one.database.rows(asked) == [("administrators",)]
