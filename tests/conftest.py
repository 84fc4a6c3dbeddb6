"""Shared set-up. Every pytest process gets a data folder of its own before Django reads its settings.

The settings module is named here and not in pyproject.toml: pytest-django would read it before this
file runs.
"""

import base64
import os
import secrets
import tempfile
from pathlib import Path
from typing import Any

import django
import pytest
from django.conf import settings

from tests.database import SERVER_URL
from tests.fuzzing import choose_profile

# Importing registers the fixtures. Before the environment is cleared below: it reads CREDMGR_TEST_CHROMIUM.
from tests.installation import (  # noqa: F401
    axe,
    browser,
    fresh_installation,
    installation,
    page,
    prepared_data,
    prepared_with_admin,
    screenshot,
    signed_in_page,
)

choose_profile()
_DATA_DIR = Path(tempfile.mkdtemp(prefix="credmgr-test-"))
_KEYRING = _DATA_DIR / "keyring"
_KEYRING.touch(mode=0o600)
_KEYRING.write_text(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode() + "\n")

for _name in [name for name in os.environ if name.startswith("CREDMGR_") or name == "DATABASE_URL"]:
    del os.environ[_name]
os.environ["CREDMGR_ENV_FILE"] = os.devnull  # a developer's own settings steer no test
if SERVER_URL:
    os.environ["DATABASE_URL"] = SERVER_URL
os.environ["CREDMGR_DATA_DIR"] = str(_DATA_DIR)
os.environ["CREDMGR_SECRET_KEY"] = secrets.token_urlsafe(48)
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's loop runs in the test's own thread
os.environ["DJANGO_SETTINGS_MODULE"] = "credmgr.settings"
django.setup()

from django.core.management.commands import flush  # noqa: E402 - models need the settings above
from django.db import connections  # noqa: E402

from credmgr.audit.guards import remove_guards, set_guards  # noqa: E402

settings.TOKENS_DATABASE = "default"
_DATABASE: dict[str, Any] = settings.DATABASES["default"]
if _DATABASE["ENGINE"].endswith("sqlite3"):
    # A file and not Django's shared memory: threads then wait for each other's locks as real processes do.
    _DATABASE.setdefault("TEST", {})["NAME"] = str(_DATA_DIR / "test.sqlite3")
else:
    # Several pytest processes may use one server.
    _DATABASE.setdefault("TEST", {})["NAME"] = f"test_{secrets.token_hex(8)}"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The run of a few hundred tests on PostgreSQL reads only their files: reading all takes longer."""
    if config.getoption("markexpr") != "database and not slow" or collection_path.suffix != ".py":
        return None
    text = collection_path.read_text()
    return None if "mark.database" in text or "transaction=True" in text else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with real transactions, thread against thread, lean on the database: see the Makefile.

    Of a page's four views two are looked at every time, each width and each theme once; the other two with
    the slow ones. `make screenshots` looks at all four of every page.
    """
    for item in items:
        given = getattr(getattr(item, "callspec", None), "params", {})
        if (given.get("width"), given.get("theme", given.get("scheme"))) in {(1440, "dark"), (390, "light")}:
            item.add_marker("slow")
        marked = item.get_closest_marker("django_db")
        if marked is not None and marked.kwargs.get("transaction"):
            item.add_marker("database")


def _flush(self: flush.Command, **options: Any) -> None:
    """After a test with real transactions the tables are emptied, which the audit's triggers refuse."""
    remove_guards(connections[options["database"]])
    _flush_of_django(self, **options)
    set_guards(connections[options["database"]])


_flush_of_django = flush.Command.handle
flush.Command.handle = _flush  # type: ignore[method-assign] # Django offers no other place
