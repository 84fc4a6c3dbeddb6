"""Signing keys roll with overlap (W7): published before they sign, there until their last token is dead."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from django.conf import LazySettings
from django.db.models import F
from django.utils import timezone

from credmgr.audit.models import AuditEvent
from credmgr.audit.recording import Actor
from credmgr.authority.key_rolling import (
    NEXT,
    PUBLISHED_BEFORE_USE,
    RETIRED,
    SIGNED,
    SIGNS,
    SigningKeyError,
    forget_retired,
    listed_keys,
    replace_signing_key,
    roll_if_due,
    roll_signing_key,
    withdraw_signing_key,
)
from credmgr.authority.metadata import KEYS_MAX_AGE
from credmgr.authority.models import SigningKey
from credmgr.authority.signing_keys import current_signing_key
from credmgr.jose import jws
from credmgr.jose.errors import UnknownKeyError
from credmgr.jose.jwk import find_key
from credmgr.vault.sealing import open_from
from tests.authority.conftest import Directory
from tests.installation import Installation, InstallationFactory

BY = Actor.command()
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
KeySet = dict[str, Any]


def later(by: timedelta) -> None:
    """Let time pass: every moment that the keys know moves into the past instead."""
    SigningKey.objects.update(
        created_at=F("created_at") - by,
        signs_from=F("signs_from") - by,
        published_until=F("published_until") - by,
    )


def key_set(directory: Directory) -> KeySet:
    """As a receiver fetches it."""
    return directory.get(f"/{directory.tenant.id}/discovery/v2.0/keys").body


def kids(keys: KeySet) -> set[str]:
    """Names of the keys in a set."""
    return {key["kid"] for key in keys["keys"]}


def verified(token: str, keys: KeySet) -> bool:
    """Whether a receiver with that key set takes the signature."""
    read = jws.UnverifiedToken.parse(token)
    try:
        jws.verify(read, find_key(keys, read.header["kid"]), algorithms=["RS256"])
    except UnknownKeyError:
        return False
    return True


def kid_of(token: str) -> str:
    """The key that signed it."""
    kid: str = jws.UnverifiedToken.parse(token).header["kid"]
    return kid


def states() -> list[str]:
    """Of all keys, the newest first."""
    return [each.state for each in listed_keys(timezone.now())]


def test_receivers_go_on_across_a_roll(directory: Directory, secret: str) -> None:
    """At every moment: whoever holds a key set of up to an hour takes a new token, and the newest key set
    takes every token that still lives. In the end the old key is gone.
    """
    step = 5 * MINUTE
    old = kid_of(directory.ask(client_secret=secret).token)
    sets: list[KeySet] = []
    tokens: list[str] = []
    for number in range(36):
        if number == 13:
            new = roll_signing_key(actor=BY, now=timezone.now()).kid
        tokens.append(directory.ask(client_secret=secret).token)
        sets.append(key_set(directory))
        kept = sets[-1 - KEYS_MAX_AGE // 300 :]
        assert all(verified(tokens[-1], each) for each in kept), f"a cached key set fails at step {number}"
        alive = tokens[-1 - (3600 + 300) // 300 :]
        assert all(verified(each, sets[-1]) for each in alive), f"a live token fails at step {number}"
        later(step)
    assert [kid_of(each) for each in tokens].count(new) == 36 - 13 - 13
    assert set(map(kid_of, tokens)) == {old, new}
    assert kids(sets[13]) == {old, new}
    later(2 * HOUR)
    assert kids(key_set(directory)) == {new}


def test_the_next_key_is_published_for_longer_than_a_key_set_is_kept(
    directory: Directory, secret: str
) -> None:
    """Also for a set that was fetched a moment before the key was stored."""
    assert timedelta(seconds=KEYS_MAX_AGE) < PUBLISHED_BEFORE_USE
    old = current_signing_key(timezone.now())
    assert old is not None
    new = roll_signing_key(actor=BY, now=timezone.now())
    assert states() == [NEXT, SIGNS]
    later(PUBLISHED_BEFORE_USE - MINUTE)
    assert kid_of(directory.ask(client_secret=secret).token) == old.kid
    later(MINUTE)
    assert kid_of(directory.ask(client_secret=secret).token) == new.kid
    assert states() == [SIGNS, SIGNED]


def test_the_old_key_goes_after_its_last_token(directory: Directory, settings: LazySettings) -> None:
    """Lifetime and skew after the new one signs, not a second before."""
    old = current_signing_key(timezone.now())
    assert old is not None
    now = timezone.now()
    new = roll_signing_key(actor=BY, now=now)
    old.refresh_from_db()
    assert old.published_until is not None
    life = settings.TOKEN_LIFETIME_SECONDS + 1 + settings.CLOCK_SKEW_SECONDS
    assert old.published_until == new.signs_from + timedelta(seconds=life)
    later(old.published_until - now - 10 * SECOND)
    assert old.kid in kids(key_set(directory))
    later(20 * SECOND)
    assert old.kid not in kids(key_set(directory))
    assert states() == [SIGNS, RETIRED]


def test_one_next_key_at_a_time(directory: Directory) -> None:
    roll_signing_key(actor=BY, now=timezone.now())
    with pytest.raises(SigningKeyError) as refused:
        roll_signing_key(actor=BY, now=timezone.now())
    assert refused.value.code == "next_key_published"
    assert SigningKey.objects.count() == 2


def test_a_new_key_is_sealed_and_audited(directory: Directory) -> None:
    """Decision 5 for the authority's own keys; the audit row holds the key's name, not the key."""
    key = roll_signing_key(actor=BY, now=timezone.now())
    clear = open_from(key, "private_key")
    assert clear not in bytes(key.private_key)
    assert clear[:8] not in bytes(key.private_key)
    event = AuditEvent.objects.get(tag="authority:signing-key:created", object_id=str(key.id))
    assert event.object_name == key.kid


@pytest.mark.parametrize("withdraw", [True, False])
def test_an_emergency_counts_at_once(directory: Directory, secret: str, withdraw: bool) -> None:
    """W7: the new key signs the next token, though this process had the old one open; older ones go or stay,
    and one that waited to sign never does.
    """
    before = directory.ask(client_secret=secret).token
    waiting = roll_signing_key(actor=BY, now=timezone.now())
    new = replace_signing_key(withdraw_older=withdraw, actor=BY, now=timezone.now())
    assert kid_of(directory.ask(client_secret=secret).token) == new.kid
    keys = key_set(directory)
    assert verified(before, keys) == (not withdraw)
    assert kids(keys) == ({new.kid} if withdraw else {new.kid, kid_of(before)})
    later(2 * HOUR)
    assert kid_of(directory.ask(client_secret=secret).token) == new.kid
    assert waiting.kid not in kids(key_set(directory))
    assert states().count(SIGNS) == 1


def test_withdrawing_the_next_key_leaves_the_signer_for_good(directory: Directory, secret: str) -> None:
    """Its end was set when the next one was published; nothing takes over now."""
    old = kid_of(directory.ask(client_secret=secret).token)
    waiting = roll_signing_key(actor=BY, now=timezone.now())
    withdraw_signing_key(waiting.pk, actor=BY, now=timezone.now())
    assert kids(key_set(directory)) == {old}
    later(DAY)
    assert kid_of(directory.ask(client_secret=secret).token) == old
    assert kids(key_set(directory)) == {old}
    assert AuditEvent.objects.filter(tag="authority:signing-key:withdrawn").count() == 1


def test_withdrawing_a_key_that_signed(directory: Directory, secret: str) -> None:
    """Its tokens are refused with the next key set; the signer cannot go alone, and nothing goes twice."""
    token = directory.ask(client_secret=secret).token
    new = roll_signing_key(actor=BY, now=timezone.now())
    later(PUBLISHED_BEFORE_USE)
    assert verified(token, key_set(directory))
    old = SigningKey.objects.get(kid=kid_of(token))
    withdraw_signing_key(old.pk, actor=BY, now=timezone.now())
    assert not verified(token, key_set(directory))
    for key, code in ((old, "signing_key_retired"), (new, "signing_key_signs")):
        with pytest.raises(SigningKeyError) as refused:
            withdraw_signing_key(key.pk, actor=BY, now=timezone.now())
        assert refused.value.code == code
    assert kids(key_set(directory)) == {new.kid}


def test_it_rolls_by_itself_when_it_is_due(directory: Directory, settings: LazySettings) -> None:
    """A day early not, then once; and again only when the new one is as old."""
    settings.SIGNING_KEY_DAYS = 90
    later(89 * DAY)
    assert roll_if_due(actor=BY, now=timezone.now()) is None
    later(DAY)
    new = roll_if_due(actor=BY, now=timezone.now())
    assert new is not None
    assert states() == [NEXT, SIGNS]
    for wait in (timedelta(0), 2 * HOUR, 80 * DAY):
        later(wait)
        assert roll_if_due(actor=BY, now=timezone.now()) is None
    later(10 * DAY)
    assert roll_if_due(actor=BY, now=timezone.now()) is not None


def test_zero_days_never(directory: Directory, settings: LazySettings) -> None:
    settings.SIGNING_KEY_DAYS = 0
    later(4000 * DAY)
    assert roll_if_due(actor=BY, now=timezone.now()) is None


def test_retired_keys_are_deleted_after_30_days(directory: Directory) -> None:
    old = current_signing_key(timezone.now())
    assert old is not None
    replace_signing_key(withdraw_older=True, actor=BY, now=timezone.now())
    later(30 * DAY - HOUR)
    assert forget_retired(actor=BY, now=timezone.now()) == 0
    later(2 * HOUR)
    assert forget_retired(actor=BY, now=timezone.now()) == 1
    assert states() == [SIGNS]
    event = AuditEvent.objects.get(tag="authority:signing-key:deleted")
    assert event.object_name == old.kid


# ------------------------------------------------------------------ the running server
@pytest.fixture
def asking(fresh_installation: InstallationFactory) -> tuple[Installation, Callable[[], str]]:
    """A server with two workers, and a way to get the kid of a new token on a connection of its own."""
    server = fresh_installation(admin=False)
    app = server.json("register_app", "Client")
    value = server.json("add_secret", app["appId"])["secretText"]
    form = {
        "grant_type": "client_credentials",
        "client_id": app["appId"],
        "client_secret": value,
        "scope": "https://graph.microsoft.com/.default",
    }
    url = f"{app['authority']}/oauth2/v2.0/token"

    def ask() -> str:
        answer = requests.post(url, form, verify=str(server.ca_file), timeout=60)
        return kid_of(answer.json()["access_token"])

    return server, ask


def published_by(server: Installation) -> set[str]:
    """The key set, fetched on a connection of its own."""
    url = f"{server.authority_url}/{server.tenant_id}/discovery/v2.0/keys"
    return kids(requests.get(url, verify=str(server.ca_file), timeout=60).json())


def test_all_workers_agree_at_once(asking: tuple[Installation, Callable[[], str]]) -> None:
    """C-5: after an emergency every process signs with the new key and publishes nothing else."""
    server, ask = asking
    with ThreadPoolExecutor(16) as pool:
        old = set(pool.map(lambda _: ask(), range(32)))
        new = server.json("roll_signing_key", "--emergency")["kid"]
        assert set(pool.map(lambda _: ask(), range(32))) == {new}
        assert set().union(*pool.map(lambda _: published_by(server), range(16))) == {new}
    assert new not in old
    assert len(old) == 1


def test_all_workers_change_at_the_same_moment(asking: tuple[Installation, Callable[[], str]]) -> None:
    """No token that was asked for after the moment has the old key, none answered before it the new one."""
    server, ask = asking
    old = ask()
    new = server.json("roll_signing_key")["kid"]
    assert published_by(server) == {old, new}
    # The moment counts from when the command has come so far: on a busy machine its start takes seconds.
    program = f"""
from datetime import UTC, datetime, timedelta
from credmgr.authority.models import SigningKey
moment = datetime.now(UTC) + timedelta(seconds=3)
SigningKey.objects.filter(kid="{new}").update(signs_from=moment)
print(moment.isoformat())
"""
    done = server.manage("shell", "--no-imports", "-c", program)
    assert done.returncode == 0, done.stderr
    moment = datetime.fromisoformat(done.stdout.strip())

    def hammer(_: int) -> list[tuple[datetime, datetime, str]]:
        seen = []
        while datetime.now(UTC) < moment + SECOND:
            began = datetime.now(UTC)
            seen.append((began, ask(), datetime.now(UTC)))
        return [(began, ended, kid) for began, kid, ended in seen]

    with ThreadPoolExecutor(8) as pool:
        asked = [each for part in pool.map(hammer, range(8)) for each in part]
    assert {kid for began, _, kid in asked if began > moment} == {new}
    assert {kid for _, ended, kid in asked if ended < moment} <= {old}
    assert {kid for _, _, kid in asked} <= {old, new}


@pytest.mark.database
def test_many_processes_roll_once(fresh_installation: InstallationFactory) -> None:
    """The upkeep of several servers on one database, at the same moment."""
    server = fresh_installation(admin=False, CREDMGR_SIGNING_KEY_DAYS="90")
    setting = """
from datetime import timedelta
from django.db.models import F
from credmgr.authority.models import SigningKey
SigningKey.objects.update(signs_from=F("signs_from") - timedelta(days=91))
"""
    assert server.manage("shell", "--no-imports", "-c", setting).returncode == 0
    begin = time.time() + 3
    program = f"""
import time
from django.utils import timezone
from credmgr.ops.installation import look_after
time.sleep(max(0.0, {begin} - time.time()))
look_after(timezone.now())
"""
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: server.manage("shell", "--no-imports", "-c", program), range(4)))
    assert [each.returncode for each in done] == [0] * 4, [each.stderr for each in done]
    assert len(published_by(server)) == 2
    count = server.manage(
        "shell",
        "--no-imports",
        "-c",
        "from credmgr.authority.models import SigningKey; print(SigningKey.objects.count())",
    )
    assert count.stdout.strip() == "2"
