"""Geometry of the waterfall: percent positions for inline SVG, because style attributes are not allowed."""

from collections.abc import Sequence
from dataclasses import dataclass

from credmgr.flowtest.report import Hop

# Room behind the longest bar, so that the last label does not stick to the edge.
_MARGIN = 1.04
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
_MOST_TICKS = 5
_LEAST_WIDTH = 0.8


@dataclass(frozen=True)
class Tick:
    """A line of the axis with its label."""

    x: str
    label: str
    is_first: bool


@dataclass(frozen=True)
class Bar:
    """One row: the step, where its bar lies, and how long it took in words."""

    number: int
    hop: Hop
    x: str
    width: str
    time: str
    css: str
    is_open: bool


@dataclass(frozen=True)
class Waterfall:
    """All rows and the axis above them."""

    ticks: list[Tick]
    bars: list[Bar]
    network: int
    stopped_at: int


def waterfall_of(hops: Sequence[Hop], *, opens: bool = True) -> Waterfall:
    """The rows of one run. The failed step starts open, else the slowest on the network; or none."""
    zero = min((hop.start_ms for hop in hops if hop.outcome != "skipped"), default=0.0)
    total = max((hop.start_ms + hop.duration_ms - zero for hop in hops), default=0.0) or 1.0
    whole = total * _MARGIN
    failed = next((index for index, hop in enumerate(hops) if hop.outcome == "failed"), None)
    slowest = max(
        (index for index, hop in enumerate(hops) if hop.kind == "network" and hop.panes),
        key=lambda index: hops[index].duration_ms,
        default=None,
    )
    opened = failed if failed is not None else slowest
    bars = [_bar(index, hop, zero, whole, opens and index == opened) for index, hop in enumerate(hops)]
    return Waterfall(
        ticks=_ticks(total, whole),
        bars=bars,
        network=sum(1 for hop in hops if hop.kind == "network" and hop.outcome != "skipped"),
        stopped_at=0 if failed is None else failed + 1,
    )


def milliseconds(value: float) -> str:
    """ "86 ms", "1.2 s"; below one millisecond "< 1 ms"."""
    if value < 1:
        return "< 1 ms"
    return f"{value:,.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"


def _bar(index: int, hop: Hop, zero: float, whole: float, is_open: bool) -> Bar:
    start = (hop.start_ms - zero) / whole * 100
    width = max(hop.duration_ms / whole * 100, _LEAST_WIDTH)
    css = (
        "hop-bar-failed" if hop.outcome == "failed" else "hop-bar-local" if hop.kind == "local" else "hop-bar"
    )
    return Bar(
        number=index + 1,
        hop=hop,
        x=f"{min(start, 100 - width):.1f}%",
        width=f"{width:.1f}%",
        time=milliseconds(hop.duration_ms),
        css=css,
        is_open=is_open,
    )


def _ticks(total: float, whole: float) -> list[Tick]:
    step = next((step for step in _STEPS if total / step <= _MOST_TICKS), _STEPS[-1])
    values = range(0, int(total) + 1, step)
    last = values[-1] if values else 0
    return [
        Tick(
            f"{value / whole * 100:.1f}%",
            f"{value} ms" if value == last and value else str(value),
            value == 0,
        )
        for value in values
    ]
