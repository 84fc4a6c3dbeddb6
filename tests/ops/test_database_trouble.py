"""C-7: a database in trouble gives 503 and a plain page; afterwards all is well without a restart."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import requests

from tests.database import embedded_only
from tests.installation import Installation, InstallationFactory, Prepared
from tests.ops.test_serve import get, wait_until


def assert_plainly_unavailable(answer: requests.Response) -> None:
    """503, told in words, without the program's inside."""
    assert answer.status_code == 503, answer.text
    assert "Retry-After" in answer.headers
    for inside in ("Traceback", "sqlite", "OperationalError", "SELECT", "/site-packages/"):
        assert inside not in answer.text


def sign_in(one: Installation) -> requests.Response:
    """Somebody opens the sign-in page and sends it, which writes a session; the answer that ended it."""
    with requests.Session() as session:
        session.trust_env = False
        page = session.get(f"{one.portal_url}/account/login", timeout=10)
        if page.status_code != 200:
            return page
        token = page.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        form = {"login": one.admin_name, "password": one.admin_password, "csrfmiddlewaretoken": token}
        return session.post(f"{one.portal_url}/account/login", data=form, timeout=60, allow_redirects=False)


def test_a_table_that_is_gone_is_told_and_recovers_without_a_restart(
    fresh_installation: InstallationFactory,
) -> None:
    one = fresh_installation()
    assert sign_in(one).status_code == 302
    one.database.change("ALTER TABLE accounts_session RENAME TO away")
    assert_plainly_unavailable(sign_in(one))
    assert get(one, "/health/live").status_code == 200
    one.database.change("ALTER TABLE away RENAME TO accounts_session")
    assert sign_in(one).status_code == 302


@embedded_only
@pytest.mark.slow
def test_a_locked_database_is_told_and_recovers_without_a_restart(
    fresh_installation: InstallationFactory,
) -> None:
    """Slow: the server waits 20 s for a lock before it gives up."""
    one = fresh_installation()
    with closing(sqlite3.connect(one.data_dir / "credmgr.sqlite3", isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        assert_plainly_unavailable(sign_in(one))
        database.execute("ROLLBACK")
    assert sign_in(one).status_code == 302


def fill(file: Path) -> None:
    """Write until the disk is full."""
    with suppress(OSError), file.open("wb", buffering=0) as stream:
        while True:
            stream.write(b"\0" * 4096)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 24 MB (R10)."""
    folder = Path(tempfile.mkdtemp(prefix="credmgr-disk-"))
    options = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(options, capture_output=True, check=False).returncode != 0:
        folder.rmdir()
        pytest.skip("mounting a small tmpfs is not allowed here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
    folder.rmdir()


def live_on(disk: Path, one: Installation, prepared: Prepared) -> None:
    """Let the installation have its data folder there."""
    one.data_dir, one.ca_file = disk, disk / "tls" / "ca.pem"
    one.environment["CREDMGR_DATA_DIR"] = str(disk)
    one.become_copy_of(prepared)


@embedded_only
def test_a_full_disk_is_told_and_recovers_without_a_restart(
    fresh_installation: InstallationFactory, small_disk: Path, prepared_with_admin: Prepared
) -> None:
    one = fresh_installation(start=False)
    live_on(small_disk, one, prepared_with_admin)
    one.start()
    filler = small_disk / "filler"
    fill(filler)
    answers = [sign_in(one) for _ in range(10)]  # the first may still fit into pages that were free
    assert_plainly_unavailable(answers[-1])
    assert get(one, "/health/live").status_code == 200
    filler.unlink()
    wait_until(lambda: sign_in(one).status_code == 302)
    assert one.stop() == 0


def test_a_read_only_disk_is_told_and_recovers(
    fresh_installation: InstallationFactory, small_disk: Path, prepared_data: Prepared
) -> None:
    one = fresh_installation(start=False)
    live_on(small_disk, one, prepared_data)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    done = one.manage("serve")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "cannot be" in done.stderr
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    one.start()
    assert get(one, "/health/ready").status_code == 200


@embedded_only
@pytest.mark.slow  # the drill of tests/ops/test_backup.py shows the same of `backup` and `restore`
def test_a_backup_made_while_running_restores(
    fresh_installation: InstallationFactory, tmp_path: Path
) -> None:
    """C-8, with the commands of docs/operations.md."""
    one = fresh_installation()
    one.json("register_app", "Kept")
    copy = tmp_path / "backup.sqlite3"
    with closing(sqlite3.connect(one.data_dir / "credmgr.sqlite3")) as database:
        database.execute("VACUUM INTO ?", (str(copy),))
    one.json("register_app", "Lost")
    one.stop()
    for suffix in ("-wal", "-shm"):
        (one.data_dir / f"credmgr.sqlite3{suffix}").unlink(missing_ok=True)
    shutil.copyfile(copy, one.data_dir / "credmgr.sqlite3")
    one.start()
    listed = str(one.json("list_apps"))
    assert "Kept" in listed
    assert "Lost" not in listed
    assert sign_in(one).status_code == 302
