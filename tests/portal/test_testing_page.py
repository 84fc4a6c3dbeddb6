"""Testing: a directory for tests, its switches, the banner; and assertions that work once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from credmgr.accounts.models import User
from credmgr.accounts.roles import Role
from credmgr.audit.events import EventTag
from credmgr.audit.models import AuditEvent, SignIn
from credmgr.audit.recording import Actor
from credmgr.portal.switch_words import effects, span
from credmgr.registrations.directory_rules import set_directory_testing, set_test_switches
from credmgr.registrations.models import Application, Tenant
from credmgr.registrations.switches import FORCIBLE_CODES, Switches, read_switches
from tests import factories
from tests.portal.conftest import BACKEND, PASSWORD, UNKNOWN

BANNER = 'id="switch-banner"'


def page(tenant: Tenant, rest: str = "/testing") -> str:
    return f"/directories/{tenant.pk}{rest}"


@pytest.fixture
def testing(directory: Tenant) -> Tenant:
    """The default directory, marked as a test directory."""
    return set_directory_testing(
        directory, is_test=True, expected_version=directory.version, actor=Actor.command(), now=timezone.now()
    )


@pytest.fixture
def stale(signed_in: Client) -> Client:
    """A browser whose password was given too long ago."""
    session = signed_in.session
    past = (timezone.now() - timedelta(seconds=settings.STEP_UP_SECONDS + 5)).timestamp()
    for name, value in list(session.items()):
        if isinstance(value, int | float):
            session[name] = type(value)(past)
    session.save()
    return signed_in


def switched(tenant: Tenant, **values: Any) -> Tenant:
    """By the act."""
    tenant.refresh_from_db()
    return set_test_switches(
        tenant,
        switches=Switches(**values),
        expected_version=tenant.version,
        actor=Actor.command(),
        now=timezone.now(),
    )


def stored(tenant: Tenant) -> Switches:
    """What the row says."""
    tenant.refresh_from_db()
    return read_switches(tenant.test_switches)


def test_an_ordinary_directory_offers_the_mark_alone(signed_in: Client, directory: Tenant) -> None:
    """No switch stands on the page, and none can be set."""
    text = signed_in.get(page(directory)).content.decode()
    assert "Not a test directory" in text
    assert "Set switches" not in text
    answer = signed_in.post(page(directory), {"code": "90033", "version": directory.version})
    assert answer.status_code == 422
    assert stored(directory) == Switches()


def test_mark_and_unmark(signed_in: Client, directory: Tenant, person: User) -> None:
    """With a warning first; taking the mark away forgets the switches. Both on record."""
    text = signed_in.get(page(directory, "/testing/mark")).content.decode()
    assert "Not for a directory that anybody depends on" in text
    form = {"is_test": "yes", "version": directory.version}
    said = signed_in.post(page(directory, "/testing/mark"), form, follow=True).content.decode()
    assert "is a test directory" in said
    switched(directory, code=90033)
    form = {"is_test": "no", "version": directory.version + 1}
    signed_in.post(page(directory, "/testing/mark"), form)
    directory.refresh_from_db()
    assert (directory.is_test, directory.test_switches) == (False, {})
    tags = AuditEvent.objects.filter(actor_id=person.pk).order_by("sequence").values_list("tag", "changes")
    assert list(tags)[-2:] == [
        (EventTag.DIRECTORY_MARKED_FOR_TESTS.value, {"isTest": [False, True]}),
        (
            EventTag.DIRECTORY_UNMARKED_FOR_TESTS.value,
            {"isTest": [True, False], "testSwitches": [["code: 90033"], None]},
        ),
    ]


def test_all_switches_are_set_at_once(signed_in: Client, testing: Tenant, harbor: Application) -> None:
    """As typed, and shown again; one audit row says what was and what is."""
    until = (timezone.now() + timedelta(hours=2)).replace(second=0, microsecond=0)
    typed = {
        "code": "7000215",
        "every": "3",
        "retry_after": "7",
        "delay": "0.5",
        "lifetime": "60",
        "clock_shift": "-3600",
        "client_id": str(harbor.client_id).upper(),
        "until": f"{until:%Y-%m-%dT%H:%M}",
        "version": testing.version,
    }
    answer = signed_in.post(page(testing), typed, follow=True)
    assert "The switches are set" in answer.content.decode()
    assert stored(testing) == Switches(7000215, 3, 7, 0.5, 60, -3600, harbor.client_id, until)
    form = answer.context["form"]
    for name in ("code", "every", "retry_after", "delay", "lifetime", "clock_shift"):
        assert str(form[name].value()) == typed[name], name
    event = AuditEvent.objects.get(tag=EventTag.DIRECTORY_TEST_SWITCHES_SET.value)
    before, after = event.changes["testSwitches"]
    assert before is None
    assert {"code: 7000215", "throttleEvery: 3", "retryAfter: 7", "clockShift: -3600"} < set(after)
    shown = signed_in.get("/audit").content.decode()
    assert "Test switches set" in shown
    assert "throttleEvery: 3" in shown


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"code": "1"}, "code", "Choose one of the listed codes."),
        ({"code": "90055"}, "code", "Choose one of the listed codes."),
        ({"every": "1001", "retry_after": "5"}, "every", "1,000th"),
        ({"every": "x"}, "every", "Enter a whole number."),
        ({"every": "2", "retry_after": "0"}, "retry_after", "1 to 3,600"),
        ({"every": "2", "retry_after": ""}, "retry_after", "1 to 3,600"),
        ({"every": "2", "retry_after": "3601"}, "retry_after", "1 to 3,600"),
        ({"delay": "30.1"}, "delay", "0 to 30 seconds"),
        ({"delay": "-1"}, "delay", "greater than or equal to 0"),
        ({"delay": "nan"}, "delay", "Enter a number of seconds"),
        ({"delay": "inf"}, "delay", "Enter a number of seconds"),
        ({"lifetime": "59"}, "lifetime", "60 to 3,599"),
        ({"lifetime": "3600"}, "lifetime", "60 to 3,599"),
        ({"clock_shift": "86401"}, "clock_shift", "86,400"),
        ({"clock_shift": "-86401"}, "clock_shift", "86,400"),
        ({"client_id": "nobody"}, "client_id", "Enter the application (client) ID"),
        ({"client_id": "\0" * 5}, "client_id", "Null characters"),
        ({"until": "2020-01-01T00:00"}, "until", "This moment is over"),
        ({"until": "tomorrow"}, "until", "Enter a date and time"),
        ({"until": "9999-12-31T23:59+24:00"}, "until", "Enter a date and time"),
    ],
)
def test_what_cannot_be_is_told_at_its_field(
    signed_in: Client, testing: Tenant, typed: dict[str, str], field: str, sentence: str
) -> None:
    """Nothing is switched, and what was typed stays."""
    answer = signed_in.post(page(testing), {**typed, "version": testing.version})
    assert answer.status_code == 422
    form = answer.context["form"]
    assert sentence in " ".join(form.errors[field])
    assert all(form[name].value() == value for name, value in typed.items())
    assert stored(testing) == Switches()


def test_every_refusal_is_told_together(signed_in: Client, testing: Tenant) -> None:
    typed = {"delay": "99", "lifetime": "5", "clock_shift": "100000", "version": testing.version}
    answer = signed_in.post(page(testing), typed)
    assert set(answer.context["form"].errors) == {"delay", "lifetime", "clock_shift"}


def test_codes_on_offer_are_those_that_can_be_forced(signed_in: Client, testing: Tenant) -> None:
    form = signed_in.get(page(testing)).context["form"]
    offered = {code for _, group in form.fields["code"].choices[1:] for code, _ in group}
    assert offered == set(FORCIBLE_CODES)


def test_two_editors(signed_in: Client, testing: Tenant) -> None:
    """C-4: the second is told, and nothing of the first is lost."""
    old = testing.version
    switched(testing, lifetime=60)
    answer = signed_in.post(page(testing), {"code": "90033", "version": old})
    assert answer.status_code == 422
    assert "changed meanwhile" in answer.content.decode()
    assert stored(testing) == Switches(lifetime=60)


def test_everything_off_with_one_press(stale: Client, testing: Tenant) -> None:
    """Without the password: it makes nothing less safe."""
    switched(testing, code=90033, delay=2)
    assert "Switch everything off" in stale.get(page(testing)).content.decode()
    answer = stale.post(page(testing, "/testing/off"), {"version": testing.version + 1}, follow=True)
    assert "All switches are off" in answer.content.decode()
    assert stored(testing) == Switches()
    assert BANNER not in answer.content.decode()


@pytest.mark.parametrize("rest", ["/testing", "/testing/mark", "/client-assertions"])
def test_each_act_asks_for_the_password_again(stale: Client, testing: Tenant, rest: str) -> None:
    """Nothing happens without it, and what was typed stays."""
    form = {"version": testing.version, "code": "90033", "is_test": "no", "enabled": "yes"}
    before = Tenant.objects.values().get(pk=testing.pk)
    for password in ("", "wrong"):
        answer = stale.post(page(testing, rest), {**form, "current_password": password})
        assert answer.status_code == 422
        assert "Your password" in answer.content.decode()
        assert Tenant.objects.values().get(pk=testing.pk) == before
    assert stale.post(page(testing, rest), {**form, "current_password": PASSWORD}).status_code == 302
    assert Tenant.objects.values().get(pk=testing.pk) != before


@pytest.mark.parametrize(
    "address", ["/applications", "/sign-ins", "/audit", "/help", "/directories", "/signing-keys", "/account"]
)
def test_the_banner_is_on_every_page_of_the_directory(
    signed_in: Client, testing: Tenant, address: str
) -> None:
    """While a switch is on: none before, none after, none when the end has passed."""
    assert BANNER not in signed_in.get(address).content.decode()
    switched(testing, every=1, retry_after=5)
    text = signed_in.get(address).content.decode()
    assert BANNER in text
    assert "Every token request is throttled (429 and Retry-After 5 s)." in text
    assert page(testing) in text
    past = Switches(code=90033, until=timezone.now() - timedelta(seconds=1)).stored()
    Tenant.objects.filter(pk=testing.pk).update(test_switches=past)
    assert BANNER not in signed_in.get(address).content.decode()


def test_the_banner_is_on_the_pages_of_an_application(
    signed_in: Client, testing: Tenant, harbor: Application
) -> None:
    switched(testing, lifetime=90, client_id=harbor.client_id)
    text = signed_in.get(f"/applications/{harbor.pk}").content.decode()
    assert "Tokens live 1 min 30 s." in text
    assert f"For client {harbor.client_id} only." in text


def test_who_may_not_open_the_switches_sees_the_banner_without_the_link(
    testing: Tenant, client: Client
) -> None:
    switched(testing, lifetime=60)
    client.force_login(factories.person("reader", Role.READER, tenant=testing), backend=BACKEND)
    text = client.get("/applications").content.decode()
    assert BANNER in text
    assert page(testing) not in text
    assert client.get(page(testing)).status_code in (403, 404)


def test_another_directory_has_no_banner(signed_in: Client, testing: Tenant, foreign: Application) -> None:
    """Its pages say of themselves what is on there."""
    switched(testing, code=90033)
    signed_in.post("/directories/switch", {"directory": str(foreign.tenant_id)})
    assert BANNER not in signed_in.get("/applications").content.decode()
    text = signed_in.get(page(testing)).content.decode()
    assert BANNER not in text
    assert "<b>Switches are on.</b> Every token request is refused with AADSTS90033." in text


@pytest.mark.parametrize(
    ("recorded", "said"),
    [
        ("code", ["Forced by a test switch"]),
        ("throttle", ["Throttled by a test switch"]),
        (
            "lifetime,clockShift,delay",
            [
                "Lifetime set by a test switch",
                "Clock shifted by a test switch",
                "Delayed by a test switch",
            ],
        ),
        ("", []),
    ],
)
def test_the_sign_in_log_says_what_a_switch_did(
    signed_in: Client, harbor: Application, recorded: str, said: list[str]
) -> None:
    """In both lists and with the entry; nothing where nothing was on."""
    row = SignIn.objects.create(
        at=timezone.now(),
        trace_id=UNKNOWN,
        correlation_id=UNKNOWN,
        tenant_id=harbor.tenant_id,
        client_id=str(harbor.client_id),
        application_id=harbor.pk,
        error_code=90033,
        test_switches=recorded,
    )
    for address in ("/sign-ins", f"/applications/{harbor.pk}/sign-ins", f"/sign-ins/{row.sequence}"):
        text = signed_in.get(address).content.decode()
        assert all(words in text for words in said), address
        assert ("by a test switch" in text) == bool(said), address


def test_switches_that_ended_say_so(signed_in: Client, testing: Tenant) -> None:
    past = Switches(code=90033, until=timezone.now() - timedelta(seconds=1)).stored()
    Tenant.objects.filter(pk=testing.pk).update(test_switches=past)
    assert "The switches ended by themselves." in signed_in.get(page(testing)).content.decode()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"every": 1, "retry_after": 9, "code": 90033}, ["every token request is throttled"]),
        (
            {"every": 2, "retry_after": 9, "code": 90033},
            ["every 2nd token request", "all others are refused"],
        ),
        ({"code": 90033, "lifetime": 60, "clock_shift": 5}, ["every token request is refused"]),
        ({"lifetime": 60, "clock_shift": 5400}, ["tokens live 1 min", "the clock is 1 h 30 min ahead"]),
        ({"clock_shift": -1, "delay": 0.5}, ["the clock is 1 s behind", "answers wait 0.5 s"]),
        ({"every": 13, "retry_after": 1}, ["every 13th token request"]),
        ({"every": 101, "retry_after": 1}, ["every 101st token request"]),
        ({}, []),
    ],
)
def test_effects_in_words(values: dict[str, Any], said: list[str]) -> None:
    """What never comes to pass is left out."""
    found = effects(Switches(**values))
    assert len(found) == len(said)
    assert all(part in text for part, text in zip(said, found, strict=True))


def test_spans() -> None:
    assert [span(seconds) for seconds in (1, 60, 3600, 86400, 3661)] == [
        "1 s",
        "1 min",
        "1 h",
        "24 h",
        "1 h 1 min 1 s",
    ]


def test_assertions_once(signed_in: Client, directory: Tenant) -> None:
    """The page warns of Microsoft's libraries; the overview says how it is; both ways are on record."""
    address = page(directory, "/client-assertions")
    text = signed_in.get(address).content.decode()
    assert "MSAL for Python presents the same assertion for nine minutes" in text
    assert "AADSTS700028" in text
    signed_in.post(address, {"enabled": "yes", "version": directory.version})
    directory.refresh_from_db()
    assert directory.single_use_assertions
    assert "Work once" in signed_in.get(page(directory, "")).content.decode()
    signed_in.post(address, {"enabled": "no", "version": directory.version})
    assert Tenant.objects.get(pk=directory.pk).single_use_assertions is False
    assert AuditEvent.objects.filter(tag=EventTag.DIRECTORY_ASSERTIONS_CHANGED.value).count() == 2


def test_a_stale_page_does_not_do_the_opposite(signed_in: Client, directory: Tenant) -> None:
    """It says which way, and which version it was shown."""
    address = page(directory, "/client-assertions")
    form = {"enabled": "yes", "version": directory.version}
    signed_in.post(address, form)
    assert signed_in.post(address, form).status_code == 422
    directory.refresh_from_db()
    assert directory.single_use_assertions


@pytest.mark.parametrize("rest", ["/testing", "/testing/mark", "/testing/off", "/client-assertions"])
def test_unknown_directories_and_strangers(
    signed_in: Client, directory: Tenant, client: Client, rest: str
) -> None:
    assert signed_in.post(f"/directories/{UNKNOWN}{rest}").status_code == 404
    assert client.post(page(directory, rest)).status_code == 302


def test_switches_survive_the_row() -> None:
    """What is stored is read again; what cannot be read is off."""
    all_on = Switches(7000215, 3, 7, 0.5, 60, -3600, UNKNOWN, datetime(2026, 11, 23, 14, 52, tzinfo=UTC))
    assert read_switches(all_on.stored()) == all_on
    assert Switches().stored() == {}
    unreadable: list[dict[str, Any]] = [{"code": "x"}, {"until": "never"}, {"clientId": 5}, {"delay": []}]
    for broken in unreadable:
        assert read_switches(broken) == Switches()
