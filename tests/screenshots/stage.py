"""The installations that are pictured, and the people who look at them.

Three of them: one lived in, one whose administrator has just been made, one that nobody has set up yet.
"""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.installation import SHARED_LIMITS, Installation

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

# The limit that one picture shows stays; nothing else is throttled. All pictures together take longer than a
# password counts as just given, and those of its question are made by somebody else.
LIMITS = {
    **SHARED_LIMITS,
    "CREDMGR_LOGIN_FAILURES_PER_ACCOUNT": "5",
    "CREDMGR_STEP_UP_SECONDS": "3600",
}


@dataclass(frozen=True)
class Stage:
    """What every browser needs to know. Plain data: it is handed to other processes.

    portals: base address by installation ("lived-in", "new", "unset"); people: what a browser has to be given
    to be that person (Playwright's storage state); things: ids by name, see furnishing.
    """

    portals: dict[str, str]
    authority: str
    tenant_id: str
    setup_link: str
    people: dict[str, Any] = field(default_factory=dict)
    things: dict[str, str] = field(default_factory=dict)
    error_pages: dict[str, str] = field(default_factory=dict)

    def context_for(self, browser: "Browser", person: str) -> "BrowserContext":
        """A browser window of somebody: of `people`, or "stranger"."""
        context = browser.new_context(
            ignore_https_errors=True,
            reduced_motion="reduce",
            storage_state=self.people.get(person),
            viewport={"width": 1440, "height": 900},
        )
        context.set_default_timeout(60_000)  # of a machine with other work
        return context


@contextmanager
def installations() -> Iterator[tuple[Installation, Installation, Installation]]:
    """Three running ones, ended and removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="credmgr-screenshots-") as name:
        made = []
        try:
            for folder, settings in (
                ("lived-in", {**LIMITS, "CREDMGR_DIRECTORY_NAME": "Norrvik Freight"}),
                ("new", LIMITS),
                ("unset", LIMITS),
            ):
                (Path(name) / folder).mkdir()
                one = Installation(Path(name) / folder, **settings)
                one.admin_name = "robin"
                made.append(one)
                one.start()
            for one in made[:2]:
                one.create_admin()
            yield made[0], made[1], made[2]
        finally:
            for one in made:
                one.stop()


def sign_in(browser: "Browser", installation: Installation) -> Any:
    """What a browser has to be given to be the administrator."""
    context = browser.new_context()
    installation.sign_in(context.new_page())
    state = context.storage_state()
    context.close()
    return state


def with_session(state: Any, key: str) -> Any:
    """The same browser with another session, hence another person."""
    cookies = [
        {**cookie, "value": key} if cookie["name"] == "sessionid" else cookie for cookie in state["cookies"]
    ]
    return {**state, "cookies": cookies}


def session_key(state: Any) -> str:
    """The session of a person's browser."""
    return str(next(cookie["value"] for cookie in state["cookies"] if cookie["name"] == "sessionid"))


def setup_link(installation: Installation) -> str:
    """The link that `serve` printed."""
    found = re.search(r"http://\S+/account/setup/\S+", installation.logs())
    if not found:
        raise LookupError(f"No set-up link was printed:\n{installation.logs()}")
    return found[0]
