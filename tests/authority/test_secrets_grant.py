"""Token requests with a client secret: each way to be refused, and what a token is."""

import base64
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import ANY
from urllib.parse import quote_plus

import joserfc.jwk
import joserfc.jwt
import pytest
from django.conf import LazySettings
from django.conf import settings as django_settings

from credmgr.audit.models import SignIn
from credmgr.audit.recording import Actor
from credmgr.credentials.client_secrets import delete_client_secret
from credmgr.registrations.deleting import delete_application
from credmgr.registrations.registering import set_disabled
from tests.authority.conftest import Directory, unknown_guid


def verified(
    directory: Directory, token: str, *, version: str
) -> tuple[dict[str, object], dict[str, object]]:
    """(header, claims), the signature checked by another library against the published keys."""
    path = f"/{directory.tenant.id}/discovery/{'v2.0/' if version == '2.0' else ''}keys"
    published: Any = directory.get(path).body
    keys = joserfc.jwk.KeySet.import_key_set(published)
    decoded = joserfc.jwt.decode(token, keys, algorithms=["RS256"])
    return dict(decoded.header), dict(decoded.claims)


def basic(client_id: str, secret: str) -> dict[str, str]:
    """HTTP Basic as RFC 6749 section 2.3.1 has it."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def test_a_secret_gets_a_v1_token_for_graph(directory: Directory, secret: str) -> None:
    """W5: the format follows the resource, and Microsoft Graph's is v1."""
    answer = directory.ask(client_secret=secret)
    assert answer.status == 200
    assert answer.body == {
        "token_type": "Bearer",
        "expires_in": 3599,
        "ext_expires_in": 3599,
        "access_token": ANY,
    }
    header, claims = verified(directory, answer.token, version="1.0")
    assert header == {"typ": "JWT", "alg": "RS256", "kid": ANY, "x5t": header["kid"]}
    tenant, principal = str(directory.tenant.id), str(directory.app.service_principal_id)
    issuer = f"https://localhost:8443/{tenant}/"
    begins = claims["iat"]
    assert isinstance(begins, int)
    assert abs(begins + 300 - datetime.now(UTC).timestamp()) < 10
    assert claims == {
        "aud": "https://graph.microsoft.com",
        "iss": issuer,
        "iat": begins,
        "nbf": begins,
        "exp": begins + 3900,
        "aio": ANY,
        "appid": str(directory.app.client_id),
        "appidacr": "1",
        "idp": issuer,
        "oid": principal,
        "sub": principal,
        "rh": ANY,
        "tid": tenant,
        "uti": ANY,
        "ver": "1.0",
    }


def test_a_registration_gets_v2_tokens(directory: Directory, secret: str) -> None:
    """W5: what a registration asks for; the audience is its client id whatever name was used."""
    api = directory.register("Orders API", identifier_uri="api://orders")
    for scope in ("api://orders/.default", f"{api.client_id}/.default"):
        header, claims = verified(
            directory, directory.ask(client_secret=secret, scope=scope).token, version="2.0"
        )
        assert "x5t" not in header
        assert claims["aud"] == str(api.client_id)
        assert claims["iss"] == f"https://localhost:8443/{directory.tenant.id}/v2.0"
        assert (claims["azp"], claims["azpacr"], claims["ver"]) == (str(directory.app.client_id), "1", "2.0")
        assert not {"appid", "appidacr", "idp", "roles", "scp"} & set(claims)


def test_a_registration_may_ask_for_v1_tokens(directory: Directory, secret: str) -> None:
    """W5: null is v1, and the audience is the resource as asked."""
    api = directory.register("Old API", identifier_uri="api://old")
    type(api).objects.filter(pk=api.pk).update(access_token_version=None)
    _, claims = verified(
        directory, directory.ask(client_secret=secret, scope="api://old/.default").token, version="1.0"
    )
    assert (claims["aud"], claims["ver"]) == ("api://old", "1.0")


@pytest.mark.parametrize(
    "scope",
    [
        ".default",
        "https://graph.microsoft.com//.default",
        "00000003-0000-0000-c000-000000000000/.default",
        "https://localhost:8443/.default",
        "https://localhost:8443//.default",
        "https://localhost/.default",
        "https://management.azure.com//.default",
    ],
)
def test_scopes_that_real_clients_send(directory: Directory, secret: str, scope: str) -> None:
    """Each well-known name finds its resource, with the slash that the client wrote."""
    _, claims = verified(directory, directory.ask(client_secret=secret, scope=scope).token, version="1.0")
    asked = scope.removesuffix("/.default")
    assert claims["aud"] == ("https://graph.microsoft.com" if scope == ".default" else asked)


def test_tokens_and_their_ids_are_unique(directory: Directory, secret: str) -> None:
    """A-14: uti is the token's own, and leads to its row in the sign-in log."""
    for _ in range(3):
        _, claims = verified(directory, directory.ask(client_secret=secret).token, version="1.0")
        assert directory.last_sign_in().token_id == claims["uti"]
    assert SignIn.objects.values("token_id").distinct().count() == 3


@pytest.mark.parametrize("spelling", ["upper", "domain", "doubled"])
def test_the_directory_in_the_address(directory: Directory, secret: str, spelling: str) -> None:
    """Any case, a domain name, doubled slashes; the token always shows the GUID."""
    tenant = str(directory.tenant.id)
    path = {
        "upper": f"/{tenant.upper()}/oauth2/v2.0/token",
        "domain": "/Default.OnMicrosoft.Example/oauth2/v2.0/token",
        "doubled": f"/{tenant}//oauth2/v2.0//token",
    }[spelling]
    _, claims = verified(directory, directory.ask(client_secret=secret, path=path).token, version="1.0")
    assert claims["tid"] == tenant


def test_basic_authentication(directory: Directory, secret: str) -> None:
    """A-4: the scheme's name in any case, both parts form-encoded; client_id may be missing from the body."""
    headers = basic(str(directory.app.client_id), secret)
    assert directory.ask(headers=headers).status == 200
    assert directory.ask(client_id=None, headers=headers).status == 200
    assert (
        directory.ask(headers={"Authorization": headers["Authorization"].replace("Basic", "bAsIc")}).status
        == 200
    )


def test_only_a_failed_basic_attempt_names_the_scheme(directory: Directory, secret: str) -> None:
    """W4: WWW-Authenticate for Basic, none for a secret in the body."""
    answer = directory.ask(headers=basic(str(directory.app.client_id), "wrong"))
    answer.refused(401, "invalid_client", 7000215)
    assert answer.response["WWW-Authenticate"].startswith("Basic ")
    answer = directory.ask(client_secret="wrong")
    answer.refused(401, "invalid_client", 7000215)
    assert "WWW-Authenticate" not in answer.response.headers


def test_a_wrong_secret(directory: Directory, secret: str) -> None:
    """7000215 names the app, and nothing of what was sent."""
    text = directory.ask(client_secret=f"{secret[:-1]}!").refused(401, "invalid_client", 7000215)
    assert f"'{directory.app.client_id}'" in text
    assert secret[:10] not in text
    assert "Secret ID" in text
    row = directory.last_sign_in()
    assert (row.error_code, row.credential_type, row.credential_id) == (7000215, "clientSecret", None)
    assert row.application_id == directory.app.id


def test_the_secret_id_in_place_of_the_value(directory: Directory) -> None:
    """The commonest mistake is said plainly."""
    row, _ = directory.add_secret()
    text = directory.ask(client_secret=str(row.id)).refused(401, "invalid_client", 7000215)
    assert "What was sent is the Secret ID" in text


def test_an_expired_secret(directory: Directory) -> None:
    """W2: the right secret after its end is 7000222 and names the app, the Secret ID and the end."""
    row, value = directory.add_secret(start=timedelta(days=-9), end=timedelta(seconds=-1))
    text = directory.ask(client_secret=value).refused(401, "invalid_client", 7000222)
    assert f"'{directory.app.client_id}'" in text
    assert f"'{row.id}'" in text
    assert value not in text
    assert directory.last_sign_in().credential_id == row.id


def test_a_secret_that_has_not_begun(directory: Directory) -> None:
    """W2: it matches nothing yet."""
    _, value = directory.add_secret(start=timedelta(hours=1))
    directory.ask(client_secret=value).refused(401, "invalid_client", 7000215)


def test_two_live_secrets_and_one_expired(directory: Directory) -> None:
    """A12, W2: each works by itself, and the sign-in log says which one it was."""
    directory.add_secret(start=timedelta(days=-9), end=timedelta(days=-1))
    for row, value in (directory.add_secret(), directory.add_secret()):
        assert directory.ask(client_secret=value).status == 200
        assert directory.last_sign_in().credential_id == row.id


def test_a_deleted_secret_is_refused_with_the_next_request(directory: Directory) -> None:
    """A-13, decision 9: no cache outlives it; the other one goes on working."""
    gone, gone_value = directory.add_secret()
    _, kept_value = directory.add_secret()
    assert directory.ask(client_secret=gone_value).status == 200
    delete_client_secret(gone, actor=Actor.command(), now=directory.now)
    directory.ask(client_secret=gone_value).refused(401, "invalid_client", 7000215)
    assert directory.ask(client_secret=kept_value).status == 200


def test_a_secret_of_another_app(directory: Directory) -> None:
    """E-4: a value proves its own application only."""
    other = directory.register("Other")
    _, value = directory.add_secret(other)
    directory.ask(client_secret=value).refused(401, "invalid_client", 7000215)


def test_an_app_without_secrets(directory: Directory) -> None:
    """The same answer as for a wrong one."""
    directory.ask(client_secret="anything").refused(401, "invalid_client", 7000215)


def test_an_unknown_client(directory: Directory) -> None:
    """700016 names the id and the directory."""
    wanted = unknown_guid()
    text = directory.ask(client_id=wanted, client_secret="x").refused(400, "unauthorized_client", 700016)
    assert f"'{wanted}'" in text
    assert f"'{directory.tenant.name}'" in text


def test_a_deleted_client(directory: Directory, secret: str) -> None:
    """Gone with the next request."""
    assert directory.ask(client_secret=secret).status == 200
    delete_application(directory.app, actor=Actor.command(), now=directory.now)
    directory.ask(client_secret=secret).refused(400, "unauthorized_client", 700016)


def test_a_disabled_client(directory: Directory, secret: str) -> None:
    """W1: said before the credential is looked at, so also with a wrong one; enabling counts at once too."""
    set_disabled(directory.app, disabled=True, actor=Actor.command(), now=directory.now)
    text = directory.ask(client_secret="wrong").refused(400, "unauthorized_client", 7000112)
    assert f"'{directory.app.client_id}'" in text
    assert directory.app.display_name in text
    directory.app.refresh_from_db()
    set_disabled(directory.app, disabled=False, actor=Actor.command(), now=directory.now)
    assert directory.ask(client_secret=secret).status == 200


FULL_WIDTH = "\N{FULLWIDTH DIGIT ONE}" * 8 + "-0000-0000-0000-000000000001"


@pytest.mark.parametrize(
    "client_id",
    [
        str(uuid.UUID(int=0)),
        "harbor-sync",
        "{11111111-1111-1111-1111-111111111111}",
        "11111111111111111111111111111111",
        " 11111111-1111-1111-1111-111111111111",
        "11111111-1111-1111-1111-111111111111\x00",
        "urn:uuid:11111111-1111-1111-1111-111111111111",
        FULL_WIDTH,
        "1" * 5000,
    ],
)
def test_a_client_id_that_is_none(directory: Directory, client_id: str) -> None:
    """A-5: only the canonical ASCII form of a GUID, and not the empty one."""
    directory.ask(client_id=client_id, client_secret="x").refused(400, "unauthorized_client", 700038)
    assert directory.last_sign_in().error_code == 700038


def test_a_client_id_in_capitals(directory: Directory, secret: str) -> None:
    """GUIDs compare in any case; the log keeps the canonical form."""
    assert directory.ask(client_id=str(directory.app.client_id).upper(), client_secret=secret).status == 200
    assert directory.last_sign_in().client_id == str(directory.app.client_id)


def test_the_answer_comes_back_with_ids(directory: Directory, secret: str) -> None:
    """The client's GUID is echoed where asked; a text that is no GUID is not taken over."""
    wanted = unknown_guid()
    headers = {"client-request-id": wanted, "return-client-request-id": "true"}
    assert directory.ask(client_secret=secret, headers=headers).response["client-request-id"] == wanted
    answer = directory.ask(client_secret="wrong", headers={"client-request-id": wanted})
    answer.refused(401, "invalid_client", 7000215)
    assert answer.body["correlation_id"] == wanted
    assert "client-request-id" not in answer.response.headers
    answer = directory.ask(client_secret="wrong", headers={"client-request-id": "not a guid"})
    assert answer.body["correlation_id"] != "not a guid"


def test_unknown_extras_are_ignored(directory: Directory, secret: str) -> None:
    """What MSAL sends besides; client_info is asked for and must not come back."""
    extra: dict[str, Any] = {"x-client-SKU": "MSAL.Node"}
    answer = directory.ask(
        client_secret=secret,
        client_info="1",
        claims='{"access_token":{"xms_cc":{"values":["CP1"]}}}',
        path=directory.path + "?client-request-id=1&scope=ignored&client_secret=ignored",
        **extra,
    )
    assert answer.status == 200
    assert "client_info" not in answer.body


def test_a_secret_is_decoded_exactly_once(directory: Directory, secret: str) -> None:
    """A + or % in what is sent means what form encoding says."""
    body = f"grant_type=client_credentials&client_id={directory.app.client_id}&scope=.default&client_secret="
    assert directory.post(body + "".join(f"%{ord(each):02X}" for each in secret)).status == 200
    directory.post(body + quote_plus(quote_plus(secret + "%"))).refused(401, "invalid_client", 7000215)


def test_lifetime_is_a_setting(directory: Directory, secret: str, settings: LazySettings) -> None:
    """expires_in and exp move together."""
    settings.TOKEN_LIFETIME_SECONDS = 119
    answer = directory.ask(client_secret=secret)
    _, claims = verified(directory, answer.token, version="1.0")
    assert answer.body["expires_in"] == 119
    assert claims["exp"] == int(str(claims["iat"])) + 420
    assert django_settings.AUTHORITY_URL in str(claims["iss"])
