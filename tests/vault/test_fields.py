"""Columns of the vault refuse what is not theirs, on every way into the database."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from credmgr.credentials.models import ClientSecret
from credmgr.vault.errors import SealError
from credmgr.vault.sealing import open_from, seal_into, verifier_for
from tests.factories import NOW, application, secret

pytestmark = pytest.mark.django_db
PLAIN = b"a-plain-canary-value-that-is-long-enough-for-an-envelope"


def unsaved(value: bytes | None = None, verifier: bytes | None = None) -> ClientSecret:
    row = ClientSecret(
        application=application(), hint="abc", start_at=NOW, end_at=NOW + timedelta(days=1), created_at=NOW
    )
    row.verifier = verifier_for(row.id, "x") if verifier is None else verifier
    if value is None:
        seal_into(row, "value", b"sealed")
    else:
        row.value = value
    return row


WAYS: dict[str, Callable[[str, bytes], object]] = {
    "save": lambda column, value: unsaved(**{column: value}).save(),
    "bulk_create": lambda column, value: ClientSecret.objects.bulk_create([unsaved(**{column: value})]),
    "update": lambda column, value: ClientSecret.objects.update(**{column: value}),
    "bulk_update": lambda column, value: _bulk_update(column, value),
    "update_or_create": lambda column, value: ClientSecret.objects.update_or_create(
        defaults={column: value}, hint=ClientSecret.objects.get().hint
    ),
}


def _bulk_update(column: str, value: bytes) -> None:
    row = ClientSecret.objects.get()
    setattr(row, column, value)
    ClientSecret.objects.bulk_update([row], [column])


@pytest.mark.parametrize("column", ["value", "verifier"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "value", [PLAIN, b"", b"\x01short", memoryview(PLAIN)], ids=["plain", "empty", "short", "view"]
)
def test_plain_bytes_are_kept_out(column: str, way: str, value: bytes) -> None:
    kept, _ = secret(application())
    before = ClientSecret.objects.values().get()
    with pytest.raises(ValidationError) as caught, transaction.atomic():
        WAYS[way](column, value)
    assert "canary" not in str(caught.value)
    assert ClientSecret.objects.values().get() == before
    assert kept.pk == before["id"]


def test_none_is_allowed_for_the_value_only_where_the_column_allows_it() -> None:
    secret(application())
    ClientSecret.objects.update(value=None)
    assert ClientSecret.objects.get().is_verify_only


def test_open_is_explicit_and_says_when_there_is_nothing() -> None:
    row, text = secret(application())
    stored = ClientSecret.objects.get()
    assert open_from(stored, "value") == text.encode()
    stored.value = None
    with pytest.raises(ValueError, match="value is empty"):
        open_from(stored, "value")
    with pytest.raises(TypeError, match="not a sealed column"):
        open_from(row, "hint")


def test_e3_a_value_moved_to_another_row_does_not_open() -> None:
    app = application()
    (one, _), (two, _) = secret(app), secret(app)
    ClientSecret.objects.filter(pk=two.pk).update(value=one.value)
    with pytest.raises(SealError):
        open_from(ClientSecret.objects.get(pk=two.pk), "value")
