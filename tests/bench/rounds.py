"""Rounds in turn. Processor time is given as a multiple of one bare RSA-2048 signature by the same library,
measured before and after each round: medians of alternating rounds count, so that a machine that speeds up or
slows down meanwhile does not decide.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.bench.installation import Installation, Processes
from tests.bench.load import Target, ask

SIGNATURES = 200
WARM_UP = 400


@dataclass(frozen=True)
class Size:
    """How much is measured: rounds of so many tokens; rows in the large tables."""

    rounds: int
    tokens: int
    registrations: int
    sign_ins: int


@dataclass(frozen=True)
class Round:
    """processor: seconds a token; signature: seconds; rate: tokens a second; p50, p99: seconds."""

    processor: float
    signature: float
    rate: float
    p50: float
    p99: float

    @property
    def multiple(self) -> float:
        """Signatures a token."""
        return self.processor / self.signature


@dataclass
class Subject:
    """What is measured. installation: whose sign-in log must grow with every token, None for the peer.

    rounds: by number of connections.
    """

    name: str
    target: Target
    processes: Processes
    installation: Installation | None
    rounds: dict[int, list[Round]] = field(default_factory=dict)

    def median(self, connections: int, of: Callable[[Round], float]) -> float:
        """Of all its rounds with so many connections."""
        return statistics.median(of(each) for each in self.rounds[connections])

    def warm_up(self) -> None:
        """Opened keys and filled caches in all workers."""
        ask(self.target, 16, WARM_UP)


def alternate(subjects: Sequence[Subject], size: Size, connections: int) -> None:
    """Measure each in turn, again and again. Raises RuntimeError when a token left no record."""
    sign, tokens = _bare_signature(), size.tokens
    before = _seconds_of(sign)
    for _ in range(size.rounds):
        for subject in subjects:
            recorded = subject.installation.sign_ins() if subject.installation else 0
            began = subject.processes.processor_seconds()
            result = ask(subject.target, connections, tokens)
            processor = (subject.processes.processor_seconds() - began) / tokens
            after = _seconds_of(sign)
            if subject.installation and subject.installation.sign_ins() - recorded != tokens:
                raise RuntimeError(f"{subject.name}: not every token is in the sign-in log.")
            latencies = sorted(result.latencies)
            subject.rounds.setdefault(connections, []).append(
                Round(
                    processor,
                    (before + after) / 2,
                    tokens / result.seconds,
                    p50=latencies[len(latencies) // 2],
                    p99=latencies[len(latencies) * 99 // 100],
                )
            )
            before = after


def _bare_signature() -> Callable[[], bytes]:
    key = rsa.generate_private_key(65537, 2048)
    scheme, digest, message = padding.PKCS1v15(), hashes.SHA256(), b"x" * 900
    return lambda: key.sign(message, scheme, digest)


def _seconds_of(sign: Callable[[], bytes]) -> float:
    began = time.process_time()
    for _ in range(SIGNATURES):
        sign()
    return (time.process_time() - began) / SIGNATURES
