"""L-2 for people without a password here: they confirm at their provider, and come back to the form."""

import time
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from credmgr.accounts import sessions
from credmgr.accounts.models import User
from credmgr.audit.models import AuditEvent
from credmgr.origins.models import AllowedOrigin
from tests.signon.conftest import Provider, come_back, sign_on, told

pytestmark = pytest.mark.django_db
FORM = "/origins/new"
WAY = "/account/single-sign-on/confirm?next=/origins/new"
TYPED = {"address": "https://canary.example.com", "name": "Typed"}


@pytest.fixture
def stale(client: Client, idp: Provider, settings: Settings) -> Client:
    """A browser of an administrator who came by single sign-on longer ago than the setting says."""
    idp.claims = {"roles": ["Credential.Admin"]}
    sign_on(client, idp)
    session = client.session
    session[sessions.CONFIRMED_AT] = timezone.now().timestamp() - settings.STEP_UP_SECONDS - 1
    session.save()
    return client


def confirm(client: Client, idp: Provider) -> Any:
    """There and back."""
    answer: Any = client.get(WAY)
    return come_back(client, idp.authorize(answer["Location"]))


def last_tag() -> str:
    return AuditEvent.objects.latest("sequence").tag


def test_the_form_shows_the_way_and_no_password(stale: Client) -> None:
    page = stale.get(FORM).content.decode()
    assert 'href="/account/single-sign-on/confirm?next=%2Forigins%2Fnew">Confirm with Contoso</a>' in page
    assert 'name="current_password"' not in page
    assert 'type="password"' not in page


def test_nothing_is_done_before_whatever_is_sent(stale: Client) -> None:
    for more in ({}, {"current_password": "x"}):
        page = stale.post(FORM, TYPED | more).content.decode()
        assert "Confirm with Contoso first. You come back to the empty form" in page
    assert not AllowedOrigin.objects.exists()


def test_there_and_back_to_the_empty_form(stale: Client, idp: Provider, settings: Settings) -> None:
    stale.post(FORM, TYPED)
    before = stale.cookies[settings.SESSION_COOKIE_NAME].value
    answer: Any = stale.get(WAY)
    given = idp.authorize(answer["Location"])
    [asked] = idp.asked.values()
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")
    assert come_back(stale, given)["Location"] == FORM
    assert stale.cookies[settings.SESSION_COOKIE_NAME].value != before
    event = AuditEvent.objects.latest("sequence")
    assert (event.tag, event.changes) == (
        "account:session:confirmed",
        {"confirmedWith": ["", "Contoso"]},
    )
    page = stale.get(FORM).content.decode()
    assert "canary" not in page
    assert "Confirm with Contoso" not in page
    assert not AllowedOrigin.objects.exists(), "what was sent before is not sent again"
    assert stale.post(FORM, TYPED).status_code == 302
    assert AllowedOrigin.objects.get().host == "canary.example.com"


@pytest.mark.parametrize("auth_time", [None, int(time.time()) - 120], ids=["missing", "old"])
def test_an_old_sign_in_confirms_nothing(stale: Client, idp: Provider, auth_time: int | None) -> None:
    idp.claims = {"auth_time": auth_time}
    confirm(stale, idp)
    assert "did not say that you signed in again just now" in told(stale)
    assert last_tag() == "account:session:not-confirmed"
    assert "Confirm with Contoso" in stale.get(FORM).content.decode()


def test_somebody_else_confirms_nothing(stale: Client, idp: Provider) -> None:
    idp.claims = {"sub": "subject-2"}
    confirm(stale, idp)
    assert "Somebody else signed in at the provider" in told(stale)
    assert last_tag() == "account:session:not-confirmed"
    assert User.objects.count() == 1


def test_confirming_signs_nobody_in(stale: Client, idp: Provider) -> None:
    answer: Any = stale.get(WAY)
    given = idp.authorize(answer["Location"])
    pending = stale.session["single_sign_on"]
    stale.post("/account/logout")
    session = stale.session
    session["single_sign_on"] = pending
    session.save()
    come_back(stale, given)
    assert stale.get("/account").status_code == 302


def test_one_page_before_an_export(stale: Client, idp: Provider) -> None:
    page: Any = stale.get("/applications/export", follow=True)
    text = page.content.decode()
    assert "Confirm with Contoso" in text
    assert "so you are asked who you are first" in text
    assert ">Confirm</button>" not in text


def test_there_is_no_password_to_change(stale: Client) -> None:
    assert "Change password" not in stale.get("/account").content.decode()
    answer: Any = stale.get("/account/password", follow=True)
    assert "You have no password here: you sign in with Contoso." in answer.content.decode()


def test_a_link_of_another_site_sends_nobody_on(stale: Client) -> None:
    answer: Any = stale.get(WAY, headers={"sec-fetch-site": "cross-site"})
    assert answer["Location"] == "/account"
