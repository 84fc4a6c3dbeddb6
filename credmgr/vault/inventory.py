"""Which keys are in use: by what table and column, and by how many rows. Models are found, not known."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.apps import apps
from django.db import connection, models
from django.db.models import Count, Max
from django.db.models.functions import Substr

from credmgr.vault.fields import SealedField, VerifierField
from credmgr.vault.keyring import KEY_ID_BYTES

VaultField = SealedField | VerifierField


@dataclass(frozen=True)
class Use:
    """So many rows of a table's column name this key."""

    table: str
    column: str
    key_id: bytes
    rows: int


@dataclass(frozen=True)
class Unrenewable:
    """Digests without a stored value: only time frees their key. last_end: when the last of them expires."""

    table: str
    key_id: bytes
    rows: int
    last_end: datetime | None


def vault_columns() -> Iterator[tuple[type[models.Model], list[VaultField]]]:
    """Every model with columns of the vault, and those columns."""
    for model in apps.get_models():
        fields = [
            field for field in model._meta.local_fields if isinstance(field, SealedField | VerifierField)
        ]
        if fields and model._meta.managed and not model._meta.proxy:
            yield model, fields


def key_id_in(column: str) -> Substr:
    """The key id inside an envelope or a digest, cut out by the database."""
    return Substr(column, 2, KEY_ID_BYTES, output_field=models.BinaryField())


def take_inventory() -> list[Use]:
    """All uses, in the order of tables. Tables that are not migrated yet hold nothing."""
    existing = set(connection.introspection.table_names())
    return [
        use
        for model, fields in vault_columns()
        if model._meta.db_table in existing
        for field in fields
        for use in _uses(model, field)
    ]


def rows_per_key(uses: list[Use]) -> dict[bytes, int]:
    """How often each key id occurs."""
    found: dict[bytes, int] = {}
    for use in uses:
        found[use.key_id] = found.get(use.key_id, 0) + use.rows
    return found


def unrenewable() -> list[Unrenewable]:
    """Digests without a value, per table and key."""
    found = []
    for model, fields in vault_columns():
        for field in fields:
            if not isinstance(field, VerifierField):
                continue
            rows = model._base_manager.filter(
                **{f"{field.value_column}__isnull": True, f"{field.name}__isnull": False}
            )
            per_key = rows.annotate(vault_key=key_id_in(field.name)).values("vault_key").order_by("vault_key")
            for row in per_key.annotate(number=Count("pk"), last=Max(field.expires_column)):
                found.append(
                    Unrenewable(model._meta.db_table, bytes(row["vault_key"]), row["number"], row["last"])
                )
    return found


def _uses(model: type[models.Model], field: VaultField) -> Iterator[Use]:
    rows = model._base_manager.filter(**{f"{field.name}__isnull": False})
    per_key = rows.annotate(vault_key=key_id_in(field.name)).values("vault_key").order_by("vault_key")
    for row in per_key.annotate(number=Count("pk")):
        yield Use(model._meta.db_table, field.name, bytes(row["vault_key"]), row["number"])
