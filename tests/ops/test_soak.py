"""Programs and people at work together for minutes: no server error, flat memory, no lost row.

`make soak` runs it for 30 minutes, SOAK_MINUTES for another time; one of the slow tests for one.
"""

import os
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.acceptance.portal_session import PortalSession
from tests.installation import SHARED_LIMITS, InstallationFactory
from tests.ops.soak_people import CHANGERS, CROWD, AtWork, Person, invited, registered
from tests.ops.soak_record import AUDITED, Soak

pytestmark = [pytest.mark.slow, pytest.mark.alone]
MINUTES = float(os.environ.get("SOAK_MINUTES", "1"))
PROGRAMS = 4
# People come one after the other: as many password hashes at one moment would measure nothing but these.
ARRIVAL_SECONDS = min(MINUTES * 30, 120)
# Fifty people sign in from one address at once: that limit is one of those that are set high.
LIMITS = SHARED_LIMITS | {"CREDMGR_LOG_LEVEL": "WARNING"}


def test_minutes_of_mixed_traffic(fresh_installation: InstallationFactory) -> None:
    one = fresh_installation(start=False)
    one.environment |= LIMITS
    one.start()
    one.create_admin()
    soak = Soak(one)
    people = gathered(soak)
    assert soak.wrong == []
    soak.acts.clear()  # from here on each is counted, every sign-in too
    before = dict(one.database.rows(AUDITED))
    programs = [partial(soak.take_token, random.Random(number)) for number in range(PROGRAMS)]  # noqa: S311
    threads = [threading.Thread(target=soak.repeat, args=(each,)) for each in programs]
    threads += [
        threading.Thread(target=arrive, args=(soak, person, ARRIVAL_SECONDS * place / len(people)))
        for place, person in enumerate(people)
    ]
    for thread in threads:
        thread.start()
    until = time.monotonic() + MINUTES * 60
    while time.monotonic() < until:
        soak.weigh()
        time.sleep(min(2, MINUTES * 2))
    soak.over.set()
    for thread in threads:
        thread.join(120)
    soak.weigh()
    sys.stdout.write(soak.told() + "\n")

    assert soak.wrong == []
    soak.judge_rows(before)
    soak.judge_credentials()
    soak.judge_memory()


def gathered(soak: Soak) -> list[Person]:
    """The crowd; whoever may change credentials has a registration with one of each kind that stays."""
    administrator = PortalSession(soak.one.portal_url, soak.one.admin_name, soak.one.admin_password)
    people = [invited(administrator, role, number) for role, many in CROWD.items() for number in range(many)]
    changers = [person for person in people if person.role in CHANGERS]
    with ThreadPoolExecutor(4) as several:
        list(several.map(partial(begin, soak), changers))
    return people


def begin(soak: Soak, person: Person) -> None:
    """Register an application and give it a secret and a certificate."""
    session = person.signed_in(soak.one)
    person.application = registered(session, f"Of {person.name}")
    soak.act("application:registered")
    at_work = AtWork(soak, person, session, random.Random(person.name))  # noqa: S311 - no secret
    at_work.change_secret()
    at_work.change_certificate()
    with soak.lock:
        soak.applications.append(person.application)


def arrive(soak: Soak, person: Person, after: float) -> None:
    """Begin after so many seconds, and go on until the time is over."""
    soak.over.wait(after)
    soak.repeat(partial(come_and_work, soak, person))


def come_and_work(soak: Soak, person: Person) -> None:
    """Sign in, and work until it is time to sign in again."""
    session = person.signed_in(soak.one)
    soak.act("account:session:signed-in")
    AtWork(soak, person, session, random.Random(f"{person.name} {time.monotonic_ns()}")).work()  # noqa: S311
