"""The acts on signing keys: roll, replace in an emergency, withdraw one, forget old ones.

A key is published before it signs, for as long as anybody may keep an older key set, and stays published for
the life of the last token that it signed. Which key signs is never stored: it is the newest published one
whose time has come, so all processes agree.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.authority.models import SigningKey
from credmgr.authority.signing_keys import (
    current_signing_key,
    insert_signing_key,
    is_published,
    make_signing_key,
)
from credmgr.errors import DomainError, NotFoundError

# Key sets may be kept for an hour (metadata.KEYS_MAX_AGE). The minutes on top are for one that was fetched a
# moment before the new key was stored, and for clocks that run behind.
PUBLISHED_BEFORE_USE = timedelta(hours=1, minutes=5)
# How long a retired key stays in the list, for those who look into what was signed with it.
RETIRED_KEPT = timedelta(days=30)
NEXT, SIGNS, SIGNED, RETIRED = "next", "signs", "signed", "retired"


class SigningKeyError(DomainError):
    """A refused act on a signing key."""


class SigningKeyNotFoundError(NotFoundError, SigningKeyError):
    """The key is not there any more."""


@dataclass(frozen=True)
class ListedKey:
    """A key with its state: NEXT (published, signs later), SIGNS, SIGNED (published for tokens that may still
    live), RETIRED (out of the key set).
    """

    key: SigningKey
    state: str


def listed_keys(now: datetime) -> list[ListedKey]:
    """All keys that are kept: published ones before retired ones, the newest first. Two queries.

    now: aware UTC.
    """
    signer = current_signing_key(now)
    rows = SigningKey.objects.order_by("-signs_from", "-created_at")
    listed = [ListedKey(row, _state(row, signer, now)) for row in rows]
    return sorted(listed, key=lambda each: each.state == RETIRED)


def rolls_by_itself_at(now: datetime) -> datetime | None:
    """When the upkeep publishes the next key; None where it never does. now: aware UTC."""
    days = settings.SIGNING_KEY_DAYS
    newest = SigningKey.objects.filter(is_published(now)).order_by("-signs_from").first()
    return newest.signs_from + timedelta(days=days) if days and newest is not None else None


def roll_signing_key(*, actor: Actor, now: datetime) -> SigningKey:
    """Publish the next key; it signs when no key set without it is in use any more.

    Raises SigningKeyError while a next key is published already, VaultError.
    """
    _refuse_second_next(now)
    return _roll(actor, now, _refuse_second_next)


def roll_if_due(*, actor: Actor, now: datetime) -> SigningKey | None:
    """The same where the newest key is CREDMGR_SIGNING_KEY_DAYS old; None where nothing is due.

    Any number of processes may ask at once: one of them rolls.
    """
    if not _is_due(now):
        return None
    try:
        return _roll(actor, now, _refuse_early)
    except SigningKeyError:
        return None  # another process was faster


def replace_signing_key(*, withdraw_older: bool, actor: Actor, now: datetime) -> SigningKey:
    """For emergencies: sign with a new key at once. Receivers that keep a key set refuse its tokens until
    they fetch again, for up to an hour.

    withdraw_older: the older keys leave the key set, and every token they signed is refused as soon as its
    receiver fetches the keys. Otherwise they stay for the life of their last token. Raises VaultError.
    """
    key = make_signing_key(now, signs_from=now)
    with transaction.atomic():
        _lock()
        insert_signing_key(key, actor=actor, now=now)
        older = SigningKey.objects.exclude(pk=key.pk)
        # What never signed has no token to stay for, and must not sign later.
        _withdraw(older.filter(signs_from__gt=now), now)
        if withdraw_older:
            _withdraw(older, now)
        else:
            _end(older, now + _life_of_last_token())
        record_event(
            EventTag.SIGNING_KEYS_REPLACED,
            actor=actor,
            now=now,
            object_type="signing-key",
            object_id=key.id,
            object_name=key.kid,
            changes={"olderKeysWithdrawn": [None, withdraw_older]},
        )
    return key


@transaction.atomic
def withdraw_signing_key(key_id: uuid.UUID, *, actor: Actor, now: datetime) -> SigningKey:
    """Take a key that does not sign out of the key set at once. Returns the row.

    Raises SigningKeyError for the key that signs and for retired ones, SigningKeyNotFoundError.
    """
    _lock()
    key = SigningKey.objects.filter(pk=key_id).first()
    if key is None:
        raise SigningKeyNotFoundError("signing_key_gone", "This signing key is not there any more.")
    signer = current_signing_key(now)
    state = _state(key, signer, now)
    if state == SIGNS:
        raise SigningKeyError(
            "signing_key_signs",
            "This key signs now, so it cannot be withdrawn alone. Replace it at once instead.",
        )
    if state == RETIRED:
        raise SigningKeyError("signing_key_retired", "This key is out of the key set already.")
    if state == NEXT and signer is not None:
        # Nothing takes over from it any more.
        SigningKey.objects.filter(pk=signer.pk).update(published_until=None)
    key.published_until, key.is_withdrawn = now, True
    key.save(update_fields=["published_until", "is_withdrawn"])
    record_event(
        EventTag.SIGNING_KEY_WITHDRAWN,
        actor=actor,
        now=now,
        object_type="signing-key",
        object_id=key.id,
        object_name=key.kid,
    )
    return key


@transaction.atomic
def forget_retired(*, actor: Actor, now: datetime) -> int:
    """Delete keys that were retired 30 days ago, private keys and all. How many there were."""
    rows = list(SigningKey.objects.select_for_update().filter(published_until__lt=now - RETIRED_KEPT))
    for row in rows:
        record_event(
            EventTag.SIGNING_KEY_DELETED,
            actor=actor,
            now=now,
            object_type="signing-key",
            object_id=row.id,
            object_name=row.kid,
        )
        row.delete()
    return len(rows)


def _roll(actor: Actor, now: datetime, refuse: Callable[[datetime], None]) -> SigningKey:
    """Make the key outside the transaction, which it would hold for too long; then ask again and store it."""
    key = make_signing_key(now, signs_from=now + PUBLISHED_BEFORE_USE)
    with transaction.atomic():
        _lock()
        refuse(now)
        insert_signing_key(key, actor=actor, now=now)
        _end(SigningKey.objects.exclude(pk=key.pk), key.signs_from + _life_of_last_token())
    return key


def _lock() -> None:
    """One act at a time, over all processes; what is read after this is what the last one left."""
    list(SigningKey.objects.select_for_update().values_list("pk"))


def _end(rows: QuerySet[SigningKey], until: datetime) -> None:
    """Those that would stay published for longer go then."""
    rows.filter(Q(published_until=None) | Q(published_until__gt=until)).update(published_until=until)


def _withdraw(rows: QuerySet[SigningKey], now: datetime) -> None:
    rows.update(is_withdrawn=True)
    _end(rows, now)


def _refuse_second_next(now: datetime) -> None:
    following = SigningKey.objects.filter(is_published(now), signs_from__gt=now).first()
    if following is not None:
        raise SigningKeyError(
            "next_key_published",
            f"The next key is published already. It signs from {following.signs_from:%H:%M:%S} UTC. Wait "
            "until then, or withdraw it first.",
        )


def _is_due(now: datetime) -> bool:
    due = rolls_by_itself_at(now)
    return due is not None and due <= now


def _refuse_early(now: datetime) -> None:
    if not _is_due(now):
        raise SigningKeyError("not_due", "No signing key is due.")


def _life_of_last_token() -> timedelta:
    return timedelta(seconds=settings.TOKEN_LIFETIME_SECONDS + 1 + settings.CLOCK_SKEW_SECONDS)


def _state(key: SigningKey, signer: SigningKey | None, now: datetime) -> str:
    if key.is_withdrawn or (key.published_until is not None and key.published_until <= now):
        return RETIRED
    if key.signs_from > now:
        return NEXT
    return SIGNS if signer is not None and key.pk == signer.pk else SIGNED
