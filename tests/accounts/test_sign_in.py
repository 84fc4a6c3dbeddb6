"""Signing in and out: the form, its refusals, the throttle, and what is written about it."""

import logging
import re
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from credmgr.accounts.models import Session, ThrottleCounter, User
from credmgr.audit.models import AuditEvent
from tests.accounts.conftest import PASSWORD, Clock, send, sign_in

pytestmark = pytest.mark.django_db
REFUSAL = "User name and password do not match. Check both and try again."


def tags() -> list[str]:
    return list(AuditEvent.objects.order_by("sequence").values_list("tag", flat=True))


def test_one_lands_on_app_registrations(person: User, visitor: Client) -> None:
    answer = sign_in(visitor)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/applications")
    assert visitor.get("/account").status_code == 200


def test_user_name_is_found_in_any_case_and_with_spaces_around(person: User, visitor: Client) -> None:
    assert sign_in(visitor, " Robin ").status_code == 302


def test_next_leads_back_to_the_page_that_was_asked_for(person: User, visitor: Client) -> None:
    answer = visitor.get("/account?tab=1")
    assert answer.headers["Location"] == "/account/login?next=%2Faccount%3Ftab%3D1"
    done = send(
        visitor,
        answer.headers["Location"],
        {"login": "robin", "password": PASSWORD, "next": "/account?tab=1"},
    )
    assert done.headers["Location"] == "/account?tab=1"


@pytest.mark.parametrize(
    "goal",
    [
        "https://evil.example/",
        "//evil.example/",
        "https://localhost:9999/",
        "https://localhost/",
        "javascript:alert(1)",
        "/\\evil.example",
        "\x00/",
    ],
)
def test_next_leads_nowhere_else(person: User, visitor: Client, goal: str) -> None:
    fields = {"login": "robin", "password": PASSWORD, "next": goal}
    assert send(visitor, "/account/login", fields).headers["Location"] == "/applications"


@pytest.mark.parametrize(
    ("login", "password"), [("robin", "wrong-password-here"), ("nobody", PASSWORD), ("nobody", "short-one")]
)
def test_l3_unknown_user_and_wrong_password_read_alike(
    person: User, visitor: Client, login: str, password: str
) -> None:
    answer = sign_in(visitor, login, password)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert REFUSAL in page
    assert password not in page
    assert f'value="{login}"' in page
    assert "Error: Sign in" in page


def test_l3_a_disabled_person_reads_the_same(person: User, visitor: Client) -> None:
    User.objects.update(is_active=False)
    answer = sign_in(visitor)
    assert (answer.status_code, REFUSAL in answer.content.decode()) == (200, True)


@pytest.mark.parametrize("login", ["robin", "nobody"])
def test_l3_unknown_user_costs_as_many_hashes_as_a_wrong_password(
    person: User, visitor: Client, login: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    original = MD5PasswordHasher.encode

    def counting(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return original(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counting)
    sign_in(visitor, login, "wrong-password-here")
    assert hashed == ["wrong-password-here"]


def test_an_empty_form_says_what_is_missing_and_counts_nothing(person: User, visitor: Client) -> None:
    answer = sign_in(visitor, "", "")
    page = answer.content.decode()
    assert "Enter your user name." in page
    assert "Enter your password." in page
    assert not ThrottleCounter.objects.exists()


@pytest.mark.parametrize(
    "login",
    ["robin\x00", "r" * 10_000, "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "' OR 1=1 --"],
)
def test_odd_names_are_refused_not_crashed_on(person: User, visitor: Client, login: str) -> None:
    assert sign_in(visitor, login).status_code == 200


def test_l1_session_id_is_new_after_sign_in(person: User, visitor: Client, settings: Settings) -> None:
    visitor.get("/account/login")
    session = visitor.session
    session["planted"] = True
    session.save()
    visitor.cookies[settings.SESSION_COOKIE_NAME] = session.session_key or ""
    before = session.session_key
    assert before
    sign_in(visitor)
    after = visitor.cookies[settings.SESSION_COOKIE_NAME].value
    assert after != before
    assert not Session.objects.filter(session_key=before).exists()
    assert Session.objects.get(session_key=after).user == person


def test_signed_in_people_are_led_past_the_form(signed_in: Client) -> None:
    assert signed_in.get("/account/login").headers["Location"] == "/applications"


def test_no_csrf_token_no_sign_in(person: User, visitor: Client) -> None:
    assert visitor.post("/account/login", {"login": "robin", "password": PASSWORD}).status_code == 403


# ---------------------------------------------------------------- signing out
def test_l5_sign_out_by_post_only_and_the_row_is_gone(signed_in: Client) -> None:
    assert signed_in.get("/account/logout").status_code == 200
    assert signed_in.get("/account").status_code == 200
    answer = send(signed_in, "/account/logout", {})
    assert answer.headers["Location"] == "/account/login"
    assert not Session.objects.filter(user__isnull=False).exists()
    assert signed_in.get("/account").status_code == 302


def test_l1_a_copied_cookie_is_worth_nothing_after_sign_out(signed_in: Client, settings: Settings) -> None:
    copied = signed_in.cookies[settings.SESSION_COOKIE_NAME].value
    send(signed_in, "/account/logout", {})
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = copied
    assert thief.get("/account").status_code == 302


@pytest.mark.parametrize(
    ("public_url", "expected"),
    [("", None), ("https://credentials.example.com", '"cache", "cookies", "storage"')],
)
def test_h3_clear_site_data_only_with_a_public_url(
    signed_in: Client, settings: Settings, public_url: str, expected: str | None
) -> None:
    settings.PUBLIC_URL = public_url
    assert send(signed_in, "/account/logout", {}).headers.get("Clear-Site-Data") == expected


# ---------------------------------------------------------------- throttle
def test_l3_sixth_try_for_a_person_has_to_wait(person: User, visitor: Client, clock: Clock) -> None:
    for _ in range(5):
        assert sign_in(visitor, password="wrong-password-here").status_code == 200
    answer = sign_in(visitor)  # right this time, but it is not looked at
    assert answer.status_code == 429
    wait = int(answer.headers["Retry-After"])
    assert 0 < wait <= 16 * 60
    page = answer.content.decode()
    assert "UTC" in page
    assert re.search(r"in \d+ minutes?\.", page)
    assert PASSWORD not in page
    clock.forward(seconds=wait)
    assert sign_in(visitor).status_code == 302


def test_l3_no_position_of_the_window_lets_more_through(person: User, visitor: Client, clock: Clock) -> None:
    """A burst at the end of one window and another at the start of the next would double the limit."""
    tried = 0
    start = clock.now
    while clock.now < start + timedelta(minutes=14, seconds=59):
        tried += sign_in(visitor, password="wrong-password-here").status_code == 200
        clock.forward(seconds=61)
    assert tried == 5


def test_l3_another_address_is_not_locked_out(person: User, visitor: Client) -> None:
    for _ in range(6):
        sign_in(visitor, password="wrong-password-here")
    assert sign_in(visitor).status_code == 429
    assert sign_in(Client(REMOTE_ADDR="192.0.2.7"), REMOTE_ADDR="192.0.2.7").status_code == 302


def test_l3_spellings_of_one_name_share_a_counter(person: User, visitor: Client) -> None:
    for name in ("robin", "Robin", "ROBIN", " robin", "rObin "):
        sign_in(visitor, name, "wrong-password-here")
    assert sign_in(visitor).status_code == 429


def test_l3_an_address_that_tries_many_names_has_to_wait(
    person: User, visitor: Client, settings: Settings
) -> None:
    settings.LOGIN_FAILURES_PER_ADDRESS = 7
    for number in range(7):
        assert sign_in(visitor, f"guess{number}", "wrong-password-here").status_code == 200
    assert sign_in(visitor).status_code == 429


def test_success_forgets_the_slips_but_not_those_for_other_names(
    person: User, visitor: Client, settings: Settings
) -> None:
    settings.LOGIN_FAILURES_PER_ADDRESS = 6
    for _ in range(4):
        sign_in(visitor, password="wrong-password-here")
    assert sign_in(visitor).status_code == 302
    other = Client()
    for name in ("a", "b"):
        assert sign_in(other, name, "wrong-password-here").status_code == 200
    assert sign_in(other, "c", "wrong-password-here").status_code == 429


def test_counters_hold_no_typed_value(person: User, visitor: Client) -> None:
    sign_in(visitor, "my-password-in-the-wrong-field", "x")
    for counter in ThrottleCounter.objects.all():
        assert re.fullmatch(r"sign-in(-address)?:[0-9a-f]{64}", counter.key)


# ---------------------------------------------------------------- what is written
def test_d1_audit_names_who_and_never_what_was_typed(person: User, visitor: Client) -> None:
    sign_in(visitor, password="wrong-password-here")
    sign_in(visitor, "my-password-in-the-wrong-field", "x")
    sign_in(visitor)
    send(visitor, "/account/logout", {})
    assert tags() == [
        "account:session:refused",
        "account:session:refused",
        "account:session:signed-in",
        "account:session:signed-out",
    ]
    refused, unknown, entered, left = AuditEvent.objects.order_by("sequence")
    assert (refused.object_name, refused.succeeded, refused.address) == ("robin", False, "127.0.0.1")
    assert (unknown.object_name, unknown.actor_name) == ("", "Not signed in")
    assert entered.actor_id == left.actor_id == person.pk


def test_g4_password_is_in_no_log_audit_or_session(
    person: User, visitor: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        sign_in(visitor, password="wrong-canary-password")
        sign_in(visitor, PASSWORD, PASSWORD)
        sign_in(visitor)
        visitor.get("/account")
    kept = [str(row) for row in AuditEvent.objects.values()] + [
        str(row.get_decoded()) for row in Session.objects.all()
    ]
    for text in [*kept, caplog.text]:
        assert PASSWORD not in text
        assert "wrong-canary-password" not in text


def test_sign_in_page_tells_what_to_do_while_there_is_nobody(db: None, visitor: Client) -> None:
    assert "There is no administrator yet." in visitor.get("/account/login").content.decode()
    User.objects.create_user("robin")
    assert "There is no administrator yet." not in visitor.get("/account/login").content.decode()


@pytest.mark.parametrize(
    "path",
    [
        "signup",
        "email",
        "password/reset",
        "reauthenticate",
        "confirm-email",
        "password/set",
        "inactive",
        "login/code",
    ],
)
def test_nothing_else_of_allauth_exists(db: None, visitor: Client, path: str) -> None:
    for address in (f"/account/{path}", f"/account/{path}/", f"/accounts/{path}/"):
        assert visitor.get(address).status_code == 404


def test_stale_counters_are_forgotten(person: User, visitor: Client) -> None:
    ThrottleCounter.objects.create(key="old", window_start=timezone.now() - timedelta(days=2), count=3)
    sign_in(visitor, password="wrong-password-here")
    assert not ThrottleCounter.objects.filter(key="old").exists()
