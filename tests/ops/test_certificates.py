"""Which certificate the https listener presents: the local one, renewed in time, or the operator's own."""

import gc
import signal
import ssl
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from os import kill
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone

from credmgr.localca.authority import listener_certificate_end
from credmgr.ops.upkeep import Upkeep
from tests.installation import Installation, InstallationFactory
from tests.ops.test_serve import children_of, get, wait_until

# A connection that a kill cuts off in its handshake is closed by the collector, which Python warns of.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Let that happen within the test that caused it."""
    yield
    gc.collect()


def presented(one: Installation) -> str:
    """The certificate that the https listener shows at this moment, as PEM."""
    return ssl.get_server_certificate(("127.0.0.1", one.authority_port), timeout=10)


def in_file(path: Path) -> str:
    """A certificate file in the same spelling."""
    return ssl.DER_cert_to_PEM_cert(ssl.PEM_cert_to_DER_cert(path.read_text()))


def presents(one: Installation, leaf: Path) -> bool:
    """Whether a connection is met with that certificate; one to a worker that is just ending is cut off."""
    try:
        return presented(one) == in_file(leaf)
    except OSError:
        return False


def everywhere(one: Installation, leaf: Path) -> bool:
    """Whether every worker shows it: they are replaced one after the other, and each connection may meet
    either, so six in a row met the new one now and then while the old one still answered.
    """
    return all(presents(one, leaf) for _ in range(40))


def secure_listener(one: Installation) -> int:
    """The main process of the https listener."""
    mark = b"CREDMGR_LISTENER=secure"
    found = [
        pid for pid in children_of(one.pid) if mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    ]
    assert len(found) == 1
    return found[0]


def test_a_renewed_certificate_is_taken_up_without_a_restart(fresh_installation: InstallationFactory) -> None:
    """The supervisor sends SIGHUP after a renewal; here a lost leaf stands for an old one."""
    one = fresh_installation(admin=False)
    leaf = one.data_dir / "tls" / "leaf.pem"
    before = presented(one)
    assert before == in_file(leaf)
    leaf.unlink()
    assert one.manage("prepare").returncode == 0
    assert in_file(leaf) != before
    kill(secure_listener(one), signal.SIGHUP)
    wait_until(lambda: everywhere(one, leaf))
    assert get(one, "/health/ready").status_code == 200
    assert one.stop() == 0
    assert one.processes() == []


def make_own(folder: Path, name: str = "own") -> tuple[Path, Path]:
    """An operator's own certificate and its key."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}-key.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
            ),
            *("-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    key.chmod(0o600)
    return certificate, key


@pytest.mark.django_db(transaction=True)
def test_a_replaced_own_certificate_is_noticed_when_both_files_fit(
    tmp_path: Path, settings: LazySettings
) -> None:
    certificate, key = make_own(tmp_path)
    renewed, renewed_key = make_own(tmp_path, "renewed")
    settings.TLS_CERTIFICATE_FILE, settings.TLS_KEY_FILE = str(certificate), str(key)
    end = listener_certificate_end()
    assert end is not None
    assert timedelta(days=1) < end - timezone.now() < timedelta(days=3)
    upkeep = Upkeep()
    assert upkeep() is False
    renewed.replace(certificate)
    assert upkeep() is False  # the key is still the old one's
    renewed_key.replace(key)
    assert [upkeep(), upkeep()] == [True, False]
    key.unlink()
    assert upkeep() is False


def test_the_operators_own_certificate_takes_the_place_of_the_local_one(
    fresh_installation: InstallationFactory, tmp_path: Path
) -> None:
    certificate, key = make_own(tmp_path)
    one = fresh_installation(start=False)
    one.environment |= {
        "CREDMGR_TLS_CERTIFICATE_FILE": str(certificate),
        "CREDMGR_TLS_KEY_FILE": str(key),
        "CREDMGR_PUBLIC_URL": one.authority_url,
    }
    one.ca_file = certificate
    one.start()
    assert presented(one) == in_file(certificate)
    assert not (one.data_dir / "tls").exists()
    assert "CA certificate" not in one.logs()
    assert get(one, "/health/ready").status_code == 200
    assert get(one, "/ca.pem").status_code == 404
    metadata = get(one, f"/{one.tenant_id}/v2.0/.well-known/openid-configuration")
    assert metadata.json()["issuer"].startswith(f"{one.authority_url}/")
    assert metadata.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    # After a renewal the supervisor sends SIGHUP.
    before = presented(one)
    for old, new in zip((certificate, key), make_own(tmp_path, "renewed"), strict=True):
        new.replace(old)
    kill(secure_listener(one), signal.SIGHUP)
    wait_until(lambda: everywhere(one, certificate))
    assert in_file(certificate) != before


def test_an_own_key_that_others_can_read_stops_the_start(
    fresh_installation: InstallationFactory, tmp_path: Path
) -> None:
    for name in ("own.pem", "own-key.pem"):
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(0o644)
    one = fresh_installation(start=False)
    one.environment |= {
        "CREDMGR_TLS_CERTIFICATE_FILE": str(tmp_path / "own.pem"),
        "CREDMGR_TLS_KEY_FILE": str(tmp_path / "own-key.pem"),
    }
    done = one.manage("serve")
    assert done.returncode == 1
    assert "credmgr.E009" in done.stderr
    assert "chmod 600" in done.stderr
