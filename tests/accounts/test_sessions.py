"""Default-deny, session limits, cookies."""

import os
import re
import subprocess
import sys
from importlib import import_module

import pytest
from django.conf import settings
from django.test import Client
from pytest_django.fixtures import Settings

from credmgr.accounts.models import Session, User
from credmgr.accounts.sessions import device_of, end_sessions, forget_expired, sessions_of
from credmgr.audit.models import AuditEvent
from tests.accounts.conftest import PASSWORD, Clock, send, sign_in

pytestmark = pytest.mark.django_db


# ---------------------------------------------------------------- default-deny
def test_every_page_but_the_named_ones_asks_for_sign_in(visitor: Client) -> None:
    """L-4: over the whole URL map. What is public is listed here, so that nothing joins unseen."""
    open_names = {
        "account_login",
        "mfa_authenticate",
        "account_setup",
        "account_setup_form",
        "account_invitation",
        "account_invitation_form",
        "account_sso",
        "account_sso_callback",
        "account_sso_refused",
        "health_live",
        "health_ready",
        "metrics",  # to named scrapers, see tests.ops.test_metrics
        "ca_certificate",
    }
    found = set()
    for name, path in _addresses():
        answer = visitor.get(path)
        if answer.status_code != 302 or not answer.headers["Location"].startswith("/account/login?next="):
            found.add(name)
    assert found <= open_names
    assert {"account_login", "account_setup_form", "health_live"} <= found


def _addresses() -> list[tuple[str, str]]:
    """(name, an address) of every page, from Django's own map."""
    from django.urls import URLPattern, URLResolver, get_resolver

    samples = {
        "uuid": "11111111-2222-4333-8444-555555555555",
        "int": "1",
        "str": "some-text",
        "slug": "a",
        "path": "a",
    }

    def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> list[tuple[str, str]]:
        rows = []
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                rows += walk(pattern.url_patterns, route)
                continue
            for kind, sample in samples.items():
                while f"<{kind}:" in route:
                    start = route.index(f"<{kind}:")
                    route = route[:start] + sample + route[route.index(">", start) + 1 :]
            rows.append((pattern.name or "", f"/{route}"))
        return rows

    rows = walk(get_resolver().url_patterns, "")
    assert len(rows) > 20
    assert not [path for _, path in rows if "<" in path]
    return rows


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_programs_get_401(db: None, visitor: Client, method: str) -> None:
    answer = getattr(Client(), method)("/account")
    assert answer.status_code == 401
    assert answer.json()["error"] == "sign_in_required"
    assert "WWW-Authenticate" in answer.headers


def test_whoever_asks_for_json_gets_401(db: None) -> None:
    assert Client().get("/account", headers={"Accept": "application/json"}).status_code == 401
    assert Client().post("/account", "{}", content_type="application/json").status_code == 401
    assert Client().get("/account", headers={"Accept": "text/html,application/json"}).status_code == 302


@pytest.mark.parametrize(
    ("referer", "expected"),
    [
        ("http://testserver/help?x=1", "%2Fhelp%3Fx%3D1"),
        ("https://evil.example/steal", "%2F"),
        ("", "%2F"),
    ],
)
def test_a_form_sent_too_late_leads_back_to_its_page(settings: Settings, referer: str, expected: str) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    answer = Client().post("/account", {"full_name": "x"}, headers={"Referer": referer})
    assert answer.headers["Location"] == f"/account/login?next={expected}"


# ---------------------------------------------------------------- limits
def test_l1_half_an_hour_without_activity_ends_the_session(
    signed_in: Client, clock: Clock, settings: Settings
) -> None:
    signed_in.get("/account")
    key = signed_in.cookies[settings.SESSION_COOKIE_NAME].value
    clock.forward(minutes=30)
    answer = signed_in.get("/account", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/account/login")
    assert "Your session ended" in answer.content.decode()
    assert not Session.objects.filter(session_key=key).exists()


def test_l1_activity_keeps_it_until_eight_hours_are_over(signed_in: Client, clock: Clock) -> None:
    for _ in range(23):
        clock.forward(minutes=20)
        assert signed_in.get("/account").status_code == 200
    clock.forward(minutes=20)
    assert signed_in.get("/account").status_code == 302


def test_l1_small_steps_count_as_activity(signed_in: Client, clock: Clock) -> None:
    for _ in range(100):
        clock.forward(seconds=19)
        assert signed_in.get("/account").status_code == 200


def test_quick_requests_do_not_write_the_session(
    signed_in: Client, clock: Clock, django_assert_num_queries: object
) -> None:
    clock.forward(minutes=5)
    signed_in.get("/account")
    before = Session.objects.get(user__isnull=False).session_data
    clock.forward(seconds=5)
    signed_in.get("/account")
    assert Session.objects.get(user__isnull=False).session_data == before


def test_l1_a_session_without_its_moments_is_over(signed_in: Client, settings: Settings) -> None:
    session = signed_in.session
    del session["signed_in_at"]
    session.save()
    assert signed_in.get("/account").status_code == 302


def test_l1_a_disabled_person_is_out_with_the_next_request_and_stays_out(
    signed_in: Client, person: User
) -> None:
    User.objects.update(is_active=False)
    assert signed_in.get("/account").status_code == 302
    assert not Session.objects.filter(user=person).exists()
    User.objects.update(is_active=True)
    assert signed_in.get("/account").status_code == 302


def test_l1_a_deleted_person_is_out(signed_in: Client, person: User) -> None:
    person.delete()
    assert signed_in.get("/account").status_code == 302


def test_end_sessions_spares_the_one_to_keep_and_other_people(signed_in: Client, person: User) -> None:
    User.objects.create_user("sam", password="a-canary-of-a-password-9")
    other_person, second = Client(), Client()
    sign_in(other_person, "sam", "a-canary-of-a-password-9")
    sign_in(second)
    kept = Session.objects.filter(user=person).first()
    assert kept is not None
    assert end_sessions(person, keep=kept.session_key) == 1
    assert Session.objects.filter(user=person).get() == kept
    assert other_person.get("/account").status_code == 200


def test_session_ids_are_long_and_differ() -> None:
    """32 characters of 36, from the system's random source: 165 bits. They say nothing of the person."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    made = {store()._get_new_session_key() for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch("[0-9a-z]{32}", each) for each in made)
    assert len(set("".join(made))) == 36


def test_expired_rows_can_be_swept(signed_in: Client, clock: Clock) -> None:
    assert forget_expired(clock.now) == 0
    clock.forward(days=2)
    assert forget_expired(clock.now) >= 1


# ---------------------------------------------------------------- one's own list
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0"
)


@pytest.mark.parametrize(
    ("agent", "device"),
    [(FIREFOX, "Firefox on Linux"), (EDGE, "Edge on Windows"), ("curl/8", ""), ("<script>", "")],
)
def test_a_device_is_named_by_browser_and_system(agent: str, device: str) -> None:
    assert device_of(agent) == device


def test_my_sessions_are_told_apart_and_ended_one_by_one(signed_in: Client, person: User) -> None:
    """Browser and address of each; the button of one ends that one, and nobody else's."""
    other = Client(enforce_csrf_checks=True, headers={"User-Agent": EDGE}, REMOTE_ADDR="192.0.2.7")
    sign_in(other)
    User.objects.create_user("sam", password="a-canary-of-a-password-9")
    sams = Client(enforce_csrf_checks=True)
    sign_in(sams, "sam", "a-canary-of-a-password-9")
    page = signed_in.get("/account")
    text = page.content.decode()
    assert "Edge on Windows" in text
    assert "192.0.2.7" in text
    assert text.count("This browser") == 1
    found = [each for each in page.context["sessions"] if not each.is_current]
    assert len(found) == 1
    assert all(row.session_key not in text for row in Session.objects.all()), "a key would be a way in"
    token = {"csrfmiddlewaretoken": str(page.context["csrf_token"])}
    (theirs,) = sessions_of(User.objects.get(username="sam"), found[0].seen_at)
    for handle in (theirs.handle, "nonsense"):
        answer = signed_in.post("/account/sessions/end", {"session": handle, **token}, follow=True)
        assert "had ended already" in answer.content.decode()
    answer = signed_in.post("/account/sessions/end", {"session": found[0].handle, **token}, follow=True)
    assert "The session is ended." in answer.content.decode()
    assert other.get("/account").status_code == 302
    assert signed_in.get("/account").status_code == 200
    assert sams.get("/account").status_code == 200
    assert AuditEvent.objects.filter(tag="account:session:ended").count() == 1


# ---------------------------------------------------------------- cookies
def test_h4_only_known_cookies_are_ever_set(person: User, visitor: Client, settings: Settings) -> None:
    sign_in(visitor)
    for path in ("/applications", "/account", "/account/password", "/help", "/account/logout"):
        visitor.get(path)
    assert set(visitor.cookies) == {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}
    session = visitor.cookies[settings.SESSION_COOKIE_NAME]
    assert session["httponly"]
    assert session["samesite"] == "Lax"
    assert session["path"] == "/"
    assert not session["domain"]
    assert not session["max-age"], "a session cookie ends with the browser; the limits are the server's"


@pytest.mark.parametrize(
    ("listener", "expected"),
    [
        ("portal", "sessionid csrftoken False False theme"),
        ("secure", "__Host-sessionid __Host-csrftoken True True __Host-theme"),
    ],
)
def test_h4_cookie_names_and_flags_of_both_listeners(listener: str, expected: str) -> None:
    program = (
        "import django; django.setup()\n"
        "from django.conf import settings as s\n"
        "from credmgr.portal.navigation import THEME_COOKIE\n"
        "assert s.SESSION_COOKIE_HTTPONLY and s.CSRF_COOKIE_HTTPONLY\n"
        "assert s.SESSION_COOKIE_SAMESITE == s.CSRF_COOKIE_SAMESITE == 'Lax'\n"
        "assert s.SESSION_COOKIE_PATH == s.CSRF_COOKIE_PATH == '/'\n"
        "assert not s.SESSION_COOKIE_DOMAIN and not s.CSRF_COOKIE_DOMAIN\n"
        "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, "
        "THEME_COOKIE)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "CREDMGR_LISTENER": listener},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == expected, done.stderr


def test_ending_sessions_needs_a_recent_sign_in(signed_in: Client, clock: Clock) -> None:
    """Whoever took over a browser does not put its person out of the others."""
    other = Client(enforce_csrf_checks=True)
    sign_in(other)
    clock.forward(minutes=11)
    page = signed_in.get("/account")
    token = {"csrfmiddlewaretoken": str(page.context["csrf_token"])}
    (theirs,) = [each for each in page.context["sessions"] if not each.is_current]
    for named in ({"session": theirs.handle}, {}):
        asked = signed_in.post("/account/sessions/end", {**named, **token})
        assert asked.headers["Location"] == "/account/confirm?next=%2Faccount"
    assert other.get("/account").status_code == 200
    question = signed_in.get(asked.headers["Location"]).content.decode()
    assert '<a class="btn" href="/account">Cancel</a>' in question
    assert " autofocus" in question
    wrong = send(signed_in, asked.headers["Location"], {"current_password": "not-this-one"})
    assert "The password is not right." in wrong.content.decode()
    confirmed = send(signed_in, asked.headers["Location"], {"current_password": PASSWORD})
    assert confirmed.headers["Location"] == "/account"
    page = signed_in.get("/account")
    assert "No session has ended yet: choose again which one." in page.content.decode()
    token = {"csrfmiddlewaretoken": str(page.context["csrf_token"])}
    signed_in.post("/account/sessions/end", {"session": theirs.handle, **token})
    assert other.get("/account").status_code == 302
    assert signed_in.get("/account").status_code == 200
