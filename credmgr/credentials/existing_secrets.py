"""The act that keeps a client secret which another authority made, for a registration that lives there.

The value is sealed like one of our own and never shown; nobody here can tell whether it is right until a test
has been run. `now` is aware UTC; refusals are SecretErrors.
"""

import uuid
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction
from django.views.decorators.debug import sensitive_variables

from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor
from credmgr.credentials import secret_values
from credmgr.credentials.client_secrets import (
    EARLIEST_START,
    MONTHS_MAX,
    insert_secret,
    refuse_repeated_form,
)
from credmgr.credentials.descriptions import clean_description
from credmgr.credentials.errors import SecretError
from credmgr.credentials.models import ClientSecret
from credmgr.registrations.acting import locked
from credmgr.registrations.models import ENTRA, Application
from credmgr.registrations.queries import parse_guid
from credmgr.vault.sealing import seal_into, verifier_for, verifier_matches

VALUE_LENGTH = (16, 1024)
OFFERS_AS_IS = ("value_spaces", "value_looks_like_id")
# Other authorities allow more than 24 months; what lies beyond is a slip of the keyboard.
_YEARS_AHEAD = 100


@sensitive_variables("value", "cleaned")
def add_existing_secret(
    application: Application,
    *,
    value: str,
    as_is: bool = False,
    description: str,
    start_at: datetime | None = None,
    end_at: datetime | None = None,
    form_token: uuid.UUID | None = None,
    allow_past_end: bool = False,
    actor: Actor,
    now: datetime,
) -> ClientSecret:
    """Keep a secret that the place where the registration lives has made.

    as_is: what looks odd about the value belongs to it, as far as that can be. start_at: now where it is not
    known; end_at: None where it is not known. form_token: the form's one-time token; raises
    DuplicateFormError when it was used. Row and audit row are committed on return.
    """
    if not application.is_external:
        raise SecretError(
            "lives_here",
            f"{application.display_name} lives here, where the server makes the value of each client secret. "
            "Add a new one instead.",
        )
    cleaned = clean_value(value, application, as_is=as_is)
    _check_period(start_at, end_at, now=now, allow_past_end=allow_past_end)
    secret = ClientSecret(
        application=application,
        description=clean_description(description, SecretError),
        hint=secret_values.hint_of(cleaned),
        start_at=start_at or now,
        end_at=end_at,
        form_token=form_token,
        created_at=now,
        created_by=actor.user,
        created_by_name=actor.name,
    )
    secret.verifier = verifier_for(secret.id, cleaned)
    seal_into(secret, "value", cleaned.encode())
    try:
        with transaction.atomic():
            _refuse_known_value(secret, cleaned)
            insert_secret(secret, tag=EventTag.SECRET_IMPORTED, actor=actor, now=now)
    except IntegrityError:
        # A parallel copy of the form was faster: the constraint held, and by now its row can be seen.
        refuse_repeated_form(form_token)
        raise
    return secret


@sensitive_variables("value")
def clean_value(value: str, application: Application, *, as_is: bool) -> str:
    """The value as it is sealed. Raises SecretError, which never holds it.

    as_is does away with the refusals of OFFERS_AS_IS.
    """
    if not value.strip():
        raise _value_error("value_missing", "Paste the value of the client secret.")
    _refuse_identifier(value.strip().strip("{}"), application, as_is=as_is)
    if value != value.strip() and not as_is:
        raise _value_error(
            "value_spaces",
            "The value begins or ends with white space, which is seldom part of it. Paste it again without, "
            "or tick that it is meant so and paste it again.",
        )
    if not value.isprintable():
        raise _value_error(
            "value_characters",
            "The value holds line breaks or invisible control characters. Paste the value alone.",
        )
    least, most = VALUE_LENGTH
    if len(value) < least:
        raise _value_error(
            "value_too_short",
            f"The value has {len(value)} characters. A client secret shorter than {least} can be guessed and "
            "is not kept here; check that all of it was copied.",
        )
    if len(value) > most:
        raise _value_error(
            "value_too_long",
            f"The value has {len(value):,} characters, more than {most:,}. Paste the value alone.",
        )
    return value


@sensitive_variables("value")
def _refuse_identifier(value: str, application: Application, *, as_is: bool) -> None:
    """A GUID is what names a secret in Entra. Other issuers may make their secrets so."""
    if parse_guid(value) is None:
        return
    if application.authority_kind == ENTRA:
        raise _value_error(
            "value_is_id",
            "This looks like the Secret ID, which names the secret and never signs in. Paste the Value, "
            "which Entra showed once, when the secret was made.",
        )
    if not as_is:
        raise _value_error(
            "value_looks_like_id",
            "This looks like an ID, which names something and never signs in. Paste the secret itself; if "
            "this issuer makes its secrets as GUIDs, tick that it is meant so and paste it again.",
        )


def _check_period(
    start_at: datetime | None, end_at: datetime | None, *, now: datetime, allow_past_end: bool
) -> None:
    if start_at is not None and start_at < EARLIEST_START:
        raise SecretError(
            "start_too_early", "The start lies before the year 2000. Check the year.", field="start"
        )
    if start_at is not None and start_at > now + timedelta(days=MONTHS_MAX * 31):
        raise SecretError(
            "start_too_late", "The start lies more than 24 months ahead. Check the year.", field="start"
        )
    if end_at is None:
        return
    if end_at <= (start_at or EARLIEST_START):
        raise SecretError(
            "end_before_start", "The end is not after the start. Choose a later end.", field="end"
        )
    if end_at > datetime(now.year + _YEARS_AHEAD, 12, 31, 23, 59, 59, tzinfo=UTC):
        raise SecretError(
            "end_too_late", f"The end lies more than {_YEARS_AHEAD} years ahead. Check the year.", field="end"
        )
    if end_at <= now and not allow_past_end:
        raise SecretError(
            "end_in_past",
            "The end lies in the past: this secret is refused there. Choose a later end, or paste a secret "
            "that is still valid.",
            field="end",
        )


@sensitive_variables("value")
def _refuse_known_value(secret: ClientSecret, value: str) -> None:
    application = locked(secret.application)
    refuse_repeated_form(secret.form_token)
    for row in ClientSecret.objects.filter(application=application):
        if verifier_matches(row.verifier, row.id, value):
            raise _value_error(
                "value_known",
                f"This value is here already, as {row.description or 'a secret without a description'}. "
                "Delete that one first if its dates are not right.",
            )


def _value_error(code: str, message: str) -> SecretError:
    return SecretError(code, message, field="value")
