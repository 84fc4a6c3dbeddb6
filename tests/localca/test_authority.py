"""The local CA: strict by RFC 5280, sealed, renewed in time (R4)."""

import ipaddress
import shutil
import ssl
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from pytest_django.fixtures import Settings

from credmgr.localca import authority
from credmgr.localca.models import LocalAuthority
from credmgr.vault.errors import SealError
from credmgr.vault.sealing import open_from
from tests.installation import Installation

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    """A data folder for this test alone, with the key ring of all tests."""
    shutil.copy2(Path(settings.DATA_DIR) / "keyring", tmp_path / "keyring")
    settings.DATA_DIR = tmp_path
    settings.CA_FILE = tmp_path / "tls" / "ca.pem"
    settings.CA_BUNDLE_FILE = tmp_path / "tls" / "ca-bundle.pem"
    return tmp_path / "tls"


def certificate(path: Path) -> x509.Certificate:
    """The certificate in a PEM file."""
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_the_ca_is_strict_and_bound_to_this_machine(folder: Path) -> None:
    assert authority.ensure_local_tls(NOW)
    ca = certificate(folder / "ca.pem")
    basic = ca.extensions.get_extension_for_class(x509.BasicConstraints)
    usage = ca.extensions.get_extension_for_class(x509.KeyUsage)
    names = ca.extensions.get_extension_for_class(x509.NameConstraints)
    assert basic.critical
    assert basic.value.ca
    assert basic.value.path_length == 0
    assert usage.critical
    assert usage.value.key_cert_sign
    assert not usage.value.digital_signature
    assert names.critical
    assert names.value.permitted_subtrees == [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_network("127.0.0.1/32")),
        x509.IPAddress(ipaddress.ip_network("::1/128")),
    ]
    own = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert ca.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier == own


def test_the_leaf_carries_the_three_names_and_at_most_397_days(folder: Path) -> None:
    authority.ensure_local_tls(NOW)
    leaf, ca = certificate(folder / "leaf.pem"), certificate(folder / "ca.pem")
    leaf.verify_directly_issued_by(ca)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
    usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usages) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=397)
    assert leaf.not_valid_before_utc < NOW < leaf.not_valid_after_utc


def test_files_have_their_modes_and_the_key_opens_with_the_vaults_password_only(folder: Path) -> None:
    authority.ensure_local_tls(NOW)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {"ca.pem": 0o644, "ca-bundle.pem": 0o644, "leaf.pem": 0o644, "leaf-key.pem": 0o600}
    sealed = (folder / "leaf-key.pem").read_bytes()
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in sealed
    with pytest.raises(ValueError, match="password"):
        load_pem_private_key(sealed, b"another password")
    key = load_pem_private_key(sealed, authority.leaf_password().encode())
    assert key.public_key() == certificate(folder / "leaf.pem").public_key()
    assert load_pem_private_key(authority.leaf_key_pem(), None).public_key() == key.public_key()


def test_the_bundle_is_the_public_roots_and_the_local_ca(folder: Path) -> None:
    """P12: for clients whose setting replaces the usual roots."""
    authority.ensure_local_tls(NOW)
    bundle = (folder / "ca-bundle.pem").read_text()
    assert bundle.count("-----BEGIN CERTIFICATE-----") > 100
    assert bundle.endswith((folder / "ca.pem").read_text())
    assert ssl.create_default_context(cadata=bundle).cert_store_stats()["x509_ca"] > 100


def test_a_second_call_changes_nothing(folder: Path) -> None:
    authority.ensure_local_tls(NOW)
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    assert not authority.ensure_local_tls(NOW + timedelta(days=300))
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()} == before


def test_a_leaf_with_less_than_30_days_left_is_renewed_under_the_same_ca(folder: Path) -> None:
    authority.ensure_local_tls(NOW)
    ca, leaf = (folder / "ca.pem").read_bytes(), certificate(folder / "leaf.pem")
    assert not authority.ensure_local_tls(leaf.not_valid_after_utc - timedelta(days=30, minutes=1))
    assert authority.ensure_local_tls(leaf.not_valid_after_utc - timedelta(days=29))
    assert (folder / "ca.pem").read_bytes() == ca
    assert certificate(folder / "leaf.pem").not_valid_after_utc > leaf.not_valid_after_utc


@pytest.mark.parametrize("name", ["ca.pem", "ca-bundle.pem", "leaf.pem", "leaf-key.pem"])
@pytest.mark.parametrize("damage", ["lost", "emptied", "garbled", "opened to others"])
def test_damaged_files_are_made_again_under_the_same_ca(folder: Path, name: str, damage: str) -> None:
    authority.ensure_local_tls(NOW)
    ca, path = (folder / "ca.pem").read_bytes(), folder / name
    if damage == "lost":
        path.unlink()
    elif damage == "opened to others":
        path.chmod(0o666)
    else:
        path.write_bytes(b"" if damage == "emptied" else b"\x00\xffnot a certificate")
    authority.ensure_local_tls(NOW)
    assert (folder / "ca.pem").read_bytes() == ca
    assert authority.leaf_key_pem()
    certificate(folder / "leaf.pem").verify_directly_issued_by(certificate(folder / "ca.pem"))
    assert stat.S_IMODE(path.stat().st_mode) == (0o600 if name == "leaf-key.pem" else 0o644)
    assert not authority.ensure_local_tls(NOW)


def test_the_cas_key_lies_sealed_and_cannot_be_moved_to_another_row(folder: Path) -> None:
    """E-3."""
    authority.ensure_local_tls(NOW)
    row = LocalAuthority.objects.get()
    clear = open_from(row, "private_key")
    assert clear not in bytes(row.private_key)
    other = LocalAuthority(private_key=row.private_key)
    with pytest.raises(SealError):
        open_from(other, "private_key")


def test_an_ending_ca_is_replaced(folder: Path) -> None:
    authority.ensure_local_tls(NOW)
    old = certificate(folder / "ca.pem")
    assert authority.ensure_local_tls(old.not_valid_after_utc - timedelta(days=10))
    assert certificate(folder / "ca.pem") != old
    assert LocalAuthority.objects.count() == 1


# ---------------------------------------------------------------- real clients against the real listener
PYTHON_CLIENT = """
import ssl, sys, urllib.request
context = ssl.create_default_context(cafile=sys.argv[1])
context.verify_flags |= ssl.VERIFY_X509_STRICT
no_proxy, https = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
opener = urllib.request.build_opener(no_proxy, https)
print(opener.open(sys.argv[2], timeout=10).read().decode())
"""
NODE_CLIENT = """
const told = problem => { console.error(problem); process.exit(1); };
fetch(process.argv[1]).then(answer => answer.text()).then(console.log, told);
"""


def run(*command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a client to its end."""
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={"PATH": "/usr/bin:/bin", **environment},
    )


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize("file", ["ca.pem", "ca-bundle.pem"])
def test_strict_python_accepts_it(installation: Installation, host: str, file: str) -> None:
    url = f"https://{host}:{installation.authority_port}/health/live"
    done = run(sys.executable, "-c", PYTHON_CLIENT, str(installation.data_dir / "tls" / file), url)
    assert '"live"' in done.stdout, done.stderr


def test_python_without_the_ca_refuses_it(installation: Installation) -> None:
    url = f"{installation.authority_url}/health/live"
    program = PYTHON_CLIENT.replace("cafile=sys.argv[1]", "")
    done = run(sys.executable, "-c", program, "-", url)
    assert "CERTIFICATE_VERIFY_FAILED" in done.stderr


def test_openssl_verifies_it_strictly(installation: Installation) -> None:
    leaf = str(installation.data_dir / "tls" / "leaf.pem")
    base = [
        "openssl",
        "verify",
        "-x509_strict",
        "-purpose",
        "sslserver",
        "-CAfile",
        str(installation.ca_file),
    ]
    assert run(*base, "-verify_hostname", "localhost", leaf).returncode == 0
    assert run(*base, "-verify_ip", "::1", leaf).returncode == 0
    assert run(*base, "-verify_hostname", "evil.example", leaf).returncode != 0


def test_curl_accepts_it(installation: Installation) -> None:
    url = f"{installation.authority_url}/health/live"
    assert '"live"' in run("curl", "-sS", "--cacert", str(installation.ca_file), url).stdout
    assert run("curl", "-sS", url).returncode == 60


def test_node_accepts_it(installation: Installation) -> None:
    if run("node", "--version").returncode != 0:
        pytest.skip("Node is not installed")
    url = f"{installation.authority_url}/health/live"
    done = run("node", "-e", NODE_CLIENT, url, NODE_EXTRA_CA_CERTS=str(installation.ca_file))
    assert '"live"' in done.stdout, done.stderr
