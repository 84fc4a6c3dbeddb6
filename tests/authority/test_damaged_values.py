"""One flipped byte in the tables: the credential it belongs to is refused, and nobody else is."""

from typing import Any

import pytest
from django.db.models import Model

from credmgr.audit.models import AuditEvent
from tests.authority.assertion_maker import KeyPair
from tests.authority.conftest import Directory


def damage(row: Model, column: str, *, place: int = -1) -> None:
    """Flip one bit of a stored value, as a failing disk would."""
    everything: Any = type(row)._default_manager.filter(pk=row.pk)
    content = bytearray(everything.values_list(column, flat=True).get())
    content[place] ^= 1
    everything.update(**{column: bytes(content)})


@pytest.mark.parametrize("place", [20, -1])
def test_a_damaged_digest_refuses_its_secret_alone(directory: Directory, place: int) -> None:
    row, value = directory.add_secret()
    _, other = directory.add_secret()
    damage(row, "verifier", place=place)
    directory.ask(client_secret=value).refused(401, "invalid_client", 7000215)
    assert directory.ask(client_secret=other).status == 200


def test_a_damaged_value_gives_tokens_by_its_digest(directory: Directory) -> None:
    """The endpoint compares digests and never opens the value."""
    row, value = directory.add_secret()
    damage(row, "value")
    assert directory.ask(client_secret=value).status == 200


def test_a_damaged_certificate_is_503_and_touches_no_other_credential(
    directory: Directory, secret: str, pair: KeyPair, other_pair: KeyPair
) -> None:
    """E-6, K-7: no detail, and no row that speaks of an unknown key."""
    row = directory.add_certificate(pair)
    directory.add_certificate(other_pair)
    damage(row, "der")
    directory.present(directory.assertion(pair)).refused(503, "temporarily_unavailable", 90033)
    assert not AuditEvent.objects.filter(tag="vault:key:unknown").exists()
    assert directory.present(directory.assertion(other_pair)).status == 200
    assert directory.ask(client_secret=secret).status == 200
