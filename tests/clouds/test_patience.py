"""A directory that does not know a new secret yet: the message, its button, and trying by itself."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.utils import timezone

from credmgr.accounts.models import User
from credmgr.accounts.roles import Role
from credmgr.credentials.models import Certificate, ClientSecret
from credmgr.flowtest.models import FlowRun
from credmgr.flowtest.patience import TRIES_MAX
from tests.clouds.conftest import CLIENT_ID, PUBLIC, SECRET, InClouds
from tests.clouds.microsoft import DIRECTORY, MicrosoftClouds
from tests.factories import administrator, person
from tests.flowtest.far_side import Client as CertificateHolder
from tests.flowtest.far_side import Handler, entra_error, send_json
from tests.installation import Installation, InstallationFactory

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCOPE = "https://graph.microsoft.com/.default"
MESSAGE = "Entra may not know it yet"
ROUTE = Path(__file__).parent / "route"


def refuses(side: MicrosoftClouds, times: int, code: int = 7000215) -> Callable[[Handler], None]:
    """A token endpoint that refuses so often and then gives tokens."""
    left = [times]

    def answer(request: Handler) -> None:
        if left[0] == 0:
            del side.answers["POST", "/token"]
            form = {"scope": SCOPE, "client_id": CLIENT_ID, "client_secret": "sent"}
            token = side.token(PUBLIC, form)
            send_json(request, 200, {"token_type": "Bearer", "expires_in": 3599, "access_token": token})
            return
        left[0] -= 1
        send_json(request, 401, entra_error(code, "invalid_client", "Not known."))

    return answer


@pytest.fixture
def client(elsewhere: InClouds) -> Client:
    """A browser without script of an administrator, who is also the one that runs the tests."""
    assert elsewhere.actor.user is not None
    browser = Client()
    browser.force_login(
        administrator(elsewhere.actor.user), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    return browser


def press(client: Client, secret: ClientSecret) -> Any:
    """Run a test by the form, to the result's page."""
    address = f"/applications/{secret.application_id}/tests/new"
    return client.post(address, {"credential": str(secret.pk), "scope": SCOPE}, follow=True)


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def page_of(client: Client, run: FlowRun) -> str:
    return text_of(client.get(f"/applications/{run.application_id}/tests/{run.pk}"))


# ---------------------------------------------------------------- without script
def test_a_new_secret_is_tried_again_by_a_button(
    client: Client, elsewhere: InClouds, clouds: MicrosoftClouds
) -> None:
    clouds.answers["POST", "/token"] = refuses(clouds, 2)
    secret = elsewhere.secret(elsewhere.at())
    first = text_of(press(client, secret))
    assert MESSAGE in first
    assert 'data-verdict="refused"' in first
    assert "Try 1 of 6 was refused with AADSTS7000215" in first
    part = first[first.index('id="patience"') :]
    form = re.search(r'<form class="contents" method="post" action="([^"]+)"[^>]*>(.*?)</form>', part, re.S)
    assert form is not None
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[2]))
    assert fields.pop("csrfmiddlewaretoken")
    second = text_of(client.post(form[1], fields, follow=True))
    assert "Try 2 of 6 was refused" in second
    third = text_of(client.post(form[1], fields, follow=True))
    assert MESSAGE not in third
    assert 'data-verdict="acquired"' in third
    assert list(FlowRun.objects.order_by("started_at").values_list("error_code", flat=True)) == [
        7000215,
        7000215,
        0,
    ]
    # The refusals of before have been overtaken.
    old = FlowRun.objects.order_by("started_at").first()
    assert old is not None
    assert MESSAGE not in page_of(client, old)


def test_after_six_tries_nothing_goes_on_by_itself(
    client: Client, elsewhere: InClouds, clouds: MicrosoftClouds
) -> None:
    clouds.answers["POST", "/token"] = refuses(clouds, TRIES_MAX)
    secret = elsewhere.secret(elsewhere.at())
    pages = [text_of(press(client, secret)) for _ in range(TRIES_MAX)]
    assert ["data-pause" in page for page in pages] == [True] * (TRIES_MAX - 1) + [False]
    assert "6 tries in a row were refused, so another cause is likely" in pages[-1]
    assert "Try again" in pages[-1]


@pytest.mark.parametrize(
    ("code", "told"), [(700016, True), (7000229, True), (7000222, False), (90002, False)]
)
def test_which_refusals_have_the_message(
    client: Client, elsewhere: InClouds, clouds: MicrosoftClouds, code: int, told: bool
) -> None:
    clouds.answers["POST", "/token"] = refuses(clouds, 1, code)
    assert (MESSAGE in text_of(press(client, elsewhere.secret(elsewhere.at())))) == told


def test_an_older_secret_of_an_older_registration_has_none(
    client: Client, elsewhere: InClouds, clouds: MicrosoftClouds
) -> None:
    clouds.answers["POST", "/token"] = refuses(clouds, 1)
    secret = elsewhere.secret(elsewhere.at())
    before = timezone.now() - timedelta(minutes=11)
    ClientSecret.objects.filter(pk=secret.pk).update(created_at=before)
    press(client, secret)
    run = FlowRun.objects.get()
    assert MESSAGE in page_of(client, run)  # the registration is new
    type(secret.application)._default_manager.filter(pk=secret.application_id).update(created_at=before)
    assert MESSAGE not in page_of(client, run)


def test_a_pasted_id_is_no_matter_of_time(
    client: Client, elsewhere: InClouds, clouds: MicrosoftClouds
) -> None:
    clouds.answers["POST", "/token"] = refuses(clouds, 1)
    secret = elsewhere.secret(elsewhere.at())
    run, _ = elsewhere.run(secret, scope=SCOPE, value=CLIENT_ID)
    assert run.error_code == 7000215
    assert MESSAGE not in page_of(client, run)


def test_a_certificate_whose_key_is_not_kept_leads_to_the_form(
    client: Client, elsewhere: InClouds, clouds: MicrosoftClouds
) -> None:
    clouds.answers["POST", "/token"] = refuses(clouds, 2, 700027)
    certificate = elsewhere.certificate(elsewhere.at(), CertificateHolder())
    run, _ = elsewhere.run(certificate, scope=SCOPE)
    assert "data-pause" in page_of(client, run)
    Certificate.objects.filter(pk=certificate.pk).update(private_key=None)
    page = page_of(client, run)
    part = page[page.index('id="patience"') : page.index('id="fix"')]
    assert "data-pause" not in part
    assert "<form" not in part
    assert f"tests/new?run={run.pk}" in part


def test_others_see_the_button_and_nothing_starts_for_them(
    client: Client, elsewhere: InClouds, clouds: MicrosoftClouds
) -> None:
    clouds.answers["POST", "/token"] = refuses(clouds, 1)
    press(client, elsewhere.secret(elsewhere.at()))
    run = FlowRun.objects.get()
    for who, sees in ((person("kit"), True), (person("ada", Role.READER), False)):
        page = page_of(signed_in_as(who), run)
        assert (MESSAGE in page) == sees
        assert "data-pause" not in page
        assert ("Try again" in page) == sees
        assert ("Run again" in page) == sees
        assert ("patience.js" in page) == sees


def signed_in_as(user: User) -> Client:
    """A browser of that person."""
    browser = Client()
    browser.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return browser


# ---------------------------------------------------------------- in a browser
@pytest.fixture
def routed(clouds: MicrosoftClouds, fresh_installation: InstallationFactory) -> Installation:
    """A running server whose way to Microsoft's sign-in host leads to the clouds of this test."""
    return fresh_installation(
        PYTHONPATH=str(ROUTE),
        TESTED_ROUTES=json.dumps({PUBLIC: clouds.port}),
        CREDMGR_ALLOWED_ORIGINS=f"https://{PUBLIC} ca={clouds.ca_file}",
    )


def open_form(page: "Page", installation: Installation) -> None:
    """The test's form of a registration in the cloud with a secret that was pasted a moment ago."""
    made = installation.json(
        *("register_app", "Ledger Export", "--entra", "public"),
        *("--tenant", DIRECTORY, "--client-id", CLIENT_ID),
    )
    done = installation.manage(
        "add_secret", made["id"], "--value-file", "-", "--name", "prod", "--days", "20", input=SECRET
    )
    assert done.returncode == 0, done.stderr
    installation.sign_in(page)
    page.goto(f"{installation.portal_url}/applications/{made['id']}/tests/new")
    page.locator("#id_scope").fill(SCOPE)


@pytest.mark.browser
def test_the_page_tries_again_by_itself_until_there_is_a_token(
    page: "Page", routed: Installation, clouds: MicrosoftClouds, axe: Any, screenshot: Any
) -> None:
    complaints: list[str] = []
    page.emulate_media(reduced_motion="reduce")  # else axe may meet a button between two themes
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    clouds.answers["POST", "/token"] = refuses(clouds, 2)
    page.clock.install()
    open_form(page, routed)
    page.get_by_role("button", name="Test acquire token").click()
    part = page.locator("#patience")
    status = part.get_by_role("status")
    part.wait_for()
    assert status.text_content() == "Try 1 of 6 was refused with AADSTS7000215. The next try is in 8 s."
    assert re.search(r"Next try in [1-8] s\.", part.inner_text())
    assert "every 8 s, at most 6 times or for 60 s" in part.inner_text()
    axe(page)
    screenshot(page, "patience-1440-light")
    first = page.url
    for width, theme in ((390, "light"), (390, "dark"), (1440, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        screenshot(page, f"patience-{width}-{theme}")
    page.clock.fast_forward(9_000)
    status.get_by_text("Try 2 of 6 was refused with AADSTS7000215.").wait_for()
    assert page.url == first
    page.clock.fast_forward(9_000)
    page.wait_for_url(lambda url: url != first)
    assert page.locator("[data-verdict]").get_attribute("data-verdict") == "acquired"
    assert page.locator("#patience").count() == 0
    assert SECRET not in page.content()
    assert complaints == []
    assert len([path for method, path, _, _ in clouds.requests if path.endswith("/token")]) == 3


@pytest.mark.browser
def test_stop_leads_to_the_last_run_and_holds(
    page: "Page", routed: Installation, clouds: MicrosoftClouds
) -> None:
    clouds.answers["POST", "/token"] = refuses(clouds, 9)
    page.clock.install()
    open_form(page, routed)
    page.get_by_role("button", name="Test acquire token").click()
    page.locator("#patience").wait_for()
    first = page.url
    page.clock.fast_forward(9_000)
    page.get_by_text("Try 2 of 6 was refused").wait_for()
    page.get_by_role("button", name="Stop").click()
    page.wait_for_url(lambda url: url != first and url.endswith("#stopped"))
    for _ in range(2):
        page.get_by_text("Try 2 of 6 was refused with AADSTS7000215. Stopped.").wait_for()
        page.clock.fast_forward(30_000)
        assert page.get_by_role("button", name="Stop").count() == 0
        page.reload()
    assert len([path for method, path, _, _ in clouds.requests if path.endswith("/token")]) == 2
    page.locator("#patience").get_by_role("button", name="Try again").click()
    page.get_by_text("Try 3 of 6 was refused").wait_for()


@pytest.mark.browser
def test_without_script_the_button_leads_to_the_new_run(
    browser: Any, routed: Installation, clouds: MicrosoftClouds
) -> None:
    clouds.answers["POST", "/token"] = refuses(clouds, 1)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    open_form(page, routed)
    page.get_by_role("button", name="Test acquire token").click()
    part = page.locator("#patience")
    assert MESSAGE in part.inner_text()
    assert "This page tries again" not in part.inner_text()
    assert part.get_by_role("button", name="Stop").count() == 0
    part.get_by_role("button", name="Try again").click()
    assert page.locator("[data-verdict]").get_attribute("data-verdict") == "acquired"
    context.close()
