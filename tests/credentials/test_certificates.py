"""Uploads from examination to storage: findings in words first, then one sealed row, or nothing."""

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import PrivateFormat, load_pem_private_key
from django.db import connection

from credmgr.audit.models import AuditEvent
from credmgr.credentials.certificates import (
    add_certificate,
    delete_certificate,
    forget_private_key,
    open_certificate,
    open_private_key,
)
from credmgr.credentials.errors import CertificateError, CredentialNotFoundError
from credmgr.credentials.findings import LEVELS, NO_CERTIFICATE, NO_KEY, NOT_ITS_KEY, Examination, examine
from credmgr.credentials.key_files import SENTENCES
from credmgr.credentials.models import Certificate
from credmgr.credentials.x509 import NOT_ONE
from credmgr.registrations.deleting import delete_application
from credmgr.registrations.models import Application
from credmgr.vault.errors import SealError
from tests.credentials import making
from tests.credentials.making import PASSWORD, certificate, key_pem, pem, pfx
from tests.factories import COMMAND, NOW, application

pytestmark = pytest.mark.django_db
KEY = making.rsa_key()
LEAF = certificate()
AUTHORITY = certificate(key=making.rsa_key("authority"), serial=7)


def examined(app: Application, file: bytes = LEAF, **given: Any) -> Examination:
    defaults: dict[str, Any] = {"keep_private_key": False, "now": NOW}
    return examine(app, certificate_file=file, **(defaults | given))


def kept(app: Application, file: bytes, **given: Any) -> Examination:
    return examined(app, file, keep_private_key=True, **given)


def added(app: Application, file: bytes = LEAF, description: str = "", **given: Any) -> Certificate:
    return add_certificate(
        app, examination=examined(app, file, **given), description=description, actor=COMMAND, now=NOW
    )


def codes(examination: Examination) -> list[str]:
    assert [each.level for each in examination.findings] == sorted(
        (each.level for each in examination.findings), key=LEVELS.index
    )
    return [each.code for each in examination.findings]


def only_refusal(examination: Examination) -> str:
    assert examination.blocks
    [worst] = [each for each in examination.findings if each.level == "must-fix"]
    return f"{worst.heading} {worst.advice}".strip()


# ---------------------------------------------------------------- findings


def test_a_good_certificate_has_only_fine_findings_and_stores_nothing_yet():
    examination = examined(application(), pem(LEAF))
    assert codes(examination) == ["msal_can_sign", "valid_now", "right_kind"]
    assert not examination.blocks
    words = [f"{each.heading} {each.advice}".strip() for each in examination.findings]
    assert words[1] == (
        "Valid now, 365 days left. 22 Nov 2026, 14:52 UTC to 23 Nov 2027, 14:52 UTC. "
        "RSA 2048, signed with SHA-256 with RSA."
    )
    assert not Certificate.objects.exists()


@pytest.mark.parametrize(
    ("file", "code", "level", "heading"),
    [
        (
            certificate(start=NOW + timedelta(days=10)),
            "not_yet_valid",
            "check",
            "Not valid until 3 Dec 2026.",
        ),
        (certificate(end=NOW + timedelta(days=7)), "ends_soon", "check", "Only 7 days left."),
        (certificate(key=making.ec_key()), "ec_key", "check", "EC key: MSAL for Python cannot sign with it."),
        (certificate(end=NOW + timedelta(days=3649)), "long_lived", "know", "Valid for 3,650 days."),
    ],
)
def test_what_there_is_to_check_and_to_know(file, code, level, heading):
    """P1: said before anything is stored, and no obstacle."""
    examination = examined(application(), file)
    [finding] = [each for each in examination.findings if each.code == code]
    assert (finding.level, finding.heading) == (level, heading)
    assert finding.advice.endswith(".")
    assert not examination.blocks


def test_version_1_and_sha_1_are_worth_knowing_and_no_more(tmp_path):
    making.run(tmp_path, making.SEED_COMMANDS.replace("-days 365", "-days 3650 -sha1"))
    now = NOW.replace(year=2030)
    examination = examined(application(), (tmp_path / "server.crt").read_bytes(), now=now)
    assert {"version_1", "weak_signature_hash"} < set(codes(examination))
    assert not examination.blocks


def test_the_same_certificate_elsewhere_is_named():
    added(application("Route Planner API"))
    gone = application("Deleted one")
    added(gone)
    delete_application(gone, actor=COMMAND, now=NOW)
    app = application()
    [finding] = [each for each in examined(app).findings if each.code == "shared_certificate"]
    assert finding.heading == "Route Planner API holds the same certificate."
    for name in ("Bravo", "Charlie", "Delta"):
        added(application(name))
    [finding] = [each for each in examined(app).findings if each.code == "shared_certificate"]
    assert finding.heading == "Bravo, Charlie, Delta and 1 more hold the same certificate."


def test_on_this_application_already():
    app = application()
    added(app)
    assert only_refusal(examined(app, pem(LEAF))) == "This certificate is already on this application."


def test_so_many_certificates_and_no_more(settings):
    settings.CERTIFICATES_PER_APPLICATION = 1
    app = application()
    added(app)
    assert only_refusal(examined(app, certificate(serial=2))) == (
        "This application already has 1 certificate, the most it can have. Remove one first."
    )


def test_p2_an_expired_certificate_is_refused():
    """P2, U-3."""
    file = certificate(start=NOW - timedelta(days=30), end=NOW - timedelta(days=12))
    assert only_refusal(examined(application(), file)) == (
        "This certificate expired on 11 Nov 2026. Upload one that is still valid."
    )


def test_u4_unticked_any_private_key_is_refused_and_not_kept():
    """U-4, B5."""
    for file in (key_pem(KEY), pem(LEAF) + key_pem(KEY)):
        examination = examined(application(), file, password=PASSWORD, key_file=key_pem(KEY))
        assert only_refusal(examination).startswith("This file contains a private key.")
        assert (examination.parsed, examination.private_key_pem) == (None, None)
    assert only_refusal(examined(application(), pfx(LEAF), password=PASSWORD)).startswith(
        "This is a PKCS #12"
    )


# ---------------------------------------------------------------- with the key


@pytest.mark.parametrize(
    ("file", "given"),
    [
        pytest.param(pem(LEAF), {"key_file": key_pem(KEY)}, id="the seed's two files"),
        pytest.param(
            LEAF, {"key_file": key_pem(KEY, PrivateFormat.TraditionalOpenSSL)}, id="DER and RSA PRIVATE KEY"
        ),
        pytest.param(
            pem(LEAF), {"key_file": key_pem(KEY, password=PASSWORD), "password": PASSWORD}, id="encrypted key"
        ),
        pytest.param(pem(LEAF) + key_pem(KEY), {}, id="PEM with both"),
        pytest.param(pfx(LEAF), {"password": PASSWORD}, id="PFX"),
        pytest.param(pfx(LEAF), {"password": PASSWORD, "key_file": pfx(LEAF)}, id="PFX named twice"),
        pytest.param(pem(LEAF), {"key_file": pfx(LEAF), "password": PASSWORD}, id="key file is a PFX"),
        pytest.param(key_pem(KEY), {"key_file": pem(LEAF) + key_pem(KEY)}, id="key first, pair second"),
        pytest.param(pem(LEAF), {"key_file": key_pem(KEY), "password": "not needed"}, id="needless password"),
    ],
)
def test_p1_a_pair_is_found_wherever_it_is(file, given):
    """P1."""
    examination = kept(application(), file, **given)
    assert examination.parsed is not None, examination.findings
    assert examination.parsed.der == LEAF
    assert "key_belongs" in codes(examination)
    assert examination.private_key_pem is not None
    opened = load_pem_private_key(examination.private_key_pem, None)
    assert isinstance(opened, RSAPrivateKey)
    assert opened.private_numbers() == KEY.private_numbers()
    assert b"PRIVATE" not in repr(examination).encode()


@pytest.mark.parametrize(
    ("file", "given"),
    [
        pytest.param(pem(AUTHORITY) + pem(LEAF) + key_pem(KEY), {}, id="PEM, authority first"),
        pytest.param(pfx(LEAF, others=[AUTHORITY]), {"password": PASSWORD}, id="PFX"),
        pytest.param(pem(AUTHORITY) + pem(LEAF), {"key_file": key_pem(KEY)}, id="chain and key"),
        pytest.param(
            pem(LEAF), {"key_file": key_pem(KEY) + pem(AUTHORITY) + pem(LEAF)}, id="chain beside the key"
        ),
    ],
)
def test_p1_the_leaf_is_taken_and_others_are_dropped_and_named(file, given):
    """P1."""
    examination = kept(application(), file, **given)
    assert examination.parsed is not None, examination.findings
    assert examination.parsed.der == LEAF
    [finding] = [each for each in examination.findings if each.code == "others_left_out"]
    assert finding.heading == "The files also hold 1 other certificate: CN=example."
    assert finding.advice.startswith("It is left out.")


def test_a_weak_authority_beside_the_leaf_is_no_obstacle():
    weak = certificate(public_key=making.public_of_size(1024))
    examination = kept(application(), pem(weak) + pem(LEAF) + key_pem(KEY))
    assert examination.parsed is not None
    assert examination.parsed.der == LEAF
    assert not examination.blocks


def test_of_several_certificates_of_one_key_the_longest_is_taken():
    renewed = certificate(end=NOW + timedelta(days=700), serial=9)
    examination = kept(application(), pem(LEAF) + pem(renewed) + key_pem(KEY))
    assert examination.parsed is not None
    assert examination.parsed.der == renewed


OTHER_KEY = making.rsa_key("other")


@pytest.mark.parametrize(
    ("file", "given", "expected", "about"),
    [
        pytest.param(
            pem(LEAF), {"key_file": key_pem(OTHER_KEY)}, NOT_ITS_KEY, "key_file", id="B10 another key"
        ),
        pytest.param(pem(LEAF) + key_pem(OTHER_KEY), {}, NOT_ITS_KEY, "key_file", id="another key, one file"),
        pytest.param(pem(LEAF), {"key_file": key_pem(making.ec_key())}, NOT_ITS_KEY, "key_file", id="EC key"),
        pytest.param(pem(LEAF), {}, NO_KEY, "key_file", id="no key"),
        pytest.param(pem(LEAF), {"key_file": b""}, NO_KEY, "key_file", id="empty key file"),
        pytest.param(
            pem(LEAF),
            {"key_file": pem(LEAF) + b"\n"},
            SENTENCES["no_key"],
            "key_file",
            id="no key in the key file",
        ),
        pytest.param(key_pem(KEY), {}, NO_CERTIFICATE, "certificate_file", id="key alone"),
        pytest.param(
            key_pem(KEY), {"key_file": key_pem(OTHER_KEY)}, NO_CERTIFICATE, "certificate_file", id="two keys"
        ),
        pytest.param(pfx(LEAF), {}, SENTENCES["password_needed"], "password", id="PFX needs its password"),
        pytest.param(
            pfx(LEAF), {"password": "wrong"}, SENTENCES["password"], "password", id="wrong password"
        ),
        pytest.param(
            pfx(LEAF)[:400], {"password": PASSWORD}, SENTENCES["damaged"], "certificate_file", id="half a PFX"
        ),
        pytest.param(b"", {"key_file": key_pem(KEY)}, "The file is empty.", "certificate_file", id="empty"),
        pytest.param(b"hello", {"key_file": key_pem(KEY)}, NOT_ONE, "certificate_file", id="no certificate"),
        pytest.param(
            certificate(key=making.ed_key()),
            {"key_file": key_pem(making.ed_key())},
            SENTENCES["key_type"],
            "key_file",
            id="Ed25519 pair",
        ),
    ],
)
def test_pairs_that_are_refused(file, given, expected, about):
    """P1, U-8: the sentence says what to do and belongs to its field."""
    examination = kept(application(), file, **given)
    assert only_refusal(examination) == expected
    assert examination.findings[0].field == about
    assert examination.private_key_pem is None


# ---------------------------------------------------------------- storing


def test_what_is_stored_is_sealed_and_bound_to_its_row():
    app = application()
    row = added(app, pem(LEAF) + key_pem(KEY), keep_private_key=True, description="worker")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM credentials_certificate")
        columns = b"|".join(
            each if isinstance(each, bytes) else str(each).encode() for each in cursor.fetchone()
        )
    assert LEAF[20:60] not in columns
    assert b"PRIVATE" not in columns
    fresh = Certificate.objects.get()
    assert open_certificate(fresh) == LEAF
    assert open_private_key(fresh).startswith(b"-----BEGIN PRIVATE KEY-----")
    assert (fresh.thumbprint_sha1, fresh.key_type, fresh.key_size) == (row.thumbprint_sha1, "RSA", 2048)
    other = added(app, certificate(serial=3))
    other.der = fresh.der
    with pytest.raises(SealError):
        open_certificate(other)


def test_without_a_description_the_subject_stands_there():
    app = application()
    assert added(app).description == "CN=example"
    assert added(app, certificate(names=[])).description == "Empty subject"
    assert added(app, certificate(serial=4), description=" mine ").description == "mine"


def test_the_audit_names_the_certificate_and_no_key():
    row = added(application(), pem(LEAF) + key_pem(KEY), keep_private_key=True)
    event = AuditEvent.objects.latest("sequence")
    assert (event.tag, event.object_id) == ("application:certificate:added", str(row.pk))
    assert event.changes["thumbprint"] == [None, row.thumbprint_sha1]
    assert event.changes["privateKeyKept"] == [None, True]


@pytest.mark.parametrize("description", ["x" * 257, "two\nlines", "gpj.\u202eexe"])
def test_descriptions_that_are_refused(description):
    with pytest.raises(CertificateError) as caught:
        added(application(), description=description)
    assert caught.value.field == "description"
    assert not Certificate.objects.exists()


def test_a_blocking_examination_cannot_be_added():
    app = application()
    for file in (key_pem(KEY), b"", certificate(end=NOW - timedelta(seconds=1))):
        examination = examined(app, file)
        with pytest.raises(CertificateError) as caught:
            add_certificate(app, examination=examination, description="", actor=COMMAND, now=NOW)
        assert caught.value.message == only_refusal(examination)
    assert not Certificate.objects.exists()


def test_c2_what_changed_since_the_examination_is_noticed():
    """C-2: the certificate expired, or was added by someone else."""
    app = application()
    examination = examined(app)
    late = NOW + timedelta(days=366)
    with pytest.raises(CertificateError, match="expired on"):
        add_certificate(app, examination=examination, description="", actor=COMMAND, now=late)
    added(app)
    with pytest.raises(CertificateError, match="already on this application"):
        add_certificate(app, examination=examination, description="", actor=COMMAND, now=NOW)
    assert Certificate.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_c2_the_same_file_sent_in_parallel_is_stored_once():
    """C-2."""
    app = application()
    examination = examined(app)
    outcomes: Counter[str] = Counter()

    def send() -> None:
        try:
            add_certificate(app, examination=examination, description="", actor=COMMAND, now=NOW)
            outcomes["made"] += 1
        except CertificateError as error:
            outcomes[error.code] += 1
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == {"made": 1, "duplicate_certificate": 7}


def test_forgetting_the_key_leaves_the_certificate():
    app = application()
    row = added(app, pem(LEAF) + key_pem(KEY), keep_private_key=True)
    assert not forget_private_key(row, actor=COMMAND, now=NOW).has_private_key
    fresh = Certificate.objects.get()
    assert open_certificate(fresh) == LEAF
    with pytest.raises(CertificateError, match="not kept here"):
        open_private_key(fresh)
    with pytest.raises(CertificateError, match="No private key is kept"):
        forget_private_key(row, actor=COMMAND, now=NOW)
    assert AuditEvent.objects.filter(tag="application:certificate:private-key-forgotten").count() == 1


def test_e7_deleting_one_leaves_the_other():
    """E-7."""
    app = application()
    first, second = added(app), added(app, certificate(serial=5))
    delete_certificate(first, actor=COMMAND, now=NOW)
    assert list(Certificate.objects.all()) == [second]
    for act in (delete_certificate, forget_private_key):
        with pytest.raises(CredentialNotFoundError, match="deleted meanwhile"):
            act(first, actor=COMMAND, now=NOW)
    assert AuditEvent.objects.latest("sequence").tag == "application:certificate:deleted"
    added(app)  # the same one may come back
