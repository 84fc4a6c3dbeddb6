"""Use it from your code: a tab for each client, filled in, readable and usable without script."""

import html
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.test import Client

from credmgr.portal.snippet_catalogue import CLIENTS
from credmgr.portal.snippets import client_tabs
from credmgr.registrations.models import Application
from tests.installation import Installation

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.mark.parametrize("client", [each.key for each in CLIENTS])
def test_each_client_has_a_tab_with_this_applications_ids(
    signed_in: Client, harbor: Application, client: str
) -> None:
    page = html.unescape(signed_in.get(f"/applications/{harbor.pk}/code?client={client}").content.decode())
    assert len(re.findall(r'<a href="\?client=[a-z-]+"', page)) == len(CLIENTS)
    assert f'<a href="?client={client}" aria-current="page">' in page
    tab = next(each for each in client_tabs(harbor) if each.key == client)
    for snippet in tab.snippets:
        assert f'id="program-{snippet.key}"' in page
        assert (
            str(harbor.client_id) in snippet.text
            or str(harbor.tenant_id) in snippet.text
            or (
                snippet.key == "program"  # reads both from the environment
            )
        )


@pytest.mark.parametrize("client", ["", "nonsense", "<script>"])
def test_an_unknown_client_shows_the_first(signed_in: Client, harbor: Application, client: str) -> None:
    answer = signed_in.get(f"/applications/{harbor.pk}/code", {"client": client})
    assert answer.status_code == 200
    assert '<a href="?client=msal-python" aria-current="page">' in answer.content.decode()


def test_every_kind_of_program_can_be_seen() -> None:
    """The style sheet names each key of a tab with several programs; a new one would stay hidden."""
    styles = (settings.BASE_DIR / "static" / "css" / "flow.css").read_text()
    keys = {each.key for client in CLIENTS if len(client.programs) > 1 for each in client.programs}
    for key in keys:
        assert f'[value="{key}"]:checked) > [data-part="{key}"]' in styles


@pytest.mark.browser
def test_the_tabs_in_a_browser(
    signed_in_page: "Page",
    installation: Installation,
    axe: Callable[["Page"], None],
    screenshot: Callable[["Page", str], Any],
) -> None:
    page = signed_in_page
    app = installation.json("register_app", "Every client's programs")
    page.goto(f"{installation.portal_url}/applications/{app['id']}/code")
    for client in CLIENTS:
        page.get_by_role("navigation", name="Clients").get_by_role(
            "link", name=client.label, exact=True
        ).click()
        page.wait_for_url(f"**/code?client={client.key}")
        for program in client.programs:
            if len(client.programs) > 1:
                page.get_by_role("radio", name=program.label, exact=True).check()
            assert page.locator(f"#program-{program.key}").is_visible()
            assert page.locator(".snippet-part:visible").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if client.key in ("msal-python", "msal-node", "curl"):  # coloured, plain, and alone in its tab
            axe(page)
    page.goto(f"{installation.portal_url}/applications/{app['id']}/code?client=curl-assertion")
    screenshot(page, "code-curl-and-openssl")
    page.goto(f"{installation.portal_url}/applications/{app['id']}/code?client=msal-node")
    screenshot(page, "code-msal-node")
