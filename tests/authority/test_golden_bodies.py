"""The whole error body for each code that the authority can answer with, kept as data.

tests/vectors/aadsts_bodies/{code}.json holds status and body; GUIDs, times, thumbprints and the seconds of a
waiting time are replaced by names. Where a body changes on purpose, the failing test prints the new one.
"""

import json
from pathlib import Path

import pytest
from django.conf import LazySettings

from credmgr.aadsts import CATALOGUE
from tests.authority.assertion_maker import KeyPair
from tests.authority.conftest import Directory
from tests.authority.refused_requests import REQUESTS, Scene, normalised

FOLDER = Path(__file__).resolve().parent.parent / "vectors" / "aadsts_bodies"
EMITTED = [code for code, entry in CATALOGUE.items() if entry.can_be_emitted]


def test_each_code_that_can_be_answered_has_a_request_and_a_body() -> None:
    """And no file is left over from a code that is gone."""
    assert set(REQUESTS) == set(EMITTED)
    assert {int(path.stem) for path in FOLDER.glob("*.json")} == set(EMITTED)


@pytest.mark.parametrize("code", EMITTED)
def test_the_body_is_the_kept_one(
    code: int,
    directory: Directory,
    secret: str,
    pair: KeyPair,
    other_pair: KeyPair,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Status, members with their order and types, the sentence."""
    scene = Scene(directory, secret, pair, other_pair, settings, monkeypatch)
    answer = normalised(REQUESTS[code](scene))
    assert answer["body"]["error_codes"] == [code]
    kept = (FOLDER / f"{code}.json").read_text()
    assert json.dumps(answer, indent=2) + "\n" == kept
