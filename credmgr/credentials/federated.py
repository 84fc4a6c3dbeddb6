"""The acts on federated credentials: add, change, delete; and the matching that the token endpoint makes.

Rules as in Entra ("Configure an app to trust an external identity provider"): 20 for an application, one
audience each, no wildcards, the name for good, issuer and subject once per application. Values are kept and
compared to the letter. `now` is aware UTC; refusals are FederatedErrors.
"""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from django.db import IntegrityError, transaction

from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor
from credmgr.credentials.errors import CredentialNotFoundError, FederatedError
from credmgr.credentials.models import FederatedCredential
from credmgr.registrations.acting import Changes, Part, locked, record_act
from credmgr.registrations.issuers import issuer_refusal
from credmgr.registrations.models import Application
from credmgr.registrations.naming import has_control_characters
from credmgr.registrations.places import refuse_elsewhere
from credmgr.registrations.resources import EXCHANGE_CLIENT_ID, EXCHANGE_NAME

PER_APPLICATION = 20
NAME_LENGTH = (3, 120)
VALUE_MAX = 600
DESCRIPTION_MAX = 600
DEFAULT_AUDIENCE = EXCHANGE_NAME

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,119}", re.ASCII)
# What the API calls them: audit rows use its names.
_FIELDS = ("issuer", "subject", "audience", "description")
_LABELS = {"issuer": "issuer", "subject": "subject identifier", "audience": "audience"}


class Trusted(Protocol):
    """What match_federated needs of a credential: rows, or light objects with these four."""

    @property
    def id(self) -> uuid.UUID:
        """The credential's id."""

    @property
    def issuer(self) -> str:
        """The iss to expect."""

    @property
    def subject(self) -> str:
        """The sub to expect."""

    @property
    def audience(self) -> str:
        """The aud to expect."""


T = TypeVar("T", bound=Trusted)


@dataclass(frozen=True)
class FederatedMatch(Generic[T]):
    """kind: match, issuer, audience, subject, subject-case: the first thing that fits no credential.

    credential: the one that fits, None for all other kinds.
    """

    kind: str
    credential: T | None


def match_federated(
    credentials: Sequence[T], *, issuer: str, audience: str, subject: str
) -> FederatedMatch[T]:
    """The credential with exactly these three (F-1): no trimming, no prefixes, letter case counts.

    One audience has two spellings: tokens for the token exchange say its id where a credential has its name.
    """
    same_issuer = [row for row in credentials if row.issuer == issuer]
    if not same_issuer:
        return FederatedMatch("issuer", None)
    same_audience = [row for row in same_issuer if row.audience in _spellings(audience)]
    if not same_audience:
        return FederatedMatch("audience", None)
    for row in same_audience:
        if row.subject == subject:
            return FederatedMatch("match", row)
    folded = subject.casefold()
    is_case = any(row.subject.casefold() == folded for row in same_audience)
    return FederatedMatch("subject-case" if is_case else "subject", None)


def _spellings(audience: str) -> tuple[str, ...]:
    return (audience, EXCHANGE_NAME) if audience == str(EXCHANGE_CLIENT_ID) else (audience,)


def add_federated_credential(
    application: Application,
    *,
    name: str,
    issuer: str,
    subject: str,
    audience: str = DEFAULT_AUDIENCE,
    description: str = "",
    actor: Actor,
    now: datetime,
) -> FederatedCredential:
    """Trust the identity that issuer and subject name. Raises FederatedError, RegistrationError."""
    row = FederatedCredential(
        application=application,
        name=clean_name(name),
        **_cleaned(issuer, subject, audience, description),
        created_at=now,
        created_by=actor.user,
        created_by_name=actor.name,
    )
    try:
        with transaction.atomic():
            refuse_elsewhere(locked(application), "Federated credentials are")
            _check_room(row)
            row.save(force_insert=True)
            changes = {name: [None, getattr(row, name)] for name in _FIELDS}
            _record(EventTag.FEDERATED_ADDED, row, actor, now, changes)
    except IntegrityError:
        _check_room(row)  # a parallel request was faster: say which rule it broke
        raise
    return row


def update_federated_credential(
    credential: FederatedCredential,
    *,
    issuer: str,
    subject: str,
    audience: str,
    description: str,
    expected_version: int,
    actor: Actor,
    now: datetime,
) -> FederatedCredential:
    """Change what is trusted; the name stays. Returns the fresh row.

    expected_version: what the person was shown (C-4). Raises FederatedError, CredentialNotFoundError.
    """
    wanted = _cleaned(issuer, subject, audience, description)
    try:
        with transaction.atomic():
            fresh = _locked(credential)
            if fresh.version != expected_version:
                raise FederatedError(
                    "changed_meanwhile",
                    "This federated credential was changed meanwhile, so nothing was saved. "
                    "Open it again and repeat your change.",
                )
            changes = {
                name: [getattr(fresh, name), wanted[name]]
                for name in _FIELDS
                if getattr(fresh, name) != wanted[name]
            }
            if not changes:
                return fresh
            for name, value in wanted.items():
                setattr(fresh, name, value)
            _check_identity(fresh)
            fresh.version += 1
            fresh.save(update_fields=[*wanted, "version"])
            _record(EventTag.FEDERATED_UPDATED, fresh, actor, now, changes)
    except IntegrityError:
        _check_identity(fresh)
        raise
    return fresh


@transaction.atomic
def delete_federated_credential(credential: FederatedCredential, *, actor: Actor, now: datetime) -> None:
    """Stop trusting it, from the next token request on (E-7)."""
    fresh = _locked(credential)
    changes = {name: [getattr(fresh, name), None] for name in ("issuer", "subject", "audience")}
    _record(EventTag.FEDERATED_DELETED, fresh, actor, now, changes)
    fresh.delete()


def clean_name(typed: str) -> str:
    """A name as addresses and scripts can carry it. Raises FederatedError."""
    if _NAME.fullmatch(typed):
        return typed
    if not NAME_LENGTH[0] <= len(typed) <= NAME_LENGTH[1]:
        raise FederatedError(
            "name_length",
            f"The name has {len(typed)} characters. It takes {NAME_LENGTH[0]} to {NAME_LENGTH[1]}.",
            field="name",
        )
    raise FederatedError(
        "name_characters",
        "The name takes letters, digits, hyphens and underscores, and begins with a letter or digit.",
        field="name",
    )


def clean_value(typed: str, field: str) -> str:
    """A subject identifier or audience, kept to the letter. field: of _LABELS. Raises FederatedError."""
    label = _LABELS[field]
    if not typed:
        raise FederatedError(f"{field}_missing", f"Enter the {label}.", field=field)
    if len(typed) > VALUE_MAX:
        raise FederatedError(
            f"{field}_too_long",
            f"The {label} has {len(typed)} characters. Shorten it to {VALUE_MAX} or fewer.",
            field=field,
        )
    if has_control_characters(typed):
        raise FederatedError(
            f"{field}_characters",
            f"The {label} holds line breaks or invisible control characters. Type it again without them.",
            field=field,
        )
    if typed != typed.strip():
        raise FederatedError(
            f"{field}_space",
            f"The {label} begins or ends with a space. Remove it: every character is compared.",
            field=field,
        )
    if "*" in typed:
        raise FederatedError(
            f"{field}_wildcard",
            f"The {label} holds an asterisk. There are no wildcards: write out what the token will say, "
            "and add a credential for each case.",
            field=field,
        )
    return typed


def clean_issuer(typed: str) -> str:
    """An issuer address, kept to the letter. Raises FederatedError."""
    refusal = issuer_refusal(typed)
    if refusal is not None:
        raise FederatedError(*refusal, field="issuer")
    return clean_value(typed, "issuer")


def _cleaned(issuer: str, subject: str, audience: str, description: str) -> dict[str, str]:
    return {
        "issuer": clean_issuer(issuer),
        "subject": clean_value(subject, "subject"),
        "audience": clean_value(audience, "audience"),
        "description": _clean_description(description),
    }


def _clean_description(typed: str) -> str:
    description = typed.strip()
    if len(description) > DESCRIPTION_MAX:
        raise FederatedError(
            "description_too_long",
            f"The description has {len(description)} characters. Shorten it to {DESCRIPTION_MAX} or fewer.",
            field="description",
        )
    if has_control_characters(description):
        raise FederatedError(
            "description_characters",
            "The description holds line breaks or invisible control characters. Type it again without them.",
            field="description",
        )
    return description


def _check_room(row: FederatedCredential) -> None:
    """One too many, a name or an identity that is there already."""
    others = FederatedCredential.objects.filter(application_id=row.application_id).exclude(pk=row.pk)
    if others.filter(name=row.name).exists():
        raise FederatedError(
            "name_taken",
            "This application already has a federated credential of that name. Choose another one.",
            field="name",
        )
    _check_identity(row)
    if others.count() >= PER_APPLICATION:
        raise FederatedError(
            "too_many_federated",
            f"This application already has {PER_APPLICATION} federated credentials, the most it can have. "
            "Delete one first.",
        )


def _check_identity(row: FederatedCredential) -> None:
    others = FederatedCredential.objects.filter(application_id=row.application_id).exclude(pk=row.pk)
    twin = others.filter(issuer=row.issuer, subject=row.subject).first()
    if twin is not None:
        raise FederatedError(
            "identity_taken",
            f"{twin.name} already trusts this issuer and subject. Change that one, or enter another subject.",
            field="subject",
        )


def _locked(credential: FederatedCredential) -> FederatedCredential:
    locked(credential.application)
    try:
        return FederatedCredential.objects.select_for_update().get(pk=credential.pk)
    except FederatedCredential.DoesNotExist:
        raise CredentialNotFoundError(
            "federated_deleted", "This federated credential was deleted meanwhile. Nothing was changed."
        ) from None


def _record(tag: EventTag, row: FederatedCredential, actor: Actor, now: datetime, changes: Changes) -> None:
    part = Part("federated-credential", row.pk, row.name)
    record_act(tag, row.application, actor, now, changes, part=part)
