"""Registrations that live elsewhere, in the portal: registering, their facts, pasted secrets, the list."""

import csv
import html
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from credmgr.audit.models import AuditEvent
from credmgr.audit.recording import Actor
from credmgr.credentials.client_secrets import open_value
from credmgr.credentials.existing_secrets import add_existing_secret
from credmgr.credentials.models import ClientSecret
from credmgr.origins.changing import add_origin
from credmgr.registrations.models import Application
from credmgr.registrations.places import entra_place, oidc_place
from tests.portal import certificate_files as files
from tests.portal.conftest import PASSWORD, Register
from tests.portal.credential_forms import age_sign_in, credentials_of, secret_form, stored_secret, upload

pytestmark = pytest.mark.django_db
TENANT = "2b0f2b5e-6c2f-4b0e-9d5a-0b1c2d3e4f50"
CLIENT = "6f2f4a6e-9f2c-4d0b-8a51-1c6f3f0a7e11"
ISSUER = "https://idp.example.com/realms/main/"
VALUE = "p.8Q~canary-of-another-authority_0123456"


def text_of(answer: Any) -> str:
    """The page's words."""
    return html.unescape(answer.content.decode())


def form(client: Client, **typed: str) -> dict[str, str]:
    """The register form as a browser without script sends it, every field of every place with it."""
    body = client.get("/applications/new").content.decode()
    token = re.search(r'name="form_token" value="([^"]+)"', body)
    assert token, body
    return {
        "form_token": token.group(1),
        "display_name": "Ledger Export",
        "place": "entra",
        "cloud": "public",
        "tenant": TENANT,
        "issuer": "",
        "client_id": CLIENT,
        "sign_in_audience": "AzureADMyOrg",
        "identifier_uri": "",
        "start_with": "secret",
        "notes": "",
        **typed,
    }


@pytest.fixture
def ledger(register: Register) -> Application:
    """A registration of Entra's public cloud."""
    return register("Ledger Export", place=entra_place(cloud="public", tenant=TENANT, client_id=CLIENT))


@pytest.fixture
def issuer_app(register: Register) -> Application:
    """A registration at another issuer."""
    return register("Issuer Worker", place=oidc_place(issuer=ISSUER, client_id="worker <1>"))


def pasted(application: Application, **given: Any) -> ClientSecret:
    """A secret kept by the act itself."""
    actor = Actor("Robin Vale", None)
    defaults: dict[str, Any] = {"value": VALUE, "description": "prod", "actor": actor, "now": timezone.now()}
    return add_existing_secret(application, **(defaults | given))


# ---------------------------------------------------------------- registering


@pytest.mark.parametrize(
    ("typed", "authority_url", "client_id"),
    [
        ({}, f"https://login.microsoftonline.com/{TENANT}", CLIENT),
        (
            {"cloud": "france", "tenant": "Contoso.onmicrosoft.com", "client_id": f" {CLIENT.upper()} "},
            "https://login.sovcloud-identity.fr/contoso.onmicrosoft.com",
            CLIENT,
        ),
        ({"place": "oidc", "issuer": ISSUER, "client_id": "worker", "tenant": "left over"}, ISSUER, "worker"),
    ],
)
def test_an_application_of_elsewhere_is_registered(
    signed_in: Client, typed: dict[str, str], authority_url: str, client_id: str
) -> None:
    """What other places' fields hold is left alone; next comes the form for its existing secret."""
    answer = signed_in.post("/applications/new", form(signed_in, identifier_uri="api://ignored", **typed))
    assert answer.status_code == 302, text_of(answer)
    made = Application.objects.get()
    assert (made.authority_url, made.external_client_id) == (authority_url, client_id)
    assert not made.identifier_uris.exists()
    assert answer.headers["Location"] == credentials_of(made, "/secrets/new")
    assert "Add an existing client secret" in text_of(signed_in.get(answer.headers["Location"]))


def test_a_place_that_may_not_be_called_is_said_and_leads_to_the_list(signed_in: Client) -> None:
    """Decision 16: it is kept; the overview says so until the origin is listed."""
    oidc = form(signed_in, place="oidc", issuer=ISSUER, client_id="worker", start_with="nothing")
    answer = signed_in.post("/applications/new", oidc)
    body = text_of(signed_in.get(answer.headers["Location"]))
    link = "/origins/new?address=https%3A%2F%2Fidp.example.com"
    assert (
        "https://idp.example.com is not on the list of allowed origins, so no test of it can be run yet"
        in body
    )
    assert body.count(link) == 2  # in the message, and in the bar that stays
    body = text_of(signed_in.get(answer.headers["Location"]))
    assert "Tests cannot be run yet." in body
    add_origin(address="https://idp.example.com", actor=Actor("Robin Vale", None), now=timezone.now())
    assert "Tests cannot be run yet." not in text_of(signed_in.get(answer.headers["Location"]))
    entra = signed_in.post("/applications/new", form(signed_in, start_with="nothing"))
    assert "is not on the list" not in text_of(signed_in.get(entra.headers["Location"]))


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"place": "moon"}, "Choose one of the places."),
        (
            {"tenant": ""},
            "Directory (tenant) ID or domain: Enter the directory (tenant) ID or one of its domains.",
        ),
        ({"tenant": "common"}, "stands for many directories"),
        ({"client_id": "worker"}, "An application (client) ID of Entra is a GUID"),
        ({"cloud": "moon"}, "Cloud: Choose one of the listed clouds."),
        ({"place": "oidc", "issuer": ""}, "Issuer: Enter the issuer."),
        (
            {"place": "oidc", "issuer": f"https://login.microsoftonline.com/{TENANT}/v2.0"},
            "enter its directory",
        ),
        ({"place": "oidc", "issuer": ISSUER, "client_id": ""}, "Enter the client ID."),
        ({"place": "oidc", "issuer": ISSUER, "client_id": "x" * 2000}, "characters"),
        ({"place": "oidc", "issuer": "https://x.example/" + "x" * 5000, "client_id": "x"}, "characters"),
        ({"tenant": "a\x00b"}, "Null characters are not allowed."),
    ],
)
def test_a_refused_place_keeps_what_was_typed(
    signed_in: Client, typed: dict[str, str], sentence: str
) -> None:
    answer = signed_in.post("/applications/new", form(signed_in, **typed))
    body = text_of(answer)
    assert answer.status_code == 422
    assert "The application was not registered." in body
    assert sentence in body
    assert 'value="Ledger Export"' in body
    assert not Application.objects.exists()


def test_the_same_client_twice_is_refused_at_its_field(signed_in: Client, ledger: Application) -> None:
    body = text_of(signed_in.post("/applications/new", form(signed_in)))
    assert "Application (client) ID: Ledger Export already stands for this client ID there." in body


def test_errors_of_places_that_were_not_chosen_are_not_told(signed_in: Client) -> None:
    long = {"issuer": "x" * 5000, "client_id": "y" * 5000, "tenant": "z" * 5000}
    answer = signed_in.post("/applications/new", form(signed_in, place="built-in", **long))
    assert answer.status_code == 302
    assert Application.objects.get().authority_kind == "built-in"


# ---------------------------------------------------------------- its own facts, and no others


def test_the_overview_of_an_entra_registration(signed_in: Client, ledger: Application) -> None:
    body = text_of(signed_in.get(f"/applications/{ledger.pk}"))
    main = body[body.index("<main") :]
    for part in (
        "App registration at Entra ID, public cloud",
        CLIENT,
        f"https://login.microsoftonline.com/{TENANT}",
        TENANT,
        "Microsoft Entra ID, public cloud",
        "Directory (tenant) ID",
        "Add a copy of a credential",
    ):
        assert part in main, part
    for hidden in (
        str(ledger.client_id),
        str(ledger.service_principal_id),
        str(ledger.tenant_id),
        "Object ID",
        "Service principal",
        "Application ID URI",
        "Disable sign-in",
        "Sign-ins",
        "API permissions",
        "Expose an API",
        "App roles",
    ):
        assert hidden not in main, hidden


def test_the_overview_of_one_at_an_issuer(signed_in: Client, issuer_app: Application) -> None:
    raw = signed_in.get(f"/applications/{issuer_app.pk}").content.decode()
    assert "<code>worker &lt;1&gt;</code>" in raw
    body = html.unescape(raw)
    assert "OpenID Connect issuer" in body
    assert f"<code>{ISSUER}</code>" in body
    assert "Directory" not in body[body.index('class="facts"') : body.index("</dl>")]


def test_endpoints_are_those_of_its_authority(
    signed_in: Client, ledger: Application, issuer_app: Application
) -> None:
    body = text_of(signed_in.get(f"/applications/{ledger.pk}/endpoints"))
    base = f"https://login.microsoftonline.com/{TENANT}"
    for address in (base, f"{base}/oauth2/v2.0/token", f"{base}/v2.0<", "https://graph.microsoft.com"):
        assert address in body, address
    assert "localhost:8443" not in body
    assert "local CA" not in body
    body = text_of(signed_in.get(f"/applications/{issuer_app.pk}/endpoints"))
    assert f"{ISSUER}.well-known/openid-configuration" in body
    assert "oauth2/v2.0/token" not in body


def test_an_entra_tenant_given_as_a_domain_has_no_issuer_to_show(
    signed_in: Client, register: Register
) -> None:
    app = register(place=entra_place(cloud="china", tenant="contoso.partner.onmschina.cn", client_id=CLIENT))
    body = text_of(signed_in.get(f"/applications/{app.pk}/endpoints"))
    assert "Issuer (v2.0 tokens)" not in body
    assert "https://microsoftgraph.chinacloudapi.cn" in body
    assert "Directory domain" in text_of(signed_in.get(f"/applications/{app.pk}"))


@pytest.mark.parametrize(
    "page",
    [
        "expose-an-api",
        "expose-an-api/uri",
        "app-roles",
        "app-roles/new",
        "api-permissions",
        "api-permissions/new",
        "api-permissions/grant",
        "disable",
        "sign-ins",
        "credentials/federated/new",
    ],
)
def test_pages_of_the_built_in_authority_are_not_there(
    signed_in: Client, ledger: Application, harbor: Application, page: str
) -> None:
    assert signed_in.get(f"/applications/{ledger.pk}/{page}").status_code == 404
    assert signed_in.get(f"/applications/{harbor.pk}/{page}").status_code == 200


def test_the_federated_tab_says_where_trust_is_set_up(signed_in: Client, ledger: Application) -> None:
    body = text_of(signed_in.get(credentials_of(ledger, "/federated")))
    assert "Set up where the application lives" in body
    assert "decided at Entra ID, public cloud" in body
    assert "Add credential" not in body


def test_deleting_changes_nothing_there(signed_in: Client, ledger: Application) -> None:
    pasted(ledger)
    body = text_of(signed_in.get(f"/applications/{ledger.pk}/delete"))
    assert "At Entra ID, public cloud nothing changes" in body
    assert "token request" not in body
    signed_in.post(f"/applications/{ledger.pk}/delete")
    assert CLIENT in text_of(signed_in.get("/applications?tab=deleted"))
    assert "token request" not in text_of(signed_in.get(f"/applications/{ledger.pk}/restore"))
    assert "will never work again" not in text_of(signed_in.get(f"/applications/{ledger.pk}/purge"))
    signed_in.post("/applications/new", form(signed_in))
    body = text_of(signed_in.post(f"/applications/{ledger.pk}/restore"))
    assert "Ledger Export already stands for this client ID there." in body


# ---------------------------------------------------------------- properties


def test_place_and_client_id_are_edited_and_audited(signed_in: Client, ledger: Application) -> None:
    pasted(ledger)
    address = f"/applications/{ledger.pk}/properties"
    body = text_of(signed_in.get(address))
    assert f'value="{TENANT}"' in body
    assert "Stored secrets follow." in body
    assert "Supported account types" not in body
    version = re.search(r'name="version" value="(\d+)"', body)
    assert version
    typed = {
        "display_name": "Ledger Export",
        "cloud": "us-government",
        "tenant": TENANT,
        "client_id": CLIENT,
        "notes": "",
        "version": version.group(1),
    }
    assert signed_in.post(address, typed).status_code == 302
    ledger.refresh_from_db()
    assert ledger.authority_url == f"https://login.microsoftonline.us/{TENANT}"
    audit = text_of(signed_in.get(f"/applications/{ledger.pk}/audit"))
    assert f"Lives at: https://login.microsoftonline.com/{TENANT}, now {ledger.authority_url}" in audit
    stale = signed_in.post(address, typed | {"cloud": "china"})
    assert "The cloud is now: US Government" in text_of(stale)
    refused = signed_in.post(address, typed | {"tenant": "common", "version": str(ledger.version)})
    assert (refused.status_code, "stands for many" in text_of(refused)) == (422, True)


def test_moving_it_asks_for_the_password(signed_in: Client, issuer_app: Application) -> None:
    """Stored secrets are sent to the place, so it is guarded like them."""
    age_sign_in(signed_in)
    address = f"/applications/{issuer_app.pk}/properties"
    typed = {
        "display_name": "Issuer Worker",
        "issuer": "https://other.example.com",
        "client_id": "worker",
        "notes": "",
        "version": str(issuer_app.version),
    }
    body = text_of(signed_in.post(address, typed))
    assert "Enter your password" in body
    assert 'value="https://other.example.com"' in body
    answer = signed_in.post(address, typed | {"current_password": PASSWORD})
    assert answer.status_code == 302
    body = text_of(signed_in.get(address))
    assert "https://other.example.com is not on the list of allowed origins" in body


# ---------------------------------------------------------------- pasted secrets


def paste(client: Client, application: Application, **typed: str) -> Any:
    """Send the form of an existing secret."""
    fresh = secret_form(client, application)
    given = {"form_token": fresh["form_token"], "value": VALUE, "description": "prod", "start": "", "end": ""}
    return client.post(credentials_of(application, "/secrets/new"), {**given, **typed})


def test_a_pasted_secret_is_kept_and_never_shown(signed_in: Client, ledger: Application) -> None:
    answer = paste(signed_in, ledger)
    assert (answer.status_code, answer.headers["Location"]) == (302, credentials_of(ledger, "/secrets"))
    row = ledger.client_secrets.get()
    assert open_value(row) == VALUE
    body = text_of(signed_in.get(answer.headers["Location"]))
    assert "prod is kept, sealed. Its value is never shown." in body
    assert "No end known" in body
    assert "Not seen here" in body
    assert VALUE not in body
    assert str(row.pk) not in re.sub(r'(href|popovertarget|id)="[^"]*"', "", body)
    assert "Existing client secret added" in text_of(signed_in.get(f"/applications/{ledger.pk}/audit"))
    overview = text_of(signed_in.get(f"/applications/{ledger.pk}"))
    assert "Not known" in overview
    assert "No end known" in overview
    page = text_of(signed_in.get(credentials_of(ledger, f"/secrets/{row.pk}/delete")))
    assert "Nothing changes at Entra ID, public cloud" in page
    signed_in.post(credentials_of(ledger, f"/secrets/{row.pk}/delete"))
    assert not ClientSecret.objects.exists()


def test_dates_are_kept_where_they_are_typed(signed_in: Client, ledger: Application) -> None:
    today = timezone.now().date()
    end = today + timedelta(days=20)
    paste(signed_in, ledger, start=(today - timedelta(days=400)).isoformat(), end=end.isoformat())
    row = ledger.client_secrets.get()
    assert row.end_at is not None
    assert row.end_at.isoformat() == f"{end}T23:59:59+00:00"
    body = text_of(signed_in.get(credentials_of(ledger, "/secrets")))
    assert "prod has 20 days left." in body
    assert "never used" not in body
    assert "prod has 20 days left." in text_of(signed_in.get(f"/applications/{ledger.pk}"))
    assert "Expires in 20 days" in text_of(signed_in.get("/applications"))


@pytest.mark.parametrize(
    ("typed", "sentence", "offers"),
    [
        ({"value": ""}, "Value: Paste the value of the client secret.", False),
        ({"value": CLIENT}, "This looks like the Secret ID", False),
        ({"value": f" {VALUE}"}, "begins or ends with white space", True),
        ({"value": "short-canary"}, "The value has 12 characters.", False),
        ({"value": "canary" * 200}, "The value has 1,200 characters", False),
        ({"value": "canary" * 2000}, "more than 1,024 characters", False),
        ({"value": "canary\x00canary-canary"}, "Null characters are not allowed.", False),
        ({"end": "2020-01-01"}, "The end lies in the past", False),
        ({"start": "2020-01-02", "end": "2020-01-01"}, "The end is not after the start.", False),
        ({"end": "soon"}, "This is not a date.", False),
        ({"description": "d" * 300}, "300 characters", False),
        ({"form_token": ""}, "This form is incomplete", False),
    ],
)
def test_a_refusal_never_repeats_the_value(
    signed_in: Client, ledger: Application, typed: dict[str, str], sentence: str, offers: bool
) -> None:
    answer = paste(signed_in, ledger, **typed)
    body = text_of(answer)
    assert answer.status_code == 422
    assert "No client secret was added." in body
    assert sentence in body
    value = typed.get("value", VALUE).strip()
    assert not value or value not in body
    assert "canary" not in body
    assert ("meant exactly so" in body) == offers
    assert "Paste the value again" in body
    if "description" not in typed:
        assert 'value="prod"' in body
    assert not ClientSecret.objects.exists()
    assert not AuditEvent.objects.filter(tag="application:secret:imported").exists()


def test_an_odd_value_passes_when_it_is_meant_so(signed_in: Client, issuer_app: Application) -> None:
    assert "tick that it is meant so" in text_of(paste(signed_in, issuer_app, value=CLIENT))
    assert paste(signed_in, issuer_app, value=CLIENT, as_is="on").status_code == 302
    assert open_value(issuer_app.client_secrets.get()) == CLIENT


def test_l2_s3_it_asks_for_the_password_and_is_kept_once(signed_in: Client, ledger: Application) -> None:
    """L-2 and S-3: the value has to be pasted again, everything else stays; twice the same form is one."""
    age_sign_in(signed_in)
    body = text_of(paste(signed_in, ledger))
    assert "Enter your password" in body
    assert VALUE not in body
    token = re.search(r'name="form_token" value="([^"]+)"', body)
    assert token
    once = {"form_token": token.group(1), "current_password": PASSWORD}
    for _ in range(2):
        assert paste(signed_in, ledger, **once).status_code == 302
    assert ledger.client_secrets.count() == 1


def test_a_certificate_is_uploaded_as_ever(signed_in: Client, ledger: Application) -> None:
    assert upload(signed_in, ledger, files.seed().certificate).status_code == 302
    row = ledger.certificates.get()
    body = text_of(signed_in.get(credentials_of(ledger, "/certificates")))
    assert row.thumbprint_sha1 in body
    assert "Certificate ID" not in body
    assert "Not seen here" in body
    page = text_of(signed_in.get(credentials_of(ledger, f"/certificates/{row.pk}/delete")))
    assert "Nothing changes at Entra ID, public cloud" in page


# ---------------------------------------------------------------- the list


def test_the_list_has_a_column_only_when_something_lives_elsewhere(
    signed_in: Client, harbor: Application, register: Register
) -> None:
    assert "Lives at" not in text_of(signed_in.get("/applications"))
    app = register("Ledger", place=entra_place(cloud="public", tenant=TENANT, client_id=CLIENT))
    body = text_of(signed_in.get("/applications"))
    assert "Entra ID, public cloud" in body
    assert CLIENT in body
    assert str(app.client_id) not in body
    filtered = text_of(signed_in.get("/applications?place=entra"))
    assert "1 application found" in filtered
    assert "Harbor Sync Worker" not in filtered
    assert "place=entra" in text_of(signed_in.get("/applications?place=entra&size=50"))
    assert "No application matches" in text_of(signed_in.get("/applications?place=oidc"))
    assert "2 applications found" in text_of(signed_in.get("/applications?place=moon"))


def test_the_export_says_where_each_lives(
    signed_in: Client, harbor: Application, issuer_app: Application
) -> None:
    answer = signed_in.get("/applications/export?place=oidc")
    content = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined] # streams
    (row,) = csv.DictReader(io.StringIO(content))
    assert row["Application (client) ID"] == "worker <1>"
    assert (row["Lives at"], row["Authority"]) == ("idp.example.com", ISSUER)
    assert AuditEvent.objects.latest("sequence").changes["livesAt"] == "Another issuer"


def test_pages_cost_the_same_for_any_number_of_secrets(
    signed_in: Client, ledger: Application, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        pasted(ledger, value=f"{VALUE}{number}")
    with django_assert_max_num_queries(18):
        assert "12 client secrets" in text_of(signed_in.get(credentials_of(ledger, "/secrets")))


def test_a_secret_of_here_is_still_made_by_the_server(signed_in: Client, harbor: Application) -> None:
    stored_secret(harbor)
    body = text_of(signed_in.get(credentials_of(harbor, "/secrets/new")))
    assert "Add a client secret" in body
    assert 'name="value"' not in body
