"""Columns that hold what the vault makes, and refuse anything else."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from credmgr.vault.envelope import VERIFIER_BYTES, is_envelope, is_verifier


class SealedField(models.BinaryField):  # type: ignore[type-arg] # not subscriptable at run time
    """Holds one envelope. It never seals by itself: it does not know its row. Use vault.sealing.

    label: fixed names ("client_secret", "value") that bind the ciphertext to this column.
    """

    def __init__(self, *args: Any, place: tuple[str, str] = ("", ""), **kwargs: Any) -> None:
        self.place = place
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """The place belongs to the code, yet migrations carry it so that a change is seen in review."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "place": self.place}

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Refuse, on every way into the database, what is not an envelope."""
        if value is not None and not is_envelope(bytes(value)):
            raise ValidationError("A value that is not sealed was kept from the database.")
        return super().get_db_prep_value(value, connection, prepared)


class VerifierField(models.BinaryField):  # type: ignore[type-arg] # not subscriptable at run time
    """Holds the keyed digest of a secret (envelope.make_verifier), bound to the row's UUID.

    value: name of the row's SealedField with the secret itself, from which the digest can be made anew under
    another key; expires: name of the row's field that says until when a digest without a value is wanted. So
    the vault finds and renews digests of models that it does not know.
    """

    def __init__(self, *args: Any, value: str = "", expires: str = "", **kwargs: Any) -> None:
        self.value_column = value
        self.expires_column = expires
        kwargs.setdefault("max_length", VERIFIER_BYTES)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """As with SealedField."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "value": self.value_column, "expires": self.expires_column}

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Refuse what is not a verifier: the secret itself must never come here."""
        if value is not None and not is_verifier(bytes(value)):
            raise ValidationError("A value that is not a keyed digest was kept from the database.")
        return super().get_db_prep_value(value, connection, prepared)
