"""How the embedded database is opened (C-1, E-7)."""

import pytest
from django.db import connection

import credmgr.settings
from tests.database import embedded_only

pytestmark = [pytest.mark.django_db, embedded_only]

FULL = 2


def pragma(name: str) -> object:
    """What the open connection answers."""
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}")
        return cursor.fetchone()[0]


def test_c1_the_embedded_database_keeps_what_was_shown() -> None:
    """C-1, E-7: asked of the connection itself, not of the settings."""
    assert pragma("journal_mode") == "wal"
    assert pragma("foreign_keys") == 1
    assert pragma("secure_delete") == 1
    assert pragma("synchronous") == FULL
    assert pragma("busy_timeout") == 20_000


def test_the_token_endpoints_own_connection_differs_in_one_way() -> None:
    """Decision 13: its rows survive any process, and may lose their last moments at a power cut."""
    pages, tokens = (credmgr.settings.DATABASES[name]["OPTIONS"] for name in ("default", "tokens"))
    assert isinstance(pages, dict)
    assert isinstance(tokens, dict)
    assert pages["transaction_mode"] == tokens["transaction_mode"] == "IMMEDIATE"
    for part in ("journal_mode=WAL", "foreign_keys=ON", "secure_delete=ON"):
        assert part in pages["init_command"]
        assert part in tokens["init_command"]
    assert "synchronous=FULL" in pages["init_command"]
    assert "synchronous=NORMAL" in tokens["init_command"]
