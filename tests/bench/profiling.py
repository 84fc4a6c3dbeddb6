"""Where the time of a token goes: the profiles of every worker's threads, added up.

One request at a time; what threads wait for each other is left out. A profiler makes each call a little
dearer, so many small calls look larger than they are: the shares say where to look, the rounds say what a
token costs.
"""

import cProfile
import os
import pstats
import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.bench.clients import Requests
from tests.bench.installation import ROOT, Installation, served
from tests.bench.load import Target, ask
from tests.bench.printing import say, table
from tests.bench.rounds import Size

FUNCTIONS = 30
CONNECTIONS = 1
# Calls of a thread: before it is profiled, and between two files.
WARM, SAVE_EVERY = 100, 100
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
# Place in the tables of pstats: (file, line, function); and of its figures: calls, calls, own, with callees.
_Place = tuple[str, int, str]
_WAITING = {"<method 'acquire' of '_thread.lock' objects>"}


def profile_part(base: Installation, requests: Requests, size: Size) -> None:
    """Measure and print, a table for each kind of credential."""
    for kind in ("secret", "certificate"):
        with tempfile.TemporaryDirectory(prefix="credmgr-profile-") as folder:
            tokens = max(size.tokens * 4, 20 * SAVE_EVERY)
            with served(base.copy(f"profile-{kind}"), options=["--profile", folder]) as (port, processes):
                target = Target(port, getattr(requests, kind))
                ask(target, 16, WARM * 8)
                began = processes.processor_seconds()
                ask(target, CONNECTIONS, tokens)
                whole = (processes.processor_seconds() - began) / tokens
            _print(kind, _merged(Path(folder)), whole)


def profiled(application: Application, folder: str) -> Application:
    """The application with a profiler for each thread that calls it; the profiles are files of the folder."""
    of_thread = threading.local()

    def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not hasattr(of_thread, "profile"):
            of_thread.profile, of_thread.calls = cProfile.Profile(), 0
        of_thread.calls += 1
        if of_thread.calls <= WARM:
            return application(environ, start_response)
        answer: Iterable[bytes] = of_thread.profile.runcall(application, environ, start_response)
        if of_thread.calls % SAVE_EVERY == 0:
            of_thread.profile.dump_stats(f"{folder}/{os.getpid()}-{threading.get_ident()}")
        return answer

    return call


def _merged(folder: Path) -> "dict[_Place, tuple[float, float]]":
    """(calls, seconds of its own) a token, by place."""
    files = [str(each) for each in folder.iterdir()]
    stats = pstats.Stats(*files)
    figures: dict[_Place, tuple[int, int, float, float, Any]] = stats.stats  # type: ignore[attr-defined] # not in the stubs
    tokens = next(calls for place, (_, calls, *_) in figures.items() if place[2] == "answer_token_request")
    return {
        place: (calls / tokens, own / tokens)
        for place, (_, calls, own, *_) in figures.items()
        if place[2] not in _WAITING
    }


def _print(kind: str, places: "dict[_Place, tuple[float, float]]", whole: float) -> None:
    inside = sum(own for _, own in places.values())
    say(f"Where the time of a token by {kind} goes: {inside * 1e6:,.0f} us by the clock in the application.")
    say(f"All processes together: {whole * 1e6:,.0f} us of processor time. Both with the profiler on.")
    say()
    groups: dict[str, float] = {}
    for place, (_, own) in places.items():
        groups[_group(place)] = groups.get(_group(place), 0.0) + own
    rows = sorted(groups.items(), key=lambda item: -item[1])
    table(["by subject", "us", "share"], [[name, *_share(own, inside)] for name, own in rows])
    top = sorted(places.items(), key=lambda item: -item[1][1])[:FUNCTIONS]
    table(
        ["by function, without what it calls", "calls", "us", "share"],
        [[_name(place), f"{calls:.1f}", *_share(own, inside)] for place, (calls, own) in top],
    )


def _share(own: float, inside: float) -> tuple[str, str]:
    return f"{own * 1e6:.1f}", f"{own / inside:.1%}"


def _group(place: _Place) -> str:
    """The subject of a function: a package of ours, or what it does for us."""
    file, _, name = place
    if "'sign' of" in name or "'verify' of" in name:
        return "RSA"
    if "sqlite3" in name:
        return "SQLite"
    if file == "~":
        return "built-in functions"
    path = Path(file)
    if path.is_relative_to(ROOT / "credmgr"):
        return f"credmgr.{path.relative_to(ROOT / 'credmgr').parts[0].removesuffix('.py')}"
    return next((part for part in ("django", "jwt") if f"/{part}/" in file), "standard library")


def _name(place: _Place) -> str:
    file, line, name = place
    if file == "~":
        return name.strip("<>").removeprefix("built-in method ").removeprefix("method ")
    path = Path(file)
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT / "credmgr") else Path(*path.parts[-2:])
    return f"{shown}:{line} {name}"
