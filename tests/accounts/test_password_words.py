"""Which passwords may be: long ones of any composition, but none that everybody would try here first."""

import pytest
from pytest_django.fixtures import Settings

from credmgr.accounts.models import User
from credmgr.accounts.passwords import PasswordError, require_good_password


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
