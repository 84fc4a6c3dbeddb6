"""A page whose transaction met another one is made again, three times at most (C-3)."""

from typing import Any

import psycopg.errors
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django.fixtures import Settings

from credmgr.accounts.models import User
from credmgr.accounts.public import public
from credmgr.conflicts import repeated
from credmgr.urls import handler500 as own_handler500
from credmgr.urls import urlpatterns as own_urlpatterns

pytestmark = [pytest.mark.django_db, pytest.mark.database]


class Troubled:
    """A view whose transaction fails so many times before it works; what it did stays only when it worked."""

    def __init__(self, conflicts: int, cause: type[Exception] = psycopg.errors.DeadlockDetected) -> None:
        self.left = conflicts
        self.cause = cause
        self.tries: list[str] = []

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """One act in one transaction."""
        uploaded = request.FILES.get("file")
        self.tries.append(request.POST.get("name", "") + (uploaded.read().decode() if uploaded else ""))
        with transaction.atomic():
            User.objects.create(username="made")
            if self.left:
                self.left -= 1
                raise OperationalError("deadlock detected") from self.cause()
        return HttpResponse("done")


troubled = Troubled(0)


@public
def troubled_page(request: HttpRequest) -> HttpResponse:
    """Whatever view the test chose."""
    return troubled(request)


handler500 = own_handler500
urlpatterns = [*own_urlpatterns, path("troubled", troubled_page)]


@pytest.fixture
def client(settings: Settings, client: Client) -> Client:
    """A stranger at the troubled page."""
    settings.ROOT_URLCONF = __name__
    client.raise_request_exception = False
    return client


def choose(view: Troubled) -> Troubled:
    """Put it at the address."""
    global troubled
    troubled = view
    return view


@pytest.mark.parametrize("cause", [psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure])
@pytest.mark.parametrize("conflicts", [1, 3])
def test_the_act_happens_once_in_the_end(client: Client, conflicts: int, cause: type[Exception]) -> None:
    view = choose(Troubled(conflicts, cause))
    form: dict[str, Any] = {"name": "typed ", "file": SimpleUploadedFile("c.pem", b"content")}
    answer = client.post("/troubled", form)
    assert (answer.status_code, answer.content) == (200, b"done")
    assert view.tries == ["typed content"] * (conflicts + 1)
    assert User.objects.filter(username="made").count() == 1


def test_after_three_more_tries_it_is_503(client: Client) -> None:
    view = choose(Troubled(99))
    answer = client.post("/troubled", {"name": "typed"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "deadlock" not in answer.content.decode()
    assert len(view.tries) == 4
    assert not User.objects.exists()


@pytest.mark.parametrize("cause", [psycopg.errors.LockNotAvailable, psycopg.errors.AdminShutdown])
def test_another_trouble_of_the_database_is_not_repeated(client: Client, cause: type[Exception]) -> None:
    view = choose(Troubled(1, cause))
    assert client.post("/troubled").status_code == 503
    assert len(view.tries) == 1


def test_commands_repeat_too() -> None:
    left = [psycopg.errors.DeadlockDetected(), psycopg.errors.SerializationFailure()]

    def act() -> str:
        if left:
            raise OperationalError from left.pop()
        return "done"

    assert repeated(act) == "done"
