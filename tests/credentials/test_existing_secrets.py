"""Pasted secrets of registrations that live elsewhere: what is refused, what is kept, unknown ends."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from credmgr.audit.models import AuditEvent
from credmgr.credentials.client_secrets import (
    add_client_secret,
    delete_client_secret,
    match_secret,
    open_value,
)
from credmgr.credentials.errors import DuplicateFormError, SecretError
from credmgr.credentials.lifecycle import STATUSES, application_status, end_of, is_live, status_at
from credmgr.credentials.models import ClientSecret
from credmgr.credentials.queries import applications_page, credentials_of, live_runnable_credentials
from credmgr.registrations.errors import RegistrationError
from credmgr.registrations.queries import default_tenant
from credmgr.vault.inventory import unrenewable
from tests.factories import COMMAND, NOW, PASTED, application, elsewhere, pasted, secret

pytestmark = pytest.mark.django_db
ISSUER = "https://idp.example.com"
GUID = "0d0d6f0a-4a1c-4f0e-8a51-1c6f3f0a7e11"


def refusal(**given: Any) -> SecretError:
    """How it was refused; nothing was stored, and the sentence holds nothing of the value."""
    app = given.pop("app", None) or elsewhere()
    before = (AuditEvent.objects.count(), ClientSecret.objects.count())
    with pytest.raises(SecretError) as caught:
        pasted(app, **given)
    assert (AuditEvent.objects.count(), ClientSecret.objects.count()) == before
    value = given.get("value", PASTED).strip()
    assert not value or value not in caught.value.message
    return caught.value


def test_a_pasted_value_is_sealed_and_opens_for_a_test() -> None:
    row = pasted(elsewhere(), days=90)
    row.refresh_from_db()
    assert (row.hint, row.is_verify_only, row.created_by_name) == ("p.8", False, COMMAND.name)
    assert open_value(row) == PASTED
    assert match_secret([row], PASTED, NOW).kind == "live"
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM credentials_clientsecret")
        assert PASTED.encode() not in b"".join(str(cell).encode() for cell in cursor.fetchone())
    event = AuditEvent.objects.latest("sequence")
    assert event.tag == "application:secret:imported"
    assert PASTED not in str(event.changes)
    assert live_runnable_credentials(row.application, NOW) == [row]
    delete_client_secret(row, actor=COMMAND, now=NOW)
    assert not ClientSecret.objects.exists()


# One of our own making is named, not made here: workers must collect the same tests.
OWN = "7nb_cm_mlMd5hyGpCqnkle7iB9ypVl89NMjsQE1DIDxV"


@pytest.mark.parametrize("value", [OWN, "x" * 16, "x" * 1024, "pass word with spaces", "ünïcode-" * 3])
def test_values_of_every_kind_are_kept_to_the_letter(value: str) -> None:
    assert open_value(pasted(elsewhere(), value=value)) == value


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "value_missing"),
        ("   ", "value_missing"),
        (GUID, "value_is_id"),
        (GUID.upper(), "value_is_id"),
        (f" {{{GUID}}} ", "value_is_id"),
        (f" {PASTED}", "value_spaces"),
        (f"{PASTED}\t", "value_spaces"),
        (f"{PASTED}\n", "value_spaces"),
        (f"two{PASTED}\nlines", "value_characters"),
        (f"nul\x00{PASTED}", "value_characters"),
        (f"turned\u202e{PASTED}", "value_characters"),
        ("x" * 15, "value_too_short"),
        ("x" * 1025, "value_too_long"),
    ],
)
def test_what_is_no_value_is_refused_with_the_reason(value: str, code: str) -> None:
    error = refusal(value=value)
    assert (error.code, error.field) == (code, "value")


def test_what_looks_odd_passes_where_it_is_meant_so() -> None:
    """White space anywhere; the shape of a GUID at issuers that may make their secrets so, never in Entra."""
    entra, other = elsewhere(), elsewhere("Other", issuer=ISSUER)
    assert open_value(pasted(entra, value=f" {PASTED} ", as_is=True)) == f" {PASTED} "
    assert refusal(app=entra, value=GUID, as_is=True, description="x").code == "value_is_id"
    error = refusal(app=other, value=GUID, description="x")
    assert (error.code, "tick that it is meant so" in error.message) == ("value_looks_like_id", True)
    assert open_value(pasted(other, value=GUID, as_is=True)) == GUID


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"start_at": datetime(1999, 1, 1, tzinfo=UTC)}, "start_too_early"),
        ({"start_at": NOW + timedelta(days=800), "days": 900}, "start_too_late"),
        ({"age": 1, "days": -1}, "end_before_start"),
        ({"age": 10, "days": -1, "allow_past_end": False}, "end_in_past"),
        ({"days": 365 * 102}, "end_too_late"),
        ({"description": "d" * 257}, "description_too_long"),
    ],
)
def test_dates_that_cannot_be_are_refused(given: dict[str, Any], code: str) -> None:
    assert refusal(**given).code == code


def test_dates_are_those_of_the_other_authority() -> None:
    """More than 24 months are usual there; what is not known is said to be so."""
    app = elsewhere()
    assert pasted(app, days=3650).end_at == NOW + timedelta(days=3650)
    row = pasted(app, value=f"{PASTED}2", start_at=None)
    assert (row.start_at, row.end_at) == (NOW, None)


def test_the_same_value_twice_the_same_form_twice_and_one_too_many(settings: Any) -> None:
    app, token = elsewhere(), uuid.uuid4()
    first = pasted(app, form_token=token)
    with pytest.raises(DuplicateFormError) as caught:
        pasted(app, form_token=token)
    assert caught.value.secret == first
    with pytest.raises(SecretError, match="here already, as pasted"):
        pasted(app)
    pasted(elsewhere("Other", issuer=ISSUER))
    settings.SECRETS_PER_APPLICATION = 1
    with pytest.raises(SecretError, match="the most it can have"):
        pasted(app, value=f"{PASTED}2")
    assert app.client_secrets.count() == 1


def test_each_kind_of_registration_has_its_own_kind_of_secret() -> None:
    here, there = application(), elsewhere()
    with pytest.raises(SecretError, match="lives here"):
        pasted(here)
    with pytest.raises(RegistrationError, match="lives at Entra ID, public cloud"):
        secret(there)
    with pytest.raises(RegistrationError):
        add_client_secret(
            there, description="", start_at=NOW, end_at=NOW + timedelta(days=1), actor=COMMAND, now=NOW
        )
    assert not ClientSecret.objects.exists()


# ---------------------------------------------------------------- ends that nobody knows


def test_an_unknown_end_is_live_and_never_soon() -> None:
    row = pasted(elsewhere())
    assert is_live(row, NOW)
    assert is_live(row, NOW + timedelta(days=9999))
    assert not is_live(row, NOW - timedelta(seconds=1))
    status = status_at(row, NOW)
    assert (status.kind, status.words, status.days_left, status.tone) == (
        "current",
        "No end known",
        None,
        "none",
    )
    assert status_at(row, NOW - timedelta(days=1)).kind == "not-yet"
    assert end_of(row) > NOW + timedelta(days=365 * 1000)
    found = application_status([row], NOW)
    assert (found.kind, found.words, found.nearest_end) == ("current", "Current", None)
    assert match_secret([row], PASTED, NOW + timedelta(days=9999)).kind == "live"


def test_p4_words_filters_and_orders_agree_about_unknown_ends() -> None:
    """P4: the conditions in SQL are those of lifecycle."""
    made = {
        name: elsewhere(name, client_id=str(uuid.uuid4()))
        for name in ("alone", "beside expired", "beside soon", "beside live", "of the future", "none")
    }
    for name in ("alone", "beside expired", "beside soon", "beside live"):
        pasted(made[name])
    pasted(made["of the future"], start_at=NOW + timedelta(days=3))
    pasted(made["beside expired"], value=f"{PASTED}2", days=-5, age=100)
    pasted(made["beside soon"], value=f"{PASTED}2", days=5)
    pasted(made["beside live"], value=f"{PASTED}2", days=100)

    def listed(**given: Any) -> Any:
        return applications_page(default_tenant(), **({"user": None, "now": NOW} | given))

    found = {row.application.display_name: row for row in listed().rows}
    assert {name: row.status.words for name, row in found.items()} == {
        "alone": "Current",
        "beside expired": "Current, 1 expired",
        "beside soon": "Expires in 5 days",
        "beside live": "Current",
        "of the future": "No live credential",
        "none": "No credentials",
    }
    for status in STATUSES:
        expected = {name for name, row in found.items() if row.status.kind == status}
        assert {row.application.display_name for row in listed(status=status).rows} == expected
    by_status = [row.application.display_name for row in listed(sort="status").rows]
    assert by_status == ["of the future", "beside soon", "beside expired", "beside live", "alone", "none"]
    by_end = [row.application.display_name for row in listed(sort="expiry").rows]
    assert by_end[:2] == ["beside soon", "beside live"]
    rows = credentials_of(made["beside soon"])
    assert [row.end_at is None for row in rows.secrets] == [False, True]
    assert [row.end_at is None for row in rows.all] == [False, True]
    assert rows.status(NOW).kind == "soon"


def test_a_digest_alone_has_an_end() -> None:
    """The rotation report gives the date on which a key without values can go: there has to be one."""
    row = pasted(elsewhere())
    with pytest.raises(IntegrityError), transaction.atomic():
        ClientSecret.objects.filter(pk=row.pk).update(value=None)
    assert unrenewable() == []


def test_places_filter_the_list_and_searches_find_them() -> None:
    application("Here")
    elsewhere("There")
    elsewhere("Other", issuer="https://idp.example.com/realms/main", client_id="ledger-worker")

    def names(**given: Any) -> list[str]:
        page = applications_page(default_tenant(), **({"user": None, "now": NOW} | given))
        assert page.has_external
        assert page.found == len(page.rows)
        return [row.application.display_name for row in page.rows]

    assert names() == names(place="nonsense") == ["Here", "Other", "There"]
    assert names(place="built-in") == ["Here"]
    assert names(place="entra") == ["There"]
    assert names(place="oidc") == ["Other"]
    assert names(search="ledger-w") == ["Other"]
    assert names(search="realms/main") == ["Other"]
    assert names(search="6f2f4a6e") == ["There"]
    assert names(search="contoso") == ["There"]
    assert names(search="ledger", place="entra") == []
