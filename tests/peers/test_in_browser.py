"""A person tests credentials that live elsewhere: in a real browser, on the running server, at an issuer."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.installation import Installation
from tests.peers.conftest import API, Tls, client
from tests.peers.processes import peer

if TYPE_CHECKING:
    from playwright.sync_api import Page

MOVE = """
from pathlib import Path
from django.utils import timezone
from credmgr.audit.recording import Actor
from credmgr.origins.changing import add_origin
from credmgr.registrations.models import Application

Application.objects.filter(client_id={app_id!r}).update(
    authority_kind="oidc", authority_url={issuer!r}, external_client_id={client_id!r})
add_origin(address={issuer!r}, name="Harbor identity", is_private=True, is_http=False,
    ca_text=Path({ca!r}).read_text(), ca_file=None, actor=Actor.command(), now=timezone.now())
print(Application.objects.get(client_id={app_id!r}).pk)
"""


@pytest.fixture(scope="session")
def at_issuer(installation: Installation, tls: Tls) -> Iterator[dict[str, str]]:
    """The address of a registration that lives at oidc-provider, and what the walk needs to know of it."""
    made = installation.json("register_app", "Harbor Sync Worker at its own issuer")
    secret = installation.json("add_secret", made["appId"], "--name", "sync worker, 2026")
    clients = [client("harbor-sync", "client_secret_basic", client_secret=secret["secretText"])]
    with peer("oidc_provider.mjs", tls=tls[1], path="", clients=clients) as issuer:
        told = {"app_id": made["appId"], "issuer": issuer, "client_id": "harbor-sync", "ca": str(tls[0])}
        done = installation.manage("shell", "--no-imports", "-c", MOVE.format(**told))
        assert done.returncode == 0, done.stderr
        address = f"{installation.portal_url}/applications/{done.stdout.split()[-1]}"
        yield {"address": address, "issuer": issuer, "key_id": secret["keyId"]}


def look(page: "Page", axe: Callable[["Page"], None]) -> None:
    """axe at both widths in both themes, and no scrolling sideways."""
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for theme in ("light", "dark"):
            page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
            page.wait_for_timeout(250)  # colours change in a transition
            axe(page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), f"{width}"


@pytest.mark.browser
def test_a_test_at_another_issuer(
    signed_in_page: "Page",
    at_issuer: dict[str, str],
    axe: Callable[["Page"], None],
    screenshot: Callable[["Page", str], Path],
) -> None:
    page: Any = signed_in_page
    page.goto(f"{at_issuer['address']}/tests/new")
    assert page.locator("#target").input_value() == at_issuer["issuer"]
    page.locator("input[name=resource]").fill(API)
    page.locator("input[name=scope]").fill("routes.read")
    screenshot(page, "issuer-form")
    look(page, axe)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url("**/tests/*-*")
    assert "Token acquired and verified" in page.locator("#verdict").inner_text()
    facts = page.locator(".run-facts").inner_text()
    assert "Plain OAuth client" in facts
    assert "MSAL needs a path" in facts
    screenshot(page, "issuer-verified")
    look(page, axe)
    screenshot(page, "issuer-verified-390-dark")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    # Once more with another scope: what was asked stays filled in.
    page.get_by_role("link", name="Change and run").click()
    page.wait_for_selector("dialog[open] select")
    assert page.locator("dialog input[name=resource]").input_value() == API
    page.locator("dialog input[name=scope]").fill("routes.write")
    page.locator("dialog button[type=submit]").click()
    page.wait_for_selector("#fix")
    assert "does not give routes.write" in page.locator("#verdict").inner_text()
    screenshot(page, "issuer-refused")
    look(page, axe)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{at_issuer['address']}/tests")
    assert "Failed, invalid_scope" in page.locator("table").inner_text()
    screenshot(page, "issuer-history")
    look(page, axe)
