"""Certificates & secrets on the real server: in a browser, and under parallel requests."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.portal_session import PortalSession, read_page
from tests.installation import Installation
from tests.portal import certificate_files as files
from tests.portal.credential_forms import VALUE


@pytest.fixture
def base(installation: Installation) -> str:
    """Address of the credentials of a registration of its own."""
    done = installation.manage("register_app", "Harbor Sync Worker", "--json")
    assert done.returncode == 0, done.stderr
    return f"{installation.portal_url}/applications/{json.loads(done.stdout)['id']}/credentials"


@pytest.fixture
def person(installation: Installation) -> PortalSession:
    """The administrator without a browser."""
    return PortalSession(installation.portal_url, installation.admin_name, installation.admin_password)


@pytest.fixture
def server_crt(tmp_path: Path) -> Path:
    """The seed's certificate as a file to choose."""
    path = tmp_path / "server.crt"
    path.write_bytes(files.seed().certificate)
    return path


def add_secret(page: Any, base: str, description: str = "worker") -> str:
    """Open the panel over the list, fill it, press Add: the value that is shown."""
    page.goto(f"{base}/secrets")
    page.get_by_role("link", name="New client secret").first.click()
    page.get_by_role("dialog").get_by_label("Description").fill(description)
    page.get_by_role("button", name="Add", exact=True).click()
    value: str = page.locator("#secret-value").inner_text()
    assert VALUE.fullmatch(value)
    return value


def test_s3_twenty_copies_of_one_form_at_once_make_one_secret(person: PortalSession, base: str):
    """S-3: one answer shows the value, nineteen say that it has been made."""
    path = base.removeprefix(person.base)
    form = next(
        form
        for form in read_page(person.get(f"{path}/secrets/new").text).forms
        if "form_token" in form["fields"]
    )
    fields = {**form["fields"], "description": "parallel", "expires": "180"}

    def send(_: int) -> Any:
        return person.http.post(f"{base}/secrets/new", fields, headers={"Referer": base}, timeout=60)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(send, range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 19
    assert sum(bool(VALUE.search(answer.text)) for answer in answers) == 1
    assert all("cannot be shown again" in answer.text for answer in answers if answer.status_code == 409)
    assert person.get(f"{path}/secrets").text.count("More for parallel") == 1


@pytest.mark.parametrize("megabytes", [2, 12])
def test_a_body_above_the_limit_gets_a_page_from_the_real_server(
    person: PortalSession, base: str, megabytes: int
):
    """Section 11: 413, whether the server reads the rest or not."""
    answer = person.submit(
        f"{base.removeprefix(person.base)}/certificates/new",
        {"description": "big"},
        files={"certificate_file": ("big.crt", b"x" * megabytes * 1024 * 1024)},
    )
    assert answer.status_code == 413
    assert "That was more than this server accepts" in answer.text


@pytest.mark.browser
def test_a_secret_is_added_copied_stored_and_never_seen_again(signed_in_page: Any, base: str):
    """A2 to A4: panel, value, copy, tick, Done; Back and reload show nothing."""
    page = signed_in_page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    value = add_secret(page, base)
    done = page.get_by_role("button", name="Done")
    assert done.is_disabled()
    page.get_by_role("button", name="Copy the value").click()
    assert page.evaluate("navigator.clipboard.readText()") == value
    page.get_by_role("button", name="Copy environment lines").click()
    assert f"AZURE_CLIENT_SECRET={value}\n" in page.evaluate("navigator.clipboard.readText()")
    page.get_by_label(re.compile("I have stored it")).check()
    done.click()
    page.wait_for_url(f"{base}/secrets")
    assert value not in page.content()
    assert f"{value[:3]}{'*' * 18}" in page.locator("table").inner_text()
    page.go_back()
    assert value not in page.content()
    page.reload()
    assert value not in page.content()
    assert page.evaluate("JSON.stringify([localStorage, sessionStorage])").find(value) == -1


@pytest.mark.browser
def test_leaving_before_it_is_stored_asks_first(signed_in_page: Any, base: str):
    """Links ask in the page, anything else in the browser's own words; staying keeps the value."""
    page = signed_in_page
    value = add_secret(page, base)
    for name in ("Home", "New client secret", "Certificates (0)"):
        page.get_by_role("link", name=name).first.click()
        question = page.get_by_role("dialog", name="Leave without storing the value?")
        assert question.is_visible()
        assert question.get_by_role("button", name="Stay").evaluate("one => one === document.activeElement")
        question.get_by_role("button", name="Stay").click()
        assert page.locator("#secret-value").inner_text() == value
    asked: list[str] = []

    def stay(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.once("dialog", stay)
    page.evaluate("setTimeout(() => location.reload())")
    page.wait_for_timeout(500)
    assert asked == ["beforeunload"]
    assert page.locator("#secret-value").inner_text() == value
    page.get_by_role("link", name="Home").first.click()
    page.get_by_role("button", name="Leave, lose the value").click()
    page.wait_for_url("**/applications")
    page.go_back()
    assert value not in page.content()


@pytest.mark.browser
def test_a_reload_of_the_answer_shows_the_list_and_no_value(signed_in_page: Any, base: str):
    page = signed_in_page
    value = add_secret(page, base)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    assert page.url == f"{base}/secrets"
    assert value not in page.content()
    assert page.locator("table tbody tr").count() == 1


@pytest.mark.browser
def test_without_script_everything_works_but_copying(
    browser: Any, installation: Installation, base: str, server_crt
):
    """Decision 12: add, tick, Done; upload; delete."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    installation.sign_in(page)
    page.goto(f"{base}/secrets")
    page.get_by_role("link", name="New client secret").first.click()
    page.get_by_label("Description").fill("no script")
    page.get_by_role("button", name="Add", exact=True).click()
    value = page.locator("#secret-value").inner_text()
    assert VALUE.fullmatch(value)
    page.get_by_label(re.compile("I have stored it")).check()
    page.get_by_role("button", name="Done").click()
    assert page.url == f"{base}/secrets"
    page.goto(f"{base}/certificates/new")
    page.get_by_label(re.compile("^Certificate file")).set_input_files(server_crt)
    page.get_by_role("button", name="Add", exact=True).click()
    if page.get_by_label(
        "Add it all the same"
    ).count():  # the seed's file may be on another test's registration
        page.get_by_label(re.compile("^Certificate file")).set_input_files(server_crt)
        page.get_by_label("Add it all the same").check()
        page.get_by_role("button", name="Add", exact=True).click()
    assert files.seed().sha1 in page.locator("table").inner_text()
    page.get_by_role("link", name="CN=example", exact=True).click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    assert page.url == f"{base}/certificates"
    assert "No certificates" in page.locator("main").inner_text()
    context.close()


@pytest.mark.browser
def test_b2_b3_b4_the_seeds_certificate_is_judged_then_added(
    signed_in_page: Any, base: str, server_crt: Path
):
    """B2, B3, B4: findings as soon as the file is chosen, then the row with openssl's own thumbprint."""
    page = signed_in_page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{base}/certificates")
    page.get_by_role("link", name="Upload certificate").first.click()
    panel = page.get_by_role("dialog")
    panel.get_by_label(re.compile("^Certificate file")).set_input_files(server_crt)
    panel.locator(".findings").wait_for()
    assert "Right kind of file" in panel.locator(".findings").inner_text()
    if panel.get_by_label("Add it all the same").count():
        panel.get_by_label("Add it all the same").check()
    panel.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_url(f"{base}/certificates")
    toast = page.locator(".toast", has_text=files.seed().sha1).bounding_box()
    assert toast["x"] + toast["width"] <= 1440, (
        "the thumbprint is broken, so that the button to close stays in sight"
    )
    row = page.locator("table.certs tbody tr")
    assert files.seed().sha1 in row.inner_text()
    row.get_by_role("button", name="Copy SHA-1 thumbprint of CN=example").click()
    assert page.evaluate("navigator.clipboard.readText()") == files.seed().sha1


@pytest.mark.browser
def test_b5_the_private_key_is_named_as_soon_as_it_is_chosen(signed_in_page: Any, base: str, tmp_path: Path):
    """B5."""
    page = signed_in_page
    (tmp_path / "server.pem").write_bytes(files.seed().key)
    page.goto(f"{base}/certificates/new")
    page.get_by_label(re.compile("^Certificate file")).set_input_files(tmp_path / "server.pem")
    page.locator(".findings").wait_for()
    assert "This file contains a private key." in page.locator(".findings").inner_text()
    page.get_by_role("button", name="Add", exact=True).click()
    page.locator("#errors").wait_for()
    assert files.seed().key.decode().splitlines()[5] not in page.content()


@pytest.mark.browser
def test_of_a_server_that_is_away_no_older_findings_stay(
    signed_in_page: Any, base: str, tmp_path: Path, server_crt: Path
):
    """They were of another file."""
    page = signed_in_page
    (tmp_path / "server.pem").write_bytes(files.seed().key)
    page.goto(f"{base}/certificates/new")
    choose = page.get_by_label(re.compile("^Certificate file"))
    choose.set_input_files(tmp_path / "server.pem")
    page.locator(".findings").wait_for()
    page.route("**/certificates/examine", lambda route: route.abort())
    choose.set_input_files(server_crt)
    page.locator(".findings").wait_for(state="detached")
    assert page.locator("[data-findings]").get_attribute("aria-busy") is None


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_and_nothing_overflows(
    browser: Any, installation: Installation, axe: Any, base: str, server_crt: Path, scheme: str, width: int
):
    """Every page and state of Certificates & secrets."""
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 900}, reduced_motion="reduce"
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    installation.sign_in(page)

    def look() -> None:
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url

    for rest in ("/secrets", "/certificates", "/federated", "/secrets/new", "/certificates/new"):
        page.goto(base + rest)
        look()
    add_secret(page, base, "worker-prod-2026")
    look()
    page.get_by_role("link", name="Home").first.click()
    look()
    page.get_by_role("button", name="Stay").click()
    page.get_by_label(re.compile("I have stored it")).check()
    page.get_by_role("button", name="Done").click()
    page.wait_for_url(f"{base}/secrets")
    look()
    page.get_by_role("button", name="More for worker-prod-2026").click()
    look()
    page.get_by_role("link", name="Delete", exact=True).click()
    page.locator("dialog[open]").wait_for()
    look()
    page.goto(f"{base}/certificates/new")
    page.get_by_label("Keep the private key").check()
    page.get_by_label(re.compile("^Certificate file")).set_input_files(server_crt)
    page.locator(".findings").wait_for()
    look()
    page.get_by_role("button", name="Add", exact=True).click()
    page.locator("#errors").wait_for()
    look()
    page.get_by_label(re.compile("^Certificate file")).set_input_files(server_crt)
    page.get_by_label("Keep the private key").uncheck()
    page.locator(".findings", has_text="Right kind of file").wait_for()
    if page.get_by_label("Add it all the same").count():
        page.get_by_label("Add it all the same").check()
    page.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_url(f"{base}/certificates")
    look()
    page.get_by_role("link", name="CN=example", exact=True).click()
    page.locator("dialog[open]").wait_for()
    look()
    assert [text for text in complaints if "the server responded with a status of 4" not in text] == []
    context.close()
