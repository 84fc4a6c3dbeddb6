"""Tokens by secret and by certificate, over http and https, beside Node's oidc-provider, all in turn."""

import ssl
import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from django.conf import settings

from tests.bench.clients import Requests
from tests.bench.installation import Installation, served
from tests.bench.load import Target
from tests.bench.peer import PROCESSES, served_peer, version
from tests.bench.printing import say, table, verdict
from tests.bench.rounds import Round, Size, Subject, alternate

CONNECTIONS = (1, 16, 64)
# Signatures a token over http, whatever the number of connections.
COST_BARS = {"secret": 3.3, "certificate": 3.6}
# How many times p50 the p99 may be.
TAIL_BAR, TAIL_CONNECTIONS = 8.0, 16


def tokens_part(installation: Installation, requests: Requests, size: Size) -> list[str]:
    """Measure and print. What was missed, in sentences."""
    kinds = {"secret": requests.secret, "certificate": requests.certificate}
    with ExitStack() as running:
        port, processes = running.enter_context(served(installation))
        secure_port, secure_processes = running.enter_context(served(installation, secure=True))
        tls = ssl.create_default_context(cafile=str(installation.ca_file))
        ours = [
            Subject(f"{kind}, http", Target(port, sent), processes, installation)
            for kind, sent in kinds.items()
        ]
        secure = [
            Subject(f"{kind}, https", Target(secure_port, sent, tls), secure_processes, installation)
            for kind, sent in kinds.items()
        ]
        peers = []
        if version():
            target, peer_processes = running.enter_context(served_peer())
            peers.append(Subject(f"oidc-provider {version()}", target, peer_processes, None))
        subjects = [*ours, *secure, *peers]
        for subject in subjects:
            subject.warm_up()
        for connections in CONNECTIONS:
            alternate(subjects, size, connections)
    _print_heading(subjects, is_alone=not peers)
    _print_figures(subjects)
    for peer in peers:
        _print_beside([*ours, *secure], peer)
    missed = []
    for kind, subject in zip(kinds, ours, strict=True):
        missed += _judge(kind, subject)
    return missed


def _judge(kind: str, subject: Subject) -> list[str]:
    cost = max(subject.median(connections, _multiple) for connections in CONNECTIONS)
    tail = subject.median(TAIL_CONNECTIONS, lambda each: each.p99 / each.p50)
    return [
        *verdict(
            f"a token by {kind} over http costs at most {COST_BARS[kind]} signatures",
            f"{cost:.2f}",
            holds=cost <= COST_BARS[kind],
        ),
        *verdict(
            f"p99 by {kind} at {TAIL_CONNECTIONS} connections is at most {TAIL_BAR:.0f} times p50",
            f"{tail:.1f}",
            holds=tail <= TAIL_BAR,
        ),
    ]


def _print_heading(subjects: Sequence[Subject], *, is_alone: bool) -> None:
    everything = [each for subject in subjects for rounds in subject.rounds.values() for each in rounds]
    signature = statistics.median(each.signature for each in everything)
    say(f"One bare RSA-2048 signature by the same library: {signature * 1e6:,.0f} us of processor time.")
    say(
        f"Ours: {settings.WORKERS} workers on SQLite, the sign-in record committed before each answer. "
        "Medians of alternating rounds."
    )
    if is_alone:
        say("Left out: oidc-provider. It takes Node 20 with npm, then sh .ci/node-packages peers.")
    else:
        say(f"Beside it oidc-provider of Node on {PROCESSES} processes, by secret over http, in memory.")
    say()


def _print_figures(subjects: Sequence[Subject]) -> None:
    heads = [f"{number} conn." if number == CONNECTIONS[0] else f"{number}" for number in CONNECTIONS]
    for title, of, form in (
        ("processor time of a token, signatures", _multiple, ".2f"),
        ("processor time of a token, us", lambda each: each.processor * 1e6, ",.0f"),
        ("tokens a second", _rate, ",.0f"),
        ("latency p50, ms", lambda each: each.p50 * 1e3, ",.2f"),
        ("latency p99, ms", lambda each: each.p99 * 1e3, ",.2f"),
    ):
        table([title, *heads], [[each.name, *_across(each, of, form)] for each in subjects])


def _across(subject: Subject, of: Callable[[Round], float], form: str) -> list[str]:
    return [format(subject.median(connections, of), form) for connections in CONNECTIONS]


def _print_beside(ours: Sequence[Subject], peer: Subject) -> None:
    """Ratios: above 1 more tokens, below 1 less processor time."""
    for title, of in (
        (f"tokens a second, times {peer.name}", _rate),
        ("processor time, times the same", lambda each: each.processor),
    ):
        table(
            [title, *(f"{connections}" for connections in CONNECTIONS)],
            [
                [
                    each.name,
                    *(f"{each.median(number, of) / peer.median(number, of):.2f}" for number in CONNECTIONS),
                ]
                for each in ours
            ],
        )


def _multiple(each: Round) -> float:
    return each.multiple


def _rate(each: Round) -> float:
    return each.rate
