"""Seals everything anew under the first key of the ring (K-6).

In batches, each its own transaction; a row is changed only if it still holds what was read. So a run may be
killed at any moment and started again, two runs may work at once, and people may add and delete meanwhile.
"""

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from django.db import models, transaction
from django.db.models import Q
from django.views.decorators.debug import sensitive_variables

from credmgr.vault.envelope import (
    VERIFIER_BYTES,
    VERSION,
    Place,
    key_id_of,
    make_verifier,
    open_sealed,
    seal,
)
from credmgr.vault.errors import SealError, UnknownKeyError
from credmgr.vault.fields import SealedField, VerifierField
from credmgr.vault.inventory import (
    Unrenewable,
    Use,
    VaultField,
    key_id_in,
    rows_per_key,
    take_inventory,
    unrenewable,
    vault_columns,
)
from credmgr.vault.keyring import KEY_ID_BYTES, KeyRing

BATCH_ROWS = 200


@dataclass(frozen=True)
class Progress:
    """done of total rows of a table (or values of one of its columns) have been looked at."""

    table: str
    done: int
    total: int


@dataclass(frozen=True)
class Unreadable:
    """A value that could not be opened and was left as it is. reason: a sentence without data."""

    table: str
    column: str
    row: uuid.UUID
    reason: str


@dataclass
class Report:
    """What a run did. changed_meanwhile: values that others changed or removed before they were written."""

    key_id: bytes
    resealed: int = 0
    verifiers_renewed: int = 0
    changed_meanwhile: int = 0
    unreadable: list[Unreadable] = field(default_factory=list)
    left: list[Use] = field(default_factory=list)
    waiting: list[Unrenewable] = field(default_factory=list)


@dataclass(frozen=True)
class _Change:
    row: uuid.UUID
    column: VaultField
    old: bytes
    new: bytes


def rotate(
    ring: KeyRing,
    *,
    report_progress: Callable[[Progress], None] = lambda _: None,
    batch_rows: int = BATCH_ROWS,
) -> Report:
    """Seal and digest anew whatever names another key than the ring's first.

    left and waiting tell what still names other keys afterwards. Values that cannot be opened are reported
    and left alone.
    """
    report = Report(ring.primary.key_id)
    for model, columns in vault_columns():
        _rotate_table(ring, model, columns, report, report_progress, batch_rows)
    report.left = [use for use in take_inventory() if use.key_id != ring.primary.key_id]
    report.waiting = [each for each in unrenewable() if each.key_id != ring.primary.key_id]
    return report


def unused_keys(ring: KeyRing) -> list[bytes]:
    """Ids of keys that no row names. The first key is never among them: it seals what comes next."""
    used = rows_per_key(take_inventory())
    return [key_id for key_id in ring.key_ids() if key_id != ring.primary.key_id and key_id not in used]


def retire_expired_verifiers(ring: KeyRing, *, now: datetime) -> int:
    """Free old keys from expired digests that have no value; how many there were.

    Each becomes a digest under the first key that nothing matches. The expired secret is refused as before;
    only the reason given changes from "expired" to "wrong".
    """
    retired = 0
    for model, columns in vault_columns():
        for column in columns:
            if not isinstance(column, VerifierField):
                continue
            rows = _under_other_keys(ring, model, [column]).filter(
                **{f"{column.value_column}__isnull": True, f"{column.expires_column}__lte": now}
            )
            changes = []
            for row, old in rows.values_list("pk", column.name):
                matches_nothing = (
                    VERSION + ring.primary.key_id + os.urandom(VERIFIER_BYTES - 1 - KEY_ID_BYTES)
                )
                changes.append(_Change(row, column, bytes(old), matches_nothing))
            retired += _write(model, changes)
    return retired


def _rotate_table(
    ring: KeyRing,
    model: type[models.Model],
    columns: list[VaultField],
    report: Report,
    report_progress: Callable[[Progress], None],
    batch_rows: int,
) -> None:
    pending = _under_other_keys(ring, model, columns)
    total, done = pending.count(), 0
    names = [column.name for column in columns]
    for batch in _batches(pending.values_list("pk", *names), batch_rows):
        changes = []
        for row, *stored in batch:
            values = {
                name: None if value is None else bytes(value)
                for name, value in zip(names, stored, strict=True)
            }
            changes += _changes_of_row(ring, model, columns, row, values, report)
        written = {
            kind: [c for c in changes if isinstance(c.column, kind)] for kind in (SealedField, VerifierField)
        }
        with transaction.atomic():
            resealed = _write(model, written[SealedField])
            renewed = _write(model, written[VerifierField])
        report.resealed += resealed
        report.verifiers_renewed += renewed
        report.changed_meanwhile += len(changes) - resealed - renewed
        done += len(batch)
        report_progress(Progress(model._meta.db_table, done, max(done, total)))


def _under_other_keys(
    ring: KeyRing, model: type[models.Model], columns: list[VaultField]
) -> "models.QuerySet[models.Model]":
    """Rows of which at least one column names another key than the first."""
    primary = ring.primary.key_id
    rows = model._base_manager.annotate(**{f"vault_key_{c.name}": key_id_in(c.name) for c in columns})
    condition = Q()
    for column in columns:
        # Less or greater, not "not equal": that form would also find the empty ones.
        condition |= Q(**{f"vault_key_{column.name}__lt": primary}) | Q(
            **{f"vault_key_{column.name}__gt": primary}
        )
    found: models.QuerySet[models.Model] = rows.filter(condition).order_by("pk")
    return found


def _batches(rows: Any, size: int) -> Iterator[list[tuple[Any, ...]]]:
    """Slices by key, not by offset: rows leave the selection while it is walked through."""
    batch = list(rows[:size])
    while batch:
        yield batch
        batch = list(rows.filter(pk__gt=batch[-1][0])[:size])


@sensitive_variables("opened", "secret")
def _changes_of_row(
    ring: KeyRing,
    model: type[models.Model],
    columns: list[VaultField],
    row: uuid.UUID,
    values: dict[str, bytes | None],
    report: Report,
) -> list[_Change]:
    """New values for one row. A digest is made anew from the value beside it, where there is one."""
    primary = ring.primary
    changes: list[_Change] = []
    for column in columns:
        old = values[column.name]
        if old is None or key_id_of(old) == primary.key_id:
            continue
        try:
            if isinstance(column, SealedField):
                place = _place(column, row)
                opened = open_sealed(ring, place, old)
                changes.append(_Change(row, column, old, seal(primary, place, opened)))
                continue
            sealed = values.get(column.value_column)
            if sealed is None:
                continue  # nothing to make it from: it keeps its key until it expires
            source = cast(SealedField, model._meta.get_field(column.value_column))
            secret = open_sealed(ring, _place(source, row), sealed).decode("utf-8", "surrogatepass")
            changes.append(_Change(row, column, old, make_verifier(primary, row, secret)))
        except (SealError, UnknownKeyError) as error:
            report.unreadable.append(Unreadable(model._meta.db_table, column.name, row, str(error)))
    return changes


def _place(column: SealedField, row: uuid.UUID) -> Place:
    table, label = column.place
    return Place(table, label, row)


def _write(model: type[models.Model], changes: list[_Change]) -> int:
    """Compare and set, one by one: how many rows still held what was read."""
    rows = model._base_manager
    return sum(
        rows.filter(**{"pk": change.row, change.column.name: change.old}).update(
            **{change.column.name: change.new}
        )
        for change in changes
    )
