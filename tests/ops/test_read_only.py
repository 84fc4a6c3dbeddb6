"""A data folder that can no longer be written under a running server: reading goes on, nothing is done by
halves, and what can be told is told.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.database import embedded_only
from tests.installation import Installation, InstallationFactory
from tests.ops.test_database_trouble import assert_plainly_unavailable
from tests.ops.test_faults import listeners_of, serves
from tests.ops.test_serve import children_of, get, wait_until

pytestmark = [
    embedded_only,  # with PostgreSQL it is the database's own disk that counts
    # A connection that a kill cuts off in its handshake is closed by the collector, which Python warns of.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class Reader:
    """Somebody who is signed in, and a program with a secret, at one installation."""

    def __init__(self, one: Installation) -> None:
        self.one = one
        self.app = one.json("register_app", "Tide Table Reader")
        self.secret = one.json("add_secret", self.app["appId"])["secretText"]
        self.session = requests.Session()
        self.session.trust_env = False
        form = {"login": one.admin_name, "password": one.admin_password}
        assert self.send("/account/login", form).status_code == 302

    def get(self, path: str) -> requests.Response:
        """A page."""
        return self.session.get(f"{self.one.portal_url}{path}", timeout=60, allow_redirects=False)

    def send(self, path: str, form: dict[str, str]) -> requests.Response:
        """A page's form, sent."""
        hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', self.get(path).text)
        data = {**dict(hidden), **form}
        url = f"{self.one.portal_url}{path}"
        return self.session.post(url, data=data, timeout=60, allow_redirects=False)

    def register(self, name: str) -> requests.Response:
        """A change."""
        form = {"display_name": name, "sign_in_audience": "AzureADMyOrg"}
        return self.send("/applications/new", {**form, "start_with": "nothing"})

    def ask(self) -> requests.Response:
        """A token request on a connection of its own."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.app["appId"],
            "client_secret": self.secret,
            "scope": "https://graph.microsoft.com/.default",
        }
        return requests.post(
            f"{self.app['authority']}/oauth2/v2.0/token", form, verify=str(self.one.ca_file), timeout=60
        )

    def sign_ins(self) -> int:
        """How many are on record, all with a token."""
        [[found]] = self.one.database.rows("SELECT count(*) FROM audit_signin")
        return int(found)

    def forget_that_it_was_here(self) -> None:
        """As if the last page had been a minute ago, so that the next would note this one."""
        program = f"""
from credmgr.accounts.session_store import SessionStore
session = SessionStore("{self.session.cookies["sessionid"]}")
session["seen_at"] -= 60
session.save()
"""
        assert self.one.manage("shell", "--no-imports", "-c", program).returncode == 0


def assert_reads_and_refuses(reader: Reader, tokens: int) -> None:
    """What is promised while nothing can be written."""
    for _ in range(6):  # more than there are workers
        answer = reader.ask()
        assert (answer.status_code, answer.json()["error_codes"]) == (503, [90033]), answer.text
        assert "access_token" not in answer.text
    assert reader.sign_ins() == tokens
    for path in ("/applications", "/audit", "/sign-ins", "/account", f"/applications/{reader.app['id']}"):
        for _ in range(3):
            assert reader.get(path).status_code == 200, path
    refused = reader.register("Never Stored")
    assert_plainly_unavailable(refused)
    assert "Nothing was changed" in refused.text
    assert "Never Stored" not in reader.get("/applications").text
    assert get(reader.one, "/health/live").status_code == 200
    ready = get(reader.one, "/health/ready")
    assert ready.status_code == 503
    assert ready.json()["checks"] == {
        "database": True,
        "writable": False,
        "migrations": True,
        "key_ring": True,
        "signing_key": True,
    }


def run(*command: str) -> "subprocess.CompletedProcess[str]":
    """A command to its end."""
    return subprocess.run(command, capture_output=True, text=True, check=False)


class Disk:
    """An ext4 file system of its own in a file."""

    def __init__(self, folder: Path) -> None:
        self.image, self.folder = folder / "image", folder / "disk"
        self.folder.mkdir()

    def make(self) -> str:
        """Its faults turn it read-only. What kept it from being made; empty where it was."""
        if os.geteuid() != 0:
            return "only root may mount"
        with self.image.open("wb") as file:
            file.truncate(64 << 20)
        if shutil.which("mkfs.ext4") is None or run("mkfs.ext4", "-q", str(self.image)).returncode != 0:
            return "there is no mkfs.ext4"
        if self.mount().returncode != 0:
            return "mounting a file is not allowed here"
        return "" if self._fault().is_file() else "the kernel lets no fault be caused in ext4"

    def mount(self) -> "subprocess.CompletedProcess[str]":
        """As fstab usually says."""
        return run("mount", "-o", "loop,errors=remount-ro", str(self.image), str(self.folder))

    def break_down(self) -> None:
        """What the kernel does when it meets a fault in the file system: files stay open, writing ends."""
        self._fault().write_text("by a test")

    def repair(self) -> None:
        """Nobody may use it meanwhile."""
        run("umount", str(self.folder))
        assert run("e2fsck", "-fy", str(self.image)).returncode in (0, 1)
        assert self.mount().returncode == 0

    def remove(self) -> None:
        """Also where it was never mounted."""
        run("umount", "-l", str(self.folder))

    def _fault(self) -> Path:
        device = run("findmnt", "-n", "-o", "SOURCE", str(self.folder)).stdout.strip()
        return Path("/sys/fs/ext4", Path(device).name, "trigger_fs_error")


@pytest.fixture
def disk() -> Iterator[Disk]:
    """One that can break down."""
    with tempfile.TemporaryDirectory(prefix="credmgr-disk-") as name:
        made = Disk(Path(name))
        problem = made.make()
        try:
            if problem:
                pytest.skip(f"no disk to break: {problem}")
            yield made
        finally:
            made.remove()


def test_a_disk_that_turns_read_only_lets_people_read_and_gives_no_token(
    fresh_installation: InstallationFactory, disk: Disk
) -> None:
    """The kernel itself ends all writing, under open files. Who repairs the disk must stop the server."""
    one = fresh_installation(start=False)
    one.data_dir = one.database._data_dir = disk.folder / "data"
    one.ca_file = one.data_dir / "tls" / "ca.pem"
    one.environment["CREDMGR_DATA_DIR"] = str(one.data_dir)
    one.start()
    one.create_admin()
    reader = Reader(one)
    assert [reader.ask().status_code for _ in range(6)] == [200] * 6
    reader.forget_that_it_was_here()
    disk.break_down()
    assert_reads_and_refuses(reader, tokens=6)
    assert one.stop() == 0
    assert not [line for line in one.logs().splitlines() if line.startswith("Traceback")]
    disk.repair()
    one.start()
    assert reader.ask().status_code == 200
    assert reader.register("Stored Again").status_code == 302
    assert one.json("verify_audit")["intact"]
    assert one.stop() == 0  # it must not hold the disk


@pytest.fixture
def obeys_permissions(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Start `serve` from now on as one whom permissions stop; root is not one by itself."""
    as_other = ["setpriv", "--bounding-set=-dac_override"]
    if os.geteuid() == 0 and run(*as_other, "true").returncode != 0:
        pytest.skip("root passes over permissions, and setpriv cannot take that away here")

    def obey() -> None:
        if os.geteuid() == 0:
            begin = subprocess.Popen

            def started(command: list[str], **more: Any) -> "subprocess.Popen[bytes]":
                return begin([*as_other, *command], **more)

            monkeypatch.setattr("tests.installation.subprocess.Popen", started)

    return obey


def writes(reader: Reader) -> bool:
    """Whether both listeners' next workers do."""
    try:
        return reader.ask().status_code == 200 and reader.get("/health/ready").status_code == 200
    except requests.RequestException:
        return False  # it is just being replaced


def forbid_writing(folder: Path) -> Callable[[], None]:
    """Take every right to write from the folder and what is in it; what gives them back."""
    modes = {path: path.stat().st_mode for path in (folder, *folder.rglob("*")) if not path.is_symlink()}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)

    def give_back() -> None:
        for path, mode in modes.items():
            path.chmod(mode)

    return give_back


def test_a_folder_whose_write_permission_goes_and_comes_back(
    fresh_installation: InstallationFactory, obeys_permissions: Callable[[], None]
) -> None:
    """Open files stay open, so every worker is killed too: the new ones find nothing but reading allowed.
    When it is given back they all write, though they opened the database to read only.
    """
    one = fresh_installation(start=False, admin=False)
    obeys_permissions()
    one.start()
    one.create_admin()
    reader = Reader(one)
    assert reader.ask().status_code == 200
    reader.forget_that_it_was_here()
    give_back = forbid_writing(one.data_dir)
    try:
        old = [worker for listener in listeners_of(one) for worker in children_of(listener)]
        for worker in old:
            os.kill(worker, 9)
        wait_until(lambda: all(len(set(children_of(each)) - set(old)) == 2 for each in listeners_of(one)))
        wait_until(lambda: serves(one))
        assert_reads_and_refuses(reader, tokens=1)
    finally:
        give_back()
    # Each worker ends with the first request that it cannot answer, and another takes its place: few requests
    # in a row may meet the same workers.
    wait_until(lambda: all(writes(reader) for _ in range(20)))
    assert get(one, "/health/ready").status_code == 200
    assert [reader.ask().status_code for _ in range(6)] == [200] * 6
    assert [reader.register(f"Stored {number}").status_code for number in range(6)] == [302] * 6
    assert one.json("verify_audit")["intact"]
    assert one.stop() == 0
