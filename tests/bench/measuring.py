"""The rounds and what is printed of them.

A token's processor time is given as a multiple of one bare RSA-2048 signature by the same library, measured
between the rounds of the same run: rounds alternate and the median counts, so that a machine that speeds up
or slows down meanwhile does not decide.
"""

import shutil
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.conf import settings

from tests.bench.clients import ask, orders
from tests.bench.installation import Server, served
from tests.bench.pages import list_page_times

ROUNDS = 7
TOKENS_A_ROUND = 800
SIGNATURES_A_ROUND = 400
BAR = 4.0
LIST_SIZES = (100, 10_000)
LIST_REQUESTS = 15


def main() -> int:
    """Measure and print; 1 when a token costs more than the bar."""
    now = datetime.now(UTC)
    worst = 0.0
    try:
        with served() as server:
            for name, order in orders(now).items():
                ask(server.port, order, TOKENS_A_ROUND // 4)  # connections, key and caches of both workers
                worst = max(worst, _measure(name, server, partial(ask, server.port, order, TOKENS_A_ROUND)))
        for size, milliseconds, queries in list_page_times(LIST_SIZES, LIST_REQUESTS, now):
            _say(f"list page with {size:>6,} registrations: {milliseconds:6.1f} ms, {queries} queries")
    finally:
        shutil.rmtree(Path(settings.DATA_DIR).parent, ignore_errors=True)
    _say(f"bar: at most {BAR:.1f} signatures a token; worst here {worst:.2f}")
    return int(worst > BAR)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _measure(name: str, server: Server, run: Callable[[], float]) -> float:
    """Print a line and return the median multiple."""
    multiples, costs, rates, signatures = [], [], [], []
    sign = _bare_signature()
    for _ in range(ROUNDS):
        before = _signature_seconds(sign)
        begin = server.processor_seconds()
        seconds = run()
        cost = (server.processor_seconds() - begin) / TOKENS_A_ROUND
        signature = (before + _signature_seconds(sign)) / 2
        multiples.append(cost / signature)
        costs.append(cost)
        rates.append(TOKENS_A_ROUND / seconds)
        signatures.append(signature)
    _say(
        f"token by {name:<11}: {statistics.median(multiples):.2f} x one RSA-2048 signature "
        f"({statistics.median(costs) * 1e6:,.0f} us against {statistics.median(signatures) * 1e6:,.0f} us of "
        f"processor time), {statistics.median(rates):,.0f} tokens/s",
    )
    return statistics.median(multiples)


def _bare_signature() -> Callable[[], bytes]:
    key = rsa.generate_private_key(65537, 2048)
    scheme, digest, message = padding.PKCS1v15(), hashes.SHA256(), b"x" * 900
    return lambda: key.sign(message, scheme, digest)


def _signature_seconds(sign: Callable[[], bytes]) -> float:
    began = time.process_time()
    for _ in range(SIGNATURES_A_ROUND):
        sign()
    return (time.process_time() - began) / SIGNATURES_A_ROUND
