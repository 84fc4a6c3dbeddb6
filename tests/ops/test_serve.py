"""`manage.py serve` from outside: starts, refuses in sentences, ends with nothing left."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.installation import ROOT, Installation, InstallationFactory


def get(installation: Installation, path: str, *, secure: bool = True, **options: Any) -> requests.Response:
    """One request on a connection of its own, trusting the installation's CA only."""
    base = installation.authority_url if secure else installation.portal_url
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(installation.ca_file)
        return session.request(
            options.pop("method", "GET"), base + path, timeout=10, allow_redirects=False, **options
        )


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Poll a function until it is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def children_of(pid: int) -> list[int]:
    """Ids of the direct children of a process."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(each) for each in (task / "children").read_text().split()]
    return found


def lines(text: str) -> str:
    """Output without surrounding blank lines."""
    return text.strip()


def test_both_listeners_answer_and_the_start_says_where(installation: Installation) -> None:
    printed = installation.logs()
    assert f"Portal          {installation.portal_url}" in printed
    assert f"Authority       {installation.authority_url}" in printed
    assert f"CA certificate  {installation.ca_file}" in printed
    assert get(installation, "/health/live", secure=False).json() == {"status": "live"}
    assert get(installation, "/health/live").json() == {"status": "live"}
    ready = get(installation, "/health/ready")
    assert ready.status_code == 200, ready.text
    assert set(ready.json()["checks"].values()) == {True}


def test_everything_in_the_data_folder_is_the_users_own(installation: Installation) -> None:
    assert stat.S_IMODE(installation.data_dir.stat().st_mode) == 0o700
    public = {"ca.pem", "ca-bundle.pem", "leaf.pem"}
    for path in installation.data_dir.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        expected = 0o700 if path.is_dir() else 0o644 if path.name in public else 0o600
        assert mode == expected, f"{path.name} has mode {mode:o}"


def test_it_listens_on_loopback_only(installation: Installation) -> None:
    listening = set()
    for line in (
        Path("/proc/net/tcp").read_text().splitlines()[1:]
        + Path("/proc/net/tcp6").read_text().splitlines()[1:]
    ):
        local, state = line.split()[1], line.split()[3]
        address, port = local.rsplit(":", 1)
        if state == "0A" and int(port, 16) in (installation.portal_port, installation.authority_port):
            listening.add(address)
    assert listening == {"0100007F"}  # 127.0.0.1, and nothing on IPv6


def test_ctrl_c_ends_everything(fresh_installation: InstallationFactory) -> None:
    one = fresh_installation(admin=False)
    assert len(one.processes()) >= 6  # the main process, two listeners, two workers each
    keep_alive = socket.create_connection(("127.0.0.1", one.portal_port))
    try:
        began = time.monotonic()
        assert one.stop(signal.SIGINT) == 0
        assert time.monotonic() - began < 25  # an idle machine needs five
    finally:
        keep_alive.close()
    assert one.processes() == []
    assert lines(one.logs()).endswith("Stopped.")
    assert "Traceback" not in one.logs()


def test_sigterm_ends_everything_and_the_second_start_is_quick_and_finds_all_as_it_was(
    fresh_installation: InstallationFactory,
) -> None:
    one = fresh_installation(admin=False)
    files = ["keyring", "secret-key", "tls/ca.pem", "tls/leaf.pem", "tls/leaf-key.pem"]
    before = {name: (one.data_dir / name).read_bytes() for name in files}
    tenant = one.tenant_id
    assert one.stop(signal.SIGTERM) == 0
    assert one.processes() == []
    began = time.monotonic()
    one.start()
    seconds = time.monotonic() - began
    assert {name: (one.data_dir / name).read_bytes() for name in files} == before
    assert one.tenant_id == tenant
    assert get(one, "/health/live").status_code == 200
    # Five seconds are promised on an idle machine; the bound leaves room for tests that run beside this one.
    assert seconds < 5 * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


@pytest.mark.parametrize("name", ["CREDMGR_PORTAL_PORT", "CREDMGR_AUTHORITY_PORT"])
def test_a_port_in_use_is_a_clear_message(fresh_installation: InstallationFactory, name: str) -> None:
    one = fresh_installation(start=False)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        one.environment[name] = str(port)
        done = one.manage("serve")
    assert done.returncode == 1
    assert f"Port {port} on 127.0.0.1 is already in use." in done.stderr
    assert name in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_shared_by_so_reuseport_counts_as_in_use(fresh_installation: InstallationFactory) -> None:
    """R1: the server library binds with SO_REUSEPORT and would silently share the port."""
    one = fresh_installation(start=False)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", one.authority_port))
        other.listen()
        done = one.manage("serve")
    assert done.returncode == 1
    assert "already in use" in done.stderr


def test_a_second_server_on_the_same_folder_is_refused(installation: Installation) -> None:
    done = installation.manage("serve")
    assert done.returncode == 1
    assert "A server is already running on the data folder" in done.stderr
    assert str(installation.pid) in done.stderr
    assert get(installation, "/health/live").status_code == 200


def test_without_its_key_ring_it_refuses_and_destroys_nothing(
    fresh_installation: InstallationFactory,
) -> None:
    one = fresh_installation(admin=False)
    one.stop()
    ring = one.data_dir / "keyring"
    kept = ring.read_bytes()
    ring.unlink()
    before = {path: path.read_bytes() for path in one.data_dir.rglob("*") if path.is_file()}
    done = one.manage("serve")
    assert done.returncode == 1
    assert "The key ring is missing" in done.stderr
    assert "Put it back" in done.stderr
    assert "Traceback" not in done.stderr
    assert not ring.exists()
    after = {path: path.read_bytes() for path in one.data_dir.rglob("*") if path.is_file()}
    assert {path for path in before if after.get(path) != before[path]} <= {one.data_dir / "serve.lock"}
    ring.touch(mode=0o600)
    ring.write_bytes(kept)
    one.start()
    assert get(one, "/health/ready").status_code == 200


def test_a_key_ring_that_others_can_read_stops_the_start(fresh_installation: InstallationFactory) -> None:
    """K-3."""
    one = fresh_installation(start=False, prepared=True)
    ring = one.data_dir / "keyring"
    ring.chmod(0o644)
    done = one.manage("serve")
    assert done.returncode == 1
    assert "can be read by others" in done.stderr
    assert f"chmod 600 {ring}" in done.stderr
    assert ring.read_text().strip() not in done.stdout + done.stderr


def test_another_key_ring_stops_the_start(fresh_installation: InstallationFactory) -> None:
    """K-5: the tables name a key that the ring does not hold."""
    one = fresh_installation(start=False, prepared=True)
    ring = one.data_dir / "keyring"
    kept = ring.read_text()
    ring.write_text("A" * 43 + "\n")
    done = one.manage("serve")
    assert done.returncode == 1
    assert "key" in done.stderr
    assert "Traceback" not in done.stderr
    ring.write_text(kept)
    assert one.manage("prepare").returncode == 0


def test_a_folder_of_other_files_is_not_taken_over(
    fresh_installation: InstallationFactory, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "holiday.txt").write_text("mine")
    one = fresh_installation(start=False)
    one.environment["CREDMGR_DATA_DIR"] = str(tmp_path)
    done = one.manage("serve")
    assert done.returncode == 1
    assert "Set CREDMGR_DATA_DIR to a folder of its own" in done.stderr
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.txt"]


def test_a_command_before_the_first_start_says_what_to_do(fresh_installation: InstallationFactory) -> None:
    one = fresh_installation(start=False)
    done = one.manage("list_apps", "--json")
    assert done.returncode == 1
    assert "not prepared yet" in done.stderr
    assert "manage.py prepare" in done.stderr
    assert "Traceback" not in done.stderr
    assert not one.data_dir.exists() or list(one.data_dir.iterdir()) == []


def test_prepare_prepares_and_may_be_repeated(fresh_installation: InstallationFactory) -> None:
    one = fresh_installation(start=False)
    for _ in range(2):
        done = one.manage("prepare")
        assert done.returncode == 0, done.stderr
        assert f"Prepared: {one.data_dir}" in done.stdout
    assert one.tenant_id


def test_the_setup_link_is_printed_until_there_is_an_administrator(
    fresh_installation: InstallationFactory,
) -> None:
    one = fresh_installation(admin=False)
    assert f"{one.portal_url}/account/setup/" in one.logs()
    one.create_admin()
    one.stop()
    printed = one.logs()
    one.start()
    assert "/account/setup/" not in one.logs().removeprefix(printed)


def test_with_a_public_url_the_plain_listener_is_off(
    fresh_installation: InstallationFactory, tmp_path: Path
) -> None:
    one = fresh_installation(start=False, prepared=True)
    one.environment["CREDMGR_PUBLIC_URL"] = f"https://localhost:{one.authority_port}"
    heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    heard.bind(str(tmp_path / "notify"))
    heard.settimeout(30)
    one.environment |= {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"}
    one.start()
    with pytest.raises(requests.ConnectionError):
        get(one, "/health/live", secure=False)
    answer = get(one, "/health/live")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"  # H-2
    asked = [sys.executable, "-m", "credmgr.ops.probe"]  # on the https listener, where it is the only one
    assert subprocess.run(asked, env=one.environment, cwd=ROOT, timeout=60, check=False).returncode == 0
    assert "W003" in one.logs()
    one.stop(signal.SIGTERM)
    with heard:
        told = [heard.recv(64)]
        while told[-1] != b"STOPPING=1":  # what systemd would hear
            told.append(heard.recv(64))
    assert (told[0], set(told[1:-1])) == (b"READY=1", {b"WATCHDOG=1"})
