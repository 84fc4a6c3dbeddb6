"""The real thing for tests: `manage.py serve` on free ports, a data folder of its own, a browser before it.

Fixtures, all registered in tests/conftest.py:

installation        One running server for each pytest process (about two seconds, once). Shared: tests add
                    registrations of their own and never count all rows. Its limits are set high.
fresh_installation  A factory: `fresh_installation(start=True, admin=True, CREDMGR_WORKERS="4")` gives another
                    Installation with settings of its own, ended after the test. With start=False its data
                    folder does not exist yet; with prepared=True besides it is ready to start. beside=other:
                    another machine on the other's database, with the same keys and people in a data folder
                    of its own (PostgreSQL only).
browser             One Chromium for each pytest process (skips, saying why, when the machine has none).
page                A new Playwright page in a context of its own: https trusted, script violations of the CSP
                    not bypassed, 1440 x 900.
signed_in_page      A `page` signed in as the administrator on the portal (plain http) of `installation`.
axe                 `axe(page)` asserts that axe finds nothing on it as it stands.
screenshot          `screenshot(page, "name")` stores test-results/<name>.png where TEST_SCREENSHOTS is set:
                    pictures prove nothing and take time; `make screenshots` takes all.

Installation: attributes portal_url, authority_url, data_dir, ca_file, ca_bundle, tenant_id, admin_name,
admin_password, environment; methods manage(*arguments, input=None, check=False) -> CompletedProcess[str],
json(*arguments) -> parsed --json output, start(), stop() -> exit code, kill() (kill -9 of the main process),
logs() -> everything printed so far, processes() -> ids of all its processes, sign_in(page, next="/"); and
database (tests/database.py): rows(query, *values), change(statement, *values).
"""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import pytest

from tests import shared
from tests.database import Database

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "test-results"
TAKES_SCREENSHOTS = bool(os.environ.get("TEST_SCREENSHOTS"))
START_SECONDS = 60.0
CHROMIUM_NAMES = (
    "/usr/bin/chromium-headless-shell",  # the same engine without windows: far less of the processor's time
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
)
CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
# High enough that tests which share a server never meet a limit; a test of a limit sets its own. It logs all
# that it can, because the canaries are looked for in there.
SHARED_LIMITS = {
    "CREDMGR_LOG_LEVEL": "DEBUG",
    "CREDMGR_TESTS_PER_MINUTE": "100000",
    "CREDMGR_TESTS_AT_ONCE": "20",
    "CREDMGR_UPLOADS_PER_MINUTE": "100000",
    "CREDMGR_WRONG_SECRETS_PER_MINUTE": "100000",
    "CREDMGR_LOGIN_FAILURES_PER_ACCOUNT": "100000",
    "CREDMGR_LOGIN_FAILURES_PER_ADDRESS": "100000",
}


def free_port() -> int:
    """A port of 127.0.0.1 that nothing uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def clean_environment() -> dict[str, str]:
    """This process's environment without what would steer the program or its clients."""
    steering = ("CREDMGR_", "DJANGO_", "PYTEST_")
    single = {
        "DATABASE_URL",
        "TEST_DATABASE_URL",
        "REQUESTS_CA_BUNDLE",
        "SSL_CERT_FILE",
        "CURL_CA_BUNDLE",
        "CREDENTIALS_DIRECTORY",
    }
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(steering) and name not in single and not name.lower().endswith("_proxy")
    }


class Installation:
    """A data folder, its settings and, while started, its server."""

    def __init__(self, folder: Path, beside: "Installation | None" = None, /, **settings: str) -> None:
        self.data_dir = folder / "data"
        self.portal_port = free_port()
        self.authority_port = free_port()
        self.portal_url = f"http://localhost:{self.portal_port}"
        self.authority_url = f"https://localhost:{self.authority_port}"
        self.ca_file = self.data_dir / "tls" / "ca.pem"
        self.ca_bundle = self.data_dir / "tls" / "ca-bundle.pem"
        self.admin_name = "admin"
        self.admin_password = f"test-{secrets.token_urlsafe(18)}"
        self.database: Database = beside.database if beside else Database(self.data_dir)
        self.environment = {
            **clean_environment(),
            **({"DATABASE_URL": self.database.url} if self.database.url else {}),
            "CREDMGR_ENV_FILE": os.devnull,  # a developer's own settings steer no test
            "CREDMGR_DATA_DIR": str(self.data_dir),
            "CREDMGR_PORTAL_PORT": str(self.portal_port),
            "CREDMGR_AUTHORITY_PORT": str(self.authority_port),
            **settings,
        }
        self._folder = folder
        self._log_file = folder / "serve.log"
        self._process: subprocess.Popen[bytes] | None = None

    # ---------------------------------------------------------------- commands
    def manage(self, *arguments: str, input: str | None = None, check: bool = False) -> Any:  # noqa: A002 - subprocess's name
        """Run `manage.py` with these arguments to its end; output as text."""
        return subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=self.environment,
            cwd=self._folder,  # never the checkout: nothing may lean on the current folder
            input=input,
            capture_output=True,
            text=True,
            timeout=120,
            check=check,
        )

    def json(self, *arguments: str) -> Any:
        """Run a command with --json added; its parsed answer. Fails the test when the command fails."""
        done = self.manage(*arguments, "--json")
        assert done.returncode == 0, f"{arguments[0]} failed: {done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    def create_admin(self) -> None:
        """Make the administrator, or set the password again."""
        file = self._folder / "password"
        file.touch(mode=0o600)
        file.write_text(self.admin_password)
        done = self.manage("create_admin", self.admin_name, "--password-file", str(file))
        file.unlink()
        assert done.returncode == 0, f"create_admin failed: {done.stdout}{done.stderr}"

    def become_copy_of(self, other: "Installation | Prepared") -> None:
        """Hold what the other holds, which is not running; this one holds nothing yet."""
        shutil.copytree(other.data_dir, self.data_dir, dirs_exist_ok=True)
        self.database.become_copy_of(other.database)
        self.admin_password = other.admin_password

    def use_database(self, url: str) -> None:
        """Another than the tests run on, before anything is stored; "" is the embedded one."""
        self.database.become(url)
        self.environment.pop("DATABASE_URL", None)
        if url:
            self.environment["DATABASE_URL"] = url

    # ---------------------------------------------------------------- the server
    @property
    def pid(self) -> int:
        """The main process."""
        assert self._process is not None
        return self._process.pid

    def launch(self) -> "subprocess.Popen[bytes]":
        """Start `serve` without waiting for it."""
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "serve"],
                env={**self.environment, "PYTHONUNBUFFERED": "1"},
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self._process

    def start(self) -> None:
        """Start `serve` and wait until it says that it is running; fails the test with its output."""
        before = self.logs().count("is running.")
        process = self.launch()
        deadline = time.monotonic() + START_SECONDS
        while self.logs().count("is running.") == before:
            if process.poll() is not None:
                pytest.fail(f"serve ended with exit code {process.returncode}:\n{self.logs()}")
            if time.monotonic() > deadline:
                self.kill()
                pytest.fail(f"serve did not come up within {START_SECONDS:.0f} s:\n{self.logs()}")
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGINT) -> int | None:
        """End the server as Ctrl-C does; its exit code, None when it was not running."""
        if self._process is None:
            return None
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            return self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"serve did not end within 30 s:\n{self.logs()}")
        finally:
            self._process = None

    def kill(self) -> None:
        """kill -9 of the main process, nothing else."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def is_running(self) -> bool:
        """Whether the main process lives."""
        return self._process is not None and self._process.poll() is None

    def logs(self) -> str:
        """Everything that the server printed since the installation was made."""
        return self._log_file.read_text(errors="replace") if self._log_file.exists() else ""

    def processes(self) -> list[int]:
        """Ids of every process of this server, known by the data folder in their environment."""
        mark = f"CREDMGR_DATA_DIR={self.data_dir}".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*/environ"):
            try:
                if mark in entry.read_bytes().split(b"\0") and b"Z" not in _state(entry.parent):
                    found.append(int(entry.parent.name))
            except (OSError, ValueError):
                continue  # it ended meanwhile
        return sorted(found)

    # ---------------------------------------------------------------- what tests ask for
    @property
    def tenant_id(self) -> str:
        """The default directory's GUID, read from the database as a script would."""
        [[found]] = self.database.rows("SELECT id FROM registrations_tenant ORDER BY created_at LIMIT 1")
        return str(uuid.UUID(found))

    def sign_in(self, page: "Page", next: str = "/") -> None:  # noqa: A002 - the parameter's own name
        """Sign the administrator in on the portal and land on `next`."""
        page.goto(f"{self.portal_url}/account/login?next={next}")
        page.locator("input[name=login]").fill(self.admin_name)
        page.locator("input[name=password]").fill(self.admin_password)
        page.locator("form:has(input[name=password]) button[type=submit]").click()
        page.wait_for_url(re.compile(r"^(?!.*/account/login)"))


def _state(process: Path) -> bytes:
    return (process / "stat").read_bytes().rpartition(b")")[2].split()[0]


class InstallationFactory(Protocol):
    """What `fresh_installation` is."""

    def __call__(
        self,
        *,
        start: bool = True,
        prepared: bool | None = None,
        admin: bool = True,
        beside: Installation | None = None,
        **settings: str,
    ) -> Installation: ...


@dataclass(frozen=True)
class Prepared:
    """An installation that never runs: others become copies of it."""

    data_dir: Path
    database: Database
    admin_password: str

    @classmethod
    def shared(cls, name: str, make: Callable[[Installation], None]) -> Self:
        """The one of that name, made out of nothing by the first of the pytest processes that asks."""

        def tell() -> dict[str, str]:
            folder = shared.FOLDER / name
            folder.mkdir()
            made = Installation(folder)
            make(made)
            return {
                "data_dir": str(made.data_dir),
                "database": made.database.url,
                "admin_password": made.admin_password,
            }

        told = shared.once(name, tell)
        data_dir = Path(told["data_dir"])
        return cls(data_dir, Database(data_dir, told["database"]), told["admin_password"])


@pytest.fixture(scope="session")
def prepared_data() -> Prepared:
    """An installation as `prepare` leaves it; copies of it spare each test the tables and the keys."""

    def make(template: Installation) -> None:
        done = template.manage("prepare")
        assert done.returncode == 0, done.stdout + done.stderr

    return Prepared.shared("prepared", make)


@pytest.fixture(scope="session")
def prepared_with_admin(prepared_data: Prepared) -> Prepared:
    """The same with its administrator, whose making costs as much as a start."""

    def make(template: Installation) -> None:
        template.become_copy_of(prepared_data)
        template.create_admin()

    return Prepared.shared("prepared-with-admin", make)


@pytest.fixture(scope="session")
def installation(prepared_with_admin: Prepared) -> Iterator[Installation]:
    """One running server for this pytest process."""
    with tempfile.TemporaryDirectory(prefix="credmgr-installation-") as name:
        made = Installation(Path(name), **SHARED_LIMITS)
        made.become_copy_of(prepared_with_admin)
        try:
            made.start()
            yield made
        finally:
            made.stop()
            made.database.drop()


@pytest.fixture
def fresh_installation(request: pytest.FixtureRequest) -> Iterator[InstallationFactory]:
    """Installations for one test, ended and removed after it. Those that start were prepared before, unless
    the test says otherwise.
    """
    made: list[Installation] = []
    folders: list[Path] = []

    def make(
        *,
        start: bool = True,
        prepared: bool | None = None,
        admin: bool = True,
        beside: Installation | None = None,
        **settings: str,
    ) -> Installation:
        folders.append(Path(tempfile.mkdtemp(prefix="credmgr-fresh-")))
        one = Installation(folders[-1], beside, **settings)
        made.append(one)
        if beside:
            one.data_dir.mkdir(mode=0o700)
            for name in ("keyring", "secret-key"):
                shutil.copy2(beside.data_dir / name, one.data_dir / name)
            one.admin_password = beside.admin_password
        elif start if prepared is None else prepared:
            template = "prepared_with_admin" if admin else "prepared_data"
            one.become_copy_of(request.getfixturevalue(template))
        if start:
            one.start()
        return one

    yield make
    for one in made:
        one.stop()
    for one in made:
        one.database.drop()
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def chromium_path() -> str | None:
    """The Chromium of this machine, if it has one."""
    for name in (os.environ.get("CREDMGR_TEST_CHROMIUM", ""), *CHROMIUM_NAMES):
        if name and os.access(name, os.X_OK):
            return name
    return None


CHROMIUM = chromium_path()


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """One headless Chromium for this pytest process."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: install it, or set CREDMGR_TEST_CHROMIUM to its path")
    sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield started
        started.close()


@pytest.fixture
def page(browser: "Browser") -> Iterator["Page"]:
    """A page in a context of its own."""
    context = browser.new_context(
        ignore_https_errors=True,
        viewport={"width": 1440, "height": 900},
        reduced_motion="reduce",  # axe must meet no colour between two themes
    )
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def signed_in_page(page: "Page", installation: Installation) -> "Page":
    """A page signed in as the administrator on the portal."""
    installation.sign_in(page)
    return page


@pytest.fixture(scope="session")
def axe() -> Callable[["Page"], None]:
    """Asserts zero axe violations on a page as it stands.

    axe is evaluated through the debugging protocol, which the page's CSP does not touch.
    """
    source = pytest.importorskip("axe_playwright_python.base").AXE_FILE_PATH.read_text("utf-8")

    def check(page: "Page") -> None:
        page.evaluate(source)
        found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")["violations"]
        lines = [
            f"{each['id']} ({each['impact']}): {each['help']}\n    "
            + "\n    ".join(f"{node['target']} {node['html'][:200]}" for node in each["nodes"])
            for each in found
        ]
        assert not found, f"axe on {page.url}:\n" + "\n".join(lines)

    return check


@pytest.fixture(scope="session")
def screenshot() -> Callable[["Page", str], Path]:
    """Stores what a page shows under test-results/, where that was asked for."""

    def store(page: "Page", name: str) -> Path:
        path = RESULTS / f"{name}.png"
        if TAKES_SCREENSHOTS:
            RESULTS.mkdir(exist_ok=True)
            page.screenshot(path=path, full_page=True)
        return path

    return store
