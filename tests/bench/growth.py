"""The same token with small tables and with large ones, three installations side by side."""

import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from credmgr.registrations.queries import default_tenant
from tests.bench.clients import APPLICATIONS, Requests, by_secret
from tests.bench.filling import add_registrations, add_sign_ins
from tests.bench.installation import Installation, served
from tests.bench.load import Target, ask
from tests.bench.printing import say, table, verdict
from tests.bench.rounds import Size, Subject, alternate

CONNECTIONS = 16
BAR = 1.15
# So many of the many registrations ask, each in its turn.
ASKING = 200


def growth_part(base: Installation, requests: Requests, size: Size) -> list[str]:
    """Measure and print. What was missed, in sentences."""
    few, many, logged = (base.copy(name) for name in ("few", "many", "logged"))
    known = add_registrations(many, size.registrations - APPLICATIONS, asking=ASKING)
    tenant_id = default_tenant().id
    of_many = replace(requests, secret=[by_secret(tenant_id, *each) for each in known])
    _log_one(logged, requests)
    add_sign_ins(logged, size.sign_ins)
    names = {
        few: f"{APPLICATIONS} registrations, 0 sign-ins",
        many: f"{size.registrations:,} registrations, 0 sign-ins",
        logged: f"{APPLICATIONS} registrations, {size.sign_ins:,} sign-ins",
    }
    missed: list[str] = []
    with ExitStack() as running:
        here = {each: running.enter_context(served(each)) for each in names}
        for kind in ("secret", "certificate"):
            subjects = [
                Subject(
                    f"{kind}, {names[each]}",
                    Target(port, getattr(of_many if each is many else requests, kind)),
                    processes,
                    each,
                )
                for each, (port, processes) in here.items()
            ]
            for subject in subjects:
                subject.warm_up()
            alternate(subjects, size, CONNECTIONS)
            missed += _judge(subjects)
    return missed


def _judge(subjects: Sequence[Subject]) -> list[str]:
    """Print a table; the bars missed. The first has the small tables."""
    small, missed = subjects[0], []
    table(
        [f"{CONNECTIONS} connections", "signatures a token", "tokens a second", "cost, times the first"],
        [
            [
                each.name,
                f"{each.median(CONNECTIONS, lambda a: a.multiple):.2f}",
                f"{each.median(CONNECTIONS, lambda a: a.rate):,.0f}",
                f"{_growth(small, each):.2f}",
            ]
            for each in subjects
        ],
    )
    for each in subjects[1:]:
        grown = _growth(small, each)
        missed += verdict(
            f"{each.name}: a token costs at most {BAR} times as much",
            f"{grown:.2f} times",
            holds=grown <= BAR,
        )
    say()
    return missed


def _growth(small: Subject, large: Subject) -> float:
    """The median over the rounds that lie side by side."""
    pairs = zip(small.rounds[CONNECTIONS], large.rounds[CONNECTIONS], strict=True)
    return statistics.median(b.multiple / a.multiple for a, b in pairs)


def _log_one(installation: Installation, requests: Requests) -> None:
    """One sign-in that the product wrote itself: the model of the others."""
    with served(installation) as (port, _):
        ask(Target(port, requests.secret), 1, 1)
