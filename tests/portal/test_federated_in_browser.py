"""Federated credentials in a real browser: scenarios, the generated subject, with and without script."""

import json
from typing import Any

import pytest

from tests.installation import Installation

pytestmark = pytest.mark.browser


@pytest.fixture
def base(installation: Installation) -> str:
    """Address of the federated credentials of a registration of its own."""
    done = installation.manage("register_app", "Harbor Sync Worker", "--json")
    assert done.returncode == 0, done.stderr
    return f"{installation.portal_url}/applications/{json.loads(done.stdout)['id']}/credentials/federated"


def choose(page: Any, scenario: str) -> None:
    """Choose a scenario by its words."""
    page.get_by_role("radio", name=scenario).check()


def test_a_branch_is_trusted_edited_and_deleted(signed_in_page: Any, base: str) -> None:
    """The subject grows while one types; the panels open over the list."""
    page = signed_in_page
    page.goto(base)
    page.get_by_role("link", name="Add credential").first.click()
    output = page.locator("output[data-patterns]")
    assert output.inner_text() == "repo:{organization}/{repository}:ref:refs/heads/{entity_value}"
    page.get_by_role("textbox", name="Organization").fill("octo-org")
    page.get_by_role("textbox", name="Repository").fill("octo-repo")
    page.get_by_label("Entity type").select_option("environment")
    page.get_by_label("Environment, branch or tag").fill("Production")
    assert output.inner_text() == "repo:octo-org/octo-repo:environment:Production"
    page.get_by_label("Entity type").select_option("pull_request")
    assert not page.get_by_label("Environment, branch or tag").is_visible()
    assert output.inner_text() == "repo:octo-org/octo-repo:pull_request"
    assert not page.get_by_label("Namespace").is_visible()
    page.locator("#id_name").fill("pull-requests")
    page.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_url(base)
    assert "repo:octo-org/octo-repo:pull_request" in page.locator("table").inner_text()
    page.get_by_role("link", name="Edit pull-requests").click()
    panel = page.get_by_role("dialog")
    panel.get_by_label("Subject identifier").fill("repo:octo-org/octo-repo:edited")
    panel.get_by_role("button", name="Save").click()
    page.wait_for_url(base)
    page.locator("table", has_text="repo:octo-org/octo-repo:edited").wait_for()
    page.get_by_role("link", name="Delete pull-requests").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_role("heading", name="No federated credentials").wait_for()


def test_without_script_each_scenario_shows_its_fields(
    browser: Any, installation: Installation, base: str
) -> None:
    """Decision 12: the choice shows the fields, a button shows the subject."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    installation.sign_in(page)
    page.goto(f"{base}/new")
    fields = {
        "GitHub Actions": ["organization", "repository"],
        "Kubernetes": ["issuer", "namespace", "service_account"],
        "Managed identity": ["identity_issuer", "identity"],
        "Other issuer": ["issuer"],
    }
    for scenario, shown in fields.items():
        choose(page, scenario)
        for name in {name for names in fields.values() for name in names}:
            assert page.locator(f"#id_{name}").is_visible() == (name in shown), (scenario, name)
    choose(page, "Kubernetes")
    page.locator("#id_issuer").fill("https://cluster.example.com")
    page.get_by_label("Namespace").fill("jobs")
    page.get_by_label("Service account name").fill("worker")
    page.get_by_role("button", name="Show the generated subject").click()
    assert page.locator("output").inner_text() == "system:serviceaccount:jobs:worker"
    assert page.get_by_role("radio", name="Kubernetes").is_checked()
    page.locator("#id_name").fill("jobs-worker")
    page.get_by_role("button", name="Add", exact=True).click()
    assert page.url == base
    assert "system:serviceaccount:jobs:worker" in page.locator("table").inner_text()
    assert "Not on the list of allowed origins" in page.locator("table").inner_text()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_and_nothing_overflows(
    browser: Any, installation: Installation, axe: Any, screenshot: Any, base: str, scheme: str, width: int
) -> None:
    """The add page in every scenario and refused, the list, the panels."""
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

    page.goto(base)
    look()
    page.goto(f"{base}/new")
    for scenario in ("Kubernetes", "Managed identity", "Other issuer", "GitHub Actions"):
        choose(page, scenario)
        look()
    page.get_by_role("button", name="Add", exact=True).click()
    page.locator("#errors").wait_for()
    look()
    page.goto(f"{base}/new")
    page.get_by_role("textbox", name="Organization").fill("octo-org")
    page.get_by_role("textbox", name="Repository").fill(
        "octo-repo-with-a-rather-long-name-as-they-often-have"
    )
    page.get_by_label("Environment, branch or tag").fill("main")
    page.locator("#id_name").fill("deploy-from-main")
    page.get_by_label("Description").fill("Deploys the worker from the main branch")
    page.evaluate("scrollTo(0, 0)")
    screenshot(page, f"federated-add-{width}-{scheme}")
    page.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_url(base)
    look()
    screenshot(page, f"federated-list-{width}-{scheme}")
    for act in ("Edit deploy-from-main", "Delete deploy-from-main"):
        page.get_by_role("link", name=act).click()
        page.locator("dialog[open]").wait_for()
        look()
        page.get_by_role("dialog").get_by_role("link", name="Cancel").click()
    assert [text for text in complaints if "the server responded with a status of 4" not in text] == []
    context.close()
