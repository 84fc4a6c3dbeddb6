"""Opening key files in the child process: every form, wrong passwords, and files made to be expensive."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import PrivateFormat, load_pem_private_key
from django.conf import settings
from hypothesis import given
from hypothesis import settings as pace
from hypothesis import strategies as st

from credmgr.credentials import key_files, key_process
from credmgr.credentials.errors import CertificateError
from credmgr.credentials.kdf_rounds import ROUNDS_MOST, rounds_asked_for
from credmgr.credentials.key_files import SENTENCES, open_bundle, open_key
from credmgr.credentials.x509 import parse_certificate
from tests.credentials import making
from tests.credentials.making import PASSWORD, certificate, key_der, key_pem, pem, pfx
from tests.fuzzing import examples

KEY = making.rsa_key()
LEAF = certificate()
AUTHORITY = certificate(key=making.rsa_key("authority"), serial=7)
TRADITIONAL = PrivateFormat.TraditionalOpenSSL


def same_key(opened: bytes, key: RSAPrivateKey | EllipticCurvePrivateKey) -> bool:
    found = load_pem_private_key(opened, None)
    assert isinstance(found, RSAPrivateKey | EllipticCurvePrivateKey)
    return found.private_numbers() == key.private_numbers()


@pytest.mark.parametrize(
    ("file", "password", "key"),
    [
        pytest.param(key_pem(KEY), "", KEY, id="PKCS #8"),
        pytest.param(key_pem(KEY), "not needed", KEY, id="a password that is not needed"),
        pytest.param(key_pem(KEY, TRADITIONAL), "", KEY, id="PKCS #1"),
        pytest.param(key_pem(KEY, password=PASSWORD), PASSWORD, KEY, id="encrypted PKCS #8"),
        pytest.param(key_pem(KEY, TRADITIONAL, PASSWORD), PASSWORD, KEY, id="encrypted, traditional"),
        pytest.param(key_pem(KEY, password="pässwörd"), "pässwörd", KEY, id="password beyond ASCII"),
        pytest.param(key_der(KEY), "", KEY, id="DER PKCS #8"),
        pytest.param(key_der(KEY, TRADITIONAL), "", KEY, id="DER PKCS #1"),
        pytest.param(key_der(KEY, password=PASSWORD), PASSWORD, KEY, id="DER encrypted"),
        pytest.param(key_pem(making.ec_key()), "", making.ec_key(), id="EC"),
        pytest.param(key_pem(making.ec_key(), TRADITIONAL), "", making.ec_key(), id="EC, SEC1"),
        pytest.param(
            b"\xef\xbb\xbfBag Attributes\n" + key_pem(KEY).replace(b"\n", b"\r\n"), "", KEY, id="text around"
        ),
        pytest.param(pfx(LEAF), PASSWORD, KEY, id="PFX"),
        pytest.param(pfx(LEAF, password=""), "", KEY, id="PFX without password"),
        pytest.param(pem(LEAF) + key_pem(KEY), "", KEY, id="PEM with certificate"),
    ],
)
def test_the_key_comes_out_as_unencrypted_pkcs8(file, password, key):
    opened = open_key(file, password)
    assert opened.startswith(b"-----BEGIN PRIVATE KEY-----")
    assert same_key(opened, key)


def test_certificates_of_bundles_come_out_as_they_went_in():
    opened = open_bundle(pfx(LEAF, others=[AUTHORITY]), PASSWORD)
    assert (len(opened.keys), opened.certificates) == (1, [LEAF, AUTHORITY])
    assert opened.keys[0].public_key == parse_certificate(LEAF).public_key
    opened = open_bundle(pem(AUTHORITY) + pem(LEAF) + key_pem(KEY), "")
    assert opened.certificates == [AUTHORITY, LEAF]


def test_among_several_keys_the_one_that_belongs_is_taken():
    other = making.rsa_key("other")
    both = key_pem(other) + key_pem(KEY)
    assert same_key(open_key(both, ""), other)
    assert same_key(open_key(both, "", public_key=parse_certificate(LEAF).public_key), KEY)


def refused(file: bytes, password: str = "") -> tuple[str, str | None]:
    with pytest.raises(CertificateError) as caught:
        open_key(file, password)
    return caught.value.message, caught.value.field


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(key_pem(KEY, password=PASSWORD), id="PKCS #8"),
        pytest.param(key_pem(KEY, TRADITIONAL, PASSWORD), id="traditional"),
        pytest.param(key_der(KEY, password=PASSWORD), id="DER"),
        pytest.param(pfx(LEAF), id="PFX"),
    ],
)
def test_wrong_and_missing_passwords(file):
    assert refused(file, "wrong") == ("The password does not open this file.", "password")
    assert refused(file) == (SENTENCES["password_needed"], "password")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"\n\n", "empty", id="white space"),
        pytest.param(pem(LEAF), "no_key", id="certificate alone"),
        pytest.param(making.request(), "no_key", id="request"),
        pytest.param(b"hello", "no_key", id="words"),
        pytest.param(pem(b"nonsense", "PRIVATE KEY"), "no_key", id="PEM of nonsense"),
        pytest.param(b"-----BEGIN PRIVATE KEY-----\nMIIE", "no_key", id="PEM cut off"),
        pytest.param(key_der(KEY)[:-20], "no_key", id="DER cut off"),
        pytest.param(key_pem(making.ed_key()), "key_type", id="Ed25519"),
        pytest.param(key_pem(making.dsa_key()), "key_type", id="DSA"),
        pytest.param(key_pem(KEY, PrivateFormat.OpenSSH), "openssh", id="OpenSSH"),
        pytest.param(key_pem(KEY).decode().encode("utf-16"), "utf16", id="UTF-16"),
        pytest.param(pfx(LEAF)[:300], "damaged", id="PFX cut off"),
    ],
)
def test_files_that_are_refused(file, name):
    assert refused(file)[0] == SENTENCES[name]


def test_a_file_above_the_limit_is_not_opened():
    assert refused(b"x" * (settings.UPLOAD_MAX_BYTES + 1))[0].startswith("The key file is larger than 64 KB.")


def test_a_damaged_rsa_key_is_found_by_signing_with_it():
    """A key whose private exponent is wrong loads well and would fail at the first sign-in."""
    numbers = KEY.private_numbers()
    der = key_der(KEY, TRADITIONAL)
    wrong = der
    for number in (numbers.d, numbers.dmp1, numbers.dmq1):
        right = number.to_bytes((number.bit_length() + 7) // 8, "big")
        wrong = wrong.replace(right, right[:-1] + bytes([right[-1] ^ 2]))
    assert wrong != der
    assert refused(wrong)[0] == SENTENCES["key_damaged"]


# ---------------------------------------------------------------- made to be expensive


def test_u8_rounds_are_read_before_the_file_is_opened(tmp_path: Path):
    """U-8: PFX and PKCS #8 with PBKDF2, and scrypt."""
    (tmp_path / "k").write_bytes(key_pem(KEY))
    (tmp_path / "c").write_bytes(pem(LEAF))
    making.run(
        tmp_path,
        "openssl pkcs12 -export -inkey k -in c -out many.pfx -passout pass:x -iter 700000 -nomaciter\n"
        "openssl pkcs12 -export -inkey k -in c -out mac.pfx -passout pass:x -iter 1 -maciter -macalg sha256\n"
        "openssl pkcs8 -topk8 -in k -out many.pem -passout pass:x -iter 1000001\n"
        "openssl pkcs8 -topk8 -in k -out scrypt.pem -passout pass:x -scrypt -scrypt_N 16384 -scrypt_p 16\n"
        "openssl pkcs8 -topk8 -in k -outform DER -out old.der -passout pass:x -v1 PBE-SHA1-3DES "
        "-iter 2000000\n",
    )
    for name, rounds in [
        ("many.pfx", "1,400,00"),
        ("many.pem", "1,000,001"),
        ("scrypt.pem", "2,097,152"),
        ("old.der", "2,000,000"),
    ]:
        before = time.process_time()
        assert f"This file asks for {rounds}" in refused((tmp_path / name).read_bytes(), "x")[0]
        assert time.process_time() - before < 1
    assert same_key(open_key((tmp_path / "mac.pfx").read_bytes(), "x"), KEY)


def test_u8_as_many_rounds_as_allowed_are_not_counted_as_too_many(tmp_path: Path):
    """U-8: whether a second of CPU is enough for them is for the machine to say."""
    (tmp_path / "k").write_bytes(key_pem(KEY))
    making.run(tmp_path, "openssl pkcs8 -topk8 -in k -outform DER -out most -passout pass:x -iter 1000000")
    assert rounds_asked_for((tmp_path / "most").read_bytes()) == ROUNDS_MOST


@given(st.binary(max_size=300))
def test_counting_rounds_takes_any_bytes(data):
    assert rounds_asked_for(data) == rounds_asked_for(data)


def test_the_child_ends_itself_after_a_second_of_cpu(monkeypatch):
    """P1: rounds hidden from the count are ended by the limit, and told in a sentence."""
    monkeypatch.setattr(
        key_files, "_COMMAND", (sys.executable, "-c", _WITH_LIMITS.format("\nwhile True: pass"))
    )
    before = time.monotonic()
    assert refused(key_pem(KEY))[0] == SENTENCES["limits"]
    assert time.monotonic() - before < key_files.SECONDS_MOST


def test_the_child_gets_no_more_than_256_mb(monkeypatch):
    """P1."""
    monkeypatch.setattr(
        key_files, "_COMMAND", (sys.executable, "-c", _WITH_LIMITS.format("; bytearray(300 * 2**20)"))
    )
    assert refused(key_pem(KEY))[0] == SENTENCES["limits"]


def test_the_child_cannot_write_a_file(tmp_path: Path):
    """P1: nothing is written to disk."""
    code = _WITH_LIMITS.format(f"; open({str(tmp_path / 'leak')!r}, 'wb', buffering=0).write(b'x')")
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, cwd=settings.BASE_DIR, check=False
    )
    assert done.returncode != 0
    assert not (tmp_path / "leak").exists() or (tmp_path / "leak").stat().st_size == 0


_WITH_LIMITS = "from credmgr.credentials.key_process import limit_resources; limit_resources(){}"


def test_a_child_that_says_nothing_useful_is_a_refusal(monkeypatch):
    for code in ("print('[]x')", "raise SystemExit(1)", "import os; os.kill(os.getpid(), 9)"):
        monkeypatch.setattr(key_files, "_COMMAND", (sys.executable, "-c", code))
        assert refused(key_pem(KEY))[0] == SENTENCES["limits"]


def test_the_child_loads_no_django_and_inherits_no_environment(monkeypatch):
    """It is started for every key file: it has to be quick, and it needs no secret of ours."""
    code = "import credmgr.credentials.key_process, sys; raise SystemExit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=settings.BASE_DIR, check=False).returncode == 0
    monkeypatch.setenv("CREDMGR_CANARY", "1")
    seen = "str('CREDMGR_CANARY' in os.environ)"
    told = f"import json, os; print(json.dumps({{'error': 'rounds', 'detail': {seen}}}))"
    monkeypatch.setattr(
        key_files,
        "_COMMAND",
        (sys.executable, "-c", told),
    )
    assert "This file asks for False rounds" in refused(key_pem(KEY))[0]


def test_neither_password_nor_key_is_on_the_command_line_or_in_the_error():
    assert PASSWORD not in " ".join(key_files._COMMAND)
    with pytest.raises(CertificateError) as caught:
        open_key(key_pem(KEY, password="other"), PASSWORD)
    assert PASSWORD not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert "PRIVATE" not in repr(open_bundle(key_pem(KEY), ""))


@given(st.binary(max_size=400), st.text(max_size=10))
@pace(max_examples=examples(200))
def test_u9_any_bytes_are_opened_or_refused(data, password):
    """U-9: inside the child, without the cost of starting one."""
    open_or_refuse(data, password)


@given(st.integers(0, 2000), st.integers(0, 255), st.sampled_from(["pfx", "pem", "der"]))
@pace(max_examples=examples(100), deadline=None)
def test_u9_any_changed_byte_is_opened_or_refused(position, value, form):
    """U-9."""
    file = {"pfx": _PFX, "pem": key_pem(KEY, password="x"), "der": key_der(KEY)}[form]
    position %= len(file)
    open_or_refuse(file[:position] + bytes([value]) + file[position + 1 :], "x")


_PFX = pfx(LEAF, password="x")


def open_or_refuse(data: bytes, password: str) -> None:
    try:
        answer = key_process.open_file(data, password.encode())
    except key_process.RefusedError as refusal:
        answer = {"keys": SENTENCES[refusal.name], "certificates": []}
    assert set(answer) == {"keys", "certificates"}


def test_no_child_is_left_behind():
    open_key(key_pem(KEY), "")
    children = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()
    commands = [Path(f"/proc/{child}/cmdline").read_bytes() for child in children]
    assert not [command for command in commands if b"key_process" in command]
