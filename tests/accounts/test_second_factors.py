"""Authenticator app and recovery codes: set up, asked at sign-in, used once, sealed, removed."""

import logging
import re
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.test import Client
from pytest_django.fixtures import Settings

from credmgr.accounts.models import Session, ThrottleCounter, User
from credmgr.accounts.roles import Role
from credmgr.audit.models import AuditEvent
from credmgr.factors import totp
from credmgr.factors.models import FactorSecret, id_of
from credmgr.factors.queries import factors_of
from credmgr.registrations.models import Tenant
from credmgr.vault.examination import examine
from credmgr.vault.keyring import KeyRing
from credmgr.vault.rotation import rotate
from credmgr.vault.source import current_key_ring
from tests.accounts.conftest import PASSWORD, Clock, send, sign_in
from tests.factories import give_roles
from tests.vault.conftest import key_line, key_of

pytestmark = pytest.mark.django_db
APP = "/account/second-factors/app"
STEP = "/account/login/second-factor"
KEY = re.compile(r"<code>([A-Z2-7]{4})</code>")
# Alone: a GUID may hold three such groups.
CODE = re.compile(r"(?<![\w-])\d{4}-\d{4}-\d{4}(?![\w-])")


def tags() -> list[str]:
    return list(AuditEvent.objects.order_by("sequence").values_list("tag", flat=True))


def post(client: Client, path: str, fields: dict[str, str]) -> Any:
    """Send a form of the last page; its token is still good."""
    token = client.get("/account").context["csrf_token"]
    return client.post(path, {**fields, "csrfmiddlewaretoken": str(token)})


class Phone:
    """An authenticator app that read its key off the page."""

    def __init__(self, page: Any, clock: Clock) -> None:
        self.secret = "".join(KEY.findall(page.content.decode()))
        self.clock = clock

    def code(self, later: int = 0) -> str:
        """What it shows now, or in so many periods."""
        return totp.code_at(self.secret, int(self.clock.now.timestamp()) // 30 + later)


@pytest.fixture
def phone(signed_in: Client, clock: Clock) -> Phone:
    """The app of the signed-in person, set up."""
    made = Phone(send(signed_in, APP, {}), clock)
    assert CODE.search(post(signed_in, APP, {"code": made.code()}).content.decode())
    clock.forward(seconds=30)
    return made


@pytest.fixture
def codes(signed_in: Client, phone: Phone) -> list[str]:
    """Recovery codes, made anew."""
    answer = send(signed_in, "/account/second-factors/recovery-codes", {})
    found = CODE.findall(answer.content.decode())
    assert len(set(found)) == 10
    return found


# ---------------------------------------------------------------- RFC 6238, appendix B, six digits
@pytest.mark.parametrize(
    ("second", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924")],
)
def test_codes_are_those_of_the_rfc(second: int, code: str) -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert totp.code_at(secret, second // 30) == code
    now = datetime.fromtimestamp(second, UTC)
    assert totp.period_of(secret, code, now=now) == second // 30
    assert totp.period_of(secret, code, now=now, after=second // 30) is None
    assert totp.period_of(secret, "000000", now=now) is None
    later = datetime.fromtimestamp(second + 61, UTC)
    assert totp.period_of(secret, code, now=later) is None


# ---------------------------------------------------------------- setting up
def test_setting_up_shows_the_key_and_the_codes_once(signed_in: Client, person: User, clock: Clock) -> None:
    """The way of a person: page, key, first code, recovery codes; other browsers are out."""
    other = Client()
    sign_in(other)
    assert not FactorSecret.objects.exists()
    signed_in.get(APP)
    assert not FactorSecret.objects.exists(), "looking makes nothing (L-5)"
    page = send(signed_in, APP, {})
    assert "no-store" in page.headers["Cache-Control"]
    phone = Phone(page, clock)
    assert len(phone.secret) == 32
    assert not factors_of(person).is_on, "not before the first code"
    wrong = post(signed_in, APP, {"code": "12 34 56"})
    assert wrong.status_code == 422
    assert "This is not the code that the app shows now." in wrong.content.decode()
    assert phone.secret == Phone(wrong, clock).secret, "the same key, so that scanning again is not needed"
    answer = post(signed_in, APP, {"code": phone.code()})
    assert "no-store" in answer.headers["Cache-Control"]
    found = CODE.findall(answer.content.decode())
    assert len(found) == 10
    assert signed_in.get("/account/second-factors").status_code == 200
    assert other.get("/account").status_code == 302, "a session from before the factor"
    assert factors_of(person).words == "Authenticator app"
    for path in ("/account/second-factors", APP, "/account"):
        text = signed_in.get(path, follow=True).content.decode()
        assert phone.secret[:4] not in text
        assert found[0] not in text
    assert "account:second-factor:added" in tags()
    assert "account:recovery-codes:made" in tags()


def test_a_set_up_that_lies_around_ends(signed_in: Client, person: User, clock: Clock) -> None:
    phone = Phone(send(signed_in, APP, {}), clock)
    clock.forward(minutes=16)
    answer = post(signed_in, APP, {"code": phone.code(), "current_password": PASSWORD})
    assert answer.headers["Location"] == APP
    assert not factors_of(person).is_on


def test_l2_setting_up_making_codes_and_removing_need_a_recent_sign_in(
    signed_in: Client, person: User, phone: Phone
) -> None:
    phone.clock.forward(minutes=11)
    factor = Authenticator.objects.get(type="totp")
    for path in (
        f"/account/second-factors/remove?factor={factor.pk}",
        "/account/second-factors/recovery-codes",
    ):
        answer = send(signed_in, path, {})
        assert b'name="current_password"' in answer.content
        assert not CODE.search(answer.content.decode())
    assert factors_of(person).is_on
    Authenticator.objects.all().delete()
    answer = send(signed_in, APP, {})
    assert b'name="current_password"' in answer.content
    assert not KEY.search(answer.content.decode())


# ---------------------------------------------------------------- signing in
def test_sign_in_asks_for_the_code_after_the_password(person: User, phone: Phone) -> None:
    visitor = Client(enforce_csrf_checks=True)
    answer = sign_in(visitor)
    assert answer.headers["Location"] == STEP
    assert visitor.get("/account").status_code == 302, "half-way is outside"
    sign_in(visitor)
    done = send(visitor, STEP, {"code": phone.code()})
    assert done.headers["Location"] == "/applications"
    assert visitor.get("/account").status_code == 200
    assert tags()[-2:] == ["account:second-factor:used", "account:session:signed-in"]


def test_the_way_back_is_kept_over_both_steps(person: User, phone: Phone) -> None:
    visitor = Client(enforce_csrf_checks=True)
    fields = {"login": "robin", "password": PASSWORD, "next": "/help"}
    assert send(visitor, "/account/login?next=/help", fields).headers["Location"].startswith(STEP)
    assert send(visitor, STEP, {"code": phone.code()}).headers["Location"] == "/help"


@pytest.mark.parametrize("code", ["", "000000", "12345", "x" * 70, "0000-0000-0000", "\x00", "١٢٣٤٥٦"])
def test_a_wrong_code_lets_nobody_in_and_is_not_shown_again(person: User, phone: Phone, code: str) -> None:
    visitor = Client(enforce_csrf_checks=True)
    sign_in(visitor)
    answer = send(visitor, STEP, {"code": code})
    assert answer.status_code == 422
    assert not code.strip() or f'value="{code}"' not in answer.content.decode()
    assert visitor.get("/account").status_code == 302


def test_a_code_works_once(person: User, phone: Phone) -> None:
    """Also in another process, and also the code that turned the app on."""
    code = phone.code()
    first, second, third = (Client(enforce_csrf_checks=True) for _ in range(3))
    for each in (first, second, third):
        sign_in(each)
    assert send(first, STEP, {"code": code}).status_code == 302
    assert send(second, STEP, {"code": code}).status_code == 422
    assert send(third, STEP, {"code": phone.code(later=-1)}).status_code == 422, "nor an older one after it"


def test_a_recovery_code_works_once_in_any_spelling(person: User, codes: list[str]) -> None:
    visitor = Client(enforce_csrf_checks=True)
    sign_in(visitor)
    typed = codes[3].replace("-", " ")
    assert send(visitor, STEP, {"code": f" {typed} "}).status_code == 302
    assert factors_of(person).codes_left == 9
    event = AuditEvent.objects.filter(tag="account:second-factor:used").get()
    assert event.changes == {"secondFactor": ["", "Recovery code"], "codesLeft": ["", "9"]}
    again = Client(enforce_csrf_checks=True)
    sign_in(again)
    assert send(again, STEP, {"code": codes[3]}).status_code == 422


def test_new_recovery_codes_end_the_old_ones(signed_in: Client, person: User, codes: list[str]) -> None:
    send(signed_in, "/account/second-factors/recovery-codes", {})
    visitor = Client(enforce_csrf_checks=True)
    sign_in(visitor)
    assert send(visitor, STEP, {"code": codes[0]}).status_code == 422


def test_l3_guessing_codes_is_throttled_over_sign_ins(person: User, phone: Phone) -> None:
    """The right password in between forgives nothing; a wait that is over does."""
    for _ in range(5):
        visitor = Client(enforce_csrf_checks=True)
        sign_in(visitor)
        assert send(visitor, STEP, {"code": "000000"}).status_code == 422
    answer = send(visitor, STEP, {"code": phone.code()})
    assert answer.status_code == 429
    phone.clock.forward(seconds=int(answer.headers["Retry-After"]))
    sign_in(visitor)
    assert send(visitor, STEP, {"code": phone.code()}).status_code == 302
    assert not [row for row in ThrottleCounter.objects.all() if "robin" in row.key]
    assert tags().count("account:second-factor:refused") == 5


def test_l3_many_addresses_share_a_limit(person: User, phone: Phone, settings: Settings) -> None:
    settings.LOGIN_FAILURES_PER_ADDRESS = 3
    for number in range(3):
        visitor = Client(enforce_csrf_checks=True, REMOTE_ADDR=f"192.0.2.{number}")
        sign_in(visitor)
        send(visitor, STEP, {"code": "000000"})
    visitor = Client(enforce_csrf_checks=True, REMOTE_ADDR="192.0.2.99")
    sign_in(visitor)
    assert send(visitor, STEP, {"code": phone.code()}).status_code == 429


def test_one_can_leave_half_way(person: User, phone: Phone) -> None:
    visitor = Client(enforce_csrf_checks=True)
    sign_in(visitor)
    assert send(visitor, STEP, {"cancel": "1"}).headers["Location"] == "/account/login"
    assert visitor.get(STEP).headers["Location"] == "/account/login"
    assert visitor.get("/account/login").status_code == 200


def test_a_person_disabled_half_way_stays_out(person: User, phone: Phone) -> None:
    visitor = Client(enforce_csrf_checks=True)
    sign_in(visitor)
    User.objects.update(is_active=False)
    assert visitor.get(STEP).headers["Location"] == "/account/login"
    assert visitor.get(STEP).headers["Location"] == "/account/login"


def test_a_password_that_is_no_longer_right_half_way_ends_it(person: User, phone: Phone) -> None:
    visitor = Client(enforce_csrf_checks=True)
    sign_in(visitor)
    person.set_password("a-new-canary-password-9")
    person.save()
    assert visitor.get(STEP).headers["Location"] == "/account/login"


def test_the_second_step_needs_the_first(visitor: Client) -> None:
    assert visitor.get(STEP).headers["Location"] == "/account/login"


# ---------------------------------------------------------------- at rest
def test_secrets_are_sealed_and_nowhere_else(
    signed_in: Client, person: User, phone: Phone, codes: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Not in allauth's rows, sessions, audit or logs; each row opens for its own person and kind alone."""
    with caplog.at_level(logging.DEBUG):
        visitor = Client(enforce_csrf_checks=True)
        sign_in(visitor)
        send(visitor, STEP, {"code": codes[0]})
    seed = get_adapter().decrypt(Authenticator.objects.get(type="recovery_codes").data["seed"])
    kept = [str(row) for row in Authenticator.objects.values()]
    kept += [str(row) for row in AuditEvent.objects.values()]
    kept += [str(row.get_decoded()) for row in Session.objects.all()]
    kept += [str(bytes(row.value)) for row in FactorSecret.objects.all()]
    for text in [*kept, caplog.text]:
        for secret in (phone.secret, seed, *codes, *(code.replace("-", "") for code in codes)):
            assert secret not in text
    assert {row.pk for row in FactorSecret.objects.all()} == {
        id_of(person.pk, kind) for kind in ("totp", "recovery_codes")
    }
    with pytest.raises(TypeError):
        get_adapter().encrypt("a secret")


def test_nobody_gains_by_moving_rows(person: User, phone: Phone) -> None:
    """Whoever writes to the database cannot make somebody's app theirs: neither by name nor by ciphertext."""
    client = Client(enforce_csrf_checks=True)
    eve = User.objects.create_user("eve", password=PASSWORD)
    own = Authenticator.objects.get(type="totp")
    Authenticator.objects.create(user=eve, type="totp", data=dict(own.data))
    sign_in(client, "eve")
    assert send(client, STEP, {"code": phone.code()}).status_code == 503
    row = FactorSecret.objects.get(kind="totp")
    FactorSecret.objects.create(
        id=id_of(eve.pk, "totp"), user=eve, kind="totp", value=bytes(row.value), created_at=row.created_at
    )
    Authenticator.objects.filter(user=eve).update(data={"secret": str(id_of(eve.pk, "totp"))})
    assert send(client, STEP, {"code": phone.code()}).status_code == 503


def test_rotation_and_check_cover_them(person: User, phone: Phone, codes: list[str]) -> None:
    ring = KeyRing([key_of(key_line()), current_key_ring().primary])
    report = rotate(ring)
    assert report.resealed >= 2
    assert not report.left
    columns = {(each.table, each.column): each for each in examine(ring)}
    found = columns[("factors_factorsecret", "value")]
    assert (found.good, found.bad) == (2, [])


# ---------------------------------------------------------------- removing
def test_removing_the_last_one_takes_the_codes_along(signed_in: Client, person: User, phone: Phone) -> None:
    factor = Authenticator.objects.get(type="totp")
    other = Client(enforce_csrf_checks=True)
    sign_in(other)
    send(other, STEP, {"code": phone.code()})
    assert other.get("/account").status_code == 200
    answer = send(signed_in, f"/account/second-factors/remove?factor={factor.pk}", {})
    assert answer.status_code == 302
    assert other.get("/account").status_code == 302, "a session from before the change"
    assert not Authenticator.objects.exists()
    assert not FactorSecret.objects.exists()
    assert sign_in(Client(enforce_csrf_checks=True)).headers["Location"] == "/applications"
    assert tags().count("account:second-factor:removed") == 1


def test_nobody_removes_anothers_by_number(signed_in: Client, person: User, phone: Phone) -> None:
    sam = User.objects.create_user("sam", password=PASSWORD)
    theirs = Authenticator.objects.create(user=sam, type="webauthn", data={"name": "Key"})
    answer = signed_in.get(f"/account/second-factors/remove?factor={theirs.pk}")
    assert answer.headers["Location"] == "/account/second-factors"


def test_an_administrator_removes_those_of_somebody_who_lost_them(
    person: User, phone: Phone, signed_in: Client
) -> None:
    """Not his own, and nobody's whose other directories he does not administer."""
    boss = give_roles(User.objects.create_user("boss", password=PASSWORD), Role.DIRECTORY_ADMINISTRATOR)
    answer = send(signed_in, f"/users/{person.pk}/remove-second-factors", {})
    assert "on the page Second factors of your account" in answer.content.decode()
    assert factors_of(person).is_on
    local = User.objects.create_user("local", password=PASSWORD)
    give_roles(local, Role.DIRECTORY_ADMINISTRATOR, tenant=Tenant.objects.get())
    theirs = Client(enforce_csrf_checks=True)
    sign_in(theirs, "local")
    assert (
        "Your roles do not allow this"
        in send(theirs, f"/users/{person.pk}/remove-second-factors", {}).content.decode()
    )
    assert factors_of(person).is_on
    bosses = Client(enforce_csrf_checks=True)
    sign_in(bosses, "boss")
    assert send(bosses, f"/users/{person.pk}/remove-second-factors", {}).status_code == 302
    assert not factors_of(person).is_on
    assert signed_in.get("/account").status_code == 302, "their sessions end"
    event = AuditEvent.objects.get(tag="account:second-factor:all-removed")
    assert (event.actor_id, event.changes["secondFactors"]) == (boss.pk, ["Authenticator app", "none"])


def test_create_admin_removes_them_only_when_told(person: User, phone: Phone, tmp_path: Any) -> None:
    file = tmp_path / "password"
    file.write_text("a-new-canary-password-9")
    out = StringIO()
    call_command("create_admin", "robin", "--password-file", str(file), stdout=out)
    assert "The second factors stay: --reset-second-factors removes them." in out.getvalue()
    assert factors_of(person).is_on
    call_command("create_admin", "robin", "--password-file", str(file), "--reset-second-factors", stdout=out)
    assert "The second factors were removed." in out.getvalue()
    assert not factors_of(person).is_on
