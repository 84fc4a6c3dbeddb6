"""The tab of certificates: uploading one, what is shown of it, its files, forgetting its key, deleting it."""

import html
import ssl
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from credmgr.audit.models import AuditEvent
from credmgr.credentials.certificates import open_certificate, open_private_key
from credmgr.credentials.lifecycle import end_of
from credmgr.credentials.models import Certificate
from credmgr.registrations.models import Application
from tests.portal import certificate_files as files
from tests.portal.conftest import PASSWORD, UNKNOWN
from tests.portal.credential_forms import age_sign_in, credentials_of, stored_secret, upload
from tests.portal.questions import assert_asks_for_sign_in, assert_hides, assert_refuses_methods

pytestmark = pytest.mark.django_db
ADDED = 302


def text_of(answer: Any) -> str:
    """The answer's text with entities resolved."""
    return html.unescape(answer.content.decode())


def stored(
    client: Client, application: Application, content: bytes | None = None, **typed: Any
) -> Certificate:
    """A certificate uploaded by the form; the seed's by default."""
    before = set(Certificate.objects.values_list("pk", flat=True))
    answer = upload(client, application, content or files.seed().certificate, **typed)
    assert answer.status_code == ADDED, text_of(answer)
    return Certificate.objects.exclude(pk__in=before).get()


def test_questions_that_every_page_is_asked(signed_in: Client, harbor, foreign):
    found = stored(signed_in, harbor)
    one = f"/certificates/{found.pk}"
    for page, methods in (
        ("/certificates/new", ["PUT", "DELETE"]),
        ("/certificates/examine", ["GET", "PUT"]),
        (one, ["POST", "DELETE"]),
        (f"{one}/download/pem", ["POST", "PUT"]),
        (f"{one}/forget-key", ["PUT", "DELETE"]),
        (f"{one}/delete", ["PUT", "DELETE"]),
    ):
        assert_asks_for_sign_in(credentials_of(harbor, page))
        assert_refuses_methods(signed_in, credentials_of(harbor, page), methods)
    for page in ("/certificates/new", one, f"{one}/download/pem", f"{one}/forget-key", f"{one}/delete"):
        assert_hides(signed_in, "/applications/{}/credentials" + page, foreign)
    assert Certificate.objects.filter(pk=found.pk).exists()


def test_unknown_certificates_and_those_of_another_application_are_404(signed_in: Client, register, harbor):
    """L-4."""
    elsewhere = stored(signed_in, register("Elsewhere"))
    for certificate_id in (UNKNOWN, elsewhere.pk):
        for rest in ("", "/download/pem", "/download/cer", "/forget-key", "/delete"):
            page = credentials_of(harbor, f"/certificates/{certificate_id}{rest}")
            assert signed_in.get(page).status_code == 404
            if rest in ("/forget-key", "/delete"):
                assert signed_in.post(page).status_code == 404
    assert Certificate.objects.filter(pk=elsewhere.pk).exists()


def test_without_certificates_the_tab_says_what_would_be_here(signed_in: Client, harbor: Application):
    body = text_of(signed_in.get(credentials_of(harbor, "/certificates")))
    assert "No certificates" in body
    assert "Upload certificate" in body


def test_b2_b3_b4_the_seeds_certificate_shows_openssls_thumbprint(signed_in: Client, harbor: Application):
    """B2, B3, B4: X.509 v1, accepted; the row has the 40 hex digits in upper case with a way to copy them."""
    answer = signed_in.get(upload(signed_in, harbor, files.seed().certificate).headers["Location"])
    body = text_of(answer)
    assert f'data-copy="{files.seed().sha1}" aria-label="Copy SHA-1 thumbprint of CN=example"' in body
    assert f">{files.seed().sha1}</code>" in body
    assert "CN=example" in body
    assert "RSA 2048" in body
    found = Certificate.objects.get()
    assert str(found.pk) in body
    assert found.thumbprint_sha256 == files.seed().sha256
    assert AuditEvent.objects.get(tag="application:certificate:added").object_id == str(found.pk)


@pytest.mark.parametrize(
    "name", ["server.cer", "server.pem", "server.der", "server.txt", "x" * 300, "..\\..\\a"]
)
@pytest.mark.parametrize("form", ["certificate", "der"])
def test_b13_content_decides_not_the_name(signed_in: Client, harbor: Application, form, name):
    """B13, U-7."""
    assert (
        stored(signed_in, harbor, getattr(files.seed(), form), name=name).thumbprint_sha1 == files.seed().sha1
    )


def test_every_bad_file_is_asked_for():
    """The list of names leaves none of the files out."""
    assert set(files.BAD_UPLOADS) == set(files.bad_uploads())


@pytest.mark.parametrize("kind", files.BAD_UPLOADS)
def test_a_bad_file_is_refused_in_words_and_nothing_of_it_stays(signed_in: Client, harbor, kind):
    """U-1 to U-4, U-9, B5: never a 5xx, nothing stored, no byte of the file in the page."""
    content, sentence = files.bad_uploads()[kind]
    answer = upload(signed_in, harbor, content, name="server.crt", description="kept")
    body = text_of(answer)
    assert answer.status_code == 422
    assert sentence in body
    assert "Nothing was stored." in body
    assert 'value="kept"' in body
    assert not Certificate.objects.exists()
    for line in content.decode("latin-1").splitlines():
        assert len(line) < 40 or line not in body


def test_b5_the_private_key_is_refused_before_anything_else(signed_in: Client, harbor: Application):
    """B5, U-4: the sentence of the rules, whole."""
    body = text_of(upload(signed_in, harbor, files.seed().key))
    assert (
        "This file contains a private key. Upload only the certificate, without its key. Nothing was stored."
        in " ".join(body.split())
    )


def test_no_file_at_all(signed_in: Client, harbor: Application):
    answer = signed_in.post(credentials_of(harbor, "/certificates/new"), {"description": "kept"})
    assert "Choose a file to upload." in text_of(answer)
    text_field = signed_in.post(
        credentials_of(harbor, "/certificates/new"), {"certificate_file": "just text"}
    )
    assert "Choose a file to upload." in text_of(text_field)


def test_the_same_file_twice_is_refused(signed_in: Client, harbor: Application):
    stored(signed_in, harbor)
    body = text_of(upload(signed_in, harbor, files.seed().der))
    assert "This certificate is already on this application." in body
    assert Certificate.objects.count() == 1


def test_what_needs_a_decision_is_shown_first_and_added_with_a_tick(signed_in: Client, register, harbor):
    """The same certificate on another application: nothing is stored before the tick."""
    stored(signed_in, register("Route Planner API"))
    answer = upload(signed_in, harbor, files.seed().certificate, description="kept")
    body = text_of(answer)
    assert "Route Planner API" in body
    assert "Add it all the same" in body
    assert f'name="accepted" value="{files.seed().sha256}"' in body
    assert 'value="kept"' in body
    assert not Certificate.objects.filter(application=harbor).exists()
    # The tick stands for that certificate and for no other.
    other = files.pem(files.certificate(ec.generate_private_key(ec.SECP256R1())))
    answer = upload(signed_in, harbor, other, accepted=files.seed().sha256)
    assert answer.status_code == 422
    assert not Certificate.objects.filter(application=harbor).exists()
    upload(signed_in, harbor, files.seed().certificate, accepted=files.seed().sha256)
    assert Certificate.objects.filter(application=harbor).count() == 1


def test_the_script_may_ask_for_the_findings_before_anything_is_stored(
    signed_in: Client, harbor: Application
):
    def examined(content: bytes, **typed: Any) -> str:
        page = credentials_of(harbor, "/certificates/examine")
        answer = signed_in.post(page, {"certificate_file": SimpleUploadedFile("a.crt", content), **typed})
        assert answer.status_code == 200
        return text_of(answer)

    fine = examined(files.seed().certificate)
    assert "RSA 2048" in fine
    assert "<main" not in fine
    assert "This file contains a private key." in examined(files.seed().key)
    ec_file = files.pem(files.certificate(ec.generate_private_key(ec.SECP256R1())))
    assert "MSAL for Python" in examined(ec_file)
    assert not Certificate.objects.exists()
    assert not AuditEvent.objects.filter(tag="application:certificate:added").exists()


def test_a_kept_private_key_is_sealed_and_never_shown(signed_in: Client, harbor: Application):
    """P1 with the seed's two files; decision 6."""
    found = stored(signed_in, harbor, keep_private_key="on", key_file=files.seed().key)
    assert found.has_private_key
    assert open_private_key(found).startswith(b"-----BEGIN PRIVATE KEY-----")
    line = files.seed().key.decode().splitlines()[5]
    for page in ("/certificates", f"/certificates/{found.pk}", f"/certificates/{found.pk}/download/pem"):
        assert line not in text_of(signed_in.get(credentials_of(harbor, page)))
    assert "key kept" in text_of(signed_in.get(credentials_of(harbor, "/certificates")))


@pytest.mark.parametrize("with_pfx", [True, False], ids=["pfx", "encrypted key"])
def test_a_key_under_a_password(signed_in: Client, harbor: Application, with_pfx):
    """P1, U-8."""
    key, made = files.rsa_key(), files.certificate()
    if with_pfx:
        typed: dict[str, Any] = {"content": files.pfx(key, made)}
    else:
        typed = {"content": files.pem(made), "key_file": files.key_pem(key, files.PFX_PASSWORD)}
    for password, sentence in (("", "password"), ("wrong-Passw0rd", "does not open this file")):
        answer = upload(signed_in, harbor, **typed, keep_private_key="on", password=password)
        body = text_of(answer)
        assert answer.status_code == 422
        assert sentence in body
        assert "wrong-Passw0rd" not in body
        assert "checked" in body.split('name="keep_private_key"')[1][:120]
        assert not Certificate.objects.exists()
    assert (
        upload(signed_in, harbor, **typed, keep_private_key="on", password=files.PFX_PASSWORD).status_code
        == ADDED
    )
    assert Certificate.objects.get().has_private_key


def test_a_key_of_another_certificate_is_refused(signed_in: Client, harbor: Application):
    other = files.key_pem(files.rsa_key(2048, 1))
    body = text_of(upload(signed_in, harbor, files.seed().certificate, keep_private_key="on", key_file=other))
    assert "The key does not belong to this certificate." in body
    assert not Certificate.objects.exists()


def test_a_key_file_without_the_tick_is_not_even_read(signed_in: Client, harbor: Application):
    found = stored(signed_in, harbor, key_file=files.seed().key)
    assert not found.has_private_key


def test_forgetting_the_key_leaves_the_certificate(signed_in: Client, harbor: Application):
    found = stored(signed_in, harbor, keep_private_key="on", key_file=files.seed().key)
    page = credentials_of(harbor, f"/certificates/{found.pk}/forget-key")
    assert "Forget the private key of CN=example?" in text_of(signed_in.get(page))
    assert Certificate.objects.get().has_private_key  # L-5: nothing changes by GET
    signed_in.post(page)
    fresh = Certificate.objects.get()
    assert not fresh.has_private_key
    assert open_certificate(fresh) == files.seed().der
    assert AuditEvent.objects.filter(tag="application:certificate:private-key-forgotten").count() == 1
    assert "No private key is kept" in text_of(signed_in.post(page, follow=True))


def test_the_page_of_one_certificate_has_every_spelling(signed_in: Client, harbor: Application):
    """Both hashes in hex (upper, lower, colons), base64 and base64url, each with who asks for it."""
    found = stored(signed_in, harbor, files.pem(files.certificate()), description="harbor-sync-2026")
    body = text_of(signed_in.get(credentials_of(harbor, f"/certificates/{found.pk}")))
    for digest in (found.thumbprint_sha1, found.thumbprint_sha256):
        colons = ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))
        for spelling in (digest, digest.lower(), colons):
            assert f'data-copy="{spelling}"' in body
    for words in (
        "x5t#S256",
        "MSAL",
        "OpenSSL",
        "harbor.example",
        "CN=harbor-sync",
        "Self-signed",
        "RSA 2048",
    ):
        assert words in body
    for label in ("Copy certificate ID", "Copy serial number"):
        assert label in body
    assert "Not kept. Each test asks for the key file." in body
    assert "Never" in body


def test_also_on_names_the_others(signed_in: Client, register, harbor: Application):
    stored(signed_in, register("Route Planner API"))
    found = stored(signed_in, harbor, accepted=files.seed().sha256)
    body = text_of(signed_in.get(credentials_of(harbor, f"/certificates/{found.pk}")))
    assert "Route Planner API" in body


def test_downloads_are_the_certificate_itself(signed_in: Client, harbor: Application):
    found = stored(signed_in, harbor, description='a "quoted" näme/../x')
    page = credentials_of(harbor, f"/certificates/{found.pk}/download/")
    cer, pem = signed_in.get(page + "cer"), signed_in.get(page + "pem")
    assert cer.content == files.seed().der
    assert ssl.PEM_cert_to_DER_cert(pem.content.decode()) == files.seed().der
    assert cer.headers["Content-Type"] == "application/pkix-cert"
    assert pem.headers["Content-Disposition"] == 'attachment; filename="a-quoted-namex.pem"'
    assert signed_in.get(page + "pfx").status_code == 404


def test_deleting_one_leaves_the_others(signed_in: Client, harbor: Application):
    gone, stays = stored(signed_in, harbor), stored(signed_in, harbor, files.pem(files.certificate()))
    secret, _ = stored_secret(harbor)
    page = credentials_of(harbor, f"/certificates/{gone.pk}/delete")
    asked = text_of(signed_in.get(page))
    assert "Delete CN=example?" in asked
    assert "No sign-in will fail" in asked
    assert gone.thumbprint_sha1 in asked
    signed_in.post(page)
    assert list(Certificate.objects.all()) == [stays]
    assert harbor.client_secrets.get() == secret
    assert AuditEvent.objects.filter(tag="application:certificate:deleted").count() == 1


def test_l2_a_stale_sign_in_keeps_what_was_typed_but_not_file_or_password(
    signed_in: Client, harbor: Application
):
    """P9."""
    age_sign_in(signed_in)
    typed: dict[str, Any] = {
        "description": "kept",
        "keep_private_key": "on",
        "key_file": files.seed().key,
        "password": "Key-Passw0rd",
    }
    body = text_of(upload(signed_in, harbor, files.seed().certificate, **typed))
    assert 'name="current_password"' in body
    assert 'value="kept"' in body
    assert "checked" in body.split('name="keep_private_key"')[1][:120]
    assert "Key-Passw0rd" not in body
    assert files.seed().key.decode().splitlines()[5] not in body
    assert not Certificate.objects.exists()
    typed = {"description": "kept", "current_password": PASSWORD}
    assert upload(signed_in, harbor, files.seed().certificate, **typed).status_code == ADDED


def test_uploads_are_limited_per_person(signed_in: Client, harbor: Application, settings):
    """Section 11: 120 a minute; here 2."""
    settings.UPLOADS_PER_MINUTE = 2
    for _ in range(2):
        assert upload(signed_in, harbor, b"nonsense").status_code == 422
    answer = upload(signed_in, harbor, files.seed().certificate, description="kept")
    assert answer.status_code == 429
    assert "too many uploads" in text_of(answer)
    assert not Certificate.objects.exists()


def test_a_body_above_the_limit_is_413_with_a_page(signed_in: Client, harbor: Application):
    """Section 11: 1 MB for any page."""
    answer = upload(signed_in, harbor, b"x" * (1024 * 1024 + 1))
    assert answer.status_code == 413
    assert "That was more than this server accepts" in text_of(answer)
    assert not Certificate.objects.exists()


def test_the_most_certificates_are_the_most(signed_in: Client, harbor: Application, settings):
    settings.CERTIFICATES_PER_APPLICATION = 1
    stored(signed_in, harbor)
    body = text_of(upload(signed_in, harbor, files.pem(files.certificate())))
    assert "already has 1 certificate, the most it can have" in body
    assert Certificate.objects.count() == 1


def test_the_entry_opens_the_tab_with_the_nearest_end(signed_in: Client, harbor: Application):
    found = stored(signed_in, harbor)
    assert signed_in.get(credentials_of(harbor)).headers["Location"].endswith("/certificates")
    stored_secret(harbor, days=100)
    assert signed_in.get(credentials_of(harbor)).headers["Location"].endswith("/secrets")
    assert found.end_at > end_of(harbor.client_secrets.get())


def test_queries_stay_the_same_with_many_certificates(signed_in: Client, harbor: Application):
    def queries() -> int:
        page = credentials_of(harbor, "/certificates")
        signed_in.get(page)
        with CaptureQueriesContext(connection) as asked:
            assert signed_in.get(page).status_code == 200
        return len(asked)

    for number in range(2):
        stored(signed_in, harbor, files.pem(files.certificate(common_name=f"one-{number}")))
    few = queries()
    for number in range(10):
        stored(signed_in, harbor, files.pem(files.certificate(common_name=f"two-{number}")))
    assert queries() == few


def test_names_of_a_certificate_are_text_and_never_markup(signed_in: Client, harbor: Application):
    """U-6."""
    found = stored(
        signed_in, harbor, files.pem(files.certificate(common_name="<script>alert(1)</script>\u202egnp"))
    )
    for page in ("/certificates", f"/certificates/{found.pk}", f"/certificates/{found.pk}/delete"):
        body = signed_in.get(credentials_of(harbor, page)).content.decode()
        assert "<script>alert" not in body
        assert "\u202e" not in body
