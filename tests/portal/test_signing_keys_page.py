"""Signing keys: the list, a key with its certificate, and the three acts."""

import base64
import ssl
from datetime import timedelta
from hashlib import sha1, sha256
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.test import Client
from django.utils import timezone

from credmgr.accounts.models import User
from credmgr.audit.models import AuditEvent
from credmgr.audit.recording import Actor
from credmgr.authority.key_rolling import (
    NEXT,
    PUBLISHED_BEFORE_USE,
    RETIRED,
    SIGNED,
    SIGNS,
    listed_keys,
    replace_signing_key,
    roll_signing_key,
)
from credmgr.authority.models import SigningKey
from credmgr.authority.signing_keys import ensure_signing_key
from tests.portal.conftest import PASSWORD, UNKNOWN

PAGE = "/signing-keys"


@pytest.fixture
def signer(signed_in: Client) -> SigningKey:
    """The key that signs, ten days old."""
    return ensure_signing_key(lambda: timezone.now() - timedelta(days=10))


def states() -> list[str]:
    """Of all keys, as listed."""
    return [each.state for each in listed_keys(timezone.now())]


def go_stale(client: Client) -> None:
    """The password was given too long ago."""
    session = client.session
    past = (timezone.now() - timedelta(seconds=settings.STEP_UP_SECONDS + 5)).timestamp()
    for name, value in list(session.items()):
        if isinstance(value, int | float):
            session[name] = type(value)(past)
    session.save()


def rows(client: Client) -> list[Any]:
    """What the list shows."""
    answer = client.get(PAGE)
    assert answer.status_code == 200
    shown: list[Any] = answer.context["rows"]
    return shown


def test_the_list_names_the_key_that_signs(signed_in: Client, signer: SigningKey) -> None:
    """kid, thumbprint, state, both times; the key set's address of the directory in use."""
    text = signed_in.get(PAGE).content.decode()
    thumbprint = sha1(bytes(signer.certificate), usedforsecurity=False).hexdigest().upper()
    assert signer.kid in text
    assert thumbprint in text
    assert "Signing" in text
    assert "/discovery/v2.0/keys" in text
    assert "Withdraw" not in text


def test_each_state_is_told(signed_in: Client, signer: SigningKey) -> None:
    now = timezone.now()
    replace_signing_key(withdraw_older=False, actor=Actor.command(), now=now - timedelta(minutes=1))
    retired = SigningKey.objects.get(pk=signer.pk)
    assert retired.published_until is not None
    roll_signing_key(actor=Actor.command(), now=now)
    assert [row.words for row in rows(signed_in)] == ["Next", "Signing", "Still published"]
    SigningKey.objects.filter(pk=signer.pk).update(published_until=now)
    shown = rows(signed_in)
    assert [(row.state, row.can_be_withdrawn) for row in shown] == [
        (NEXT, True),
        (SIGNS, False),
        (RETIRED, False),
    ]
    assert shown[0].note.startswith("Signs from ")
    assert "Out of the key set" in signed_in.get(PAGE).content.decode()


def test_as_many_queries_for_many_keys(
    signed_in: Client, signer: SigningKey, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(12) as few:
        signed_in.get(PAGE)
    for minutes in (4, 3, 2):
        moment = timezone.now() - timedelta(minutes=minutes)
        replace_signing_key(withdraw_older=True, actor=Actor.command(), now=moment)
    with django_assert_max_num_queries(len(few)):
        signed_in.get(PAGE)


def test_the_certificate_can_be_seen_and_taken_along(signed_in: Client, signer: SigningKey) -> None:
    """PEM on the page, both files; never the private key."""
    der = bytes(signer.certificate)
    text = signed_in.get(f"{PAGE}/{signer.pk}").content.decode()
    assert ssl.DER_cert_to_PEM_cert(der).strip() in text
    assert sha256(der).hexdigest().upper() in text
    assert "PRIVATE KEY" not in text
    cer = signed_in.get(f"{PAGE}/{signer.pk}/download/cer")
    assert (cer.content, cer["Content-Type"]) == (der, "application/pkix-cert")
    pem = signed_in.get(f"{PAGE}/{signer.pk}/download/pem")
    assert ssl.PEM_cert_to_DER_cert(pem.content.decode()) == der
    assert "attachment" in pem["Content-Disposition"]
    assert base64.b64encode(der)[:40] in pem.content


@pytest.mark.parametrize(
    "path", [f"/{UNKNOWN}", f"/{UNKNOWN}/withdraw", f"/{UNKNOWN}/download/pem", "/nonsense"]
)
def test_what_is_not_there(signed_in: Client, signer: SigningKey, path: str) -> None:
    assert signed_in.get(f"{PAGE}{path}").status_code == 404


def test_an_unknown_form_of_the_certificate(signed_in: Client, signer: SigningKey) -> None:
    assert signed_in.get(f"{PAGE}/{signer.pk}/download/key").status_code == 404


def test_publish_the_next_key(signed_in: Client, signer: SigningKey, person: User) -> None:
    """One sentence says from when it signs; the act is on record with the person."""
    assert signed_in.get(f"{PAGE}/roll").status_code == 200
    assert states() == [SIGNS]
    answer = signed_in.post(f"{PAGE}/roll", follow=True)
    assert "The next key is published. It signs from" in answer.content.decode()
    assert states() == [NEXT, SIGNS]
    event = AuditEvent.objects.get(tag="authority:signing-key:created", actor_id=person.pk)
    assert event.succeeded


def test_one_next_key_at_a_time(signed_in: Client, signer: SigningKey) -> None:
    """The panel says so and offers nothing; a form from before is refused with the reason."""
    signed_in.post(f"{PAGE}/roll")
    text = signed_in.get(f"{PAGE}/roll").content.decode()
    assert "published already" in text
    assert "Publish next key</button>" not in text
    answer = signed_in.post(f"{PAGE}/roll")
    assert answer.status_code == 422
    assert "The next key is published already" in answer.content.decode()
    assert SigningKey.objects.count() == 2


@pytest.mark.parametrize(("reason", "older"), [("withdraw", RETIRED), ("keep", SIGNED)])
def test_replace_at_once(signed_in: Client, signer: SigningKey, reason: str, older: str) -> None:
    answer = signed_in.post(f"{PAGE}/replace", {"reason": reason}, follow=True)
    assert "A new key signs." in answer.content.decode()
    assert states() == [SIGNS, older]
    event = AuditEvent.objects.get(tag="authority:signing-key:replaced")
    assert event.changes == {"olderKeysWithdrawn": [None, reason == "withdraw"]}


@pytest.mark.parametrize("reason", [{}, {"reason": ""}, {"reason": "both"}])
def test_replacing_asks_for_the_reason(signed_in: Client, signer: SigningKey, reason: dict[str, str]) -> None:
    """Nothing is chosen for anybody, and the page warns before."""
    text = signed_in.get(f"{PAGE}/replace").content.decode()
    assert "APIs will refuse good tokens" in text
    assert "checked" not in text
    answer = signed_in.post(f"{PAGE}/replace", reason)
    assert answer.status_code == 422
    assert states() == [SIGNS]


def test_withdraw_a_key_that_signs_no_more(signed_in: Client, signer: SigningKey) -> None:
    replace_signing_key(withdraw_older=False, actor=Actor.command(), now=timezone.now())
    assert "leaves the key set now" in signed_in.get(f"{PAGE}/{signer.pk}/withdraw").content.decode()
    signed_in.post(f"{PAGE}/{signer.pk}/withdraw")
    assert states() == [SIGNS, RETIRED]
    again = signed_in.post(f"{PAGE}/{signer.pk}/withdraw")
    assert again.status_code == 422
    assert "out of the key set already" in again.content.decode()


def test_the_key_that_signs_is_not_withdrawn_alone(signed_in: Client, signer: SigningKey) -> None:
    """The page leads to the replacement; a form of one's own changes nothing."""
    text = signed_in.get(f"{PAGE}/{signer.pk}/withdraw").content.decode()
    assert f"{PAGE}/replace" in text
    assert "Withdraw key</button>" not in text
    assert signed_in.post(f"{PAGE}/{signer.pk}/withdraw").status_code == 422
    assert states() == [SIGNS]


@pytest.mark.parametrize("act", ["roll", "replace", "withdraw"])
def test_each_act_asks_for_the_password_again(signed_in: Client, signer: SigningKey, act: str) -> None:
    """Where the last confirmation is old: nothing happens without it, and what was chosen stays."""
    following = roll_signing_key(actor=Actor.command(), now=timezone.now()) if act == "withdraw" else None
    address = f"{PAGE}/{following.pk}/withdraw" if following else f"{PAGE}/{act}"
    before = states()
    form = {"reason": "withdraw"} if act == "replace" else {}
    go_stale(signed_in)
    assert "Your password" in signed_in.get(address).content.decode()
    for password in ("", "wrong"):
        answer = signed_in.post(address, {**form, "current_password": password})
        assert answer.status_code == 422
        assert states() == before
    if act == "replace":
        assert "checked" in answer.content.decode()
    assert signed_in.post(address, {**form, "current_password": PASSWORD}).status_code == 302
    assert states() != before


def test_only_for_people_who_are_signed_in(db: None, client: Client) -> None:
    for path in ("", "/roll", "/replace"):
        assert client.get(f"{PAGE}{path}").status_code == 302


def test_the_page_says_when_the_next_comes_by_itself(
    signed_in: Client, signer: SigningKey, settings: LazySettings
) -> None:
    settings.SIGNING_KEY_DAYS = 90
    due = signer.signs_from + timedelta(days=90)
    assert f"{due:%Y-%m-%d}" in signed_in.get(PAGE).content.decode()
    settings.SIGNING_KEY_DAYS = 0
    assert "CREDMGR_SIGNING_KEY_DAYS is 0" in signed_in.get(PAGE).content.decode()
    assert timedelta(hours=1) < PUBLISHED_BEFORE_USE
