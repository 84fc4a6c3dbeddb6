"""The people of the soak: fifty of them with an account and roles each, at work as their roles allow."""

import html
import random
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

import requests
from cryptography.hazmat.primitives.serialization import Encoding

from credmgr.accounts.roles import Role
from tests.acceptance.portal_session import PortalSession
from tests.authority.assertion_maker import KeyPair
from tests.installation import Installation
from tests.ops.soak_record import GUID, Application, Soak
from tests.ops.test_crashes import SECRET
from tests.portal.certificate_files import certificate, key_pem, pem, rsa_key

# A confirmed password is good for ten minutes; people sign in again before.
SIGN_IN_SECONDS = 480
CROWD = {
    Role.DIRECTORY_ADMINISTRATOR: 3,
    Role.APPLICATION_ADMINISTRATOR: 5,
    Role.APPLICATION_OWNER: 12,
    Role.TESTER: 10,
    Role.READER: 15,
    Role.AUDITOR: 5,
}
# These change the credentials of a registration that is theirs alone to change.
CHANGERS = (Role.DIRECTORY_ADMINISTRATOR, Role.APPLICATION_ADMINISTRATOR, Role.APPLICATION_OWNER)
LINK = re.compile(r"http://[^/]+(/account/invitation/[A-Za-z0-9_-]{40,})")
KEYS = 4
# Of each kind on each registration; there is room for 20.
MOST_KEPT = 12


@dataclass
class Person:
    """An account with one role, and the registration that the person has most to do with."""

    name: str
    password: str
    role: Role
    number: int
    application: Application | None = None

    def signed_in(self, one: Installation) -> PortalSession:
        """A new session."""
        return PortalSession(one.portal_url, self.name, self.password)


def invited(administrator: PortalSession, role: Role, number: int) -> Person:
    """Somebody who came by an invitation's link and chose a name and a password."""
    made = Person(f"{role}-{number}", f"soak-{secrets.token_hex(12)}", role, number)
    answer = administrator.submit("/users/invite", {"name": made.name, "roles": role.value})
    found = LINK.search(html.unescape(answer.text))
    assert found, complaint(answer)
    guest = PortalSession(administrator.base)
    guest.get(found[1])
    form = {"user_name": made.name, "password1": made.password, "password2": made.password}
    answer = guest.submit("/account/invitation", form)
    assert "/account/invitation" not in answer.url, complaint(answer)
    return made


def complaint(answer: requests.Response) -> str:
    """What a form that came back says is wrong with it."""
    said = re.findall(r'<a class="inline" href="#[^"]*">([^<]+)|<p>([^<]{20,})</p>', answer.text)
    return f"{answer.status_code} {answer.url} {said}"


def registered(person: PortalSession, name: str) -> Application:
    """A registration that the person made, and therefore owns."""
    form = {"display_name": name, "start_with": "nothing"}
    answer = person.submit("/applications/new", form)
    found = re.search(rf"/applications/({GUID})", answer.url)
    assert found, complaint(answer)
    app_id = re.search(rf"Application \(client\) ID</dt>.*?({GUID})", answer.text, re.DOTALL)
    assert app_id, complaint(answer)
    return Application(app_id[1], f"/applications/{found[1]}")


@dataclass
class AtWork:
    """One person's session at the portal."""

    soak: Soak
    person: Person
    session: PortalSession
    chance: random.Random

    def work(self) -> None:
        """Some pages, then what the role is there for, then a pause; until the sign-in grows old."""
        until = time.monotonic() + SIGN_IN_SECONDS
        acts = self._acts()
        while not self.soak.over.is_set() and time.monotonic() < until:
            for path in self.chance.sample(self._pages(), 2):
                self.soak.note("page", self.session.get(path).status_code)
            if acts:
                self.chance.choice(acts)()
            self.soak.over.wait(self.chance.uniform(0.5, 3))

    def _acts(self) -> list[Callable[[], None]]:
        if self.person.role in CHANGERS:
            return [self.change_secret, self.change_secret, self.change_certificate, self.test]
        return {
            Role.TESTER: [self.test, self.be_refused],
            Role.READER: [self.be_refused],
            Role.AUDITOR: [self.be_refused],
        }.get(self.person.role, [])

    def _pages(self) -> list[str]:
        pages = ["/applications", "/applications?status=none", *self._pages_of(self._application())]
        if self.person.role is not Role.APPLICATION_OWNER:
            pages.append("/sign-ins")
        if self.person.role in (Role.AUDITOR, Role.DIRECTORY_ADMINISTRATOR, Role.APPLICATION_ADMINISTRATOR):
            pages.append("/audit")
        if self.person.role is Role.DIRECTORY_ADMINISTRATOR:
            pages.append("/users")
        return pages

    def _pages_of(self, application: Application) -> list[str]:
        parts = ("", "/credentials/secrets", "/credentials/certificates", "/sign-ins", "/tests")
        return [f"{application.path}{part}" for part in parts]

    def _application(self) -> Application:
        """The person's own, else one of the others'."""
        with self.soak.lock:
            return self.person.application or self.chance.choice(self.soak.applications)

    def be_refused(self) -> None:
        """Somebody tries what the role does not allow: it is refused, and on record."""
        path = f"{self._application().path}/credentials/secrets/new"
        self.soak.note("not allowed", self.session.get(path).status_code, 403)
        self.soak.act("account:permission:refused")

    def change_secret(self) -> None:
        """Add one, and delete it again unless it is kept."""
        application = self._application()
        base = f"{application.path}/credentials/secrets"
        answer = self.session.submit(f"{base}/new", {"expires": "180"})
        self.soak.note("secret added", answer.status_code)
        [shown] = SECRET.findall(answer.text)[:1]
        self.soak.act("application:secret:added")
        made = application.unseen(self.session.get(base).text, base)
        with self.soak.lock:
            application.secrets[made] = shown
        self._perhaps_delete(application.secrets, base, made, "secret")

    def change_certificate(self) -> None:
        """Upload one, keeping its key or not, and delete it again unless it is kept."""
        application = self._application()
        base = f"{application.path}/credentials/certificates"
        key = rsa_key(serial=self.chance.randrange(KEYS))
        made_of = certificate(key, common_name=f"soak-{self.person.number}")
        files, form = {"certificate_file": ("server.crt", pem(made_of))}, {"description": "soak"}
        if self.chance.random() < 0.3:
            files["key_file"] = ("server.pem", key_pem(key))
            form["keep_private_key"] = "on"
        answer = self.session.submit(f"{base}/new", form, files=files)
        self.soak.note("certificate added", answer.status_code)
        assert answer.url.endswith(base), complaint(answer)  # else the form came back, with what it asks
        self.soak.act("application:certificate:added")
        made = application.unseen(answer.text, base)
        with self.soak.lock:
            application.pairs[made] = KeyPair(key, made_of.public_bytes(Encoding.DER))
        self._perhaps_delete(application.pairs, base, made, "certificate")

    def _perhaps_delete(
        self, kept: "dict[str, str] | dict[str, KeyPair]", base: str, made: str, kind: str
    ) -> None:
        # The first of each kind is what programs ask with, and an application has room for so many only.
        if len(kept) == 1 or (self.chance.random() < 0.1 and len(kept) < MOST_KEPT):
            return
        with self.soak.lock:
            del kept[made]
        answer = self.session.submit(f"{base}/{made}/delete", {})
        self.soak.note(f"{kind} deleted", answer.status_code)
        assert answer.url.endswith(base), complaint(answer)
        self.soak.act(f"application:{kind}:deleted")

    def test(self) -> None:
        """Test acquire token with the first secret, or the first certificate and its key file."""
        application = self._application()
        by_certificate = self.chance.random() < 0.5
        with self.soak.lock:
            kept = application.pairs if by_certificate else application.secrets
            credential = next(iter(kept))
            pair = application.pairs[credential] if by_certificate else None
        files = {"private_key_file": ("server.pem", key_pem(pair.key))} if pair else None
        answer = self.session.submit(f"{application.path}/tests/new", {"credential": credential}, files=files)
        self.soak.note(f"test by {'certificate' if pair else 'secret'}", answer.status_code)
        assert re.search(rf"/tests/{GUID}$", answer.url), complaint(answer)
        self.soak.act("application:test:run")
