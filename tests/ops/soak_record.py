"""What the soak was answered, what was given to it, and whether all of that is true afterwards."""

import os
import random
import re
import statistics
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import requests

from tests.authority.assertion_maker import TYPE, KeyPair, b64, claims_of, compact
from tests.installation import Installation
from tests.ops.test_crashes import GRAPH, ask_for_token
from tests.ops.test_serve import get

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# What a process may grow by from the middle third of the time to the last.
GROWTH_SHARE, GROWTH_BYTES = 1.10, 8_000_000
GUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
AUDITED = "SELECT tag, count(*) FROM audit_auditevent GROUP BY tag"
SIGN_INS = "SELECT coalesce(sum(count), 0) FROM audit_signin"
# A test asks over the wire as programs do; by certificate twice, once in each shape of the assertion.
REQUESTS_OF_TESTS = {"test by secret 200": 1, "test by certificate 200": 2}
TESTS_WITHOUT_SIGN_IN = (
    "SELECT count(*) FROM flowtest_flowrun "
    "WHERE correlation_id NOT IN (SELECT correlation_id FROM audit_signin WHERE error_code = 0)"
)


@dataclass
class Application:
    """A registration of the soak, and its credentials that were not deleted: values, and pairs by id."""

    app_id: str
    path: str
    secrets: dict[str, str] = field(default_factory=dict)
    pairs: dict[str, KeyPair] = field(default_factory=dict)
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
    applications: list[Application] = field(default_factory=list)
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

    def note(self, kind: str, status: int, expected: int = 200) -> None:
        """Count an answer; keep what no answer may be."""
        with self.lock:
            self.answers[f"{kind} {status}"] += 1
            if status != expected:
                self.wrong.append(f"{kind}: {status}")

    def act(self, tag: str) -> None:
        """Count an act that was done, by the tag of its audit entry."""
        with self.lock:
            self.acts[tag] += 1

    def repeat(self, work: Callable[[], None]) -> None:
        """Until the time is over; whatever goes wrong is kept."""
        while not self.over.is_set():
            try:
                work()
            except Exception as error:  # noqa: BLE001 - it is judged at the end
                with self.lock:
                    self.wrong.append(f"{type(error).__name__}: {error}"[:300])

    def take_token(self, chance: random.Random) -> None:
        """A program asks for a token, now and then with a wrong secret, as often by certificate."""
        with self.lock:
            application = chance.choice(self.applications)
            # The oldest of each kind, which nobody deletes.
            secret = next(iter(application.secrets.values()))
            pair = next(iter(application.pairs.values()))
        if chance.random() < 0.5:
            answer = ask_by_certificate(self.one, application.app_id, pair, chance)
            self.note("token by certificate", answer.status_code)
        elif chance.random() < 0.1:
            answer = ask_for_token(self.one, application.app_id, "wrong")
            self.note("token by wrong secret", answer.status_code, 401)
        else:
            answer = ask_for_token(self.one, application.app_id, secret)
            self.note("token by secret", answer.status_code)

    def weigh(self) -> None:
        """Note the memory of every process."""
        for pid in self.one.processes():
            try:
                pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            except OSError:
                continue  # it ended meanwhile
            self.memory.setdefault(pid, []).append(pages * PAGE_BYTES)

    def judge_rows(self, before: dict[str, int]) -> None:
        """No lost row: an answer to a token request is a sign-in, an act is an audit entry, and no more."""
        asked = sum(number for kind, number in self.answers.items() if kind.startswith("token "))
        asked += sum(self.answers[kind] * number for kind, number in REQUESTS_OF_TESTS.items())
        [(recorded,)] = self.one.database.rows(SIGN_INS)
        assert recorded == asked, f"{recorded} of {asked} token requests are on record"
        assert self.one.database.rows(TESTS_WITHOUT_SIGN_IN) == [(0,)]
        after = dict(self.one.database.rows(AUDITED))
        recorded_acts = {tag: after.get(tag, 0) - before.get(tag, 0) for tag in self.acts}
        assert recorded_acts == dict(self.acts), f"{recorded_acts} are on record, {dict(self.acts)} were done"
        assert self.one.manage("verify_audit").returncode == 0

    def judge_credentials(self) -> None:
        """Every secret that was shown and every certificate that was added, and not deleted, works."""
        chance = random.Random(0)  # noqa: S311 - no secret
        for application in self.applications:
            for secret in application.secrets.values():
                assert ask_for_token(self.one, application.app_id, secret).status_code == 200
            for pair in application.pairs.values():
                answer = ask_by_certificate(self.one, application.app_id, pair, chance)
                assert answer.status_code == 200, answer.text

    def judge_memory(self) -> None:
        """No process grew from the middle third of the time to the last."""
        for pid, sizes in self.memory.items():
            third = len(sizes) // 3
            if third:
                middle, last = (statistics.median(part) for part in (sizes[third:-third], sizes[-third:]))
                assert last <= middle * GROWTH_SHARE + GROWTH_BYTES, (pid, sizes)


def ask_by_certificate(
    one: Installation, app_id: str, pair: KeyPair, chance: random.Random
) -> requests.Response:
    """A token request with an assertion of its own, signed as today's or as yesterday's MSAL does."""
    audience = f"{one.authority_url}/{one.tenant_id}/oauth2/v2.0/token"
    header = chance.choice(
        ({"alg": "PS256", "x5t#S256": b64(pair.sha256)}, {"alg": "RS256", "x5t": b64(pair.sha1)})
    )
    form = {
        "grant_type": "client_credentials",
        "client_id": app_id,
        "scope": GRAPH,
        "client_assertion_type": TYPE,
        "client_assertion": compact(
            {"typ": "JWT", **header}, claims_of(app_id, audience, datetime.now(UTC)), pair.key
        ),
    }
    return get(one, f"/{one.tenant_id}/oauth2/v2.0/token", method="POST", data=form)
