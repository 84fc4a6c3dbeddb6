"""People, browsers and a clock for the tests of sign-in."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from credmgr.accounts.models import User
from credmgr.registrations.directories import ensure_default_tenant
from tests.factories import administrator

PASSWORD = "a-canary-of-a-password-7"
NEW_PASSWORD = "another-canary-password-8"


@pytest.fixture(autouse=True)
def quick_hashes(settings: Settings) -> None:
    """The real hasher takes half a second on purpose; which one is used is no subject of these tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def person(db: None, quick_hashes: None) -> User:
    """An administrator."""
    ensure_default_tenant(timezone.now())
    return administrator(User.objects.create_user("robin", password=PASSWORD, first_name="Robin Vale"))


@pytest.fixture
def visitor() -> Client:
    """A browser that checks CSRF like the real ones make the server do."""
    return Client(enforce_csrf_checks=True)


def send(client: Client, path: str, fields: dict[str, str], **more: Any) -> Any:
    """Open the page, then send its form with these fields, as a browser does."""
    page = client.get(path, follow=True)
    token = page.context["csrf_token"] if page.context else ""
    target = page.redirect_chain[-1][0] if page.redirect_chain else path
    return client.post(target, {**fields, "csrfmiddlewaretoken": str(token)}, **more)


def sign_in(client: Client, login: str = "robin", password: str = PASSWORD, **more: Any) -> Any:
    """Fill the sign-in form."""
    return send(client, "/account/login", {"login": login, "password": password}, **more)


@pytest.fixture
def signed_in(person: User, visitor: Client) -> Client:
    """A browser in which the person signed in through the form."""
    answer = sign_in(visitor)
    assert answer.status_code == 302, answer.content
    return visitor


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def forward(self, **span: float) -> None:
        """Move it, as in forward(minutes=10)."""
        self.now += timedelta(**span)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Django's clock, stopped until a test moves it."""
    stopped = Clock()
    monkeypatch.setattr("django.utils.timezone.now", lambda: stopped.now)
    return stopped
