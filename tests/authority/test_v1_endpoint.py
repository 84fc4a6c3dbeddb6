"""The v1.0 token endpoint: resource in place of scope, text in place of numbers, all else as in v2.0."""

from typing import Any
from unittest.mock import ANY

import pytest

from credmgr.audit.recording import Actor
from credmgr.registrations.registering import set_disabled
from tests.authority.assertion_maker import KeyPair
from tests.authority.conftest import Answer, Directory
from tests.authority.test_secrets_grant import basic, verified

GRAPH = "https://graph.microsoft.com"


def ask_v1(directory: Directory, **changes: Any) -> Answer:
    """A good v1.0 request without a credential; a change to None leaves a field out."""
    given: dict[str, Any] = {"scope": None, "resource": GRAPH, **changes}
    return directory.ask(path=f"/{directory.tenant.id}/oauth2/token", **given)


def test_the_success_body_is_text(directory: Directory, secret: str) -> None:
    """Strings where v2.0 has numbers, and three members more; the times are the token's own."""
    answer = ask_v1(directory, client_secret=secret)
    _, claims = verified(directory, answer.token, version="1.0")
    assert answer.body == {
        "token_type": "Bearer",
        "expires_in": "3599",
        "ext_expires_in": "3599",
        "expires_on": str(claims["exp"]),
        "not_before": str(claims["nbf"]),
        "resource": GRAPH,
        "access_token": ANY,
    }
    assert answer.response["Cache-Control"] == "no-store, no-cache"
    assert claims["aud"] == GRAPH


@pytest.mark.parametrize(
    "resource", ["https://graph.microsoft.com/", "00000003-0000-0000-c000-000000000000", "api://orders"]
)
def test_the_resource_is_echoed_as_asked(directory: Directory, secret: str, resource: str) -> None:
    directory.register("Orders API", identifier_uri="api://orders")
    assert ask_v1(directory, client_secret=secret, resource=resource).body["resource"] == resource


def test_the_token_follows_the_resource_and_not_the_endpoint(directory: Directory, secret: str) -> None:
    """W5."""
    api = directory.register("Orders API", identifier_uri="api://orders")
    answer = ask_v1(directory, client_secret=secret, resource="api://orders")
    _, claims = verified(directory, answer.token, version="2.0")
    assert (claims["ver"], claims["aud"]) == ("2.0", str(api.client_id))


def test_a_scope_says_nothing_here(directory: Directory, secret: str) -> None:
    """Clients of both endpoints send both; the resource decides, and alone a scope is no resource."""
    answer = ask_v1(directory, client_secret=secret, scope="api://nobody/.default")
    assert answer.body["resource"] == GRAPH
    text = ask_v1(directory, client_secret=secret, resource=None, scope=f"{GRAPH}/.default").refused(
        400, "invalid_request", 900144
    )
    assert "'resource'" in text


@pytest.mark.parametrize(
    ("changes", "status", "error", "code"),
    [
        ({"resource": ""}, 400, "invalid_request", 900144),
        ({"resource": "api://nobody"}, 400, "invalid_resource", 500011),
        ({"resource": f"{GRAPH}/.default"}, 400, "invalid_resource", 500011),
        ({"resource": "api://a\x00"}, 400, "invalid_resource", 500011),
        ({"resource": "x" * 9000}, 400, "invalid_resource", 500011),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"client_secret": None}, 401, "invalid_client", 7000216),
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_secret": "wrong", "resource": None}, 401, "invalid_client", 7000215),
        ({"client_id": None}, 400, "invalid_request", 900144),
    ],
    ids=repr,
)
def test_refusals_in_the_order_of_v2(
    directory: Directory, secret: str, changes: dict[str, Any], status: int, error: str, code: int
) -> None:
    """W1, on the same path of code."""
    ask_v1(directory, **{"client_secret": secret, **changes}).refused(status, error, code)


def test_basic_and_a_disabled_client(directory: Directory, secret: str) -> None:
    """RFC 6749 section 2.3.1; decision: disabling acts at once."""
    headers = basic(str(directory.app.client_id), secret)
    assert ask_v1(directory, client_id=None, headers=headers).status == 200
    set_disabled(directory.app, disabled=True, actor=Actor.command(), now=directory.now)
    ask_v1(directory, client_secret=secret).refused(400, "unauthorized_client", 7000112)


def test_an_assertion_names_either_endpoint(directory: Directory, pair: KeyPair) -> None:
    """A-9: both addresses of the directory are its audience; a wrong one is told this endpoint's."""
    directory.add_certificate(pair)
    v1 = f"https://localhost:8443/{directory.tenant.id}/oauth2/token"
    given = {"path": f"/{directory.tenant.id}/oauth2/token", "scope": None, "resource": GRAPH}
    for audience in (v1, directory.audience):
        assert directory.present(directory.assertion(pair, aud=audience), **given).status == 200
    text = directory.present(directory.assertion(pair, aud="https://elsewhere.example/"), **given).refused(
        401, "invalid_client", 700023
    )
    assert f"'{v1}'" in text


def test_each_answer_is_on_record(directory: Directory, secret: str) -> None:
    """Decision: the sign-in record is committed before the answer, at this endpoint too."""
    answer = ask_v1(directory, client_secret=secret)
    row = directory.last_sign_in()
    assert (str(row.trace_id), row.error_code, row.resource) == (
        answer.response["x-ms-request-id"],
        0,
        GRAPH,
    )
    ask_v1(directory, client_secret="wrong")
    assert directory.last_sign_in().error_code == 7000215


def test_other_methods_are_refused(directory: Directory) -> None:
    """W4."""
    directory.get(f"/{directory.tenant.id}/oauth2/token").refused(405, "invalid_request", 900561)
