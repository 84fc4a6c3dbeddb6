"""Claims in words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from credmgr.flowtest.comparison import differences, same_count
from credmgr.flowtest.inspection import explain, moment, relative, shown_moment
from credmgr.flowtest.redaction import Redactor
from credmgr.flowtest.report import TokenFacts

NOW = datetime(2026, 11, 23, 14, 51, 58, tzinfo=UTC)


def test_claims_stand_in_their_groups_and_unknown_ones_come_last_without_a_meaning() -> None:
    claims: dict[str, Any] = {
        "zzz": "made up",
        "exp": 1795449117,
        "iss": "https://login.example/t/v2.0",
        "azp": "7feab92f-cb5b-426f-a4ce-20428398d805",
        "aud": "39aa1d3e-3b45-409c-a7ce-6da82c1f34ab",
        "roles": ["Routes.Write", "Shipments.Read.All"],
    }
    groups = explain(claims, now=NOW, names={claims["azp"]: "Harbor Sync Worker"})
    assert [name for name, _ in groups] == ["Who asks", "What it may do", "When", "Where from", "Other"]
    lines = {line.name: line for _, group in groups for line in group}
    assert lines["azp"].note == "Harbor Sync Worker"
    assert lines["roles"].value == "Routes.Write, Shipments.Read.All"
    assert lines["exp"].note == "23 Nov 2026, 15:51:57 UTC, in 59 minutes"
    assert lines["zzz"].meaning == ""
    assert all(line.meaning for name, line in lines.items() if name != "zzz")


@pytest.mark.parametrize("value", [True, "soon", None, [], float("nan"), float("inf"), 10**30, -(10**30)])
def test_a_time_that_is_none_is_said_so(value: object) -> None:
    [(_, [line])] = explain({"exp": value}, now=NOW)
    assert line.note == "Not a date"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "now"),
        (1, "in 1 second"),
        (-59, "59 seconds ago"),
        (-300, "5 minutes ago"),
        (3599, "in 59 minutes"),
        (3900, "in 65 minutes"),
        (7200, "in 2 hours"),
        (-86400 * 2, "2 days ago"),
        (86400 * 1500, "in 1,500 days"),
    ],
)
def test_distances_in_words(seconds: int, words: str) -> None:
    assert relative(NOW + timedelta(seconds=seconds), NOW) == words


def test_moments_are_utc() -> None:
    assert moment(1795449117) == datetime(2026, 11, 23, 15, 51, 57, tzinfo=UTC)
    assert shown_moment(NOW) == "23 Nov 2026, 14:51:58 UTC"


def test_what_a_token_says_differently() -> None:
    before = TokenFacts({"kid": "a"}, {"roles": ["A"], "tid": "t", "exp": 1, "old": "x", "uti": "1"}, 10)
    after = TokenFacts({"kid": "b"}, {"roles": ["A", "B"], "tid": "t", "exp": 2, "new": "y", "uti": "2"}, 10)
    found = {item.name: item.words for item in differences(before, after)}
    assert found == {"kid": "changed", "roles": "gained B", "new": "is new", "old": "is gone"}
    assert same_count(before, after) == 1


def test_redaction_finds_every_spelling() -> None:
    redactor = Redactor()
    redactor.remember("secret", "a+b/c=d e")
    for spelling in ("a+b/c=d e", "a%2Bb%2Fc%3Dd%20e", "a%2Bb%2Fc%3Dd+e"):
        assert redactor.text(f"<{spelling}>") == "<[redacted: secret, 9 characters]>"
    quoted = Redactor()
    quoted.remember("secret", 'with"quote\\and')
    assert "quote" not in quoted.body('{"error_description": "with\\"quote\\\\and"}')


def test_redaction_takes_out_what_nobody_announced() -> None:
    redactor = Redactor()
    key = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----"
    jwt = "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2lnbmF0dXJl"
    text = redactor.text(f"before {key} between {jwt} after -----BEGIN RSA PRIVATE KEY-----\ncut")
    assert "MIIE" not in text
    assert "eyJ" not in text
    assert "cut" not in text
    assert text.startswith("before ")


def test_long_texts_are_cut() -> None:
    assert len(Redactor().body('{"a": "' + "x" * 5000 + '"}')) < 2100
    assert len(Redactor().body("x" * 100_000)) < 2100
