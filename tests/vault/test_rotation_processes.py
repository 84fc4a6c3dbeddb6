"""Rotation by real processes: killed in mid-run, and two at once (K-6)."""

import json
import signal
import subprocess
import sys
import time

import pytest
import requests

from tests.installation import ROOT, Installation, InstallationFactory

SECRETS = 300
FILL = f"""
from datetime import timedelta
from django.utils import timezone
from credmgr.audit.recording import Actor
from credmgr.credentials.models import ClientSecret
from credmgr.registrations.queries import default_tenant
from credmgr.registrations.registering import register_application
from credmgr.vault.sealing import seal_into, verifier_for
now = timezone.now()
app = register_application(tenant=default_tenant(), display_name="Rotated", actor=Actor.command(), now=now)
rows = []
for number in range({SECRETS}):
    row = ClientSecret(
        application=app, hint="abc", start_at=now, end_at=now + timedelta(days=9), created_at=now
    )
    seal_into(row, "value", f"secret {{number}}".encode())
    row.verifier = verifier_for(row.id, f"secret {{number}}")
    rows.append(row)
ClientSecret.objects.bulk_create(rows)
"""
WHOLE = {"good": SECRETS, "bad": []}


@pytest.fixture
def filled(fresh_installation: InstallationFactory) -> Installation:
    """An installation with many secrets under an old key, and a new key in charge."""
    made = fresh_installation(start=False, prepared=True, admin=False)
    done = made.manage("shell", "-v", "0", "-c", FILL)
    assert done.returncode == 0, done.stderr
    added = made.json("generate_vault_key", "--first")
    assert added["first"]
    return made


def start_rotation(made: Installation, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "rotate_vault_key", "--json", *arguments],
        env=made.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def secrets_of(made: Installation) -> list[dict[str, object]]:
    """What check_vault says of values and digests."""
    columns = made.json("check_vault")["columns"]
    return [
        {"good": each["good"], "bad": each["bad"]}
        for each in columns
        if each["table"] == "credentials_clientsecret"
    ]


def keys_in_use(made: Installation) -> dict[bytes, int]:
    return dict(
        made.database.rows("SELECT substr(value, 2, 8), count(*) FROM credentials_clientsecret GROUP BY 1")
    )


def test_k6_killed_in_mid_run_then_resumed(filled: Installation) -> None:
    """SIGKILL three times; after each everything opens, and the next run goes on where that one ended."""
    old_key = next(iter(keys_in_use(filled)))
    left = [SECRETS]
    for _ in range(3):
        process = start_rotation(filled, "--batch", "1")
        assert process.stderr is not None
        for _line in range(20):
            assert process.stderr.readline()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL, "it ended before it was killed: make SECRETS larger"
        assert secrets_of(filled) == [WHOLE, WHOLE]
        left.append(keys_in_use(filled)[old_key])
        assert left[-1] < left[-2]
    answer = filled.json("rotate_vault_key", "--drop-unused")
    assert answer["resealed"] >= left[-1] > 0
    assert answer["dropped"] == [old_key.hex()]
    assert answer["left"] == []
    assert secrets_of(filled) == [WHOLE, WHOLE]
    assert list(keys_in_use(filled)) == [bytes.fromhex(answer["keyId"])]
    assert len((filled.data_dir / "keyring").read_text().split()) == 1


def test_k6_two_rotations_at_once(filled: Installation) -> None:
    processes = [start_rotation(filled, "--batch", "5") for _ in range(2)]
    answers = []
    for process in processes:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        answers.append(json.loads(out))
    others = 5  # signing key, CA key, password of the leaf key, keys of two chains of the audit
    assert sum(each["resealed"] for each in answers) == SECRETS + others
    assert sum(each["verifiersRenewed"] for each in answers) == SECRETS
    assert [each["unreadable"] for each in answers] == [[], []]
    assert secrets_of(filled) == [WHOLE, WHOLE]
    assert len(keys_in_use(filled)) == 1


def test_a_running_server_goes_on_through_a_rotation(fresh_installation: InstallationFactory) -> None:
    """K-6 from outside: health, which opens the signing key, is asked all the while; no restart."""
    made = fresh_installation(admin=False)
    ready = f"{made.portal_url}/health/ready"
    assert requests.get(ready, timeout=10).status_code == 200
    made.json("generate_vault_key", "--first")
    process = start_rotation(made, "--drop-unused")
    while process.poll() is None:
        assert requests.get(ready, timeout=10).status_code == 200
        time.sleep(0.05)
    out, _ = process.communicate()
    assert len(json.loads(out)["dropped"]) == 1
    assert requests.get(ready, timeout=10).status_code == 200


def test_k5_a_server_whose_keys_are_gone_does_not_start_and_destroys_nothing(
    fresh_installation: InstallationFactory,
) -> None:
    made = fresh_installation(admin=False)
    made.stop()
    ring = made.data_dir / "keyring"
    kept = ring.read_text()
    before = made.database.dump()
    other = made.json("generate_vault_key")["key"]
    for content, sentence in (
        (None, "does not exist"),
        (other, "is not in the key ring, but 4 stored values"),
    ):
        ring.unlink(missing_ok=True)
        if content:
            ring.touch(mode=0o600)
            ring.write_text(content)
        done = made.manage("serve")
        assert done.returncode != 0
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr
        assert ring.exists() == bool(content), "a missing ring is never replaced"
    assert made.database.dump() == before
    ring.touch(mode=0o600)
    ring.write_text(kept)
    made.start()
    assert made.is_running
