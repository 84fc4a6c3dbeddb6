"""The acts on federated credentials: add, change, delete.

Rules as in Entra ("Configure an app to trust an external identity provider"): 20 for an application, one
audience each, no wildcards, the name for good, issuer and subject once per application. Values are kept and
compared to the letter. `now` is aware UTC; refusals are FederatedErrors.
"""

from datetime import datetime

from django.db import IntegrityError, transaction

from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor
from credmgr.credentials.errors import CredentialNotFoundError, FederatedError
from credmgr.credentials.federated_values import clean_name, clean_trust
from credmgr.credentials.models import FederatedCredential
from credmgr.registrations.acting import Changes, Part, locked, record_act
from credmgr.registrations.models import Application
from credmgr.registrations.places import refuse_elsewhere
from credmgr.registrations.resources import EXCHANGE_NAME

PER_APPLICATION = 20
DEFAULT_AUDIENCE = EXCHANGE_NAME

# What the API calls them: audit rows use its names.
_FIELDS = ("issuer", "subject", "audience", "description")


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
        **clean_trust(issuer, subject, audience, description),
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
    wanted = clean_trust(issuer, subject, audience, description)
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
