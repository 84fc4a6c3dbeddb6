"""Error pages: words and a reference number, never details; without the database where it may be gone."""

import uuid
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from credmgr.accounts.models import User
from credmgr.portal.views import errors
from credmgr.registrations.models import Tenant
from credmgr.vault.errors import UnknownKeyError

pytestmark = pytest.mark.django_db
REFERENCE = uuid.UUID("cec5b994-2459-4a68-83c0-c1ce5b5e6829")


def request_of_nobody() -> HttpRequest:
    request = RequestFactory().get("/anything")
    request.request_id = REFERENCE  # type: ignore[attr-defined] # set by the middleware
    return request


def test_unknown_address_is_said_within_the_frame(signed_in: Client) -> None:
    answer = signed_in.get("/no-such-page")
    assert answer.status_code == 404
    assert b"There is nothing at this address" in answer.content
    assert b'aria-label="Portal"' in answer.content
    assert b"Reference number" in answer.content


def test_unknown_address_tells_strangers_nothing_of_the_frame(directory: Tenant) -> None:
    answer = Client().get("/no-such-page")
    assert answer.status_code in (302, 404)
    assert directory.name.encode() not in answer.content


@pytest.mark.parametrize(
    ("view", "status"),
    [(errors.bad_request, 400), (errors.forbidden, 403), (errors.not_found, 404), (errors.csrf_failure, 403)],
)
def test_each_page_has_its_status_and_the_reference(
    view: Any, status: int, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        answer = view(request_of_nobody())
    assert answer.status_code == status
    assert str(REFERENCE) in answer.content.decode()


def failed_with(failure: Exception) -> HttpResponse:
    """The page for this failure, as Django asks for it: while the failure is being handled."""
    try:
        raise failure
    except type(failure):
        return errors.server_error(request_of_nobody())


def test_failure_page_says_nothing_of_the_cause_and_asks_no_database(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        answer = failed_with(RuntimeError("canary-7f3a"))
    assert answer.status_code == 500
    assert "canary-7f3a" not in answer.content.decode()
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("failure", [OperationalError("database is locked"), UnknownKeyError(b"\1\2\3\4")])
def test_unreachable_data_is_a_503_that_says_when_to_try_again(failure: Exception) -> None:
    answer = failed_with(failure)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert "locked" not in answer.content.decode()


def test_a_form_without_its_token_is_refused_in_words(person: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.post("/theme", {"theme": "dark"})
    assert answer.status_code == 403
    assert b"The form was not accepted" in answer.content
