"""Register an application, and its Branding & properties."""

import re

import pytest
from django.test import Client

from credmgr.accounts.models import User
from credmgr.audit.models import AuditEvent
from credmgr.registrations.models import Application
from credmgr.registrations.queries import identifier_uri_of
from tests.portal.questions import assert_asks_for_sign_in, assert_hides, assert_refuses_methods

pytestmark = pytest.mark.django_db
NEW = "/applications/new"


def filled(client: Client, address: str, **typed: str) -> dict[str, str]:
    """What the browser would send for the form at that address, with what a person typed."""
    body = client.get(address).content.decode()
    fields = dict(re.findall(r'<input type="hidden" name="(form_token|version)" value="([^"]+)"', body))
    return fields | typed


def register_form(client: Client, **typed: str) -> dict[str, str]:
    given = {
        "display_name": "Harbor Sync Worker",
        "sign_in_audience": "AzureADMyOrg",
        "start_with": "nothing",
    }
    return filled(client, NEW, **(given | typed))


def test_questions_every_page_is_asked(signed_in: Client, harbor: Application, foreign: Application) -> None:
    assert_asks_for_sign_in(NEW)
    assert_refuses_methods(signed_in, NEW, ["PUT", "DELETE"])
    properties = f"/applications/{harbor.pk}/properties"
    assert_asks_for_sign_in(properties)
    assert_refuses_methods(signed_in, properties, ["PUT", "DELETE"])
    assert_hides(signed_in, "/applications/{}/properties", foreign)


def test_registers_and_the_creator_owns_it(signed_in: Client, person: User) -> None:
    typed = register_form(signed_in, identifier_uri="api://harbor-sync", notes="Runs in Bergen.")
    answer = signed_in.post(NEW, typed)
    made = Application.objects.get()
    assert answer.headers["Location"] == f"/applications/{made.pk}"
    assert (made.display_name, made.notes, identifier_uri_of(made)) == (
        "Harbor Sync Worker",
        "Runs in Bergen.",
        "api://harbor-sync",
    )
    assert list(made.owners.all()) == [person]
    assert AuditEvent.objects.get(application_id=made.pk).tag == "application:registered"


def test_the_same_form_sent_twice_makes_one(signed_in: Client) -> None:
    """S-3."""
    typed = register_form(signed_in)
    first, second = signed_in.post(NEW, typed), signed_in.post(NEW, typed)
    assert first.headers["Location"] == second.headers["Location"]
    assert Application.objects.count() == 1


def test_two_forms_with_the_same_name_make_two(signed_in: Client) -> None:
    for _ in range(2):
        signed_in.post(NEW, register_form(signed_in))
    assert Application.objects.count() == 2


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"display_name": "   "}, "Enter a name."),
        ({"display_name": "x" * 121}, "The name has 121 characters. Shorten it to 120 or fewer."),
        ({"identifier_uri": "api://bad/"}, "The URI ends in a slash. Remove it."),
        ({"identifier_uri": "nonsense"}, "The URI must begin with api://"),
        ({"sign_in_audience": "Martians"}, "Choose one of the account types."),
        ({"notes": "n" * 1025}, "The notes have 1025 characters."),
    ],
)
def test_refusals_say_what_to_do_and_keep_what_was_typed(
    signed_in: Client, typed: dict[str, str], sentence: str
) -> None:
    given = {"display_name": "Kept name", "notes": "Kept notes."} | typed
    answer = signed_in.post(NEW, register_form(signed_in, **given))
    body = answer.content.decode()
    assert answer.status_code == 422
    assert body.count(sentence) == 2, "once in the summary and once at the field"
    assert 'role="alert"' in body
    assert 'aria-invalid="true"' in body
    if "notes" not in typed:
        assert "Kept notes." in body
    if "display_name" not in typed:
        assert 'value="Kept name"' in body
    assert not Application.objects.exists()


def test_errors_are_tied_to_their_field(signed_in: Client) -> None:
    body = signed_in.post(NEW, register_form(signed_in, identifier_uri="nonsense")).content.decode()
    field = re.search(r'<input[^>]*name="identifier_uri"[^>]*>', body)
    assert field
    described = re.search(r'aria-describedby="([^"]+)"', field[0])
    assert described
    for target in described[1].split():
        assert f'id="{target}"' in body


def test_missing_and_malformed_fields_are_no_server_error(signed_in: Client) -> None:
    assert signed_in.post(NEW, {}).status_code == 422
    assert signed_in.post(NEW, register_form(signed_in, form_token="no-guid")).status_code == 422
    assert signed_in.post(NEW, register_form(signed_in, display_name="a\x00b")).status_code == 422


def test_properties_change_what_is_given(signed_in: Client, harbor: Application) -> None:
    address = f"/applications/{harbor.pk}/properties"
    typed = filled(
        signed_in,
        address,
        display_name="Harbor Sync 2",
        identifier_uri="api://harbor",
        sign_in_audience="AzureADMultipleOrgs",
        access_token_version="1",
        notes="New notes",
    )
    assert signed_in.post(address, typed).status_code == 302
    harbor.refresh_from_db()
    assert (harbor.display_name, harbor.sign_in_audience, harbor.access_token_version, harbor.notes) == (
        "Harbor Sync 2",
        "AzureADMultipleOrgs",
        1,
        "New notes",
    )
    assert identifier_uri_of(harbor) == "api://harbor"


def test_a_second_editor_is_told_and_keeps_what_was_typed(signed_in: Client, harbor: Application) -> None:
    """C-4: nothing is overwritten; the difference is named, and saving again is a decision."""
    address = f"/applications/{harbor.pk}/properties"
    given = {"sign_in_audience": "AzureADMyOrg", "access_token_version": "2"}
    mine = filled(signed_in, address, display_name="Mine", **given)
    theirs = filled(signed_in, address, display_name="Theirs", **given)
    assert signed_in.post(address, theirs).status_code == 302
    answer = signed_in.post(address, mine)
    body = answer.content.decode()
    assert answer.status_code == 422
    assert "Someone else changed this registration meanwhile." in body
    assert "The name is now: Theirs" in body
    assert 'value="Mine"' in body
    harbor.refresh_from_db()
    assert harbor.display_name == "Theirs"
    version = re.search(r'name="version" value="(\d+)"', body)
    assert version
    assert signed_in.post(address, mine | {"version": version[1]}).status_code == 302
    harbor.refresh_from_db()
    assert harbor.display_name == "Mine"


@pytest.mark.parametrize("version", ["", "abc", "-1", "99999999999999999999"])
def test_a_broken_version_is_no_server_error(signed_in: Client, harbor: Application, version: str) -> None:
    address = f"/applications/{harbor.pk}/properties"
    typed = filled(signed_in, address, display_name="X", sign_in_audience="AzureADMyOrg")
    answer = signed_in.post(address, typed | {"version": version})
    assert answer.status_code == 422
    harbor.refresh_from_db()
    assert harbor.display_name == "Harbor Sync Worker"
