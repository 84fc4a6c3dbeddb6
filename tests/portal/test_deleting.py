"""Disable, delete, restore, delete permanently, and owners."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from credmgr.accounts.models import User
from credmgr.audit.models import AuditEvent, SignIn
from credmgr.audit.recording import Actor
from credmgr.registrations.deleting import delete_application
from credmgr.registrations.models import Application
from credmgr.registrations.registering import set_disabled
from tests.portal.conftest import PASSWORD, Register
from tests.portal.questions import assert_asks_for_sign_in, assert_hides, assert_refuses_methods
from tests.portal.test_overview import add_secret

pytestmark = pytest.mark.django_db


@pytest.fixture
def gone(register: Register, person: User) -> Application:
    """A deleted registration."""
    return delete_application(register("Gone"), actor=Actor("Robin Vale", person), now=timezone.now())


def confirmed(**typed: str) -> dict[str, str]:
    """The password goes along where the form asks for it, and is ignored where it does not."""
    return {"current_password": PASSWORD} | typed


@pytest.mark.parametrize("page", ["disable", "delete", "owners"])
def test_questions_every_page_is_asked(
    signed_in: Client, harbor: Application, foreign: Application, page: str
) -> None:
    address = f"/applications/{harbor.pk}/{page}"
    assert_asks_for_sign_in(address)
    assert_refuses_methods(signed_in, address, ["PUT", "DELETE", "PATCH"])
    assert_hides(signed_in, "/applications/{}/" + page, foreign)


@pytest.mark.parametrize("page", ["restore", "purge"])
def test_questions_about_deleted_ones(
    signed_in: Client, gone: Application, harbor: Application, foreign: Application, page: str
) -> None:
    address = f"/applications/{gone.pk}/{page}"
    assert signed_in.get(address).status_code == 200
    assert_asks_for_sign_in(address)
    assert_refuses_methods(signed_in, address, ["PUT", "DELETE", "PATCH"])
    assert_hides(signed_in, "/applications/{}/" + page, foreign)
    assert signed_in.get(f"/applications/{harbor.pk}/{page}").status_code == 404


def test_a_deleted_one_has_no_pages_of_its_own(signed_in: Client, gone: Application) -> None:
    for page in ("", "/properties", "/owners", "/delete", "/audit", "/sign-ins", "/endpoints"):
        assert signed_in.get(f"/applications/{gone.pk}{page}").status_code == 404


def test_looking_changes_nothing(signed_in: Client, harbor: Application) -> None:
    for page in ("disable", "delete", "owners"):
        signed_in.get(f"/applications/{harbor.pk}/{page}")
    before = harbor.version
    harbor.refresh_from_db()
    assert (harbor.version, harbor.is_disabled, harbor.deleted_at) == (before, False, None)


def test_disables_and_enables(signed_in: Client, harbor: Application) -> None:
    address = f"/applications/{harbor.pk}/disable"
    assert signed_in.post(address, {"disabled": "yes"}).status_code == 302
    harbor.refresh_from_db()
    assert harbor.is_disabled
    assert b"Enable sign-in" in signed_in.get(address).content
    assert signed_in.post(address, {"disabled": "no"}).status_code == 302
    harbor.refresh_from_db()
    assert not harbor.is_disabled


def test_a_stale_page_does_not_do_the_opposite(signed_in: Client, harbor: Application, person: User) -> None:
    set_disabled(harbor, disabled=True, actor=Actor("Noor", person), now=timezone.now())
    signed_in.post(f"/applications/{harbor.pk}/disable", {"disabled": "yes"})
    harbor.refresh_from_db()
    assert harbor.is_disabled


@pytest.mark.parametrize("word", ["", "maybe", "\x00"])
def test_a_broken_choice_changes_nothing(signed_in: Client, harbor: Application, word: str) -> None:
    assert signed_in.post(f"/applications/{harbor.pk}/disable", {"disabled": word}).status_code == 422
    harbor.refresh_from_db()
    assert not harbor.is_disabled


def test_the_question_names_what_breaks(signed_in: Client, harbor: Application) -> None:
    SignIn.objects.create(
        at=timezone.now() - timedelta(days=2),
        trace_id=uuid.uuid4(),
        correlation_id=uuid.uuid4(),
        tenant_id=harbor.tenant_id,
        client_id=str(harbor.client_id),
        application_id=harbor.pk,
        resource="api://route-planner",
        address="10.24.6.11",
        count=7,
    )
    add_secret(harbor, "a", 100)
    body = signed_in.get(f"/applications/{harbor.pk}/delete").content.decode()
    assert "10.24.6.11" in body
    assert "api://route-planner" in body
    assert "1 client secret" in body
    assert "will fail" in body


def test_the_question_says_when_nothing_is_known_to_break(signed_in: Client, harbor: Application) -> None:
    assert b"No sign-in is known to break." in signed_in.get(f"/applications/{harbor.pk}/delete").content


def test_deletes_and_restores(signed_in: Client, harbor: Application) -> None:
    add_secret(harbor, "a", 100)
    answer = signed_in.post(f"/applications/{harbor.pk}/delete", confirmed())
    assert answer.headers["Location"] == "/applications"
    harbor.refresh_from_db()
    assert harbor.deleted_at is not None
    answer = signed_in.post(f"/applications/{harbor.pk}/restore", confirmed())
    assert answer.headers["Location"] == f"/applications/{harbor.pk}"
    restored = Application.objects.get(pk=harbor.pk)
    assert restored.deleted_at is None
    assert restored.client_secrets.count() == 1


def test_the_same_press_again_finds_nothing_to_do(signed_in: Client, harbor: Application) -> None:
    address = f"/applications/{harbor.pk}/delete"
    assert signed_in.post(address, confirmed()).status_code == 302
    assert signed_in.post(address, confirmed()).status_code == 404
    assert AuditEvent.objects.filter(tag="application:deleted").count() == 1


def test_a_restore_without_its_uri_says_so(signed_in: Client, register: Register) -> None:
    first = register("First", identifier_uri="api://taken")
    signed_in.post(f"/applications/{first.pk}/delete", confirmed())
    register("Second", identifier_uri="api://taken")
    answer = signed_in.post(f"/applications/{first.pk}/restore", confirmed(), follow=True)
    assert b"restored without api://taken" in answer.content


def test_deletes_permanently_and_says_what_backups_hold(signed_in: Client, gone: Application) -> None:
    """K-8, E-7."""
    address = f"/applications/{gone.pk}/purge"
    assert b"Older backups still hold it." in signed_in.get(address).content
    assert signed_in.post(address, confirmed()).status_code == 302
    assert not Application.objects.filter(pk=gone.pk).exists()
    assert signed_in.post(address, confirmed()).status_code == 404


@pytest.mark.parametrize("page", ["delete", "owners"])
def test_a_stale_sign_in_asks_for_the_password_in_the_form(
    signed_in: Client, harbor: Application, person: User, page: str, settings: Any
) -> None:
    """P9."""
    settings.STEP_UP_SECONDS = -1  # every proof is older than that
    address = f"/applications/{harbor.pk}/{page}"
    assert b'name="current_password"' in signed_in.get(address).content
    for password in ("", "wrong-password-canary"):
        answer = signed_in.post(address, {"current_password": password, "user": str(person.pk)})
        assert answer.status_code == 422
        assert b"wrong-password-canary" not in answer.content
    harbor.refresh_from_db()
    assert harbor.deleted_at is None


def test_owners_are_added_and_removed(signed_in: Client, harbor: Application) -> None:
    noor = User.objects.create(username="noor", first_name="Noor", last_name="Hadley")
    address = f"/applications/{harbor.pk}/owners"
    assert signed_in.post(address, confirmed(user=str(noor.pk))).status_code == 302
    assert set(harbor.owners.all()) == {noor, User.objects.get(username="robin")}
    removal = f"{address}/{noor.pk}/remove"
    assert b"Remove Noor Hadley as owner?" in signed_in.get(removal).content
    assert signed_in.post(removal, confirmed()).status_code == 302
    assert noor not in harbor.owners.all()
    assert signed_in.get(removal).status_code == 404


def test_an_owner_twice_is_refused_in_words(signed_in: Client, harbor: Application, person: User) -> None:
    answer = signed_in.post(f"/applications/{harbor.pk}/owners", confirmed(user=str(person.pk)))
    assert answer.status_code == 422
    assert b"already owns this registration" in answer.content


@pytest.mark.parametrize("chosen", ["", "not-a-guid", "11111111-2222-4333-8444-555555555555"])
def test_a_person_who_is_not_there_is_refused(signed_in: Client, harbor: Application, chosen: str) -> None:
    answer = signed_in.post(f"/applications/{harbor.pk}/owners", confirmed(user=chosen))
    assert answer.status_code == 422
    assert harbor.owners.count() == 1


def test_the_last_owner_may_go_and_the_page_says_so(
    signed_in: Client, harbor: Application, person: User
) -> None:
    removal = f"/applications/{harbor.pk}/owners/{person.pk}/remove"
    assert b"It has no owner then." in signed_in.get(removal).content
    signed_in.post(removal, confirmed())
    assert b"No owner" in signed_in.get(f"/applications/{harbor.pk}/owners").content
