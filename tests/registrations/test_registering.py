"""Registering, changing, deleting, restoring: each with its audit row, and refusals that change nothing."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection

from credmgr.audit.models import AuditEvent
from credmgr.credentials.models import ClientSecret
from credmgr.registrations.deleting import (
    delete_application,
    purge_application,
    purge_overdue,
    restore_application,
)
from credmgr.registrations.directories import ensure_default_tenant
from credmgr.registrations.errors import (
    ChangedMeanwhileError,
    DuplicateFormError,
    RegistrationError,
    RegistrationNotFoundError,
)
from credmgr.registrations.models import MULTITENANT, Application, IdentifierUri, Tenant
from credmgr.registrations.ownership import add_owner, remove_owner
from credmgr.registrations.queries import (
    application_by_client_id,
    default_tenant,
    identifier_uri_of,
    owners_of,
    parse_guid,
)
from credmgr.registrations.registering import set_disabled, update_application
from tests.factories import COMMAND, NOW, actor, application, person, secret

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def tags() -> list[str]:
    return list(AuditEvent.objects.order_by("sequence").values_list("tag", flat=True))


def test_a_registration_has_three_different_ids_and_its_maker_owns_it():
    robin = person()
    app = application(actor=actor(robin), identifier_uri="api://harbor", notes="Night job")
    assert len({app.pk, app.client_id, app.service_principal_id}) == 3
    assert list(owners_of(app)) == [robin]
    assert (app.access_token_version, app.version, app.created_by_name) == (2, 1, "Robin Vale")
    assert identifier_uri_of(app) == "api://harbor"
    event = AuditEvent.objects.get()
    assert (event.tag, event.application_id, event.actor_id) == ("application:registered", app.pk, robin.pk)


def test_names_need_not_be_unique():
    assert application("Same").pk != application("Same").pk


def test_the_same_form_registers_once():
    token = uuid.uuid4()
    first = application(form_token=token)
    with pytest.raises(DuplicateFormError) as caught:
        application("Typed again", form_token=token)
    assert caught.value.application == first
    assert Application.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_form_sent_in_parallel_registers_once():
    ensure_default_tenant(NOW)
    token = uuid.uuid4()
    outcomes: list[str] = []

    def send() -> None:
        try:
            application(form_token=token)
            outcomes.append("made")
        except DuplicateFormError:
            outcomes.append("duplicate")
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["duplicate"] * 11 + ["made"]
    assert Application.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_last_place_is_taken_once(settings):
    """C-2: of 8 at once by one person with room for three, three get in."""
    settings.APPLICATIONS_PER_USER = 3
    ensure_default_tenant(NOW)
    robin = person()
    outcomes: list[str] = []
    start = threading.Barrier(8)

    def register() -> None:
        start.wait()
        try:
            application(actor=actor(robin))
            outcomes.append("made")
        except RegistrationError as refused:
            outcomes.append(refused.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=register) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made"] * 3 + ["too_many_applications"] * 5


def test_an_identifier_uri_is_unique_and_the_refusal_names_who_has_it():
    application("Route Planner API", identifier_uri="api://route-planner")
    for taken in ("api://route-planner", "api://Route-Planner"):
        with pytest.raises(RegistrationError, match="Route Planner API already has this URI"):
            application(identifier_uri=taken)
    assert Application.objects.count() == 1
    assert tags() == ["application:registered"]


@pytest.mark.parametrize("uri", ["https://graph.microsoft.com", "https://management.azure.com"])
def test_names_of_microsoft_services_cannot_be_taken(uri):
    with pytest.raises(RegistrationError, match="Microsoft service"):
        application(identifier_uri=uri)


def test_one_person_registers_so_many_and_no_more(settings):
    settings.APPLICATIONS_PER_USER = 2
    robin = person()
    first = application(actor=actor(robin))
    application(actor=actor(robin))
    delete_application(first, actor=COMMAND, now=NOW)
    with pytest.raises(RegistrationError, match="You have already registered 2 applications"):
        application(actor=actor(robin))
    purge_application(first, actor=COMMAND, now=NOW)
    application(actor=actor(robin))
    application(actor=actor(person("noor")))
    application()  # the command line has no limit


def test_changing_keeps_what_is_not_given_and_notes_old_and_new():
    app = application(identifier_uri="api://harbor", notes="old")
    fresh = update_application(app, display_name="Harbor 2", expected_version=1, actor=COMMAND, now=NOW)
    assert (fresh.display_name, fresh.notes, fresh.version) == ("Harbor 2", "old", 2)
    assert identifier_uri_of(fresh) == "api://harbor"
    assert AuditEvent.objects.latest("sequence").changes == {
        "displayName": ["Harbor Sync Worker", "Harbor 2"]
    }
    fresh = update_application(
        fresh,
        identifier_uri="",
        sign_in_audience=MULTITENANT,
        access_token_version=None,
        expected_version=2,
        actor=COMMAND,
        now=NOW,
    )
    assert (identifier_uri_of(fresh), fresh.access_token_version) == ("", None)
    assert AuditEvent.objects.latest("sequence").changes == {
        "signInAudience": ["AzureADMyOrg", "AzureADMultipleOrgs"],
        "requestedAccessTokenVersion": [2, None],
        "identifierUri": ["api://harbor", ""],
    }


def test_saving_nothing_new_leaves_no_row():
    app = application()
    fresh = update_application(
        app, display_name=app.display_name, notes="", expected_version=1, actor=COMMAND, now=NOW
    )
    assert fresh.version == 1
    assert tags() == ["application:registered"]


def test_c4_the_second_editor_is_told_and_nothing_is_overwritten():
    """C-4."""
    app = application()
    update_application(app, notes="first", expected_version=1, actor=COMMAND, now=NOW)
    with pytest.raises(ChangedMeanwhileError, match="changed meanwhile"):
        update_application(app, notes="second", expected_version=1, actor=COMMAND, now=NOW)
    app.refresh_from_db()
    assert app.notes == "first"


@pytest.mark.parametrize(
    "bad",
    [
        {"display_name": ""},
        {"notes": "x" * 2000},
        {"identifier_uri": "nonsense"},
        {"sign_in_audience": "PersonalMicrosoftAccount"},
        {"access_token_version": 3},
    ],
)
def test_a_bad_change_changes_nothing(bad):
    app = application()
    with pytest.raises(RegistrationError):
        update_application(app, **({"notes": "new"} | bad), expected_version=1, actor=COMMAND, now=NOW)
    app.refresh_from_db()
    assert (app.notes, app.version) == ("", 1)


def test_a_uri_may_move_from_one_registration_to_another():
    first, second = application(identifier_uri="api://moved"), application("Second")
    with pytest.raises(RegistrationError):
        update_application(second, identifier_uri="api://moved", expected_version=1, actor=COMMAND, now=NOW)
    update_application(first, identifier_uri="", expected_version=1, actor=COMMAND, now=NOW)
    update_application(second, identifier_uri="api://moved", expected_version=1, actor=COMMAND, now=NOW)
    assert identifier_uri_of(second) == "api://moved"


def test_disabling_and_enabling_leave_one_row_each():
    app = application()
    assert set_disabled(app, disabled=True, actor=COMMAND, now=NOW).is_disabled
    set_disabled(app, disabled=True, actor=COMMAND, now=NOW)
    assert not set_disabled(app, disabled=False, actor=COMMAND, now=NOW).is_disabled
    assert tags()[1:] == ["application:disabled", "application:enabled"]


def test_p3_deleted_comes_back_with_its_credentials_within_30_days():
    """P3."""
    app = application(identifier_uri="api://harbor")
    kept, _ = secret(app)
    delete_application(app, actor=COMMAND, now=NOW)
    assert application_by_client_id(default_tenant(), app.client_id) is None
    assert restore_application(app, actor=COMMAND, now=NOW + timedelta(days=30)) == []
    assert application_by_client_id(default_tenant(), app.client_id) == app
    assert identifier_uri_of(app) == "api://harbor"
    assert ClientSecret.objects.get() == kept


def test_p3_a_uri_taken_meanwhile_is_lost_and_named():
    """P3."""
    app = application(identifier_uri="api://harbor")
    delete_application(app, actor=COMMAND, now=NOW)
    other = application("Successor", identifier_uri="api://harbor")
    assert restore_application(app, actor=COMMAND, now=NOW) == ["api://harbor"]
    assert identifier_uri_of(app) == ""
    assert identifier_uri_of(other) == "api://harbor"
    assert AuditEvent.objects.latest("sequence").changes == {"identifierUri": ["api://harbor", ""]}


def test_after_30_days_only_permanent_deletion_is_left():
    app = application()
    delete_application(app, actor=COMMAND, now=NOW)
    with pytest.raises(RegistrationNotFoundError, match="cannot be restored"):
        restore_application(app, actor=COMMAND, now=NOW + timedelta(days=30, seconds=1))
    assert purge_overdue(NOW + timedelta(days=30), COMMAND) == 0
    assert purge_overdue(NOW + timedelta(days=30, seconds=1), COMMAND) == 1
    assert not Application.objects.exists()


def test_what_is_deleted_cannot_be_changed_and_what_is_live_not_purged():
    app = application()
    for act in (restore_application, purge_application):
        with pytest.raises(RegistrationNotFoundError):
            act(app, actor=COMMAND, now=NOW)
    delete_application(app, actor=COMMAND, now=NOW)
    with pytest.raises(RegistrationNotFoundError, match="Restore it first"):
        update_application(app, notes="x", expected_version=2, actor=COMMAND, now=NOW)
    with pytest.raises(RegistrationNotFoundError):
        delete_application(app, actor=COMMAND, now=NOW)
    with pytest.raises(RegistrationNotFoundError):
        set_disabled(app, disabled=True, actor=COMMAND, now=NOW)
    with pytest.raises(RegistrationNotFoundError):
        secret(app)


def test_e7_permanent_deletion_removes_values_and_verifiers():
    """E-7: rows are gone with the act, and what stays is the audit."""
    app = application(identifier_uri="api://harbor")
    secret(app)
    delete_application(app, actor=COMMAND, now=NOW)
    purge_application(app, actor=COMMAND, now=NOW)
    assert not ClientSecret.objects.exists()
    assert not IdentifierUri.objects.exists()
    assert tags()[-1] == "application:deleted-permanently"
    assert AuditEvent.objects.filter(application_id=app.pk).count() == 4


def test_d3_no_audit_row_no_act(monkeypatch):
    """D-3: when the audit cannot be written, the act did not happen."""
    app = application()

    def full_disk(*_args, **_given):
        raise OSError("disk full")

    monkeypatch.setattr(AuditEvent, "save", full_disk)
    with pytest.raises(OSError, match="disk full"):
        delete_application(app, actor=COMMAND, now=NOW)
    app.refresh_from_db()
    assert app.deleted_at is None


def test_owners_are_added_and_removed_and_may_be_none():
    robin, noor = person(), person("noor")
    app = application(actor=actor(robin))
    add_owner(app, user=noor, actor=COMMAND, now=NOW)
    assert list(owners_of(app)) == [noor, robin]
    with pytest.raises(RegistrationError, match="Noor Vale already owns"):
        add_owner(app, user=noor, actor=COMMAND, now=NOW)
    remove_owner(app, user=noor, actor=COMMAND, now=NOW)
    remove_owner(app, user=robin, actor=COMMAND, now=NOW)
    with pytest.raises(RegistrationError, match="does not own"):
        remove_owner(app, user=robin, actor=COMMAND, now=NOW)
    assert tags()[1:] == ["application:owner:added", "application:owner:removed", "application:owner:removed"]


def test_who_cannot_sign_in_becomes_no_owner():
    gone = person("gone")
    gone.is_active = False
    gone.save()
    with pytest.raises(RegistrationError, match="can no longer sign in"):
        add_owner(application(), user=gone, actor=COMMAND, now=NOW)


def test_the_default_directory_is_made_once_with_name_and_domain(settings):
    settings.DEFAULT_DIRECTORY_NAME, settings.DEFAULT_DIRECTORY_DOMAIN = "Norrvik", "Norrvik.Example"
    with pytest.raises(RegistrationNotFoundError, match="no directory yet"):
        default_tenant()
    tenant = ensure_default_tenant(NOW)
    assert ensure_default_tenant(NOW) == tenant == default_tenant()
    assert (tenant.name, tenant.domains.get().name) == ("Norrvik", "norrvik.example")
    assert Tenant.objects.count() == 1


@pytest.mark.parametrize(
    "text",
    [
        "{7feab92f-cb5b-426f-a4ce-20428398d805}",
        "7feab92fcb5b426fa4ce20428398d805",
        " 7feab92f-cb5b-426f-a4ce-20428398d805",
        "7feab92f-cb5b-426f-a4ce-20428398d805\n",
        "\uff17feab92f-cb5b-426f-a4ce-20428398d805",
        "7feab92f-cb5b-426f-a4ce-20428398d805\x00",
        "",
    ],
)
def test_a5_a_guid_is_ascii_and_canonical(text):
    """A-5."""
    assert parse_guid(text) is None
    assert application_by_client_id(ensure_default_tenant(NOW), text) is None


def test_a_client_is_found_in_any_case():
    app = application()
    found = application_by_client_id(app.tenant, str(app.client_id).upper())
    assert found == app
