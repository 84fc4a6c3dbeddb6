"""Test acquire token as a person meets it: the form, the result, the history, the programs."""

import re
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from credmgr.accounts import sessions
from credmgr.accounts.models import Session
from credmgr.audit.recording import Actor
from credmgr.credentials.certificates import add_certificate
from credmgr.credentials.client_secrets import add_client_secret, delete_client_secret
from credmgr.credentials.findings import examine
from credmgr.credentials.models import Certificate, ClientSecret
from credmgr.flowtest.models import FlowRun
from credmgr.registrations.models import Application
from tests.flowtest.far_side import Client as CertificateHolder
from tests.flowtest.far_side import FarSide, entra_error, send_json
from tests.installation import Installation
from tests.portal.conftest import PASSWORD
from tests.portal.questions import assert_asks_for_sign_in, assert_hides, assert_refuses_methods

if TYPE_CHECKING:
    from playwright.sync_api import Page

GRAPH = "https://graph.microsoft.com/.default"


@pytest.fixture
def side(tmp_path: Path, settings: Any) -> Iterator[FarSide]:
    """A far side in place of the built-in authority."""
    made = FarSide(tmp_path)
    settings.AUTHORITY_URL = made.url
    settings.CA_FILE = made.ca_file
    settings.TEST_DEADLINE_SECONDS = 3
    yield made
    made.close()


def secret_of(application: Application, **given: Any) -> tuple[ClientSecret, str]:
    """A client secret with its value."""
    now = timezone.now()
    values = {"description": "worker", "start_at": now, "end_at": now + timedelta(days=90), **given}
    return add_client_secret(application, actor=Actor.command(), now=now, **values)


def certificate_of(application: Application, holder: CertificateHolder, *, keep: bool) -> Certificate:
    """An uploaded certificate."""
    now = timezone.now()
    key = holder.key_pem if keep else None
    found = examine(
        application, certificate_file=holder.pem, keep_private_key=keep, key_file=key, password="", now=now
    )
    return add_certificate(application, examination=found, description="sync", actor=Actor.command(), now=now)


def press(client: Client, application: Application, credential: Any, **given: Any) -> Any:
    """Send the form."""
    data = {"credential": str(credential.pk), "scope": f"{application.client_id}/.default", **given}
    return client.post(f"/applications/{application.pk}/tests/new", data)


def text_of(answer: Any) -> str:
    """The page as text."""
    return str(answer.content.decode())


# ---------------------------------------------------------------- the questions of every page
@pytest.mark.parametrize("page", ["tests", "tests/new", "code", "tests/11111111-2222-4333-8444-555555555555"])
def test_every_page_asks_the_same(
    signed_in: Client, harbor: Application, foreign: Application, page: str
) -> None:
    assert_asks_for_sign_in(f"/applications/{harbor.pk}/{page}")
    assert_hides(signed_in, f"/applications/{{}}/{page}", foreign)
    methods = ["PUT", "DELETE", "PATCH"] if page == "tests/new" else ["POST", "PUT", "DELETE", "PATCH"]
    assert_refuses_methods(signed_in, f"/applications/{harbor.pk}/{page}", methods)


def test_l4_a_run_of_another_application_is_not_found(
    signed_in: Client, register: Callable[..., Application], side: FarSide
) -> None:
    one, two = register("One"), register("Two")
    secret, _ = secret_of(one)
    press(signed_in, one, secret)
    run = FlowRun.objects.get()
    assert signed_in.get(f"/applications/{one.pk}/tests/{run.pk}").status_code == 200
    assert signed_in.get(f"/applications/{two.pk}/tests/{run.pk}").status_code == 404


def test_l5_the_form_needs_its_csrf_token(harbor: Application, signed_in: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = signed_in.cookies
    assert press(strict, harbor, harbor).status_code == 403


# ---------------------------------------------------------------- the form
def test_without_a_credential_the_form_leads_to_making_one(signed_in: Client, harbor: Application) -> None:
    page = text_of(signed_in.get(f"/applications/{harbor.pk}/tests/new"))
    assert "No credential to test" in page
    assert f"/applications/{harbor.pk}/credentials/secrets/new" in page


def test_the_form_stands_on_the_credential_it_was_opened_for(signed_in: Client, harbor: Application) -> None:
    first, _ = secret_of(harbor)
    secret_of(harbor, description="newer")
    page = text_of(
        signed_in.get(f"/applications/{harbor.pk}/tests/new?credential={first.pk}&scope=api://x/.default")
    )
    assert re.search(rf'<option value="{first.pk}"[^>]* selected', page)
    assert 'value="api://x/.default"' in page
    assert f'<option value="{GRAPH}"' in page  # the directory's resources are offered


def test_a_nonsense_credential_in_the_address_changes_nothing(signed_in: Client, harbor: Application) -> None:
    secret, _ = secret_of(harbor)
    page = text_of(signed_in.get(f"/applications/{harbor.pk}/tests/new?credential=%27%22&scope={'x' * 5000}"))
    assert re.search(rf'<option value="{secret.pk}"[^>]* selected', page)


def test_a_press_leads_to_a_page_with_a_lasting_address(
    signed_in: Client, harbor: Application, side: FarSide
) -> None:
    secret, _ = secret_of(harbor)
    answer = press(signed_in, harbor, secret)
    run = FlowRun.objects.get()
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/applications/{harbor.pk}/tests/{run.pk}"
    page = text_of(signed_in.get(answer.headers["Location"]))
    assert "Token acquired and verified in" in page
    assert "The raw token was not kept" in page
    assert "Signature is valid" in page
    assert run.actor_name == "Robin Vale"


def test_a_credential_that_went_meanwhile_is_refused_in_words(
    signed_in: Client, harbor: Application, side: FarSide
) -> None:
    secret, _ = secret_of(harbor)
    secret_of(harbor, description="other")
    stale = ClientSecret.objects.get(pk=secret.pk)
    delete_client_secret(secret, actor=Actor.command(), now=timezone.now())
    answer = press(signed_in, harbor, stale, scope="api://kept/.default")
    assert answer.status_code == 422
    assert "The test was not run." in text_of(answer)
    assert 'value="api://kept/.default"' in text_of(answer)
    assert side.requests == []


@pytest.mark.parametrize("scope", ["", " ", "x" * 600, "a\x00b"])
def test_a_bad_scope_keeps_what_was_typed(
    signed_in: Client, harbor: Application, side: FarSide, scope: str
) -> None:
    secret, _ = secret_of(harbor)
    answer = press(signed_in, harbor, secret, scope=scope)
    assert answer.status_code == 422
    assert "The test was not run." in text_of(answer)
    assert not FlowRun.objects.exists()
    assert side.requests == []


def test_a_verify_only_secret_takes_its_value_and_forgets_it(
    signed_in: Client, harbor: Application, side: FarSide
) -> None:
    secret, value = secret_of(harbor, verify_only=True)
    missing = press(signed_in, harbor, secret)
    assert "Enter the value: only its digest is kept here." in text_of(missing)
    wrong = press(signed_in, harbor, secret, secret_value=value, scope="")
    assert value not in text_of(wrong)
    answer = press(signed_in, harbor, secret, secret_value=value)
    assert answer.status_code == 302
    assert value not in text_of(signed_in.get(answer.headers["Location"]))
    assert FlowRun.objects.get().verdict == "verified"


def test_a_certificate_takes_its_key_file_for_one_run(
    signed_in: Client, harbor: Application, side: FarSide
) -> None:
    holder = CertificateHolder()
    certificate = certificate_of(harbor, holder, keep=False)
    both = text_of(press(signed_in, harbor, certificate, scope="a\u200bb"))
    assert "Choose the private key file" in both
    assert "The scope holds a line break or a control character." in both, "two answers for two mistakes"
    file = SimpleUploadedFile("server.pem", holder.key_pem)
    answer = press(signed_in, harbor, certificate, private_key_file=file)
    page = text_of(signed_in.get(answer.headers["Location"]))
    assert "Both shapes, side by side" in page
    assert "PS256" in page
    assert "x5t#S256" in page
    assert holder.key_pem.decode().splitlines()[2] not in page


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"nonsense", "holds no private key"), (b"x" * 70_000, "larger than 64 KB"), (b"", "empty")],
)
def test_a_bad_key_file_is_refused_in_words(
    signed_in: Client, harbor: Application, side: FarSide, content: bytes, sentence: str
) -> None:
    certificate = certificate_of(harbor, CertificateHolder(), keep=False)
    answer = press(signed_in, harbor, certificate, private_key_file=SimpleUploadedFile("k.pem", content))
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert side.requests == []


def test_o9_the_limit_is_a_sentence(
    signed_in: Client, harbor: Application, side: FarSide, settings: Any
) -> None:
    settings.TESTS_PER_MINUTE = 1
    secret, _ = secret_of(harbor)
    press(signed_in, harbor, secret)
    answer = press(signed_in, harbor, secret)
    assert answer.status_code == 429
    assert "Wait a minute" in text_of(answer)


# ---------------------------------------------------------------- the raw token
def go_stale(client: Client) -> None:
    """Let the last proof of who this is be long ago."""
    session = client.session
    session[sessions.CONFIRMED_AT] = 0.0
    session.save()


def raw_token_in(page: str) -> str | None:
    """What stands in the place meant for it."""
    found = re.search(r'<pre id="raw-token">([^<]+)</pre>', page)
    return found[1] if found else None


def test_p8_the_raw_token_is_in_that_one_answer_only(
    signed_in: Client, harbor: Application, side: FarSide
) -> None:
    secret, _ = secret_of(harbor)
    answer = press(signed_in, harbor, secret, include_raw_token="on")
    token = raw_token_in(text_of(answer))
    assert answer.status_code == 200
    assert token is not None
    assert token.count(".") == 2
    assert "no-store" in answer.headers["Cache-Control"]
    run = FlowRun.objects.get()
    assert token not in text_of(signed_in.get(f"/applications/{harbor.pk}/tests/{run.pk}"))
    assert token not in str(run.report)
    assert all(token not in str(session.get_decoded()) for session in Session.objects.all())


def test_l2_a_stale_sign_in_asks_for_the_password_in_the_same_form(
    signed_in: Client, harbor: Application, side: FarSide
) -> None:
    secret, _ = secret_of(harbor)
    go_stale(signed_in)
    asked = press(signed_in, harbor, secret, include_raw_token="on", scope="api://kept/.default")
    assert "Enter your password" in text_of(asked)
    assert 'value="api://kept/.default"' in text_of(asked)
    assert side.requests == []
    wrong = press(signed_in, harbor, secret, include_raw_token="on", current_password="not it")
    assert raw_token_in(text_of(wrong)) is None
    assert "not it" not in text_of(wrong)
    right = press(signed_in, harbor, secret, include_raw_token="on", current_password=PASSWORD)
    assert raw_token_in(text_of(right)) is not None


def test_without_the_raw_token_no_password_is_asked(
    signed_in: Client, harbor: Application, side: FarSide
) -> None:
    secret, _ = secret_of(harbor)
    go_stale(signed_in)
    page = text_of(signed_in.get(f"/applications/{harbor.pk}/tests/new"))
    field = re.search(r'<input[^>]*name="current_password"[^>]*>', page)
    assert field is not None
    assert "required" not in field[0]
    assert press(signed_in, harbor, secret).status_code == 302


def test_l2_a_kept_private_key_signs_only_after_the_password(
    signed_in: Client, harbor: Application, side: FarSide
) -> None:
    """A key that lies here signs for those who gave the password a moment ago."""
    kept = certificate_of(harbor, CertificateHolder(), keep=True)
    go_stale(signed_in)
    asked = press(signed_in, harbor, kept)
    assert "Enter your password" in text_of(asked)
    assert side.requests == []
    assert press(signed_in, harbor, kept, current_password="not it").status_code == 422
    assert side.requests == []
    assert press(signed_in, harbor, kept, current_password=PASSWORD).status_code == 302
    assert side.requests != []


def test_a_failed_run_with_the_box_ticked_goes_to_its_page(
    signed_in: Client, harbor: Application, side: FarSide
) -> None:
    secret, _ = secret_of(harbor)
    body = entra_error(7000215, "invalid_client", "No.")
    side.answers["POST", "/token"] = lambda request: send_json(request, 401, body)
    assert press(signed_in, harbor, secret, include_raw_token="on").status_code == 302


# ---------------------------------------------------------------- the result and the history
def test_a_failure_leads_with_cause_and_cure(signed_in: Client, harbor: Application, side: FarSide) -> None:
    secret, _ = secret_of(harbor, verify_only=True)
    body = entra_error(7000215, "invalid_client", "Wrong <b>secret</b>.")
    side.answers["POST", "/token"] = lambda request: send_json(request, 401, body)
    answer = press(signed_in, harbor, secret, secret_value=str(secret.pk))
    page = text_of(signed_in.get(answer.headers["Location"]))
    order = [
        page.index("No token: the Secret ID was sent instead of the Value"),
        page.index("How to fix it</h2>"),
        page.index("Checked against what is stored here"),
        page.index("What happened"),
        page.index("About AADSTS7000215"),
        page.index("For a support request"),
    ]
    assert order == sorted(order)
    assert f'href="/applications/{harbor.pk}/credentials/secrets/new"' in page
    assert body["trace_id"] in page
    assert "<b>secret</b>" not in page
    assert "Stopped at step 2 of 4" in page


def test_the_second_failure_says_since_when(signed_in: Client, harbor: Application, side: FarSide) -> None:
    secret, _ = secret_of(harbor)
    body = entra_error(7000215, "invalid_client", "No.")
    side.answers["POST", "/token"] = lambda request: send_json(request, 401, body)
    press(signed_in, harbor, secret)
    page = text_of(signed_in.get(press(signed_in, harbor, secret).headers["Location"]))
    assert "Failing since" in page
    assert "2 runs" in page


def test_a_second_success_is_compared_with_the_first(
    signed_in: Client, harbor: Application, side: FarSide
) -> None:
    secret, _ = secret_of(harbor)
    side.claims = {"roles": ["Routes.Read"]}
    press(signed_in, harbor, secret)
    side.claims = {"roles": ["Routes.Read", "Routes.Write"]}
    page = text_of(signed_in.get(press(signed_in, harbor, secret).headers["Location"]))
    assert "gained Routes.Write" in page


def test_the_result_outlives_its_credential(signed_in: Client, harbor: Application, side: FarSide) -> None:
    secret, _ = secret_of(harbor)
    address = press(signed_in, harbor, secret).headers["Location"]
    delete_client_secret(secret, actor=Actor.command(), now=timezone.now())
    page = text_of(signed_in.get(address))
    assert "deleted since" in page
    assert "Run again" not in page


def test_the_history_lists_runs_newest_first_and_pages(
    signed_in: Client, harbor: Application, side: FarSide, django_assert_max_num_queries: Any
) -> None:
    assert "Not tested yet" in text_of(signed_in.get(f"/applications/{harbor.pk}/tests"))
    secret, _ = secret_of(harbor)
    press(signed_in, harbor, secret)
    run = FlowRun.objects.get()
    for number in range(30):
        run.pk = None
        run._state.adding = True
        run.id = uuid.uuid4()
        run.started_at -= timedelta(minutes=1)
        run.scope = f"api://{number}/.default"
        run.save()
    with django_assert_max_num_queries(12):
        page = text_of(signed_in.get(f"/applications/{harbor.pk}/tests"))
    assert "1 to 25 of 31" in page
    assert page.index("api://0/.default") < page.index("api://1/.default")
    assert "api://29/.default" in text_of(signed_in.get(f"/applications/{harbor.pk}/tests?page=2"))
    assert signed_in.get(f"/applications/{harbor.pk}/tests?page=nonsense").status_code == 200


def test_the_programs_page_names_this_application_and_no_secret(
    signed_in: Client, harbor: Application
) -> None:
    _, value = secret_of(harbor)
    page = text_of(signed_in.get(f"/applications/{harbor.pk}/code"))
    assert str(harbor.client_id) in page
    assert value not in page
    for variable in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "AZURE_AUTHORITY_HOST"):
        assert variable in page


# ---------------------------------------------------------------- in a real browser
@pytest.fixture
def walk(signed_in_page: "Page", installation: Installation, tmp_path: Path) -> dict[str, Any]:
    """An application with a secret and a certificate with its key, on the running server."""
    app = installation.json(
        "register_app", f"Flow {tmp_path.name}", "--identifier-uri", f"api://{tmp_path.name}"
    )
    secret = installation.json("add_secret", app["appId"], "--name", "worker")
    holder = CertificateHolder()
    (tmp_path / "server.crt").write_bytes(holder.pem)
    (tmp_path / "server.pem").write_bytes(holder.key_pem)
    certificate = installation.json("add_certificate", app["appId"], str(tmp_path / "server.crt"))
    address = f"{installation.portal_url}/applications/{app['id']}"
    return {"address": address, "secret": secret, "certificate": certificate, "folder": tmp_path}


def look(page: "Page", axe: Callable[["Page"], None]) -> None:
    """No violation, and nothing wider than the window: both themes, wide and narrow."""
    for theme in ("light", "dark"):
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
            page.wait_for_timeout(250)  # colours change in a transition
            axe(page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), (
                f"{page.url} {width}"
            )


@pytest.mark.browser
def test_the_walk_in_a_browser(
    signed_in_page: "Page", walk: dict[str, Any], axe: Callable[["Page"], None]
) -> None:
    """Panel, busy state, result, key file, failure, history, programs; axe on every one of them."""
    page, address = signed_in_page, walk["address"]
    page.goto(f"{address}/tests")
    look(page, axe)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("link", name="Test acquire token").first.click()
    page.wait_for_selector("dialog[open] select")
    page.select_option("select[name=credential]", walk["secret"]["keyId"])
    assert not page.locator("input[name=private_key_file]").is_visible()
    page.select_option("select[name=credential]", walk["certificate"]["keyId"])
    assert page.locator("input[name=private_key_file]").is_visible()
    assert not page.locator("input[name=secret_value]").is_visible()
    page.set_input_files("input[name=private_key_file]", str(walk["folder"] / "server.pem"))
    page.locator("dialog button[type=submit]").click()
    page.wait_for_url("**/tests/*-*")
    assert "Token acquired and verified" in page.locator("#verdict").inner_text()
    assert page.locator(".hop").count() == 10
    look(page, axe)
    page.goto(f"{address}/tests/new?credential={walk['secret']['keyId']}&scope=api://nowhere/.default")
    look(page, axe)
    page.locator("form.test-form button[type=submit], main form button[type=submit]").first.click()
    page.wait_for_url("**/tests/*-*")
    assert "the resource is not known" in page.locator("#verdict").inner_text()
    look(page, axe)
    page.goto(f"{address}/code")
    look(page, axe)


@pytest.mark.browser
def test_the_walk_without_script(browser: Any, installation: Installation, walk: dict[str, Any]) -> None:
    """Everything works with script off."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    installation.sign_in(page)
    page.goto(f"{walk['address']}/tests")
    page.get_by_role("link", name="Test acquire token").first.click()
    page.select_option("select[name=credential]", walk["secret"]["keyId"])
    page.locator("main form button[type=submit]").click()
    assert "Token acquired and verified" in page.locator("#verdict").inner_text()
    page.get_by_role("button", name="Run again").click()
    assert "Token acquired and verified" in page.locator("#verdict").inner_text()
    context.close()
