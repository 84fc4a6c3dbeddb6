"""Discovery, keys, instance discovery, Azure CLI's documents, pages, and what the gate does with all else."""

import base64
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import LazySettings
from django.test import Client

from credmgr import aadsts
from credmgr.authority.models import SigningKey
from credmgr.authority.routes import find_route
from credmgr.authority.signing_keys import ensure_signing_key
from tests.authority.conftest import Answer, Directory

AUTHORITY = "https://localhost:8443"


def test_discovery_v2(directory: Directory) -> None:
    """What clients need, the GUID in every address, only endpoints that answer
    (W6).
    """
    tenant = directory.tenant.id
    answer = directory.get(f"/{tenant}/v2.0/.well-known/openid-configuration")
    body = answer.body
    base = f"{AUTHORITY}/{tenant}"
    assert body["issuer"] == f"{base}/v2.0"
    assert body["token_endpoint"] == f"{base}/oauth2/v2.0/token"
    assert body["authorization_endpoint"] == f"{base}/oauth2/v2.0/authorize"
    assert body["jwks_uri"] == f"{base}/discovery/v2.0/keys"
    assert body["token_endpoint_auth_methods_supported"] == [
        "client_secret_post",
        "private_key_jwt",
        "client_secret_basic",
    ]
    assert body["id_token_signing_alg_values_supported"] == ["RS256"]
    assert "grant_types_supported" not in body
    assert answer.response["Access-Control-Allow-Origin"] == "*"
    assert answer.response["Cache-Control"].startswith("max-age=86400")
    for name, value in body.items():
        if name.endswith(("_endpoint", "_uri")):
            assert directory.client.get(value.removeprefix(AUTHORITY)).status_code in (200, 405), name


def test_discovery_v1(directory: Directory) -> None:
    """W5: Graph's tokens are v1, so are its metadata and keys; the issuer ends in a slash."""
    tenant = directory.tenant.id
    body = directory.get(f"/{tenant}/.well-known/openid-configuration").body
    assert body["issuer"] == f"{AUTHORITY}/{tenant}/"
    assert body["jwks_uri"] == f"{AUTHORITY}/{tenant}/discovery/keys"
    assert body["token_endpoint"] == f"{AUTHORITY}/{tenant}/oauth2/token"
    assert body["scopes_supported"] == ["openid"]
    keys = directory.get(f"/{tenant}/discovery/keys").body["keys"]
    assert keys
    assert "issuer" not in keys[0]


@pytest.mark.parametrize(
    "spelling", ["{id}", "{upper}", "default.onmicrosoft.example", "DEFAULT.onmicrosoft.EXAMPLE"]
)
def test_discovery_by_any_spelling(directory: Directory, spelling: str) -> None:
    """Domain or capitals in, GUID out; doubled slashes collapse (an authority that ends in a slash)."""
    tenant = str(directory.tenant.id)
    name = spelling.format(id=tenant, upper=tenant.upper())
    for path in (
        f"/{name}/v2.0/.well-known/openid-configuration",
        f"/{name}//v2.0/.well-known/openid-configuration",
    ):
        assert directory.get(path).body["issuer"] == f"{AUTHORITY}/{tenant}/v2.0"


@pytest.mark.parametrize("word", ["common", "organizations", "consumers"])
def test_discovery_for_any_directory(directory: Directory, word: str) -> None:
    """`az logout` asks for /organizations; the issuer has a placeholder."""
    body = directory.get(f"/{word}/v2.0/.well-known/openid-configuration").body
    assert body["issuer"] == f"{AUTHORITY}/{{tenantid}}/v2.0"
    assert body["token_endpoint"] == f"{AUTHORITY}/{word}/oauth2/v2.0/token"


@pytest.mark.parametrize(
    ("tenant", "error", "code"),
    [
        ("11111111-1111-1111-1111-111111111111", "invalid_tenant", 90002),
        ("nobody.example", "invalid_tenant", 90002),
        ("00000000-0000-0000-0000-000000000000", "invalid_tenant", 900021),
        ("nonsense", "invalid_request", 900023),
    ],
)
def test_discovery_of_no_directory(directory: Directory, tenant: str, error: str, code: int) -> None:
    """Discovery says invalid_tenant."""
    for path in (
        "v2.0/.well-known/openid-configuration",
        "discovery/v2.0/keys",
        ".well-known/openid-configuration",
    ):
        directory.get(f"/{tenant}/{path}").refused(400, error, code)


@pytest.mark.parametrize(
    "path",
    [
        "{id}/discovery/v2.0/keys",
        "{id}/discovery/keys",
        "common/discovery/keys",
        "common/discovery/v2.0/keys",
    ],
)
def test_the_key_set(directory: Directory, path: str) -> None:
    """Public members only, kid = x5t = base64url(SHA-1), a self-signed RSA-2048 certificate of 5
    years.
    """
    answer = directory.get("/" + path.format(id=directory.tenant.id))
    assert answer.response["Cache-Control"].startswith("max-age=3600")
    assert answer.response["Access-Control-Allow-Origin"] == "*"
    for key in answer.body["keys"]:
        assert set(key) - {"issuer"} == {"kty", "use", "kid", "x5t", "n", "e", "x5c"}
        assert (key["kty"], key["use"], key["e"]) == ("RSA", "sig", "AQAB")
        der = base64.b64decode(key["x5c"][0], validate=True)
        digest = hashlib.sha1(der, usedforsecurity=False).digest()
        assert key["kid"] == key["x5t"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
        certificate = x509.load_der_x509_certificate(der)
        public = certificate.public_key()
        assert isinstance(public, rsa.RSAPublicKey)
        assert public.key_size == 2048
        assert public.public_numbers().n == int.from_bytes(base64.urlsafe_b64decode(key["n"] + "=="), "big")
        years = (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days / 365
        assert 4.9 < years < 5.1


def test_cors_is_for_documents_only(directory: Directory) -> None:
    """H-5: a browser may ask before it reads; the token endpoint answers no script."""
    tenant = directory.tenant.id
    for path in (f"/{tenant}/discovery/v2.0/keys", f"/{tenant}/v2.0/.well-known/openid-configuration"):
        answer = directory.client.options(path, headers={"Origin": "https://app.example"})
        assert answer.status_code == 204
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Access-Control-Allow-Origin" not in directory.client.options(directory.path).headers


def test_documents_take_no_post(directory: Directory) -> None:
    """405 with Allow."""
    for path in (
        f"/{directory.tenant.id}/discovery/v2.0/keys",
        "/metadata/endpoints",
        "/subscriptions",
        "/error",
    ):
        answer = directory.post("", path=path)
        answer.refused(405, "invalid_request", 900561)
        assert "GET" in answer.response["Allow"]


def test_instance_discovery(directory: Directory) -> None:
    """For clients that are pointed at it; another host is not vouched for."""
    tenant = directory.tenant.id
    query = f"?api-version=1.1&authorization_endpoint={AUTHORITY}/{tenant}/oauth2/v2.0/authorize"
    body = directory.get(f"/common/discovery/instance{query}").body
    assert body["tenant_discovery_endpoint"] == f"{AUTHORITY}/{tenant}/v2.0/.well-known/openid-configuration"
    assert body["metadata"][0]["aliases"] == ["localhost:8443"]
    # MSAL for Python leaves the port out when it asks.
    assert directory.get(f"/common/discovery/instance{query.replace(':8443', '')}").body == body
    for other in (
        "https://evil.example/common/oauth2/authorize",
        "http://localhost:8443/x/y",
        "https://[",
        "x",
    ):
        answer = directory.get(f"/common/discovery/instance?authorization_endpoint={other}")
        answer.refused(400, "invalid_instance", 50049)
    directory.get("/common/discovery/instance").refused(400, "invalid_request", 900144)


def test_what_azure_cli_asks_besides(directory: Directory) -> None:
    """The four members that must exist; one audience that is Graph's id as well."""
    body = directory.get("/metadata/endpoints?api-version=2022-09-01").body
    assert body["name"]
    assert body["authentication"]["loginEndpoint"] == AUTHORITY
    assert body["authentication"]["audiences"][0] == body["microsoftGraphResourceId"] == f"{AUTHORITY}/"
    assert body["suffixes"] == {}
    assert directory.get("/subscriptions?api-version=2022-12-01").body == {"value": []}


def test_interactive_sign_in_is_not_offered(directory: Directory) -> None:
    """W6: the published address answers with a page that says so; no script, no cookie."""
    answer = directory.client.get(
        f"/{directory.tenant.id}/oauth2/v2.0/authorize?client_id=x&response_type=code"
    )
    assert answer.status_code == 200
    assert "Interactive sign-in is not offered" in answer.content.decode()
    assert "<script" not in answer.content.decode()
    assert "script-src" not in answer["Content-Security-Policy"]
    assert answer["Content-Security-Policy"].startswith("default-src 'none'")
    assert not answer.cookies


@pytest.mark.parametrize("code", sorted(aadsts.CATALOGUE))
def test_a_page_for_each_code(client: Client, code: int) -> None:
    """W6: error_uri leads to meaning and cure; public, needs no database."""
    page = client.get(f"/error?code={code}")
    text = page.content.decode()
    assert page.status_code == 200
    assert f"AADSTS{code}" in text
    assert page["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    "code", ["", "x", "1", "<script>alert(1)</script>", "٣", "9" * 5000, "-1", "7000215 "]
)
def test_no_page_for_other_texts(client: Client, code: str) -> None:
    """404, and the text is not repeated."""
    page = client.get("/error", {"code": code})
    assert page.status_code == 404
    assert "alert(1)" not in page.content.decode()


def test_many_query_parameters(client: Client) -> None:
    """Never a 5xx."""
    assert client.get("/error?" + "&".join(f"a{number}=1" for number in range(900))).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/11111111-1111-1111-1111-111111111111/nothing",
        "/11111111-1111-1111-1111-111111111111",
        "/common/oauth2/v2.0/devicecode",
        "/x/oauth2/v2.0/toke",
        "/default.onmicrosoft.example/oauth2/v1.0/token",
        "/organizations/v2.0",
    ],
)
def test_mistyped_addresses_are_json(client: Client, path: str) -> None:
    """A page would be a parse error in every client."""
    Answer(client.get(path)).refused(404, "invalid_request", 9002313)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/applications",
        "/applications/11111111-1111-1111-1111-111111111111/credentials",
        "/account/login",
        "/ca.pem",
        "/health/live",
        "/static/css/base.css",
        "/favicon.ico",
        "/errors",
        "/audit",
    ],
)
def test_the_portals_paths_are_not_the_authoritys(path: str) -> None:
    """The gate passes them on."""
    assert find_route(path) is None


def test_the_plain_listener_names_the_https_address(directory: Directory, settings: LazySettings) -> None:
    """Decision 4: 404 JSON; nothing of the authority answers there, not even its pages."""
    settings.LISTENER = "portal"
    tenant = directory.tenant.id
    for path in (f"/{tenant}/v2.0/.well-known/openid-configuration", "/error?code=50027", "/subscriptions"):
        text = directory.get(path).refused(404, "invalid_request", 9002313)
        assert f"{AUTHORITY}{path.partition('?')[0]}" in text
    text = directory.ask(client_secret="x").refused(404, "invalid_request", 9002313)
    assert AUTHORITY in text


def test_the_host_header_decides_nothing(directory: Directory, settings: LazySettings) -> None:
    """Decision 4: addresses come from the setting."""
    settings.ALLOWED_HOSTS = ["other.example"]
    answer = directory.get(
        f"/{directory.tenant.id}/v2.0/.well-known/openid-configuration", Host="other.example"
    )
    assert "other.example" not in answer.response.content.decode()


def test_a_public_url_is_everywhere(directory: Directory, settings: LazySettings) -> None:
    """And HSTS comes with it, which loopback must not have."""
    path = f"/{directory.tenant.id}/v2.0/.well-known/openid-configuration"
    assert "Strict-Transport-Security" not in directory.get(path).response.headers
    settings.PUBLIC_URL = settings.AUTHORITY_URL = "https://id.contoso.example"
    answer = directory.get(path)
    assert answer.body["issuer"] == f"https://id.contoso.example/{directory.tenant.id}/v2.0"
    assert "max-age" in answer.response["Strict-Transport-Security"]


# ------------------------------------------------------------------------------------------------ signing
# keys
def test_the_first_key_is_made_once(db: None, directory: Directory) -> None:
    """A second start finds it."""
    before = SigningKey.objects.get()
    assert ensure_signing_key(lambda: directory.now) == before
    assert SigningKey.objects.count() == 1


@pytest.mark.parametrize("ending", ["adminconsent", "v2.0/adminconsent"])
def test_an_admin_consent_address_leads_into_the_portal(directory: Directory, ending: str) -> None:
    """The address of Entra's documentation, directory by id or domain; anything odd in it is dropped."""
    tenant, client_id = directory.tenant.id, directory.app.client_id
    consent = f"/directories/{tenant}/consent"
    for named in (str(tenant), "default.onmicrosoft.example"):
        body = directory.client.get(f"/{named}/{ending}?client_id={client_id}&state=x").content.decode()
        assert f'href="{consent}?client_id={client_id}"' in body
    odd = directory.client.get(f"/{tenant}/{ending}?client_id=%22%3E%3Cscript%3E").content.decode()
    assert f'href="{consent}"' in odd
    assert "<script" not in odd
    anywhere = directory.client.get(f"/organizations/{ending}?client_id={client_id}").content.decode()
    assert f'href="/enterprise-applications/new?client_id={client_id}"' in anywhere
    unknown = directory.get(f"/{client_id}/{ending}")
    unknown.refused(400, "invalid_tenant", 90002)
    assert directory.client.post(f"/{tenant}/{ending}").status_code == 405
