"""Two runs beside each other: what their tokens and outcomes have in common, and what not."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from credmgr.flowtest.comparison import VOLATILE
from credmgr.flowtest.report import Report, TokenFacts


class Mark(StrEnum):
    """How two values stand to each other."""

    EQUAL = "equal"
    DIFFERS = "differs"
    FIRST_ONLY = "only in the first"
    SECOND_ONLY = "only in the second"


@dataclass(frozen=True)
class Row:
    """One member of both; None where it is missing. Values are text, lists joined by commas."""

    name: str
    first: str | None
    second: str | None

    @property
    def mark(self) -> Mark:
        """In words, for the page."""
        if self.first is None:
            return Mark.SECOND_ONLY
        if self.second is None:
            return Mark.FIRST_ONLY
        return Mark.EQUAL if self.first == self.second else Mark.DIFFERS


@dataclass(frozen=True)
class SideBySide:
    """header and claims: the lasting members, differences first. noise: what differs in every token."""

    header: list[Row]
    claims: list[Row]
    noise: list[Row]

    @property
    def differing(self) -> int:
        """How many lasting members are not equal."""
        return sum(row.mark is not Mark.EQUAL for row in (*self.header, *self.claims))


def side_by_side(first: Report, second: Report) -> SideBySide | None:
    """The tokens of two runs; None where neither brought one that can be read."""
    tokens = [_token(first), _token(second)]
    if not any(tokens):
        return None
    headers = [token.header if token else {} for token in tokens]
    claims = [token.claims if token else {} for token in tokens]
    rows = _rows(*claims)
    return SideBySide(
        header=_rows(*headers),
        claims=[row for row in rows if row.name not in VOLATILE],
        noise=[row for row in rows if row.name in VOLATILE],
    )


def _token(report: Report) -> TokenFacts | None:
    return next((shape.token for shape in report.shapes if shape.token), None)


def _rows(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Row]:
    rows = [Row(name, _text(first, name), _text(second, name)) for name in dict.fromkeys([*first, *second])]
    return sorted(rows, key=lambda row: row.mark is Mark.EQUAL)


def _text(members: Mapping[str, Any], name: str) -> str | None:
    if name not in members:
        return None
    value = members[name]
    return ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)
