"""What pages cost when the installation has grown: every page of two installations side by side, a small one
and one as large as a large company's, in alternating rounds. In processor time, as tokens are.
"""

import json
import os
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from credmgr.credentials.demo_scale import SMALL, Amounts
from tests.bench.installation import ROOT, Installation
from tests.bench.printing import say, table, verdict

MILLISECONDS_BAR, GROWTH_BAR = 150.0, 2.0
# A page that is this quick at scale has not grown in any way that somebody could notice.
_UNNOTICED = 25.0


@dataclass
class Pages:
    """A worker over one installation."""

    process: "subprocess.Popen[str]"
    names: list[str] = field(default_factory=list)
    rounds: list[dict[str, float]] = field(default_factory=list)

    def read(self) -> Any:
        """The worker's next line."""
        line = _pipe(self.process.stdout).readline()
        if not line:
            raise RuntimeError("The worker that opens the pages ended.")
        return json.loads(line)

    def measure(self) -> None:
        """Open every page once more."""
        _pipe(self.process.stdin).write("again\n")
        _pipe(self.process.stdin).flush()
        self.rounds.append(self.read())

    def median(self, name: str) -> float:
        """Milliseconds."""
        return statistics.median(each[name] for each in self.rounds)


def scale_part(
    base: Installation, large: Amounts, rounds: int, kept: Path | None = None, only: Sequence[str] = ()
) -> list[str]:
    """Measure and print. What was missed, in sentences.

    only: texts; pages whose name contains none of them are left out, unless there are no texts.
    kept: a data folder that `generate_demo` has filled already, instead of filling a new one. A copy of it is
    measured: the pages need rows of their own, and the folder can be measured again.
    """
    small_one = base.copy("small-pages")
    _generate(small_one, SMALL)
    large_one = Installation(kept).copy("large-pages", base.folder) if kept else base.copy("large-pages")
    if kept:  # it may be of an older state of the program
        _manage(large_one, "prepare")
        _manage(large_one, "run_maintenance", "--job", "sign-in-sums", "--job", "credential-statuses")
        large = _amounts_of(large_one)
    else:
        began = time.monotonic()
        _generate(large_one, large)
        say(f"generate_demo took {time.monotonic() - began:,.0f} s.")
    size = large_one.database.stat().st_size / 1e9
    say(f"At scale: {_described(large)}; the database has {size:,.2f} GB.")
    with ExitStack() as running:
        small, grown = (running.enter_context(_pages(each, only)) for each in (small_one, large_one))
        for _ in range(rounds + 1):
            for each in (small, grown):
                each.measure()
        for each in (small, grown):
            del each.rounds[0]  # what a first look has to load
        return _judge(small, grown)


def _judge(small: Pages, grown: Pages) -> list[str]:
    names = sorted(set(small.names) & set(grown.names), key=grown.median, reverse=True)
    table(
        ["processor time of a page, ms (median)", "small", "at scale", "times"],
        [
            [
                name,
                f"{small.median(name):.1f}",
                f"{grown.median(name):.1f}",
                f"{grown.median(name) / small.median(name):.2f}",
            ]
            for name in names
        ],
    )
    slowest = max(names, key=grown.median)
    missed = verdict(
        f"each of {len(names)} pages at scale takes at most {MILLISECONDS_BAR:.0f} ms",
        f"{grown.median(slowest):.0f} ms ({slowest})",
        holds=grown.median(slowest) <= MILLISECONDS_BAR,
    )
    noticed = [name for name in names if grown.median(name) > _UNNOTICED]
    over = [name for name in noticed if grown.median(name) > GROWTH_BAR * small.median(name)]
    return missed + verdict(
        f"no page takes more than {GROWTH_BAR:.0f} times as long as in the small installation, "
        f"unless it takes less than {_UNNOTICED:.0f} ms",
        f"{len(over)} do" + (f": {', '.join(over)}" if over else ""),
        holds=not over,
    )


def _described(amounts: Amounts) -> str:
    return ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in asdict(amounts).items())


def _amounts_of(installation: Installation) -> Amounts:
    """What there is."""
    counted = (
        ("registrations_application",),
        ("credentials_clientsecret", "credentials_certificate", "credentials_federatedcredential"),
        ("audit_signin",),
        ("audit_auditevent",),
    )
    with closing(sqlite3.connect(installation.database)) as database:
        totals = [
            sum(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)  # noqa: S608 - names of tables
            for tables in counted
        ]
    return Amounts(*totals)


def _generate(installation: Installation, amounts: Amounts) -> None:
    options = [f"--{name.replace('_', '-')}={number}" for name, number in asdict(amounts).items()]
    _manage(installation, "generate_demo", "--beside-real-ones", *options)


def _manage(installation: Installation, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=_environment(installation),
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def _pages(installation: Installation, only: Sequence[str]) -> Iterator[Pages]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.page_worker", *only],
        cwd=ROOT,
        env=_environment(installation),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        found = Pages(process)
        found.names = found.read()
        if not found.names:
            raise SystemExit("No page has a name like that.")
        yield found
    finally:
        _pipe(process.stdin).close()
        process.wait(timeout=60)


def _environment(installation: Installation) -> dict[str, str]:
    return {**os.environ, "CREDMGR_DATA_DIR": str(installation.folder)}


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream
