"""Export and Import: the two pages that move a registration in a sealed file."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django.fixtures import Settings

from credmgr.audit.models import AuditEvent
from credmgr.credentials.client_secrets import open_value
from credmgr.registrations.models import Application
from credmgr.transfer.importing import read_export
from tests.portal.credential_forms import age_sign_in, stored_secret

pytestmark = pytest.mark.django_db
PASSPHRASE = "correct horse battery staple"
TYPED = {"passphrase": PASSPHRASE, "again": PASSPHRASE}


def export(signed_in: Client, harbor: Application, **typed: str) -> bytes:
    answer = signed_in.post(f"/applications/{harbor.pk}/export", {**TYPED, **typed})
    assert answer.status_code == 200, answer.content.decode()
    assert answer["Content-Disposition"].endswith('.credmgr"')
    assert answer["Cache-Control"] == "no-store"
    return bytes(answer.content)


def send(signed_in: Client, content: bytes, **typed: str) -> tuple[int, str]:
    """(status, page or address that it led to)."""
    file = SimpleUploadedFile("worker.credmgr", content)
    answer = signed_in.post("/applications/import", {"passphrase": PASSPHRASE, "file": file, **typed})
    return answer.status_code, answer.get("Location") or answer.content.decode()


def test_there_and_back(signed_in: Client, harbor: Application) -> None:
    _, value = stored_secret(harbor)
    stored_secret(harbor, "digest", verify_only=True)
    page = signed_in.get(f"/applications/{harbor.pk}/export").content.decode()
    assert "with 1 client secret" in page
    assert "1 verify-only client secret cannot come along" in page
    content = export(signed_in, harbor)
    assert read_export(content, PASSPHRASE).secrets[0].value == value
    status, address = send(signed_in, content)
    assert status == 302, address
    page = signed_in.get(address).content.decode()
    assert f"{harbor.display_name} is imported." in page
    assert "Left out: The client secret digest" in page
    made = Application.objects.exclude(pk=harbor.pk).get()
    assert address == f"/applications/{made.pk}"
    assert open_value(made.client_secrets.get()) == value
    assert [user.username for user in made.owners.all()] == [made.created_by.username]  # type: ignore[union-attr]
    assert AuditEvent.objects.filter(tag="application:export:sealed", application_id=harbor.pk).exists()
    assert AuditEvent.objects.filter(tag="application:import:done", application_id=made.pk).exists()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"passphrase": "short", "again": "short"}, "fewer than 12 characters"),
        ({"again": "correct horse battery stapler"}, "The two passphrases differ"),
        ({"passphrase": ""}, "Enter the passphrase."),
        ({"passphrase": "x" * 2000, "again": "x" * 2000}, "more than 1,024 characters"),
    ],
)
def test_a_passphrase_that_will_not_do_exports_nothing(
    signed_in: Client, harbor: Application, typed: dict[str, str], sentence: str
) -> None:
    answer = signed_in.post(f"/applications/{harbor.pk}/export", {**TYPED, **typed})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert PASSPHRASE not in page
    assert not AuditEvent.objects.filter(tag="application:export:sealed").exists()


def test_what_cannot_be_imported_is_told_and_nothing_is_made(signed_in: Client, harbor: Application) -> None:
    content = export(signed_in, harbor)
    for sent, typed, sentence in (
        (content, {"passphrase": "another passphrase"}, "does not open this file, or the file is damaged"),
        (content[:-1], {}, "does not open this file, or the file is damaged"),
        (b"", {}, "not a file that Credential Manager has sealed"),
        (b"-----BEGIN CERTIFICATE-----" * 9, {}, "not a file that Credential Manager has sealed"),
        (content, {"keep_client_id": "on"}, "Import without keeping the ID"),
    ):
        status, page = send(signed_in, sent, **typed)
        assert (status, sentence in page) == (422, True), page
        assert PASSPHRASE not in page
    assert Application.objects.count() == 1


def test_both_ask_for_the_password_when_the_sign_in_is_old(signed_in: Client, harbor: Application) -> None:
    content = export(signed_in, harbor)
    age_sign_in(signed_in)
    answer = signed_in.post(f"/applications/{harbor.pk}/export", TYPED)
    assert answer.status_code == 422
    assert 'name="current_password"' in answer.content.decode()
    status, page = send(signed_in, content)
    assert (status, 'name="current_password"' in page) == (422, True)
    assert Application.objects.count() == 1


def test_imports_count_as_uploads(signed_in: Client, harbor: Application, settings: Settings) -> None:
    """Each costs the server half a second and 128 MB."""
    settings.UPLOADS_PER_MINUTE = 1
    content = export(signed_in, harbor)
    assert send(signed_in, content)[0] == 302
    status, page = send(signed_in, content)
    assert (status, "too many uploads" in page) == (429, True)
