"""Which passwords may be: long ones of any composition, but none that everybody would try here first."""

import re
from datetime import UTC, datetime

import pytest
from django.conf import global_settings
from django.test import Client
from django.utils.module_loading import import_string
from pytest_django.fixtures import Settings

import credmgr.settings
from credmgr.accounts.models import User
from credmgr.accounts.passwords import PasswordError, require_good_password
from tests.accounts.conftest import sign_in


@pytest.mark.parametrize(
    "password",
    [
        "credmgr-2026!",
        "CredentialManager1",
        "AdminAdminAdmin",
        "password-secret-1",
        "DefaultDirectory",
        "EntraAzure2026?",
        "Welcome-admin-1!",
    ],
)
def test_passwords_of_this_places_words_are_refused(password: str) -> None:
    with pytest.raises(PasswordError) as refused:
        require_good_password(User(username="robin.vale"), password)
    assert "Add at least 8 characters" in refused.value.message
    assert password not in refused.value.message


def test_the_installations_own_names_count(settings: Settings) -> None:
    settings.DEFAULT_DIRECTORY_NAME = "Northwind Traders"
    settings.PUBLIC_URL = "https://vaulted.example.com"
    for password in ("northwind-traders", "Vaulted!Vaulted1"):
        with pytest.raises(PasswordError):
            require_good_password(User(username="robin.vale"), password)


@pytest.mark.parametrize(
    "password",
    [
        "gray-otter-lamp-7",
        "nothing but small letters",
        "918273645546372819",
        "ПРОСТО-длинная-фраза",
        "🐢🐢 turtles 🐢🐢 all the way",
        " leading and trailing ",
        "an admin with a long enough rest",
        "x" * 3 + "y" * 61,
        "long " * 200,
    ],
)
def test_any_composition_and_any_length_from_twelve_on(password: str) -> None:
    require_good_password(User(username="robin.vale"), password)


@pytest.mark.parametrize("password", ["short-one-1", "robin.vale.2026", "1q2w3e4r5t6y", "1234567890123"])
def test_short_common_and_alike_ones_are_refused(password: str) -> None:
    with pytest.raises(PasswordError):
        require_good_password(User(username="robin.vale"), password)


def test_a_password_does_not_end(db: None) -> None:
    """No field of a person says when a password was set or ends, and one of long ago still opens."""
    names = [field.name for field in User._meta.get_fields()]
    assert not [name for name in names if re.search("password.*(expir|chang|at$)", name)]
    user = User.objects.create_user("robin", password="gray-otter-lamp-7")
    then = datetime(2006, 1, 1, tzinfo=UTC)
    User.objects.update(date_joined=then, last_login=then)
    user.refresh_from_db()
    assert user.check_password("gray-otter-lamp-7")


def test_passwords_are_kept_as_slow_hashes() -> None:
    """PBKDF2 with SHA-256 and at least as many rounds as OWASP asks for (600,000)."""
    configured = getattr(credmgr.settings, "PASSWORD_HASHERS", global_settings.PASSWORD_HASHERS)
    hasher = import_string(configured[0])()  # tests that sign in use a quick one
    algorithm, rounds, salt, _ = hasher.encode("gray-otter-lamp-7", hasher.salt()).split("$")
    assert algorithm == "pbkdf2_sha256"
    assert int(rounds) >= 600_000
    assert len(salt) >= 16


def test_a_password_counts_to_its_last_character(db: None) -> None:
    """As typed: no other case, no space less at an end, nothing cut off."""
    password = " Gray otter lamp 7, " + "x" * 100 + "! "
    User.objects.create_user("robin", password=password)
    for other in (password.lower(), password.strip(), password[:72]):
        assert sign_in(Client(enforce_csrf_checks=True), "robin", other).status_code != 302
    assert sign_in(Client(enforce_csrf_checks=True), "robin", password).status_code == 302


def test_there_are_no_hints_and_no_questions(db: None, visitor: Client) -> None:
    """Nothing of the kind is kept of a person or asked for at the door."""
    kept = [field.name for field in User._meta.get_fields()]
    assert not [name for name in kept if re.search("hint|question|answer|birth|maiden", name)]
    asked = re.findall(r'<input[^>]* name="(\w+)"', visitor.get("/account/login").content.decode())
    assert set(asked) <= {"csrfmiddlewaretoken", "login", "password", "next"}
    assert {"login", "password"} <= set(asked)
