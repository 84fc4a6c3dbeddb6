"""The password once more (L-2, P9), and changing it (L-1)."""

from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.test import Client
from django.urls import path
from pytest_django.fixtures import Settings

from credmgr.accounts.models import Session, User
from credmgr.accounts.step_up import StepUpFormMixin
from credmgr.audit.models import AuditEvent
from credmgr.urls import urlpatterns as own_urlpatterns
from tests.accounts.conftest import NEW_PASSWORD, PASSWORD, Clock, send, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class DelicateForm(StepUpFormMixin, forms.Form):
    """Stands for every form that makes, keeps or destroys something."""

    note = forms.CharField(max_length=20)


done: list[str] = []


def delicate(request: HttpRequest) -> HttpResponse:
    form = DelicateForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        done.append(form.cleaned_data["note"])
        return HttpResponse("done")
    return render(request, "account_tests/delicate.html", {"form": form})


urlpatterns = [*own_urlpatterns, path("delicate", delicate)]


@pytest.fixture(autouse=True)
def page(settings: Settings) -> Iterator[None]:
    """The form's page, from the template part that all such pages include."""
    text = (
        "<form>{% csrf_token %}{{ form.note }}{{ form.note.errors }}"
        '{% include "portal/_step_up.html" %}</form>'
    )
    templates = [{**settings.TEMPLATES[0], "APP_DIRS": False}]
    options = dict(templates[0]["OPTIONS"])
    options["loaders"] = [
        ("django.template.loaders.locmem.Loader", {"account_tests/delicate.html": text}),
        "django.template.loaders.filesystem.Loader",
    ]
    templates[0]["OPTIONS"] = options
    settings.TEMPLATES = templates
    done.clear()
    yield
    done.clear()


def asks(answer: Any) -> bool:
    return b'name="current_password"' in answer.content


def test_l2_a_fresh_sign_in_counts(signed_in: Client) -> None:
    assert not asks(signed_in.get("/delicate"))
    assert send(signed_in, "/delicate", {"note": "a"}).content == b"done"


def test_l2_after_ten_minutes_the_form_asks_when_it_opens(signed_in: Client, clock: Clock) -> None:
    clock.forward(minutes=9, seconds=59)
    assert not asks(signed_in.get("/delicate"))
    clock.forward(seconds=1)
    assert asks(signed_in.get("/delicate"))


def test_p9_gone_stale_between_opening_and_sending(signed_in: Client, clock: Clock) -> None:
    clock.forward(minutes=9)
    page = signed_in.get("/delicate")
    assert not asks(page)
    clock.forward(minutes=2)
    answer = signed_in.post(
        "/delicate", {"note": "kept", "csrfmiddlewaretoken": str(page.context["csrf_token"])}
    )
    assert asks(answer)
    assert b'value="kept"' in answer.content
    assert b"Enter your password to confirm" in answer.content
    assert done == []
    assert send(signed_in, "/delicate", {"note": "kept", "current_password": PASSWORD}).content == b"done"


@pytest.mark.parametrize("password", ["", "wrong-canary-password"])
def test_l2_nothing_is_done_without_the_right_password(
    signed_in: Client, clock: Clock, password: str
) -> None:
    clock.forward(minutes=11)
    answer = send(signed_in, "/delicate", {"note": "kept", "current_password": password})
    assert asks(answer)
    assert b'value="kept"' in answer.content
    assert b"wrong-canary-password" not in answer.content
    assert done == []


def test_l1_step_up_changes_the_session_id(signed_in: Client, clock: Clock, settings: Settings) -> None:
    clock.forward(minutes=11)
    before = signed_in.cookies[settings.SESSION_COOKIE_NAME].value
    send(signed_in, "/delicate", {"note": "a", "current_password": PASSWORD})
    assert signed_in.cookies[settings.SESSION_COOKIE_NAME].value != before
    assert not Session.objects.filter(session_key=before).exists()
    assert not asks(signed_in.get("/delicate")), "good for ten more minutes"
    clock.forward(minutes=10)
    assert asks(signed_in.get("/delicate"))


def test_a_right_password_is_remembered_when_another_field_is_wrong(signed_in: Client, clock: Clock) -> None:
    clock.forward(minutes=11)
    answer = send(signed_in, "/delicate", {"note": "x" * 21, "current_password": PASSWORD})
    assert b"at most 20 characters" in answer.content
    assert not asks(answer)
    assert send(signed_in, "/delicate", {"note": "shorter"}).content == b"done"


def test_step_up_does_not_lengthen_the_eight_hours(signed_in: Client, clock: Clock) -> None:
    for _ in range(24):
        clock.forward(minutes=19)
        send(signed_in, "/delicate", {"note": "a", "current_password": PASSWORD})
    clock.forward(minutes=29)
    assert signed_in.get("/delicate").status_code == 302


def test_l3_step_up_is_throttled(signed_in: Client, clock: Clock) -> None:
    clock.forward(minutes=11)
    for _ in range(5):
        send(signed_in, "/delicate", {"note": "a", "current_password": "wrong-canary-password"})
    answer = send(signed_in, "/delicate", {"note": "a", "current_password": PASSWORD})
    assert b"Too many wrong passwords. Try again in" in answer.content
    assert done == []
    clock.forward(minutes=17)
    assert send(signed_in, "/delicate", {"note": "a", "current_password": PASSWORD}).content == b"done"


def test_d1_step_up_is_audited_without_the_password(signed_in: Client, clock: Clock) -> None:
    clock.forward(minutes=11)
    send(signed_in, "/delicate", {"note": "a", "current_password": "wrong-canary-password"})
    send(signed_in, "/delicate", {"note": "a", "current_password": PASSWORD})
    events = list(AuditEvent.objects.order_by("sequence").values())
    assert [row["tag"] for row in events][1:] == [
        "account:session:not-confirmed",
        "account:session:confirmed",
    ]
    assert PASSWORD not in str(events)
    assert "wrong-canary-password" not in str(events)


# ---------------------------------------------------------------- changing it
CHANGE = {"current": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}


def test_l1_a_new_password_ends_all_other_sessions_at_once(
    signed_in: Client, person: User, settings: Settings
) -> None:
    other = Client()
    sign_in(other)
    before = signed_in.cookies[settings.SESSION_COOKIE_NAME].value
    answer = send(signed_in, "/account/password", CHANGE, follow=True)
    assert "Your password was changed. 1 other session ended." in answer.content.decode()
    assert Session.objects.filter(user=person).count() == 1
    assert signed_in.cookies[settings.SESSION_COOKIE_NAME].value != before
    assert signed_in.get("/account").status_code == 200
    assert other.get("/account").status_code == 302
    assert sign_in(Client(), "robin", PASSWORD).status_code == 200
    assert sign_in(Client(), "robin", NEW_PASSWORD).status_code == 302
    event = AuditEvent.objects.get(tag="account:password:changed")
    assert (event.actor_id, event.object_name) == (person.pk, "robin")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"current": "wrong-canary-password"}, "The password is not right."),
        ({"current": ""}, "Enter your current password."),
        ({"password2": "something else entirely"}, "The two passwords differ."),
        ({"password1": "tiny-pw", "password2": "tiny-pw"}, "at least 12 characters"),
        ({"password1": "password1234", "password2": "password1234"}, "too common"),
        ({"password1": "robin-vale-1", "password2": "robin-vale-1"}, "too similar"),
    ],
)
def test_a_refused_change_changes_nothing(signed_in: Client, changed: dict[str, str], sentence: str) -> None:
    answer = send(signed_in, "/account/password", CHANGE | changed)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert sentence in page
    assert not [value for value in (CHANGE | changed).values() if value and value in page]
    assert sign_in(Client()).status_code == 302


def test_l3_guessing_the_current_password_is_throttled(signed_in: Client) -> None:
    for _ in range(5):
        send(signed_in, "/account/password", CHANGE | {"current": "wrong-canary-password"})
    assert b"Too many wrong passwords" in send(signed_in, "/account/password", CHANGE).content
    assert sign_in(Client()).status_code == 302


def test_d3_no_audit_row_no_new_password(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(AuditEvent, "save", fails)
    with pytest.raises(OSError, match="disk full"):
        send(signed_in, "/account/password", CHANGE)
    monkeypatch.undo()
    assert User.objects.get().check_password(PASSWORD)


# ---------------------------------------------------------------- one's own page
def test_the_full_name_can_be_changed_and_is_audited(signed_in: Client, person: User) -> None:
    answer = send(
        signed_in,
        "/account",
        {"full_name": " Robin   of Locksley ", "username": "king", "is_superuser": "on"},
    )
    assert answer.status_code == 302
    person.refresh_from_db()
    assert (person.get_full_name(), person.username, person.is_superuser) == (
        "Robin of Locksley",
        "robin",
        False,
    )  # L-7
    event = AuditEvent.objects.get(tag="account:user:updated")
    assert event.changes == {"fullName": ["Robin Vale", "Robin of Locksley"]}
    assert b"Robin of Locksley" in signed_in.get("/account").content


def test_names_are_text_in_the_page(signed_in: Client) -> None:
    send(signed_in, "/account", {"full_name": "<script>alert(1)</script>"})
    assert b"<script>alert" not in signed_in.get("/account").content
