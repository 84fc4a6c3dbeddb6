"""Federated credentials: what may be trusted, and what counts as equal."""

import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection

from credmgr.audit.models import AuditEvent
from credmgr.credentials.errors import CredentialNotFoundError, FederatedError
from credmgr.credentials.federated import (
    DEFAULT_AUDIENCE,
    PER_APPLICATION,
    add_federated_credential,
    delete_federated_credential,
    update_federated_credential,
)
from credmgr.credentials.federated_matching import match_federated
from credmgr.credentials.models import FederatedCredential
from credmgr.registrations.deleting import delete_application
from credmgr.registrations.errors import RegistrationNotFoundError
from credmgr.registrations.models import Application
from tests.factories import COMMAND, NOW, actor, application, person

pytestmark = pytest.mark.django_db

GITHUB = "https://token.actions.githubusercontent.com"
MAIN = "repo:octo-org/octo-repo:ref:refs/heads/main"


def add(app: Application, **given: Any) -> FederatedCredential:
    """A credential for the main branch of a repository."""
    values: dict[str, Any] = {"name": "main-branch", "issuer": GITHUB, "subject": MAIN}
    values |= {"actor": COMMAND, "now": NOW} | given
    return add_federated_credential(app, **values)


def change(row: FederatedCredential, **given: Any) -> FederatedCredential:
    """An edit of what was just shown."""
    values: dict[str, Any] = {
        name: getattr(row, name) for name in ("issuer", "subject", "audience", "description")
    }
    values |= {"expected_version": row.version, "actor": COMMAND, "now": NOW} | given
    return update_federated_credential(row, **values)


def refused(code: str, field: str | None, act: Any) -> str:
    """The sentence of a refusal; nothing was stored."""
    before = list(FederatedCredential.objects.values())
    events = AuditEvent.objects.count()
    with pytest.raises(FederatedError) as caught:
        act()
    assert (caught.value.code, caught.value.field) == (code, field)
    assert list(FederatedCredential.objects.values()) == before
    assert AuditEvent.objects.count() == events
    return caught.value.message


def test_adding_keeps_every_letter_and_says_so_in_the_audit():
    robin = person()
    row = add(application(), issuer=f"{GITHUB}/", description=" Deploys. ", actor=actor(robin))
    stored = FederatedCredential.objects.get()
    assert (stored.issuer, stored.subject, stored.audience) == (f"{GITHUB}/", MAIN, DEFAULT_AUDIENCE)
    assert (stored.description, stored.created_by_name) == ("Deploys.", "Robin Vale")
    event = AuditEvent.objects.latest("sequence")
    assert (event.tag, event.object_id, event.object_name) == (
        "application:federated-credential:added",
        str(row.pk),
        "main-branch",
    )
    assert event.changes["subject"] == [None, MAIN]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ab", "name_length"),
        ("a" * 121, "name_length"),
        ("", "name_length"),
        ("-main", "name_characters"),
        ("_main", "name_characters"),
        ("main branch", "name_characters"),
        ("main.branch", "name_characters"),
        ("main\n", "name_characters"),
        ("måin", "name_characters"),
    ],
)
def test_a_name_is_fit_for_addresses(name: str, code: str):
    """3 to 120 letters, digits, hyphens, underscores; the first a letter or digit."""
    app = application()
    refused(code, "name", lambda: add(app, name=name))


@pytest.mark.parametrize("name", ["abc", "0-_", "a" * 120])
def test_names_at_the_limits_are_taken(name: str):
    assert add(application(), name=name).name == name


@pytest.mark.parametrize("field", ["issuer", "subject", "audience"])
def test_values_have_a_limit_and_no_wildcards_spaces_or_control_characters(field: str):
    app = application()
    start = "https://idp.example.com/" if field == "issuer" else ""
    refused(f"{field}_missing", field, lambda: add(app, **{field: ""}))
    refused(f"{field}_too_long", field, lambda: add(app, **{field: start.ljust(601, "a")}))
    refused(f"{field}_wildcard", field, lambda: add(app, **{field: f"{start}a*"}))
    refused(f"{field}_space", field, lambda: add(app, **{field: f"{start}a "}))
    refused(f"{field}_characters", field, lambda: add(app, **{field: f"{start}a\u202eb"}))
    assert len(getattr(add(app, **{field: start.ljust(600, "a")}), field)) == 600


@pytest.mark.parametrize(
    ("issuer", "code"),
    [
        ("token.actions.githubusercontent.com", "issuer_form"),
        ("ftp://idp.example.com", "issuer_form"),
        ("https://", "issuer_form"),
        ("https://idp.example.com:99999", "issuer_form"),
        ("https://[::1", "issuer_form"),
        ("HTTPS://idp.example.com", "issuer_form"),
        ("https://idp.example.com/?tenant=a", "issuer_parts"),
        ("https://idp.example.com/#a", "issuer_parts"),
        ("https://user@idp.example.com", "issuer_parts"),
        ("https://idp.example.com\\a", "issuer_parts"),
        ("https://idp.example.com/a b", "issuer_parts"),
    ],
)
def test_an_issuer_is_an_address(issuer: str, code: str):
    app = application()
    refused(code, "issuer", lambda: add(app, issuer=issuer))


def test_twenty_is_the_limit_of_each_application():
    """F-1: at most 20 credentials an app."""
    app, other = application(), application("Other")
    for number in range(PER_APPLICATION):
        add(app, name=f"branch-{number}", subject=f"{MAIN}-{number}")
    assert "20 federated credentials" in refused("too_many_federated", None, lambda: add(app))
    add(other)


def test_name_and_identity_are_unique_in_the_application_alone():
    app, other = application(), application("Other")
    row = add(app)
    refused("name_taken", "name", lambda: add(app, subject="else"))
    sentence = refused("identity_taken", "subject", lambda: add(app, name="again", audience="api://else"))
    assert row.name in sentence
    add(app, name="by-case", subject=MAIN.upper())
    add(other)


def test_an_edit_changes_all_but_the_name_and_is_recorded():
    row = add(application())
    fresh = change(row, subject="repo:octo-org/octo-repo:pull_request", description="Tests")
    assert (fresh.name, fresh.subject, fresh.version) == (
        "main-branch",
        "repo:octo-org/octo-repo:pull_request",
        1,
    )
    event = AuditEvent.objects.latest("sequence")
    assert event.tag == "application:federated-credential:updated"
    assert set(event.changes) == {"subject", "description"}
    change(fresh)
    assert AuditEvent.objects.latest("sequence") == event  # nothing changed, nothing recorded


def test_c4_the_second_of_two_editors_overwrites_nothing():
    """C-4."""
    row = add(application())
    change(row, description="first")
    assert "changed meanwhile" in refused(
        "changed_meanwhile", None, lambda: change(row, description="second")
    )


def test_an_edit_cannot_take_another_credentials_identity():
    app = application()
    add(app)
    other = add(app, name="other", subject="other")
    refused("identity_taken", "subject", lambda: change(other, subject=MAIN))


def test_deleting_is_for_good():
    """E-7."""
    row = add(application())
    delete_federated_credential(row, actor=COMMAND, now=NOW)
    assert not FederatedCredential.objects.exists()
    event = AuditEvent.objects.latest("sequence")
    assert (event.tag, event.changes["issuer"]) == (
        "application:federated-credential:deleted",
        [GITHUB, None],
    )
    for act in (
        lambda: delete_federated_credential(row, actor=COMMAND, now=NOW),
        lambda: change(row, description="late"),
    ):
        with pytest.raises(CredentialNotFoundError):
            act()


def test_a_deleted_application_takes_none():
    app = application()
    delete_application(app, actor=COMMAND, now=NOW)
    with pytest.raises(RegistrationNotFoundError):
        add(app)


@dataclass
class Light:
    """What the endpoint compares."""

    issuer: str
    subject: str
    audience: str = DEFAULT_AUDIENCE
    id: uuid.UUID = field(default_factory=uuid.uuid4)


@pytest.mark.parametrize(
    ("issuer", "audience", "subject", "kind"),
    [
        (GITHUB, DEFAULT_AUDIENCE, MAIN, "match"),
        (f"{GITHUB}/", DEFAULT_AUDIENCE, MAIN, "issuer"),
        (GITHUB.upper(), DEFAULT_AUDIENCE, MAIN, "issuer"),
        (f" {GITHUB}", DEFAULT_AUDIENCE, MAIN, "issuer"),
        (GITHUB, "api://azureadtokenexchange", MAIN, "audience"),
        (GITHUB, DEFAULT_AUDIENCE + "/", MAIN, "audience"),
        (GITHUB, DEFAULT_AUDIENCE, MAIN.upper(), "subject-case"),
        (GITHUB, DEFAULT_AUDIENCE, MAIN + "-2", "subject"),
        (GITHUB, DEFAULT_AUDIENCE, MAIN[:-1], "subject"),
        (GITHUB, DEFAULT_AUDIENCE, f"{MAIN} ", "subject"),
        (GITHUB, DEFAULT_AUDIENCE, "", "subject"),
        ("https://idp.example.com", DEFAULT_AUDIENCE, MAIN, "subject"),
    ],
)
def test_f1_matching_is_exact(issuer: str, audience: str, subject: str, kind: str):
    """F-1: case included, no trimming, no prefix; issuer, then audience, then subject."""
    rows = [Light(GITHUB, MAIN), Light("https://idp.example.com", "worker")]
    found = match_federated(rows, issuer=issuer, audience=audience, subject=subject)
    assert (found.kind, found.credential) == (kind, rows[0] if kind == "match" else None)


@pytest.mark.django_db(transaction=True)
def test_of_parallel_copies_one_is_stored():
    """Ten at once: one row, nine told that the name is taken."""
    app = application()
    start = threading.Barrier(10)
    codes: list[str] = []

    def run() -> None:
        start.wait()
        try:
            add(app)
            codes.append("made")
        except FederatedError as error:
            codes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == ["made"] + ["name_taken"] * 9
    assert FederatedCredential.objects.count() == 1
