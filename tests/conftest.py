"""Shared set-up. Every pytest process gets a data folder of its own before Django reads its settings.

The settings module is named here and not in pyproject.toml: pytest-django would read it before this
file runs.
"""

import base64
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import pytest
from django.conf import settings

from tests import shared
from tests.database import SERVER_URL, Database, drop
from tests.fuzzing import choose_profile

# Importing registers the fixtures.
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
    if _name != "CREDMGR_TEST_CHROMIUM":  # which the processes of pytest-xdist read as well
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
from django.db import connection, connections  # noqa: E402
from whitenoise.middleware import WhiteNoiseMiddleware  # noqa: E402

from credmgr.audit.guards import GUARDS  # noqa: E402

assert settings.DATA_DIR == _DATA_DIR, "read too early: unset DJANGO_SETTINGS_MODULE"
settings.TOKENS_DATABASE = "default"


def pytest_xdist_setupnodes() -> None:
    """Else the processes that are started now read the settings before this file, with this one's folder."""
    del os.environ["DJANGO_SETTINGS_MODULE"]


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


def pytest_unconfigure() -> None:
    """What all processes of this run shared is removed."""
    shared.clear_up(lambda told: drop(told["database"]) if told.get("database") else None)


def _use_database(name: str) -> None:
    """Let Django's connections lead to this file, or this database of the server."""
    connections.close_all()
    for each in connections.all():
        settings.DATABASES[each.alias]["NAME"] = each.settings_dict["NAME"] = name


def _make_tables() -> dict[str, str]:
    """Run the migrations; the name of the file or database that holds the empty tables."""
    name = f"test_{secrets.token_hex(8)}" if SERVER_URL else str(shared.FOLDER / "tables.sqlite3")
    connection.settings_dict["TEST"]["NAME"] = name
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    connections.close_all()
    return {"name": name, "database": Database.url_of(name) if SERVER_URL else ""}


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """In place of pytest-django's: the migrations run once for all processes, each gets a copy of the tables.

    For SQLite that is a file and not Django's shared memory: threads then wait for each other's locks as real
    processes do.
    """
    with django_db_blocker.unblock():
        told = shared.once("tables", _make_tables)
        own = Database(_DATA_DIR) if SERVER_URL else None
        if own:
            own.become_copy_of(Database(_DATA_DIR, told["database"]))
            _use_database(own.name)
        else:
            shutil.copy(told["name"], _DATA_DIR)
            _use_database(str(_DATA_DIR / Path(told["name"]).name))
    yield
    with django_db_blocker.unblock():
        connections.close_all()
    if own:
        own.drop()


def _flush(self: flush.Command, **options: Any) -> None:
    """After a test with real transactions the tables are emptied, which the audit's triggers refuse."""
    GUARDS.remove(connections[options["database"]])
    _flush_of_django(self, **options)
    GUARDS.make(connections[options["database"]])


_flush_of_django = flush.Command.handle
flush.Command.handle = _flush  # type: ignore[method-assign] # Django offers no other place


def _look_for_static_files_once(self: WhiteNoiseMiddleware) -> None:
    """Each test client loads the middleware anew; a walk through all static files costs as much as a page."""
    if not _static_files:
        _look_for_static_files(self)
        _static_files.update(self.files)
    self.files = dict(_static_files)


_static_files: dict[str, Any] = {}
_look_for_static_files = WhiteNoiseMiddleware.add_files_from_finders
WhiteNoiseMiddleware.add_files_from_finders = _look_for_static_files_once
