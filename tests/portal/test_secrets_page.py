"""The tab of client secrets: what it lists, adding one, deleting one."""

import html
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from credmgr.audit.models import AuditEvent, SignIn
from credmgr.credentials.lifecycle import end_of
from credmgr.credentials.models import ClientSecret
from credmgr.flowtest.models import FlowRun
from credmgr.registrations.models import Application
from tests.portal.conftest import PASSWORD, UNKNOWN
from tests.portal.credential_forms import (
    VALUE,
    age_sign_in,
    credentials_of,
    post_secret,
    secret_form,
    stored_secret,
)
from tests.portal.questions import assert_asks_for_sign_in, assert_hides, assert_refuses_methods

pytestmark = pytest.mark.django_db
READ_ONLY = ("", "/secrets", "/federated", "/certificates")


def text_of(answer: object) -> str:
    """The answer's text with entities resolved."""
    return html.unescape(answer.content.decode())  # type: ignore[attr-defined] # Django's test answers


def sign_in(
    application: Application, secret: ClientSecret, *, ago: timedelta, code: int = 0, **given: str
) -> None:
    """A token request of the past."""
    SignIn.objects.create(
        at=timezone.now() - ago,
        trace_id=uuid.uuid4(),
        correlation_id=uuid.uuid4(),
        tenant_id=application.tenant_id,
        client_id=str(application.client_id),
        application_id=application.pk,
        credential_id=secret.pk,
        credential_type="clientSecret",
        error_code=code,
        **{"address": "10.24.6.11", "resource": "api://route-planner", **given},
    )


@pytest.mark.parametrize("page", READ_ONLY)
def test_questions_that_every_tab_is_asked(signed_in: Client, harbor, foreign, page):
    address = credentials_of(harbor, page)
    assert_asks_for_sign_in(address)
    assert_refuses_methods(signed_in, address, ["POST", "PUT", "DELETE"])
    assert_hides(signed_in, "/applications/{}/credentials" + page, foreign)


def test_questions_that_every_form_is_asked(signed_in: Client, harbor, foreign):
    secret, _ = stored_secret(harbor)
    for page, methods in (
        ("/secrets/new", ["PUT", "DELETE"]),
        (f"/secrets/{secret.pk}/delete", ["PUT", "DELETE"]),
        (f"/secrets/{secret.pk}/stored", ["GET", "PUT"]),
    ):
        assert_asks_for_sign_in(credentials_of(harbor, page))
        assert_refuses_methods(signed_in, credentials_of(harbor, page), methods)
    for page in ("/secrets/new", f"/secrets/{secret.pk}/delete"):
        assert_hides(signed_in, "/applications/{}/credentials" + page, foreign)
    assert ClientSecret.objects.count() == 1


@pytest.mark.parametrize("act", ["delete", "stored"])
def test_unknown_secrets_and_those_of_another_application_are_404(signed_in: Client, register, harbor, act):
    """L-4: a known Secret ID under another application of the same directory is not found either."""
    elsewhere, _ = stored_secret(register("Elsewhere"))
    for secret_id in (UNKNOWN, elsewhere.pk):
        answer = signed_in.post(credentials_of(harbor, f"/secrets/{secret_id}/{act}"), {"stored": "on"})
        assert answer.status_code == 404
    assert ClientSecret.objects.filter(pk=elsewhere.pk).exists()


def test_without_secrets_the_tab_says_what_would_be_here(signed_in: Client, harbor: Application):
    body = text_of(signed_in.get(credentials_of(harbor, "/secrets")))
    assert "No client secrets" in body
    assert "New client secret" in body
    for tab in ("Certificates", "Client secrets", "Federated credentials"):
        assert f'{tab} <span class="quiet">(0)</span>' in body


def test_a_row_shows_hint_mask_id_dates_maker_use_and_test(signed_in: Client, harbor: Application, person):
    secret, value = stored_secret(harbor, "worker-prod-2026", days=97, user=person)
    for _ in range(3):
        sign_in(harbor, secret, ago=timedelta(minutes=4))
    run = FlowRun.objects.create(
        application=harbor,
        credential_id=secret.pk,
        credential_kind="secret",
        target="built-in",
        scope="api://x/.default",
        verdict="verified",
        duration_ms=412,
        correlation_id=uuid.uuid4(),
        started_at=timezone.now(),
    )
    body = text_of(signed_in.get(credentials_of(harbor, "/secrets")))
    assert "worker-prod-2026" in body
    assert "97 days left" in body
    assert f'{secret.hint}<span class="quiet" aria-hidden="true">{"*" * 18}</span>' in body
    assert f'data-copy="{secret.pk}" aria-label="Copy secret ID of worker-prod-2026"' in body
    assert "4 min ago" in body
    assert "3 in 24 h" in body
    assert f"/tests/{run.pk}" in body
    assert "Passed" in body
    assert "Robin Vale" in body
    assert f"/tests/new?credential={secret.pk}" in body
    assert value not in body


def test_a_secret_without_description_use_or_test_shows_words_and_no_dash(signed_in: Client, harbor):
    stored_secret(harbor, "")
    body = text_of(signed_in.get(credentials_of(harbor, "/secrets")))
    assert "No description" in body
    assert "Never" in body
    assert "Not tested" in body


def test_a6_the_page_says_near_the_column_that_a_value_is_shown_once(signed_in: Client, harbor):
    """A6."""
    stored_secret(harbor)
    body = text_of(signed_in.get(credentials_of(harbor, "/secrets")))
    assert "A value is shown once" in body
    assert "Values cannot be shown again" in body


def test_the_one_warning_names_the_most_urgent(signed_in: Client, harbor: Application):
    stored_secret(harbor, "calm", days=200)
    soon, _ = stored_secret(harbor, "worker-prod", days=23)
    page = credentials_of(harbor, "/secrets")
    assert "message-warn" not in text_of(signed_in.get(page))  # never used, and another one is live
    sign_in(harbor, soon, ago=timedelta(minutes=5))
    body = text_of(signed_in.get(page))
    assert "worker-prod has 23 days left and was used 5 min ago." in body
    assert body.count('class="message ') == 1


def test_no_live_credential_is_said_in_red(signed_in: Client, harbor: Application):
    """P4."""
    stored_secret(harbor, "smoke-test", days=-12)
    body = text_of(signed_in.get(credentials_of(harbor, "/secrets")))
    assert "No live credential." in body
    assert "Expired 12 days ago" in body
    assert "1 expired" in body


def test_the_entry_opens_the_tab_with_the_nearest_end(signed_in: Client, harbor: Application):
    address = credentials_of(harbor)
    assert signed_in.get(address).headers["Location"] == credentials_of(harbor, "/secrets")
    stored_secret(harbor, days=100)
    assert signed_in.get(address).headers["Location"] == credentials_of(harbor, "/secrets")


def test_queries_stay_the_same_with_many_secrets(signed_in: Client, harbor: Application):
    """The list asks as much for twenty rows as for two."""

    def queries() -> int:
        signed_in.get(credentials_of(harbor, "/secrets"))
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert signed_in.get(credentials_of(harbor, "/secrets")).status_code == 200
        return len(asked)

    for number in range(2):
        sign_in(harbor, stored_secret(harbor, f"secret {number}")[0], ago=timedelta(hours=1))
    few = queries()
    for number in range(18):
        sign_in(harbor, stored_secret(harbor, f"more {number}")[0], ago=timedelta(hours=1))
    assert queries() == few


def test_a2_the_form_has_no_field_for_a_value_and_names_every_choice(signed_in: Client, harbor):
    """A2, P6: 180 days is chosen, the rest follows the portal."""
    body = text_of(signed_in.get(credentials_of(harbor, "/secrets/new")))
    assert (
        'value="180" required id="id_expires_0" checked' in body
        or "checked" in body.split('value="180"')[1][:60]
    )
    for words in (
        "180 days (6 months)",
        "90 days (3 months)",
        "365 days (12 months)",
        "545 days (18 months)",
    ):
        assert words in body
    assert "730 days (24 months)" in body
    for name in ("value", "secret", "client_secret", "secret_value"):
        assert f'name="{name}"' not in body


@pytest.mark.parametrize("days", ["90", "180", "365", "545", "730"])
def test_each_choice_lasts_as_long_as_it_says(signed_in: Client, harbor: Application, days):
    assert post_secret(signed_in, harbor, secret_form(signed_in, harbor, expires=days)).status_code == 200
    made = ClientSecret.objects.get()
    assert end_of(made) - made.start_at == timedelta(days=int(days))


def test_a_custom_period_lasts_through_its_last_day(signed_in: Client, harbor: Application):
    today = timezone.now().date()
    form = secret_form(
        signed_in,
        harbor,
        expires="custom",
        start=(today + timedelta(days=3)).isoformat(),
        end=(today + timedelta(days=10)).isoformat(),
    )
    assert post_secret(signed_in, harbor, form).status_code == 200
    made = ClientSecret.objects.get()
    assert made.start_at.isoformat() == f"{today + timedelta(days=3)}T00:00:00+00:00"
    assert end_of(made).isoformat() == f"{today + timedelta(days=10)}T23:59:59+00:00"


REFUSED = [
    ({"expires": "9999"}, "Choose one of the listed lifetimes, or Custom."),
    ({"expires": "custom", "start": "", "end": ""}, "Choose the first day."),
    ({"expires": "custom", "start": "tomorrow", "end": "2030-99-99"}, "This is not a date."),
    ({"expires": "custom", "start": "2026-01-02", "end": "2026-01-01"}, "The end is not after the start."),
    ({"expires": "custom", "start": "2025-01-01", "end": "2025-02-01"}, "The end lies in the past."),
    ({"expires": "custom", "start": "2026-11-01", "end": "2039-01-01"}, "24 months at most"),
    ({"expires": "custom", "start": "0001-01-01", "end": "9999-12-31"}, "before the year 2000"),
    ({"description": "x" * 300}, "The description has 300 characters."),
    ({"description": "x" * 5000}, "at most"),
    ({"description": "one\x07two"}, "control characters"),
    ({"form_token": ""}, "This form is incomplete"),
    ({"form_token": "not-a-token"}, "This form is incomplete"),
]


@pytest.mark.parametrize(("typed", "sentence"), REFUSED)
def test_refusals_say_what_to_do_and_make_nothing(signed_in: Client, harbor, typed, sentence):
    answer = post_secret(
        signed_in, harbor, secret_form(signed_in, harbor, **({"description": "kept"} | typed))
    )
    body = text_of(answer)
    assert answer.status_code == 422
    assert sentence in body
    assert "No client secret was made." in body
    assert not ClientSecret.objects.exists()
    if "description" not in typed:
        assert 'value="kept"' in body


def test_the_most_secrets_are_the_most(signed_in: Client, harbor: Application, settings):
    """P6."""
    settings.SECRETS_PER_APPLICATION = 2
    for _ in range(2):
        stored_secret(harbor)
    body = text_of(post_secret(signed_in, harbor, secret_form(signed_in, harbor)))
    assert "already has 2 client secrets" in body
    assert ClientSecret.objects.count() == 2


def test_verify_only_keeps_no_value(signed_in: Client, harbor: Application):
    """Decision 5."""
    answer = post_secret(signed_in, harbor, secret_form(signed_in, harbor, verify_only="on"))
    assert VALUE.search(text_of(answer))
    assert ClientSecret.objects.get().is_verify_only
    assert "verify only" in text_of(signed_in.get(credentials_of(harbor, "/secrets")))


def test_l7_extra_fields_change_nothing(signed_in: Client, harbor: Application, register):
    """L-7: value, owner, hint and application of a secret cannot be sent along."""
    other = register("Other")
    form = secret_form(signed_in, harbor) | {"value": "mine", "hint": "xxx", "application": str(other.pk)}
    shown = VALUE.search(text_of(post_secret(signed_in, harbor, form)))
    assert shown is not None
    assert "mine" not in shown.group(0)
    made = ClientSecret.objects.get()
    assert made.application_id == harbor.pk
    assert made.hint != "xxx"


def test_l2_a_stale_sign_in_asks_for_the_password_and_keeps_what_was_typed(signed_in: Client, harbor):
    """L-2, P9."""
    form = secret_form(signed_in, harbor, description="kept in the form", expires="365")
    age_sign_in(signed_in)
    body = text_of(post_secret(signed_in, harbor, form))
    assert 'name="current_password"' in body
    assert 'value="kept in the form"' in body
    assert not ClientSecret.objects.exists()
    wrong = text_of(post_secret(signed_in, harbor, form | {"current_password": "not-my-password-7"}))
    assert "The password is not right." in wrong
    assert "not-my-password-7" not in wrong
    assert not ClientSecret.objects.exists()
    right = post_secret(signed_in, harbor, form | {"current_password": PASSWORD})
    assert VALUE.search(text_of(right))
    assert PASSWORD not in text_of(right)
    assert ClientSecret.objects.get().description == "kept in the form"


def test_a_csrf_token_is_needed(person, harbor: Application):
    """L-5."""
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    secret, _ = stored_secret(harbor)
    for page in ("/secrets/new", f"/secrets/{secret.pk}/delete", f"/secrets/{secret.pk}/stored"):
        assert strict.post(credentials_of(harbor, page), {"stored": "on"}).status_code == 403
    assert ClientSecret.objects.count() == 1


def test_the_question_names_the_sign_ins_that_will_fail(signed_in: Client, harbor: Application):
    secret, _ = stored_secret(harbor, "worker-prod")
    for _ in range(12):
        sign_in(harbor, secret, ago=timedelta(minutes=4))
    sign_in(harbor, secret, ago=timedelta(days=20), address="10.24.6.14", resource="api://ledger")
    body = text_of(signed_in.get(credentials_of(harbor, f"/secrets/{secret.pk}/delete")))
    assert "Delete worker-prod?" in body
    assert "These sign-ins will fail, with AADSTS7000215" in body
    assert "From 10.24.6.11 to api://route-planner: 12 in 30 days, 12 in 7 days, the last 4 min ago." in body
    assert "From 10.24.6.14 to api://ledger: 1 in 30 days, 0 in 7 days" in body
    assert "In all 13 sign-ins in 30 days, 12 in 7 days." in body


def test_the_question_says_when_nothing_breaks(signed_in: Client, harbor: Application):
    unused, _ = stored_secret(harbor, "unused")
    body = text_of(signed_in.get(credentials_of(harbor, f"/secrets/{unused.pk}/delete")))
    assert "No sign-in will fail" in body
    assert "It was never used." in body
    expired, _ = stored_secret(harbor, "smoke-test", days=-12)
    sign_in(harbor, expired, ago=timedelta(hours=2), code=7000222)
    body = text_of(signed_in.get(credentials_of(harbor, f"/secrets/{expired.pk}/delete")))
    assert "No sign-in that works will fail" in body
    assert "10.24.6.11 still tries it: 1 request refused in 7 days." in body
    for number in range(20, 26):
        sign_in(harbor, expired, ago=timedelta(hours=3), code=7000222, address=f"10.24.6.{number}")
    body = text_of(signed_in.get(credentials_of(harbor, f"/secrets/{expired.pk}/delete")))
    assert body.count("still tries it: 1 request refused in 7 days.") == 5
    assert "2 other callers." in body
    old, _ = stored_secret(harbor, "old")
    sign_in(harbor, old, ago=timedelta(days=90))
    body = text_of(signed_in.get(credentials_of(harbor, f"/secrets/{old.pk}/delete")))
    assert "No sign-in of the last 30 days used it" in body


def test_deleting_one_leaves_the_others(signed_in: Client, harbor: Application):
    """A12."""
    gone, stays = stored_secret(harbor, "gone")[0], stored_secret(harbor, "stays")[0]
    answer = signed_in.post(credentials_of(harbor, f"/secrets/{gone.pk}/delete"), follow=True)
    assert "Deleted the client secret gone" in text_of(answer)
    assert list(ClientSecret.objects.all()) == [stays]
    assert AuditEvent.objects.filter(tag="application:secret:deleted", object_id=str(gone.pk)).count() == 1
    again = signed_in.post(credentials_of(harbor, f"/secrets/{gone.pk}/delete"))
    assert again.status_code == 404


def test_l2_deleting_asks_for_the_password_when_the_sign_in_is_stale(signed_in: Client, harbor):
    secret, _ = stored_secret(harbor)
    page = credentials_of(harbor, f"/secrets/{secret.pk}/delete")
    age_sign_in(signed_in)
    assert 'name="current_password"' in text_of(signed_in.get(page))
    signed_in.post(page)
    assert ClientSecret.objects.filter(pk=secret.pk).exists()
    signed_in.post(page, {"current_password": PASSWORD})
    assert not ClientSecret.objects.filter(pk=secret.pk).exists()


def test_federated_credentials_say_what_they_are_for(signed_in: Client, harbor: Application):
    body = text_of(signed_in.get(credentials_of(harbor, "/federated")))
    assert "There is no value to store, to leak or to renew." in body


def test_names_are_text_and_never_markup(signed_in: Client, register):
    """U-6."""
    application = register("<b>bold</b> & co")
    secret, _ = stored_secret(application, '"><script>alert(1)</script>')
    for page in ("/secrets", f"/secrets/{secret.pk}/delete"):
        body = signed_in.get(credentials_of(application, page)).content.decode()
        assert "<script>alert" not in body
        assert "<b>bold</b>" not in body
