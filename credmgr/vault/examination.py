"""Opens every sealed value and checks every digest that can be checked, changing nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from django.db import models
from django.views.decorators.debug import sensitive_variables

from credmgr.vault.envelope import Place, is_verifier, key_id_of, open_sealed, verifier_matches
from credmgr.vault.errors import SealError, UnknownKeyError
from credmgr.vault.fields import SealedField, VerifierField
from credmgr.vault.inventory import VaultField, vault_columns
from credmgr.vault.keyring import KeyRing
from credmgr.vault.rotation import Progress, Unreadable

_STEP = 500
MISMATCH = "The keyed digest does not belong to the sealed value beside it."


@dataclass
class ColumnResult:
    """good of the column's values are as they must be; the others are in `bad`."""

    table: str
    column: str
    good: int = 0
    bad: list[Unreadable] = field(default_factory=list)


def examine(
    ring: KeyRing, *, report_progress: Callable[[Progress], None] = lambda _: None
) -> list[ColumnResult]:
    """Look at every value in every column of the vault, wherever a model has one.

    report_progress is called after every 500 values and at the end of each column that has any.
    """
    return [
        _examine(ring, model, column, report_progress)
        for model, columns in vault_columns()
        for column in columns
    ]


def _examine(
    ring: KeyRing,
    model: type[models.Model],
    column: VaultField,
    report_progress: Callable[[Progress], None],
) -> ColumnResult:
    result = ColumnResult(model._meta.db_table, column.name)
    names = ["pk", column.name]
    if isinstance(column, VerifierField):
        names.append(column.value_column)
    rows = model._base_manager.filter(**{f"{column.name}__isnull": False}).order_by("pk").values_list(*names)
    total, name = rows.count(), f"{result.table}.{result.column}"
    for number, (pk, stored, *value) in enumerate(rows.iterator(chunk_size=_STEP), start=1):
        sealed = bytes(value[0]) if value and value[0] is not None else None
        if reason := _fault(ring, model, column, pk, bytes(stored), sealed):
            result.bad.append(Unreadable(result.table, result.column, pk, reason))
        else:
            result.good += 1
        if not number % _STEP or number >= total:
            report_progress(Progress(name, number, max(number, total)))
    return result


@sensitive_variables("secret")
def _fault(
    ring: KeyRing,
    model: type[models.Model],
    column: VaultField,
    row: object,
    stored: bytes,
    sealed: bytes | None,
) -> str:
    """A sentence, empty when all is well."""
    try:
        if isinstance(column, SealedField):
            open_sealed(ring, Place(*column.place, row), stored)  # type: ignore[arg-type] # sealed rows have UUID keys
            return ""
        if not is_verifier(stored):
            return MISMATCH
        ring.get(key_id_of(stored))
        if sealed is None:
            return ""  # verify-only: nothing to compare it with
        source = cast(SealedField, model._meta.get_field(column.value_column))
        place = Place(*source.place, row)  # type: ignore[arg-type] # as above
        secret = open_sealed(ring, place, sealed).decode("utf-8", "surrogatepass")
        return "" if verifier_matches(ring, stored, place.row, secret) else MISMATCH
    except (SealError, UnknownKeyError) as error:
        return str(error)
