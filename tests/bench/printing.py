"""Lines and columns on standard output."""

import sys
from collections.abc import Iterable, Sequence


def say(line: str = "") -> None:
    """One line, at once."""
    sys.stdout.write(f"{line.rstrip()}\n")
    sys.stdout.flush()


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """The first column to the left, numbers to the right, under their heads."""
    lines = [list(heads), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        first, *others = line
        cells = [each.rjust(width) for each, width in zip(others, widths[1:], strict=True)]
        say("  ".join([first.ljust(widths[0]), *cells]))
    say()


def verdict(bar: str, measured: str, *, holds: bool) -> list[str]:
    """Say how a bar was met; what was missed, as a list of one or none."""
    say(f"bar: {bar}. Measured: {measured}{'' if holds else ' - MISSED'}")
    return [] if holds else [f"{bar}; measured {measured}"]
