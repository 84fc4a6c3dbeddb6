"""Geometry of the charts: all of it attributes of SVG elements, so no page needs a style of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC

from credmgr.audit.queries import Hour

# Pixels from the top of the chart to its ground line, and the least height of a bar that is not empty.
_GROUND = 74.0
_TALLEST = 70.0
_LEAST = 2.0
_STEP = 100 / 24
_LABEL_EVERY = 3


@dataclass(frozen=True)
class Bar:
    """One hour: x in percent, the rest in pixels from the top. The refused part stands at the bottom."""

    x: str
    ok_y: float
    ok_height: float
    bad_y: float
    bad_height: float


def bars(hours: Sequence[Hour]) -> list[Bar]:
    """A bar per hour, the tallest hour filling the chart."""
    most = max((hour.succeeded + hour.refused for hour in hours), default=0) or 1
    made = []
    for position, hour in enumerate(hours):
        bad = _height(hour.refused, most)
        ok = _height(hour.succeeded, most)
        made.append(
            Bar(
                x=f"{position * _STEP + 0.3:.2f}",
                ok_y=round(_GROUND - bad - ok, 1),
                ok_height=ok,
                bad_y=round(_GROUND - bad, 1),
                bad_height=bad,
            )
        )
    return made


def ticks(hours: Sequence[Hour]) -> list[tuple[str, str]]:
    """(x in percent, "15:00") under every third bar."""
    return [
        (f"{position * _STEP + 0.3:.2f}", hour.start.astimezone(UTC).strftime("%H:%M"))
        for position, hour in enumerate(hours)
        if position % _LABEL_EVERY == 0
    ]


def _height(count: int, most: int) -> float:
    return round(max(count / most * _TALLEST, _LEAST), 1) if count else 0.0
