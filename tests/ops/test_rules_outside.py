"""Rules about bodies and answers, asked of the running server."""

import pytest

from tests.installation import Installation
from tests.ops.test_serve import get

TOKEN = "/organizations/oauth2/v2.0/token"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("method", "headers", "body"),
    [
        ("GET", {}, None),
        ("POST", FORM, "grant_type=client_credentials"),
        ("POST", FORM, "grant_type=password"),
        ("POST", {"Content-Type": "application/json"}, "{}"),
        ("POST", {"Content-Type": "multipart/form-data; boundary=x"}, "--x--"),
        ("POST", FORM, "a=1&" * 200),
        ("POST", {**FORM, "Authorization": "Basic !"}, "grant_type=client_credentials"),
    ],
)
def test_a15_no_answer_of_the_token_endpoint_is_kept(
    installation: Installation, method: str, headers: dict[str, str], body: str | None
) -> None:
    """A-1, A-15: JSON of one shape, no cookie, not kept; also where the fault is the framework's to find."""
    answer = get(installation, TOKEN, method=method, headers=headers, data=body)
    assert 400 <= answer.status_code < 500
    told = answer.json()
    assert told["error_description"].startswith("AADSTS")
    assert {"error", "error_codes", "timestamp", "trace_id", "correlation_id"} <= set(told)
    assert "no-store" in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("path", "secure", "size"),
    [(TOKEN, True, 70_000), ("/account/login", True, 1_200_000), ("/account/login", False, 1_200_000)],
)
def test_n5_a_body_above_the_limit_is_413_on_both_listeners(
    installation: Installation, path: str, secure: bool, size: int
) -> None:
    """N-5: told in the place's own form, and the server lives on."""
    answer = get(installation, path, secure=secure, method="POST", headers=FORM, data="a=" + "x" * size)
    assert answer.status_code == 413
    assert "Traceback" not in answer.text
    assert get(installation, "/health/live", secure=secure).status_code == 200
