"""A client secret's value is in one answer and nowhere else (A3 to A5, S-1 to S-5)."""

import html
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from credmgr.accounts.models import Session, User
from credmgr.accounts.session_store import SessionStore
from credmgr.audit.models import AuditEvent
from credmgr.credentials.client_secrets import match_secret
from credmgr.credentials.models import ClientSecret
from credmgr.registrations.models import Application
from tests.factories import administrator
from tests.portal.credential_forms import VALUE, credentials_of, post_secret, secret_form, stored_secret

pytestmark = pytest.mark.django_db


def shown(client: Client, application: Application, **typed: str) -> tuple[str, Any]:
    """Make a secret by the form: the value that its answer shows, and the answer."""
    answer = post_secret(client, application, secret_form(client, application, **typed))
    found = VALUE.search(answer.content.decode())
    assert found, answer.content.decode()
    return found.group(0), answer


def test_a3_s4_the_answer_shows_the_value_with_a_way_to_copy_and_is_not_kept_by_caches(
    signed_in: Client, harbor: Application
):
    value, answer = shown(signed_in, harbor)
    body = answer.content.decode()
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    assert f'<code id="secret-value" data-wipes>{value}</code>' in body
    assert 'data-copy-from="secret-value" aria-label="Copy the value"' in body
    secret = ClientSecret.objects.get()
    assert value.startswith(secret.hint)
    assert str(secret.pk) in body
    assert match_secret([secret], value, secret.start_at).kind == "live"


def test_s1_the_value_is_in_the_text_and_the_env_lines_only(signed_in: Client, harbor: Application):
    """S-1: no hidden field, no attribute, no address, no command line holds it."""
    value, answer = shown(signed_in, harbor)
    body = html.unescape(answer.content.decode())
    assert body.count(value) == 2
    assert f"AZURE_CLIENT_SECRET={value}\n" in body
    assert not re.search(rf'="[^"]*{value}', body)
    assert value not in str(answer.headers)
    assert value not in str(answer.cookies)


def test_a5_nothing_stored_holds_the_value(signed_in: Client, harbor: Application):
    """A5: no table of the database, the session's included."""
    value, _ = shown(signed_in, harbor)
    looked_at = 0
    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 - names of our tables
            for row in cursor.fetchall():
                looked_at += 1
                for cell in row:
                    raw = cell if isinstance(cell, bytes) else str(cell).encode()
                    assert value.encode() not in raw, table
    assert looked_at > 5
    for session in Session.objects.all():
        assert value not in str(SessionStore().decode(session.session_data))


def test_a4_no_other_page_shows_it_again(signed_in: Client, harbor: Application):
    """A4: the list, a second tab, another user, the overview, the logs, the export."""
    value, _ = shown(signed_in, harbor)
    secret = ClientSecret.objects.get()
    other = Client()
    other.force_login(
        administrator(User.objects.create_user("kit")),
        backend="allauth.account.auth_backends.AuthenticationBackend",
    )
    own = f"/applications/{harbor.pk}"
    pages = [
        own,
        f"{own}/audit",
        f"{own}/sign-ins",
        f"{own}/code",
        "/applications",
        "/audit",
        "/applications/export",
    ]
    pages += [
        credentials_of(harbor, rest) for rest in ("/secrets", "/secrets/new", f"/secrets/{secret.pk}/delete")
    ]
    pages += [f"{own}/tests/new?credential={secret.pk}"]
    answered = 0
    for client in (signed_in, other):
        for page in pages:
            answer = client.get(page, follow=True)
            answered += answer.status_code == 200
            body = b"".join(answer) if answer.streaming else answer.content
            assert value.encode() not in body, page
    assert answered >= 16
    listed = signed_in.get(credentials_of(harbor, "/secrets")).content.decode()
    assert secret.hint in listed


def test_s3_the_same_form_again_makes_nothing_and_shows_nothing(signed_in: Client, harbor: Application):
    """S-3, A4: what a reload of the answer sends."""
    form = secret_form(signed_in, harbor)
    first = VALUE.search(post_secret(signed_in, harbor, form).content.decode())
    assert first
    again = post_secret(signed_in, harbor, form)
    body = again.content.decode()
    assert again.status_code == 409
    assert "cannot be shown again" in body
    assert not VALUE.search(body)
    assert ClientSecret.objects.count() == 1


def test_s3_a_form_of_another_application_tells_nothing_of_it(signed_in: Client, register, harbor):
    other = register("Other")
    form = secret_form(signed_in, other, description="elsewhere")
    post_secret(signed_in, other, form)
    body = post_secret(signed_in, harbor, form).content.decode()
    assert "elsewhere" not in body
    assert not VALUE.search(body)
    assert ClientSecret.objects.filter(application=harbor).count() == 0


def test_s2_row_and_audit_are_there_before_the_answer(signed_in: Client, harbor: Application):
    value, _ = shown(signed_in, harbor)
    secret = ClientSecret.objects.get()
    event = AuditEvent.objects.get(tag="application:secret:added")
    assert event.object_id == str(secret.pk)
    assert value not in str(event.changes) + event.object_name


def test_done_with_the_tick_leads_back_and_is_audited(signed_in: Client, harbor: Application):
    value, answer = shown(signed_in, harbor)
    secret = ClientSecret.objects.get()
    address = credentials_of(harbor, f"/secrets/{secret.pk}/stored")
    assert f'action="{address}"' in answer.content.decode()
    done = signed_in.post(address, {"stored": "on"})
    assert done.headers["Location"] == credentials_of(harbor, "/secrets")
    assert AuditEvent.objects.filter(tag="application:secret:confirmed-stored").count() == 1
    assert value not in signed_in.get(done.headers["Location"]).content.decode()


def test_done_without_the_tick_is_not_done(signed_in: Client, harbor: Application):
    """Without script nothing but the server holds Done back."""
    value, _ = shown(signed_in, harbor)
    secret = ClientSecret.objects.get()
    answer = signed_in.post(credentials_of(harbor, f"/secrets/{secret.pk}/stored"))
    body = answer.content.decode()
    assert answer.status_code == 422
    assert "Tick that you have stored the value." in body
    assert value not in body
    assert not AuditEvent.objects.filter(tag="application:secret:confirmed-stored").exists()


def test_commands_hold_no_value_and_carry_the_ids(signed_in: Client, harbor: Application):
    """P12: the value comes from a prompt or from standard input."""
    value, answer = shown(signed_in, harbor)
    body = html.unescape(answer.content.decode())
    lines = dict(re.findall(r'<pre id="lines-(\w+)"[^>]*>([^<]*)</pre>', body))
    assert set(lines) == {"env", "az", "github", "vault"}
    for key, text in lines.items():
        assert (value in text) is (key == "env")
    for text in (lines["env"], lines["az"]):
        assert str(harbor.client_id) in text
        assert str(harbor.tenant_id) in text
        assert "REQUESTS_CA_BUNDLE=" in text


def test_two_forms_make_two_different_values(signed_in: Client, harbor: Application):
    """A2."""
    assert shown(signed_in, harbor)[0] != shown(signed_in, harbor)[0]


REFUSING_THE_AUDIT = {
    "sqlite": (
        "CREATE TRIGGER refuse_audit BEFORE INSERT ON audit_auditevent "
        "BEGIN SELECT RAISE(ABORT, 'full'); END",
        "DROP TRIGGER refuse_audit",
    ),
    "postgresql": (
        "ALTER TABLE audit_auditevent ADD CONSTRAINT refuse_audit CHECK (false) NOT VALID",
        "ALTER TABLE audit_auditevent DROP CONSTRAINT refuse_audit",
    ),
}


def test_a_failure_to_write_the_audit_makes_no_secret(signed_in: Client, harbor: Application):
    """D-3: the row is written in the transaction of the act, or the act did not happen."""
    form = secret_form(signed_in, harbor)
    refuse, allow = REFUSING_THE_AUDIT[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(refuse)
    signed_in.raise_request_exception = False
    try:
        answer = post_secret(signed_in, harbor, form)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(allow)
    assert answer.status_code >= 500
    assert not VALUE.search(answer.content.decode())
    assert not ClientSecret.objects.exists()


def test_stored_values_stay_unreadable_in_the_list_of_another_person(harbor: Application):
    """S-5: even an administrator sees hint and mask only."""
    _, value = stored_secret(harbor)
    client = Client()
    client.force_login(
        administrator(User.objects.create_superuser("root")),
        backend="allauth.account.auth_backends.AuthenticationBackend",
    )
    body = client.get(credentials_of(harbor, "/secrets")).content.decode()
    assert value not in body
    assert value[:3] in body
