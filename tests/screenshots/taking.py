"""Sets the stage, takes the pictures in several browsers at once, tells what is wrong."""

import atexit
import multiprocessing
import os
import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import django

from tests.installation import CHROMIUM, CHROMIUM_FLAGS, RESULTS, Installation
from tests.screenshots import stage as stages
from tests.screenshots.camera import Camera
from tests.screenshots.sheets import write_sheets
from tests.screenshots.stage import Stage

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FOLDER = RESULTS / "screenshots"


def main(words: list[str], jobs: int, *, with_axe: bool) -> int:
    """Take the pictures whose names hold one of the words; all of them without words. Gives the exit code."""
    began = time.monotonic()
    if not words:
        shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with stages.installations() as made:
        stage = _set(*made)
        names = [name for name in _pictures() if not words or any(word in name for word in words)]
        faults = _take(stage, names, jobs, with_axe)
    _tell(f"{len(names)} pages and states in {time.monotonic() - began:.0f} s: {FOLDER / 'index.html'}")
    for fault in faults:
        _tell(f"FAULT {fault}")
    return 1 if faults or not names else 0


def _set(lived_in: Installation, new: Installation, unset: Installation) -> Stage:
    """Furnish the installations and sign people in. Django's settings are those of the first from here on."""
    os.environ.update(lived_in.environment | {"DJANGO_SETTINGS_MODULE": "credmgr.settings"})
    os.environ["CREDMGR_LISTENER"] = "portal"
    django.setup()
    things = import_module("tests.screenshots.furnishing").furnish(lived_in.admin_name)
    things |= import_module("tests.screenshots.growing").grown_directory()
    ageing = import_module("tests.screenshots.ageing")
    with _browser() as browser:
        people = {
            "robin": stages.sign_in(browser, lived_in),
            "beginner": stages.sign_in(browser, new),
            "stale": stages.sign_in(browser, lived_in),
            "idle": stages.sign_in(browser, lived_in),
            "tester": stages.sign_in(browser, lived_in),
            "archivist": stages.sign_in(browser, lived_in),
        }
    things["factor"] = ageing.give_second_factors("robin")
    ageing.give_second_factors("noor")
    ageing.give_second_factors("ada")
    people["noor"] = stages.with_session(people["robin"], ageing.session_of("noor"))
    ageing.age_confirmation(stages.session_key(people["stale"]))
    ageing.end_by_idleness(stages.session_key(people["idle"]))
    ageing.work_in(stages.session_key(people["tester"]), things["testing-directory"])
    ageing.work_in(stages.session_key(people["archivist"]), things["grown-directory"])
    return Stage(
        portals={"lived-in": lived_in.portal_url, "new": new.portal_url, "unset": unset.portal_url},
        authority=lived_in.authority_url,
        tenant_id=lived_in.tenant_id,
        setup_link=stages.setup_link(unset),
        people=people,
        things=things,
        error_pages=ageing.error_pages(),
    )


def _take(stage: Stage, names: list[str], jobs: int, with_axe: bool) -> list[str]:
    pool = ProcessPoolExecutor(
        jobs,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_open_studio,
        initargs=(stage, with_axe),
    )
    faults: list[str] = []
    with pool:
        running = {pool.submit(_take_one, name): name for name in names}
        for number, done in enumerate(as_completed(running), 1):
            found = done.result()
            faults += found
            _tell(f"{number:3}/{len(names)} {'FAULT' if found else 'ok   '} {running[done]}")
    with _browser() as browser:
        write_sheets(browser, FOLDER, list(_pictures()))
    return sorted(faults)


# ---------------------------------------------------------------- in each process
class _Studio:
    """The browser of one process, and what it pictures."""

    def __init__(self, stage: Stage, with_axe: bool) -> None:
        django.setup()
        axe = import_module("axe_playwright_python.base").AXE_FILE_PATH.read_text("utf-8") if with_axe else ""
        self.stage = stage
        self.camera = Camera(FOLDER, axe)
        self.pictures = _pictures()
        stack = ExitStack()
        self.browser = stack.enter_context(_browser())
        atexit.register(stack.close)

    def take(self, name: str) -> list[str]:
        """One page or state; a step that does not work out is a fault like any other."""
        picture = self.pictures[name]
        context = self.stage.context_for(self.browser, picture.person)
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        faults: list[str] = []
        try:
            for part in picture.show(page, self.stage):
                faults += self.camera.take(page, f"{name}{part}")
        except Exception as error:  # noqa: BLE001 - whatever it is, the other pictures are taken
            page.screenshot(path=FOLDER / f"{name}-failed.png")
            faults.append(f"{name}: {type(error).__name__} at {page.url}: {str(error)[:600]}")
        # What Chromium says of any answer that is not a success is no fault of the page.
        faults += [
            f"{name}: console: {text}" for text in complaints if "responded with a status of" not in text
        ]
        context.close()
        return faults


_studio: _Studio | None = None


def _open_studio(stage: Stage, with_axe: bool) -> None:
    global _studio
    _studio = _Studio(stage, with_axe)


def _take_one(name: str) -> list[str]:
    if _studio is None:
        raise RuntimeError("The process has no browser.")
    return _studio.take(name)


@contextmanager
def _browser() -> "Iterator[Browser]":
    if CHROMIUM is None:
        raise SystemExit("No Chromium on this machine: install it, or set CREDMGR_TEST_CHROMIUM to its path.")
    with import_module("playwright.sync_api").sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


def _pictures() -> dict[str, Any]:
    """All of them by name. Imported late: the list asks Django for addresses."""
    found: dict[str, Any] = import_module("tests.screenshots.pictures").PICTURES
    return found


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
