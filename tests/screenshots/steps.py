"""What is done on a page before it is taken. Each is a function of the browser's page and the stage."""

import base64
import re
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.portal import certificate_files as files
from tests.screenshots.picture import Step
from tests.screenshots.stage import Stage

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def after(*steps: Step) -> Step:
    """One after the other."""

    def act(page: "Page", stage: Stage) -> None:
        for step in steps:
            step(page, stage)

    return act


def send(button: str) -> Step:
    """Press the button of a form, and wait for the page that answers."""

    def act(page: "Page", _: Stage) -> None:
        with page.expect_navigation():
            _part(page).get_by_role("button", name=button, exact=True).click()

    return act


def fill(**fields: str) -> Step:
    """Fill fields by name: text is typed, a box is ticked, a radio button or option is chosen by value."""

    def act(page: "Page", _: Stage) -> None:
        for name, value in fields.items():
            field = _part(page).locator(f"[name={name}]")
            kind = field.first.evaluate("field => field.type")
            if kind == "radio":
                _part(page).locator(f'[name={name}][value="{value}"]').check()
            elif kind == "checkbox":
                field.first.check()
            elif kind.startswith("select"):
                field.select_option(value)
            else:
                field.fill(value)

    return act


def without_required_marks(button: str) -> Step:
    """Press the button although nothing was filled in, as a browser does that does not check."""

    def act(page: "Page", stage: Stage) -> None:
        page.evaluate(
            """() => document.querySelectorAll("form").forEach((form) => {
              form.noValidate = true;
              form.querySelectorAll(":disabled").forEach((control) => { control.disabled = false; });
            })"""
        )
        send(button)(page, stage)

    return act


def attach(**uploads: str) -> Step:
    """Choose files for fields by their names: of `sample_files`."""

    def act(page: "Page", _: Stage) -> None:
        for name, file in uploads.items():
            _part(page).locator(f"[name={name}]").set_input_files(sample_files() / file)

    return act


def open_menu(button: str | re.Pattern[str]) -> Step:
    """Open a popover by its button."""

    def act(page: "Page", _: Stage) -> None:
        page.get_by_role("button", name=button).first.click()

    return act


def click(selector: str) -> Step:
    """Click what the selector finds first, or focus it where nothing happens on a click."""

    def act(page: "Page", _: Stage) -> None:
        page.locator(selector).first.click()

    return act


def wait(selector: str) -> Step:
    """Until it is there."""

    def act(page: "Page", _: Stage) -> None:
        page.locator(selector).first.wait_for()

    return act


def press(*keys: str) -> Step:
    """Keys, as a person without a mouse presses them."""

    def act(page: "Page", _: Stage) -> None:
        for key in keys:
            page.keyboard.press(key)

    return act


def open_the_drawer(page: "Page", _: Stage) -> None:
    """The navigation of a narrow screen."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Navigation").click()


def forget_the_form(page: "Page", _: Stage) -> None:
    """The cookie that proves where a form came from is gone."""
    page.context.clear_cookies(name="csrftoken")


def stuff_the_form(page: "Page", _: Stage) -> None:
    """More fields than anybody types."""
    page.evaluate(
        """() => {
          const form = document.querySelector("main form");
          for (let number = 0; number < 201; number += 1) {
            const field = document.createElement("input");
            field.type = "hidden";
            field.name = `field${number}`;
            form.append(field);
          }
        }"""
    )


def at_the_authority(path: str) -> Step:
    """A page of the authority's own listener. {tenant} stands for the directory's ID."""

    def act(page: "Page", stage: Stage) -> None:
        page.goto(stage.authority + path.format(tenant=stage.tenant_id))

    return act


def by_the_setup_link(page: "Page", stage: Stage) -> None:
    """As whoever started the server for the first time."""
    page.goto(stage.setup_link)


def error_page(name: str) -> Step:
    """A page that no address leads to: the very HTML of the view, at an address of its own."""

    def act(page: "Page", stage: Stage) -> None:
        address = f"{stage.portals['lived-in']}/{name}"
        page.route(
            address, lambda route: route.fulfill(body=stage.error_pages[name], content_type="text/html")
        )
        page.goto(address)

    return act


def wrong_password(times: int) -> Step:
    """Sign-in refused so often, as somebody who is not there."""

    def act(page: "Page", _: Stage) -> None:
        for _number in range(times):
            page.locator("[name=login]").fill(f"kim-{times}")
            page.locator("[name=password]").fill("not-the-password")
            with page.expect_navigation():
                page.get_by_role("button", name="Sign in").click()

    return act


def half_way_in(code: str = "") -> Step:
    """The right password of somebody with a second factor, and perhaps a code."""

    def act(page: "Page", stage: Stage) -> None:
        page.locator("[name=login]").fill("ada")
        page.locator("[name=password]").fill(stage.things["password"])
        send("Sign in")(page, stage)
        if code:
            fill(code=code)(page, stage)
            send("Sign in")(page, stage)

    return act


def a_token(page: "Page", stage: Stage) -> None:
    """Paste a real token: the test's own answer shows one where it is asked for."""
    address = page.url
    origin = address.split("/decode-token")[0]
    page.goto(f"{origin}/applications/{stage.things['ledger']}/tests/new")
    page.locator("[name=include_raw_token]").check()
    with page.expect_navigation():
        page.get_by_role("button", name="Test acquire token").click()
    token = page.locator("#raw-token").inner_text()
    page.goto(address)
    page.locator("[name=token]").fill(token)
    with page.expect_navigation():
        page.get_by_role("button", name="Decode").click()


# Of no listed issuer, and signed by nobody.
FOREIGN_TOKEN = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=")
    for part in (
        b'{"typ":"JWT","alg":"RS256","kid":"another"}',
        b'{"iss":"https://idp.elsewhere.example/","aud":"api://theirs","sub":"somebody","exp":1893456000,"scp":"read"}',
        b"no signature at all",
    )
)


@cache
def sample_files() -> Path:
    """A folder with the files of the README's walk, and some that are refused."""
    folder = Path(tempfile.mkdtemp(prefix="credmgr-screenshots-files-"))
    seed = files.seed()
    (folder / "server.crt").write_bytes(seed.certificate)
    (folder / "server.pem").write_bytes(seed.key)
    (folder / "server.csr").write_bytes(seed.request)
    (folder / "other.pem").write_bytes(files.key_pem(files.rsa_key()))
    (folder / "huge.crt").write_bytes(b"#" * 1_200_000)
    (folder / "both.pfx").write_bytes(files.pfx(files.rsa_key(), files.certificate()))
    return folder


def _part(page: "Page") -> "Locator":
    """The open panel, else the page."""
    dialog = page.locator("dialog[open]")
    return dialog if dialog.count() else page.locator("main")
