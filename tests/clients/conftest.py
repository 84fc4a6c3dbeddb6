"""The stage that every client's tests share, and what a good and a bad answer look like."""

import base64
import json
from typing import Any

import pytest

from tests.clients.stage import Stage, make_stage
from tests.installation import Installation


@pytest.fixture(scope="session")
def stage(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """One application with every kind of credential on the running installation."""
    return make_stage(installation, tmp_path_factory.mktemp("clients"))


def claims_of(token: str) -> dict[str, Any]:
    """The claims; the signature is verified by the tests of the ready programs."""
    middle = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return claims


def assert_token(answer: dict[str, str], stage: Stage, *, by_assertion: bool) -> None:
    """A token of this application for its own API, marked with the kind of credential that brought it."""
    assert "token" in answer, answer
    claims = claims_of(answer["token"])
    assert claims["azp"] == stage.facts["client_id"]
    assert claims["azpacr"] == ("2" if by_assertion else "1")
    assert claims["iss"] == f"{stage.facts['authority']}/v2.0"
    assert claims["tid"] == stage.facts["tenant"]
