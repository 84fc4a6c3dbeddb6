"""A column that holds sealed values and refuses anything else."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from credmgr.vault.envelope import is_envelope


class SealedField(models.BinaryField):
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
