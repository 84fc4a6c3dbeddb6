"""Client secrets: made once, shown once, sealed, compared without leaks, gone when deleted."""

import threading
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from credmgr.audit.models import AuditEvent
from credmgr.credentials import client_secrets
from credmgr.credentials.client_secrets import (
    check_period,
    confirm_stored,
    delete_client_secret,
    end_of_choice,
    latest_end_day,
    match_secret,
    open_value,
)
from credmgr.credentials.errors import CredentialNotFoundError, DuplicateFormError, SecretError
from credmgr.credentials.lifecycle import end_of
from credmgr.credentials.models import ClientSecret
from credmgr.credentials.secret_values import checksum_holds
from credmgr.registrations.deleting import delete_application
from credmgr.registrations.directories import ensure_default_tenant
from credmgr.vault.envelope import VERIFIER_BYTES
from credmgr.vault.errors import SealError
from credmgr.vault.sealing import verifier_for, verifier_matches
from tests.factories import COMMAND, NOW, actor, application, person, secret

pytestmark = pytest.mark.django_db


def test_a5_what_is_stored_is_sealed_digest_and_hint():
    """A5: the clear value is in no column."""
    made, value = secret(application())
    assert checksum_holds(value)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM credentials_clientsecret")
        columns = cursor.fetchone()
    assert not [each for each in columns if value.encode() in bytes(str(each), "utf-8")]
    assert not [
        each for each in columns if isinstance(each, bytes | memoryview) and value.encode() in bytes(each)
    ]
    assert (made.hint, len(made.verifier)) == (value[:3], VERIFIER_BYTES)
    assert open_value(ClientSecret.objects.get()) == value


def test_the_audit_says_who_and_when_and_never_the_value():
    robin = person()
    made, value = secret(application(), actor=actor(robin))
    event = AuditEvent.objects.latest("sequence")
    assert (event.tag, event.actor_name, event.object_id) == (
        "application:secret:added",
        "Robin Vale",
        str(made.pk),
    )
    assert value not in str(AuditEvent.objects.values())
    assert set(event.changes) == {"startDateTime", "endDateTime", "verifyOnly"}  # not even the hint
    assert (made.created_by, made.created_by_name) == (robin, "Robin Vale")


def test_verify_only_keeps_the_digest_alone():
    made, value = secret(application(), verify_only=True)
    stored = ClientSecret.objects.get(pk=made.pk)
    assert stored.is_verify_only
    assert stored.value is None
    assert match_secret([stored], value, NOW).secret == stored
    with pytest.raises(SecretError, match="Only a digest"):
        open_value(stored)


def test_e4_a_verifier_moved_to_another_credential_verifies_nothing():
    """E-4."""
    app = application()
    first, value = secret(app)
    second, _ = secret(app)
    second.verifier = first.verifier
    assert match_secret([second], value, NOW).kind == "none"
    second.value = first.value
    with pytest.raises(SealError):
        open_value(second)


def test_w2_live_wins_over_expired_and_expired_is_told():
    """W2."""
    app = application()
    expired, old_value = secret(app, days=-1, age=100)
    live, value = secret(app)
    future, early_value = secret(app, days=100, age=-10)
    rows = [expired, live, future]
    assert match_secret(rows, value, NOW) == client_secrets.SecretMatch("live", live)
    assert match_secret(rows, old_value, NOW) == client_secrets.SecretMatch("expired", expired)
    assert match_secret(rows, early_value, NOW) == client_secrets.SecretMatch("none", None)
    for wrong in ("", value[:-1], value + " ", str(live.pk), "\ud800", "x" * 100_000):
        assert match_secret(rows, wrong, NOW) == client_secrets.SecretMatch("none", None)


@dataclass
class Light:
    id: uuid.UUID
    verifier: bytes
    start_at: datetime
    end_at: datetime


def test_w2_the_same_value_live_and_expired_is_live():
    """W2: even if the expired row comes first."""
    value = "abc_cm_imported-value"
    rows = []
    for start, end in [(-10, -1), (-5, 5)]:
        row_id = uuid.uuid4()
        rows.append(
            Light(
                row_id,
                verifier_for(row_id, value),
                NOW + timedelta(days=start),
                NOW + timedelta(days=end),
            )
        )
    assert match_secret(rows, value, NOW).secret is rows[1]


def test_a_secret_lives_from_its_start_up_to_but_without_its_end():
    made, value = secret(application(), days=1)
    assert match_secret([made], value, made.start_at).kind == "live"
    assert match_secret([made], value, end_of(made) - timedelta(microseconds=1)).kind == "live"
    assert match_secret([made], value, end_of(made)).kind == "expired"
    assert match_secret([made], value, made.start_at - timedelta(microseconds=1)).kind == "none"


@pytest.mark.parametrize("stored", [0, 1, 5])
@pytest.mark.parametrize("presented", ["first", "wrong"])
def test_every_secret_is_compared_whichever_matches(stored, presented, monkeypatch):
    """Security 2.3: no early leave; for nothing stored one digest all the same."""
    app = application()
    made = [secret(app) for _ in range(stored)]
    digests: Counter[str] = Counter()
    real_matches, real_verifier = verifier_matches, verifier_for

    def counting_matches(*args):
        digests["all"] += 1
        return real_matches(*args)

    def counting_verifier(*args):
        digests["all"] += 1
        return real_verifier(*args)

    monkeypatch.setattr(client_secrets, "verifier_matches", counting_matches)
    monkeypatch.setattr(client_secrets, "verifier_for", counting_verifier)
    value = made[0][1] if made and presented == "first" else "wrong"
    match_secret([row for row, _ in made], value, NOW)
    assert digests["all"] == max(stored, 1)


@pytest.mark.parametrize(("days", "ends"), [(180, 22), (90, 21), (365, 23), (545, 21), (730, 22)])
def test_the_choices_end_on_the_days_that_the_panel_names(days, ends):
    end = end_of_choice(days, NOW)
    assert (end - NOW, end.day) == (timedelta(days=days), ends)
    check_period(NOW, end, now=NOW)


def test_other_lifetimes_are_no_choice():
    with pytest.raises(SecretError, match="Choose one of the listed"):
        end_of_choice(731, NOW)


@pytest.mark.parametrize(
    ("start", "latest"),
    [
        ("2026-11-23T14:52Z", date(2028, 11, 23)),
        ("2024-02-29T00:00Z", date(2026, 2, 28)),
        ("2026-02-28T00:00Z", date(2028, 2, 28)),
        ("2026-12-31T23:59Z", date(2028, 12, 31)),
        ("2026-11-23T23:00-05:00", date(2028, 11, 24)),
    ],
)
def test_p6_24_calendar_months_are_the_most(start, latest):
    """P6."""
    assert latest_end_day(datetime.fromisoformat(start)) == latest


def test_p6_the_refusal_names_the_latest_end():
    """P6: the named day itself is allowed, to its last moment."""
    latest = datetime(2028, 11, 24, tzinfo=UTC)
    check_period(NOW, latest, now=NOW)
    with pytest.raises(SecretError, match="the latest end is 23 Nov 2028") as caught:
        check_period(NOW, latest + timedelta(seconds=1), now=NOW)
    assert caught.value.field == "end"


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        (NOW, NOW, "end_before_start"),
        (NOW, NOW - timedelta(days=1), "end_before_start"),
        (NOW - timedelta(days=10), NOW - timedelta(days=1), "end_in_past"),
        (NOW - timedelta(days=10), NOW, "end_in_past"),
        (NOW + timedelta(days=732), NOW + timedelta(days=733), "start_too_late"),
        (datetime(1999, 12, 31, tzinfo=UTC), NOW, "start_too_early"),
        (datetime.min.replace(tzinfo=UTC), NOW, "start_too_early"),
        (NOW, datetime.max.replace(tzinfo=UTC), "lifetime_too_long"),
        (datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), "start_too_late"),
    ],
)
def test_periods_that_are_refused(start, end, code):
    with pytest.raises(SecretError) as caught:
        check_period(start, end, now=NOW)
    assert caught.value.code == code


def test_p2_only_the_command_line_may_set_an_end_in_the_past():
    """P2."""
    app = application()
    with pytest.raises(SecretError, match="lies in the past"):
        secret(app, days=-1, age=10, allow_past_end=False)
    made, _ = secret(app, days=-1, age=10)
    assert end_of(made) < NOW


def test_a_start_in_the_future_is_allowed():
    made, _ = secret(application(), days=100, age=-10, allow_past_end=False)
    assert made.start_at == NOW + timedelta(days=10)


@pytest.mark.parametrize("description", ["x" * 257, "two\nlines", "nul\x00", "gpj.\u202eexe"])
def test_descriptions_that_are_refused(description):
    with pytest.raises(SecretError) as caught:
        secret(application(), description=description)
    assert caught.value.field == "description"
    assert not ClientSecret.objects.exists()


def test_the_description_is_optional():
    made, _ = secret(application(), description="  ")
    assert made.description == ""
    assert AuditEvent.objects.latest("sequence").object_name == f"{made.hint}******************"


def test_20_secrets_are_the_most(settings):
    settings.SECRETS_PER_APPLICATION = 3
    app = application()
    made = [secret(app)[0] for _ in range(3)]
    with pytest.raises(SecretError, match="already has 3 client secrets, the most"):
        secret(app)
    secret(application("Another one has its own"))
    delete_client_secret(made[0], actor=COMMAND, now=NOW)
    secret(app)


def test_s3_the_same_form_makes_one_secret():
    """S-3: the second answer cannot show the value."""
    token = uuid.uuid4()
    app = application()
    made, value = secret(app, form_token=token)
    with pytest.raises(DuplicateFormError) as caught:
        secret(app, form_token=token)
    assert caught.value.secret == made
    assert value not in str(caught.value)
    assert "cannot be shown again" in caught.value.message


@pytest.mark.django_db(transaction=True)
def test_s3_the_same_form_sent_20_times_in_parallel_makes_one_secret():
    """S-3."""
    ensure_default_tenant(NOW)
    app = application()
    token = uuid.uuid4()
    values: list[str] = []
    duplicates: list[uuid.UUID] = []

    def send() -> None:
        try:
            values.append(secret(app, form_token=token)[1])
        except DuplicateFormError as error:
            duplicates.append(error.secret.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    only = ClientSecret.objects.get()
    assert (len(values), duplicates) == (1, [only.pk] * 19)
    assert match_secret([only], values[0], NOW).kind == "live"
    assert AuditEvent.objects.filter(tag="application:secret:added").count() == 1


@pytest.mark.django_db(transaction=True)
def test_c2_parallel_adds_never_pass_the_limit(settings):
    """C-2."""
    settings.SECRETS_PER_APPLICATION = 4
    app = application()
    outcomes: Counter[str] = Counter()

    def add() -> None:
        try:
            secret(app)
            outcomes["made"] += 1
        except SecretError:
            outcomes["refused"] += 1
        finally:
            connection.close()

    threads = [threading.Thread(target=add) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == {"made": 4, "refused": 6}
    assert ClientSecret.objects.count() == 4


def test_e7_deleting_removes_value_and_verifier_and_nothing_else():
    """E-7, A12."""
    app = application()
    first, _ = secret(app, description="first")
    second, value = secret(app, description="second")
    delete_client_secret(first, actor=COMMAND, now=NOW)
    assert list(ClientSecret.objects.all()) == [second]
    assert match_secret(list(ClientSecret.objects.all()), value, NOW).kind == "live"
    event = AuditEvent.objects.latest("sequence")
    assert (event.tag, event.object_name) == ("application:secret:deleted", "first")
    for act in (delete_client_secret, confirm_stored):
        with pytest.raises(CredentialNotFoundError, match="deleted meanwhile"):
            act(first, actor=COMMAND, now=NOW)


def test_d3_without_its_audit_row_no_secret_is_made(monkeypatch):
    """D-3, S-2: nothing is shown that was not committed."""
    app = application()

    def full_disk(*_args, **_given):
        raise OSError("disk full")

    monkeypatch.setattr(AuditEvent, "save", full_disk)
    with pytest.raises(OSError, match="disk full"):
        secret(app)
    assert not ClientSecret.objects.exists()


def test_confirming_that_a_value_was_stored_is_audited():
    made, _ = secret(application())
    confirm_stored(made, actor=COMMAND, now=NOW)
    assert AuditEvent.objects.latest("sequence").tag == "application:secret:confirmed-stored"


def test_nothing_is_added_to_a_deleted_registration():
    app = application()
    delete_application(app, actor=COMMAND, now=NOW)
    with pytest.raises(Exception, match="deleted meanwhile"):
        secret(app)
    assert not ClientSecret.objects.exists()
