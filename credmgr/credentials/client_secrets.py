"""The acts on client secrets: add, confirm, delete; and the comparison that the token endpoint makes.

A value leaves this module twice at most: in the answer of add_client_secret, and from open_value for a test
that runs inside the server. `now` is aware UTC; refusals are SecretErrors.
"""

import calendar
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Generic, Protocol, TypeVar

from django.conf import settings
from django.db import IntegrityError, transaction
from django.views.decorators.debug import sensitive_variables

from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor
from credmgr.credentials import secret_values
from credmgr.credentials.descriptions import clean_description
from credmgr.credentials.errors import CredentialNotFoundError, DuplicateFormError, SecretError
from credmgr.credentials.lifecycle import Dated, counted, day, has_ended, is_live
from credmgr.credentials.models import ClientSecret
from credmgr.registrations.acting import Changes, Part, locked, record_act
from credmgr.registrations.models import Application
from credmgr.registrations.places import refuse_elsewhere
from credmgr.vault.sealing import open_from, seal_into, verifier_for, verifier_matches

MONTHS_MAX = 24
# Days on offer; the first is recommended and the default.
CHOICES = (180, 90, 365, 545, 730)
# A start before this is a slip of the keyboard, not a wish.
EARLIEST_START = datetime(2000, 1, 1, tzinfo=UTC)
_NO_CREDENTIAL = uuid.UUID(int=0)


class Verifiable(Dated, Protocol):
    """What match_secret needs of a secret: rows, or light objects with these four."""

    @property
    def id(self) -> uuid.UUID:
        """The Secret ID."""

    @property
    def verifier(self) -> bytes:
        """The keyed digest, 41 bytes."""


S = TypeVar("S", bound=Verifiable)


@dataclass(frozen=True)
class SecretMatch(Generic[S]):
    """kind: live, expired, none. secret: the one that matched, None for none."""

    kind: str
    secret: S | None


def end_of_choice(days: int, now: datetime) -> datetime:
    """The end of a secret that starts now and lasts one of the choices on offer."""
    if days not in CHOICES:
        raise SecretError("choice_unknown", "Choose one of the listed lifetimes, or Custom.", field="expires")
    return now + timedelta(days=days)


def latest_end_day(start_at: datetime) -> date:
    """The last day (UTC) on which a secret with this start may end: the same day 24 months later.

    29 February becomes 28 February where there is none.
    """
    start = start_at.astimezone(UTC).date()
    months = start.year * 12 + start.month - 1 + MONTHS_MAX
    year, month = months // 12, months % 12 + 1
    return date(year, month, min(start.day, calendar.monthrange(year, month)[1]))


@sensitive_variables("value")
def add_client_secret(
    application: Application,
    *,
    description: str,
    start_at: datetime,
    end_at: datetime,
    verify_only: bool = False,
    form_token: uuid.UUID | None = None,
    allow_past_end: bool = False,
    actor: Actor,
    now: datetime,
) -> tuple[ClientSecret, str]:
    """Make a client secret and return it with its value, which is never readable again.

    verify_only keeps the digest alone. form_token: the form's one-time token (S-3); raises DuplicateFormError
    when it was used. allow_past_end is for the command line (P2). Row and audit row are committed on return.
    """
    refuse_elsewhere(application, "The values of its client secrets are")
    described = clean_description(description, SecretError)
    check_period(start_at, end_at, now=now, allow_past_end=allow_past_end)
    value = secret_values.generate()
    secret = ClientSecret(
        application=application,
        description=described,
        hint=secret_values.hint_of(value),
        start_at=start_at,
        end_at=end_at,
        form_token=form_token,
        created_at=now,
        created_by=actor.user,
        created_by_name=actor.name,
    )
    secret.verifier = verifier_for(secret.id, value)
    if not verify_only:
        seal_into(secret, "value", value.encode())
    try:
        with transaction.atomic():
            insert_secret(secret, tag=EventTag.SECRET_ADDED, actor=actor, now=now)
    except IntegrityError:
        # A parallel copy of the form was faster: the constraint held, and by now its row can be seen.
        refuse_repeated_form(form_token)
        raise
    return secret, value


def check_period(
    start_at: datetime, end_at: datetime, *, now: datetime, allow_past_end: bool = False
) -> None:
    """Raise SecretError unless a secret may live from start_at to end_at; says which end is the latest."""
    if start_at < EARLIEST_START:
        raise SecretError(
            "start_too_early", "The start lies before the year 2000. Check the year.", field="start"
        )
    if start_at > now + timedelta(days=731):
        raise SecretError(
            "start_too_late", "The start lies more than 24 months ahead. Check the year.", field="start"
        )
    if end_at <= start_at:
        raise SecretError(
            "end_before_start", "The end is not after the start. Choose a later end.", field="end"
        )
    latest = latest_end_day(start_at)
    if end_at > datetime.combine(latest + timedelta(days=1), time.min, tzinfo=UTC):
        shown = day(datetime.combine(latest, time.min, tzinfo=UTC))
        raise SecretError(
            "lifetime_too_long",
            f"A client secret lasts {MONTHS_MAX} months at most. With this start, the latest end is {shown}.",
            field="end",
        )
    if end_at <= now and not allow_past_end:
        raise SecretError("end_in_past", "The end lies in the past. Choose a later end.", field="end")


@transaction.atomic
def delete_client_secret(secret: ClientSecret, *, actor: Actor, now: datetime) -> None:
    """Remove a secret for good: value and verifier go in the transaction of the audit row (E-7)."""
    fresh = _locked(secret)
    _record(EventTag.SECRET_DELETED, fresh, actor, now)
    fresh.delete()


@transaction.atomic
def confirm_stored(secret: ClientSecret, *, actor: Actor, now: datetime) -> None:
    """Note that the person has stored the value where the application reads it."""
    _record(EventTag.SECRET_STORED, _locked(secret), actor, now)


def open_value(secret: ClientSecret) -> str:
    """The clear value, for a test inside the server.

    Raises SecretError for a verify-only secret, VaultError.
    """
    if secret.is_verify_only:
        raise SecretError(
            "value_not_kept",
            "Only a digest of this secret was kept. Enter its value to test it; it is used once, not stored.",
            field="secret_value",
        )
    return open_from(secret, "value").decode()


@sensitive_variables("presented")
def match_secret(secrets: Sequence[S], presented: str, now: datetime) -> SecretMatch[S]:
    """Compare a presented value with every secret of an application, expired ones included (W2).

    Takes the same time whichever matches; with no secrets one digest is computed all the same. A secret that
    is not valid yet matches nothing. Raises vault.errors.UnknownKeyError.
    """
    matched = [secret for secret in secrets if verifier_matches(secret.verifier, secret.id, presented)]
    if not secrets:
        verifier_for(_NO_CREDENTIAL, presented)
    for secret in matched:
        if is_live(secret, now):
            return SecretMatch("live", secret)
    for secret in matched:
        if has_ended(secret, now):
            return SecretMatch("expired", secret)
    return SecretMatch("none", None)


def insert_secret(secret: ClientSecret, *, tag: EventTag, actor: Actor, now: datetime) -> None:
    """Save a new row and its audit row, inside the act's transaction. Raises SecretError beyond the limit."""
    application = locked(secret.application)
    refuse_repeated_form(secret.form_token)
    limit = settings.SECRETS_PER_APPLICATION
    if ClientSecret.objects.filter(application=application).count() >= limit:
        raise SecretError(
            "too_many_secrets",
            f"This application already has {counted(limit, 'client secret')}, the most it can have. "
            "Delete one first.",
        )
    secret.save(force_insert=True)
    _record(
        tag,
        secret,
        actor,
        now,
        {
            "startDateTime": [None, secret.start_at.isoformat()],
            "endDateTime": [None, secret.end_at.isoformat() if secret.end_at else None],
            "verifyOnly": [None, secret.is_verify_only],
        },
    )


def refuse_repeated_form(form_token: uuid.UUID | None) -> None:
    """Raise DuplicateFormError when the form with this token has made a secret already (S-3)."""
    existing = ClientSecret.objects.filter(form_token=form_token).first() if form_token else None
    if existing is not None:
        raise DuplicateFormError(existing)


def _locked(secret: ClientSecret) -> ClientSecret:
    locked(secret.application)
    try:
        return ClientSecret.objects.select_for_update().get(pk=secret.pk)
    except ClientSecret.DoesNotExist:
        raise CredentialNotFoundError(
            "secret_deleted", "This client secret was deleted meanwhile. Nothing was changed."
        ) from None


def _record(
    tag: EventTag, secret: ClientSecret, actor: Actor, now: datetime, changes: Changes | None = None
) -> None:
    part = Part("secret", secret.pk, secret.description or secret_values.mask(secret.hint))
    record_act(tag, secret.application, actor, now, changes, part=part)
