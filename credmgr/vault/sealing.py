"""Seal a value into a row's column and open it again: the only door that other packages use."""

import uuid
from typing import Any

from django.db import models

from credmgr.vault import envelope
from credmgr.vault.fields import SealedField
from credmgr.vault.source import current_key_ring


def _place(row: models.Model, column: str) -> envelope.Place:
    field = row._meta.get_field(column)
    if not isinstance(field, SealedField):
        raise TypeError(f"{column} of {type(row).__name__} is not a sealed column.")
    table, label = field.place
    row_id: Any = row.pk
    if not isinstance(row_id, uuid.UUID):
        raise TypeError("A row with a sealed column needs a UUID key known before the insert.")
    return envelope.Place(table, label, row_id)


def seal_into(row: models.Model, column: str, plaintext: bytes) -> None:
    """Set the column to a fresh envelope; the caller saves the row. Raises KeyRingError."""
    setattr(row, column, envelope.seal(current_key_ring().primary, _place(row, column), plaintext))


def open_from(row: models.Model, column: str) -> bytes:
    """The clear bytes. Raises UnknownKeyError, SealError; ValueError when nothing is stored there."""
    sealed = getattr(row, column)
    if sealed is None:
        raise ValueError(f"{column} is empty.")
    return envelope.open_sealed(current_key_ring(), _place(row, column), bytes(sealed))


def verifier_for(credential_id: uuid.UUID, secret: str) -> bytes:
    """The keyed digest to store beside (or instead of) a sealed client secret."""
    return envelope.make_verifier(current_key_ring().primary, credential_id, secret)


def verifier_matches(verifier: bytes, credential_id: uuid.UUID, presented: str) -> bool:
    """Whether the presented secret is the one the verifier was made from. Constant time."""
    return envelope.verifier_matches(current_key_ring(), bytes(verifier), credential_id, presented)
