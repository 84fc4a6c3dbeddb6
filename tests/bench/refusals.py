"""What refusals cost: who asks learns no more from the time of an answer than from its words.

An unknown client, a wrong secret and an expired one, in turn, one connection at a time; beside them a token.
"""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.bench.clients import EXPIRED_SECRET, UNKNOWN_CLIENT, WRONG_SECRET, Requests
from tests.bench.installation import Installation, served
from tests.bench.load import Target, ask
from tests.bench.printing import say, table
from tests.bench.rounds import WARM_UP, Size

NAMES = {UNKNOWN_CLIENT: "unknown client", WRONG_SECRET: "wrong secret", EXPIRED_SECRET: "expired secret"}


@dataclass
class Timed:
    """Of one kind of request: median latency and processor time by round, in seconds."""

    name: str
    target: Target
    latency: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


def refusals_part(installation: Installation, requests: Requests, size: Size) -> None:
    """Measure and print. No bar: the words of the answers differ anyway, as Entra's do."""
    with served(installation) as (port, processes):
        kinds = [Timed("a token by secret", Target(port, requests.secret))]
        for code, name in NAMES.items():
            kinds.append(Timed(name, Target(port, requests.refused[code], refusal=code)))
        for kind in kinds:
            ask(kind.target, 1, min(WARM_UP, size.tokens))
        for _ in range(size.rounds):
            for kind in kinds:
                began = processes.processor_seconds()
                latencies = ask(kind.target, 1, size.tokens).latencies
                kind.processor.append((processes.processor_seconds() - began) / size.tokens)
                kind.latency.append(statistics.median(latencies))
    _print(kinds)


def _print(kinds: list[Timed]) -> None:
    wrong = next(kind for kind in kinds if kind.target.refusal == WRONG_SECRET)
    table(
        [
            "refusals, 1 connection",
            "latency p50, ms",
            "times wrong secret",
            "processor time, us",
            "times the same",
        ],
        [
            [
                kind.name,
                f"{_median(kind.latency) * 1e3:.2f}",
                f"{_ratio(kind, wrong, lambda each: each.latency):.2f}",
                f"{_median(kind.processor) * 1e6:,.0f}",
                f"{_ratio(kind, wrong, lambda each: each.processor):.2f}",
            ]
            for kind in kinds
        ],
    )
    say()


def _median(of: list[float]) -> float:
    return statistics.median(of)


def _ratio(kind: Timed, base: Timed, of: Callable[[Timed], list[float]]) -> float:
    return _median(of(kind)) / _median(of(base)) if _median(of(base)) else 0.0
