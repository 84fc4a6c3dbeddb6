"""Programs and people at work together for minutes: no server error, flat memory, no lost row.

`make soak` runs it for 30 minutes, SOAK_MINUTES for another time; one of the slow tests for one.
"""

import os
import random
import re
import statistics
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from tests.acceptance.portal_session import PortalSession
from tests.installation import SHARED_LIMITS, Installation, InstallationFactory
from tests.ops.test_crashes import SECRET, ask_for_token

pytestmark = pytest.mark.slow
MINUTES = float(os.environ.get("SOAK_MINUTES", "1"))
PEOPLE, PROGRAMS, APPLICATIONS = 50, 4, 10
# A confirmed password is good for ten minutes; people sign in again before.
SIGN_IN_SECONDS = 480
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# What a process may grow by from the middle third of the time to the last.
GUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
LIMITS = {"CREDMGR_LOG_LEVEL": "WARNING", "CREDMGR_SECRETS_PER_APPLICATION": "1000"}
GROWTH_SHARE, GROWTH_BYTES = 1.10, 8_000_000


@dataclass
class Application:
    """A registration of the soak, and secrets that were shown for it and not deleted."""

    app_id: str
    path: str
    secrets: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def unseen(self, page: str, base: str) -> str:
        """The id of the credential on a page that was on none before."""
        [found] = {str(key) for key in re.findall(rf"{base}/({GUID})", page)} - self.seen
        self.seen.add(found)
        return found


@dataclass
class Soak:
    """Everything that was answered."""

    one: Installation
    applications: list[Application]
    over: threading.Event = field(default_factory=threading.Event)
    answers: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    memory: dict[int, list[int]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def told(self) -> str:
        """The figures."""
        lines = [f"{kind}: {number:,}" for kind, number in sorted((self.answers + self.acts).items())]
        for pid, sizes in self.memory.items():
            start, middle, end = (sizes[at] / 1e6 for at in (0, len(sizes) // 2, -1))
            lines.append(f"process {pid}: {start:.0f}, {middle:.0f}, {end:.0f} MB at start, middle, end")
        return "\n".join(lines)

    def note(self, kind: str, status: int) -> None:
        """Count an answer; keep what no answer may be."""
        with self.lock:
            self.answers[f"{kind} {status}"] += 1
            if status >= 500:
                self.wrong.append(f"{kind}: {status}")

    def act(self, tag: str) -> None:
        """Count an act that was done, by the tag of its audit entry."""
        with self.lock:
            self.acts[tag] += 1

    def repeat(self, work: "partial[None]") -> None:
        """Until the time is over; whatever else goes wrong is kept."""
        while not self.over.is_set():
            try:
                work()
            except Exception as error:  # noqa: BLE001 - it is judged at the end
                with self.lock:
                    self.wrong.append(f"{type(error).__name__}: {error}"[:300])

    def take_tokens(self, chance: random.Random) -> None:
        """A program asks for a token, now and then with a wrong secret."""
        application = chance.choice(self.applications)
        with self.lock:
            secret = application.secrets[0]
        wrong = chance.random() < 0.05
        answer = ask_for_token(self.one, application.app_id, "wrong" if wrong else secret)
        self.note("token", answer.status_code)
        if answer.status_code != (401 if wrong else 200):
            self.wrong.append(f"token: {answer.status_code} {answer.text[:200]}")

    def work_in_portal(self, number: int) -> None:
        """A person signs in and works for some minutes: all read, one of five also adds and deletes."""
        person = PortalSession(self.one.portal_url, self.one.admin_name, self.one.admin_password)
        chance, until = random.Random(number), time.monotonic() + SIGN_IN_SECONDS  # noqa: S311 - no secret
        application = self.applications[number % len(self.applications)]
        paths = ("/applications", "/sign-ins", "/audit", application.path, f"{application.path}/credentials")
        while not self.over.is_set() and time.monotonic() < until:
            for path in chance.sample(paths, 2):
                self.note("page", person.get(path).status_code)
            if number < len(self.applications):
                self.change_secret(person, application, is_kept=chance.random() < 0.3)
            self.over.wait(chance.uniform(0.5, 3))

    def change_secret(self, person: PortalSession, application: Application, *, is_kept: bool) -> None:
        """Add one, and delete it again unless it is kept. Nobody else does so on this registration."""
        base = f"{application.path}/credentials/secrets"
        answer = person.submit(f"{base}/new", {"expires": "180"})
        self.note("secret added", answer.status_code)
        [shown] = SECRET.findall(answer.text)[:1]
        self.act("application:secret:added")
        made = application.unseen(person.get(base).text, base)
        if is_kept:
            with self.lock:
                application.secrets.append(shown)
        else:
            self.note("secret deleted", person.submit(f"{base}/{made}/delete", {}).status_code)
            self.act("application:secret:deleted")

    def weigh(self) -> None:
        """Note the memory of every process."""
        for pid in self.one.processes():
            try:
                pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            except OSError:
                continue  # it ended meanwhile
            self.memory.setdefault(pid, []).append(pages * PAGE_BYTES)


def test_minutes_of_mixed_traffic(fresh_installation: InstallationFactory) -> None:
    one = fresh_installation(start=False)
    one.environment |= SHARED_LIMITS | LIMITS
    one.start()
    one.create_admin()
    soak = Soak(one, [registered(one, number) for number in range(APPLICATIONS)])
    work = [partial(soak.take_tokens, random.Random(number)) for number in range(PROGRAMS)]  # noqa: S311
    work += [partial(soak.work_in_portal, number) for number in range(PEOPLE)]
    threads = [threading.Thread(target=soak.repeat, args=(each,)) for each in work]
    audited = "SELECT tag, count(*) FROM audit_auditevent GROUP BY tag"
    before = dict(one.database.rows(audited))
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
    # No lost row: an answer to a token request is a sign-in, an act is an audit entry.
    [[signed_in]] = one.database.rows("SELECT sum(count) FROM audit_signin")
    assert signed_in == sum(n for kind, n in soak.answers.items() if kind.startswith("token "))
    after = dict(one.database.rows(audited))
    assert {tag: after[tag] - before.get(tag, 0) for tag in soak.acts} == dict(soak.acts)
    assert one.manage("verify_audit").returncode == 0
    # Every secret that was shown and not deleted works.
    for application in soak.applications:
        for secret in application.secrets:
            assert ask_for_token(one, application.app_id, secret).status_code == 200
    for pid, sizes in soak.memory.items():
        third = len(sizes) // 3
        if third:
            middle, last = (statistics.median(part) for part in (sizes[third:-third], sizes[-third:]))
            assert last <= middle * GROWTH_SHARE + GROWTH_BYTES, (pid, sizes)


def registered(one: Installation, number: int) -> Application:
    """A registration with one secret that stays."""
    made = one.json("register_app", f"Soak {number}")
    application = Application(made["appId"], f"/applications/{made['id']}")
    added = one.json("add_secret", made["appId"])
    application.secrets.append(added["secretText"])
    application.seen.add(added["keyId"])
    return application
