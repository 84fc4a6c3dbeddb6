"""How databases are opened (C-1, E-7), and where the log goes."""

import pytest
from django.db import connection

import credmgr.settings
from credmgr import env
from tests.database import embedded_only

FULL = 2


def pragma(name: str) -> object:
    """What the open connection answers."""
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}")
        return cursor.fetchone()[0]


@embedded_only
@pytest.mark.django_db
def test_c1_the_embedded_database_keeps_what_was_shown() -> None:
    """C-1, E-7: asked of the connection itself, not of the settings."""
    assert pragma("journal_mode") == "wal"
    assert pragma("foreign_keys") == 1
    assert pragma("secure_delete") == 1
    assert pragma("synchronous") == FULL
    assert pragma("busy_timeout") == 20_000


@embedded_only
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


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgres://u:p@db.example.com:5432/credmgr", "verify-full"),
        ("postgres://u:p@10.0.0.7/credmgr?sslrootcert=system", "verify-full"),
        ("postgres://u:p@/credmgr?host=localhost,db.example.com", "verify-full"),
        ("postgres://u:p@db.example.com/credmgr?sslmode=require", "require"),
        ("postgres://u:p@localhost/credmgr", None),
        ("postgres://u:p@127.0.0.1:5433/credmgr", None),
        ("postgres://u:p@/credmgr?host=/run/postgresql", None),
    ],
)
def test_a_server_elsewhere_is_spoken_to_over_tls_alone(
    monkeypatch: pytest.MonkeyPatch, url: str, mode: str | None
) -> None:
    """Without a word in the URL its certificate is checked, and nothing goes on in clear."""
    monkeypatch.setenv("DATABASE_URL", url)
    described = env.database("DATABASE_URL")
    assert described is not None
    assert described["OPTIONS"].get("sslmode") == mode
    assert described["OPTIONS"]["connect_timeout"] == 5


def test_the_log_goes_to_one_place() -> None:
    """Standard error, through the filter; no file, no mail, no network."""
    handlers = credmgr.settings.LOGGING["handlers"]
    assert isinstance(handlers, dict)
    assert {each["class"] for each in handlers.values()} == {"logging.StreamHandler"}
    assert all(each["filters"] == ["redaction"] for each in handlers.values())
