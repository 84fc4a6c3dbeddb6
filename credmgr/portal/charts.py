"""Geometry of the charts: all of it attributes of SVG elements, so no page needs a style of its own."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from credmgr.audit.timeline import Span, Timeline
from credmgr.portal import words

# Pixels from the top of the chart to its ground line, and the least height of a bar that is not empty.
_GROUND = 74.0
_TALLEST = 70.0
_LEAST = 2.0
# Percent of a bar's place that the bar takes, and room left before the first.
_FILL = 0.84
_MARGIN = 0.08
# A label needs about this many percent on a phone; a date is wider than a time.
_TIME_ROOM, _DATE_ROOM = 11.0, 15.0
# Labels stand at round times of these distances, counted from a Monday.
_GAPS = (
    *(timedelta(minutes=number) for number in (5, 10, 15, 20, 30)),
    *(timedelta(hours=number) for number in (1, 2, 3, 4, 6, 12)),
    *(timedelta(days=number) for number in (1, 2, 4, 7, 14, 28, 56, 91, 182, 364, 728)),
)
_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Bar:
    """One span: x and width in percent, the rest in pixels from the top. The refused part stands at the
    bottom. words: what it shows, for the pointer.
    """

    x: str
    width: str
    ok_y: float
    ok_height: float
    bad_y: float
    bad_height: float
    words: str


def bars(timeline: Timeline) -> list[Bar]:
    """A bar per span, the tallest filling the chart."""
    most = max((span.total for span in timeline.spans), default=0) or 1
    place = 100 / max(len(timeline.spans), 1)
    made = []
    for position, span in enumerate(timeline.spans):
        bad = _height(span.refused, most)
        ok = _height(span.succeeded, most)
        made.append(
            Bar(
                x=f"{(position + _MARGIN) * place:.2f}",
                width=f"{place * _FILL:.2f}",
                ok_y=round(_GROUND - bad - ok, 1),
                ok_height=ok,
                bad_y=round(_GROUND - bad, 1),
                bad_height=bad,
                words=f"{span_words(span)}: {span.succeeded:,} succeeded, {span.refused:,} refused",
            )
        )
    return made


def ticks(timeline: Timeline) -> list[tuple[str, str]]:
    """(x in percent, "15:00" or "23 Nov") under bars at round times."""
    place = 100 / max(len(timeline.spans), 1)
    is_long = timeline.step >= timedelta(hours=6)
    room = _DATE_ROOM if is_long else _TIME_ROOM
    least = timeline.step * (room / place)
    gap = next((each for each in _GAPS if each >= least and not each % timeline.step), timeline.step * 8)
    found = []
    for position, span in enumerate(timeline.spans):
        start = span.start.astimezone(UTC)
        is_due = not (start - _MONDAY) % gap
        if is_due and (position + _MARGIN) * place <= 100 - room:
            found.append((f"{(position + _MARGIN) * place:.2f}", _label(start, is_long=is_long)))
    return found


def span_words(span: Span) -> str:
    """ "23 Nov 2026, 15:00 to 16:00 UTC", "23 Nov 2026" for a day, "23 Nov 2026 to 30 Nov 2026"."""
    start, end = span.start.astimezone(UTC), span.end.astimezone(UTC)
    if end - start >= timedelta(days=1):
        last = end - timedelta(days=1)
        return words.day(start) if last == start else f"{words.day(start)} to {words.day(last)}"
    return f"{words.day(start)}, {start:%H:%M} to {end:%H:%M} UTC"


def step_words(step: timedelta) -> str:
    """ "the hour", "2 minutes", "7 days": what one bar stands for."""
    seconds = int(step.total_seconds())
    for length, noun in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % length == 0:
            number = seconds // length
            return f"the {noun}" if number == 1 else words.counted(number, noun)
    return words.counted(seconds, "second")


def _label(start: datetime, *, is_long: bool) -> str:
    return words.day(start).rpartition(" ")[0] if is_long else f"{start:%H:%M}"


def _height(count: int, most: int) -> float:
    return round(max(count / most * _TALLEST, _LEAST), 1) if count else 0.0
