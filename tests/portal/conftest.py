"""Somebody signed in, in a directory of their own."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from credmgr.accounts import sessions
from credmgr.accounts.models import User
from credmgr.audit.recording import Actor
from credmgr.registrations.directories import ensure_default_tenant
from credmgr.registrations.models import Application, Tenant
from credmgr.registrations.registering import register_application
from tests.accounts.conftest import quick_hashes  # noqa: F401 - a fixture of these tests too
from tests.factories import administrator
from tests.factories import person as someone

PASSWORD = "a-long-invented-password"
Register = Callable[..., Application]
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def directory(db: None) -> Tenant:
    """The default directory."""
    return ensure_default_tenant(timezone.now())


@pytest.fixture
def person(directory: Tenant) -> User:
    """An administrator."""
    return administrator(
        User.objects.create(
            username="robin", password=make_password(PASSWORD), first_name="Robin", last_name="Vale"
        )
    )


@pytest.fixture
def signed_in(person: User) -> Client:
    """A browser of the administrator, without script; its sign-in is recent."""
    client = Client()
    client.force_login(person, backend=BACKEND)
    return client


@pytest.fixture
def root(directory: Tenant, settings: Settings) -> tuple[Client, User]:
    """An administrator of everything whose password was given longer ago than the setting says."""
    user = someone("root")
    client = Client()
    client.force_login(user, backend=BACKEND)
    session = client.session
    session[sessions.CONFIRMED_AT] = timezone.now().timestamp() - settings.STEP_UP_SECONDS - 1
    session.save()
    return client, user


@pytest.fixture
def register(directory: Tenant, person: User) -> Callable[..., Application]:
    """Registers applications: register("Harbor Sync Worker", notes="...")."""

    def made(display_name: str = "Harbor Sync Worker", **given: Any) -> Application:
        return register_application(
            tenant=directory,
            display_name=display_name,
            actor=Actor("Robin Vale", person),
            now=timezone.now(),
            **given,
        )

    return made


@pytest.fixture
def harbor(register: Callable[..., Application]) -> Application:
    """A registration to look at."""
    return register()


@pytest.fixture
def foreign(directory: Tenant) -> Application:
    """A registration of another directory, which nobody here may learn of."""
    other = Tenant.objects.create(name="Elsewhere", created_at=timezone.now())
    return Application.objects.create(tenant=other, display_name="Foreign", created_at=timezone.now())


UNKNOWN = uuid.UUID("11111111-2222-4333-8444-555555555555")
