"""How long a session lasts, and how sessions end. All moments are kept on the server, in the session."""

import hashlib
import hmac
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase

from credmgr.accounts.models import Session, User

# Seconds since the epoch, UTC.
SIGNED_IN_AT = "signed_in_at"
SEEN_AT = "seen_at"
CONFIRMED_AT = "confirmed_at"
# Id of the directory that the person works in; without it the default one.
DIRECTORY = "directory"
# Id of the person who came by single sign-on, and whether that counts as a second factor.
PROVIDER, PROVIDER_FACTOR = "provider", "provider_factor"
# Where and with what somebody signed in, to tell one's sessions apart.
ADDRESS, DEVICE = "address", "device"
# Not every request writes: a session may end this many seconds before its idle time is over, never after.
SEEN_EVERY_SECONDS = 20


def start(session: SessionBase, user: User, now: datetime, *, address: str = "", agent: str = "") -> None:
    """Note a fresh sign-in, which counts as a confirmation of the password; on with the last directory.

    agent: the browser's User-Agent, of which only its name and system are kept.
    """
    moment = now.timestamp()
    session[ADDRESS], session[DEVICE] = address, device_of(agent)
    session[SIGNED_IN_AT] = session[SEEN_AT] = session[CONFIRMED_AT] = moment
    if user.last_directory_id is not None:
        session[DIRECTORY] = str(user.last_directory_id)


def confirm(session: SessionBase, now: datetime) -> None:
    """Note that the password was given again: new session id, and a new moment (L-1, L-2)."""
    session.cycle_key()
    session[CONFIRMED_AT] = now.timestamp()


def confirmed_within(session: SessionBase, seconds: int, now: datetime) -> bool:
    """Whether the password was given in the last so many seconds."""
    moment = session.get(CONFIRMED_AT)
    return isinstance(moment, float) and 0 <= now.timestamp() - moment < seconds


def came_by_provider(session: SessionBase, user: User, *, counts_as_factor: bool) -> None:
    """Note, before the sign-in itself, that the person comes by single sign-on."""
    session[PROVIDER], session[PROVIDER_FACTOR] = str(user.pk), counts_as_factor


def forget_provider(session: SessionBase) -> None:
    """The sign-in that follows is one with a password."""
    session.pop(PROVIDER, None)
    session.pop(PROVIDER_FACTOR, None)


def is_from_provider(session: SessionBase, user: User) -> bool:
    """Whether this person came by single sign-on in this session, and so confirms there, too."""
    return bool(session.get(PROVIDER) == str(user.pk))


def provider_gave_factor(session: SessionBase, user: User) -> bool:
    """Whether that sign-in counts as one with a second factor."""
    return is_from_provider(session, user) and session.get(PROVIDER_FACTOR) is True


def belongs_to_somebody(session: SessionBase) -> bool:
    """Whether somebody signed in with it, whoever that was."""
    return SESSION_KEY in session


def is_over(session: SessionBase, now: datetime) -> bool:
    """Whether the idle or the absolute limit is reached (L-1). A session without its moments is over."""
    started, seen = session.get(SIGNED_IN_AT), session.get(SEEN_AT)
    if not isinstance(started, float) or not isinstance(seen, float):
        return True
    moment = now.timestamp()
    idle, lasted = moment - seen, moment - started
    return idle >= settings.SESSION_IDLE_SECONDS or lasted >= settings.SESSION_ABSOLUTE_SECONDS


def touch(session: SessionBase, now: datetime) -> None:
    """Note that the person is still here."""
    if abs(now.timestamp() - session[SEEN_AT]) >= SEEN_EVERY_SECONDS:
        session[SEEN_AT] = now.timestamp()


def work_in(session: SessionBase, user: User, directory_id: uuid.UUID) -> None:
    """Work in that directory from now on, in this session and after the next sign-in; not in other ones."""
    session[DIRECTORY] = str(directory_id)
    User.objects.filter(pk=user.pk).update(last_directory_id=directory_id)


def directory_id_of(session: SessionBase) -> uuid.UUID | None:
    """The directory that the person chose; None for the default one."""
    chosen = session.get(DIRECTORY)
    return uuid.UUID(chosen) if isinstance(chosen, str) else None


def end_sessions(user: User, *, keep: str | None = None) -> int:
    """Delete the person's sessions, `keep` (a session key) excepted; how many there were."""
    rows = Session.objects.filter(user=user)
    if keep:
        rows = rows.exclude(session_key=keep)
    return rows.delete()[0]


@dataclass(frozen=True)
class OpenSession:
    """A session of a person, without anything that would let one use it. Times are UTC.

    handle: names it on a page; a digest of its key. device: as device_of says.
    """

    handle: str
    signed_in_at: datetime
    seen_at: datetime
    is_current: bool
    address: str
    device: str


def sessions_of(user: User, now: datetime, *, current: str | None = None) -> list[OpenSession]:
    """The person's live sessions: the current one, then the one seen last. current: its session key."""
    found = []
    for row in Session.objects.filter(user=user, expire_date__gt=now):
        data = row.get_decoded()
        started, seen = data.get(SIGNED_IN_AT), data.get(SEEN_AT)
        if isinstance(started, float) and isinstance(seen, float):
            found.append(
                OpenSession(
                    _handle(row.session_key),
                    datetime.fromtimestamp(started, UTC),
                    datetime.fromtimestamp(seen, UTC),
                    row.session_key == current,
                    str(data.get(ADDRESS, "")),
                    str(data.get(DEVICE, "")),
                )
            )
    return sorted(found, key=lambda each: (not each.is_current, -each.seen_at.timestamp()))


def end_session(user: User, handle: str) -> bool:
    """End one of the person's sessions, named as sessions_of does. False where there is none of that name."""
    for row in Session.objects.filter(user=user):
        if hmac.compare_digest(_handle(row.session_key).encode(), handle.encode("utf-8", "surrogatepass")):
            return bool(row.delete()[0])
    return False


def device_of(agent: str) -> str:
    """ "Firefox on Linux" of a User-Agent; what it does not say is left out."""
    browser = next((name for sign, name in _BROWSERS if sign in agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    return f"{browser} on {system}" if browser and system else browser or system


# In this order: each calls itself by the names of those after it, too.
_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def _handle(session_key: str) -> str:
    # The key has over 160 random bits: a plain digest gives nothing away.
    return hashlib.sha256(session_key.encode()).hexdigest()[:32]


def forget_expired(now: datetime) -> int:
    """Delete rows of sessions that ended long ago; how many there were."""
    return Session.objects.filter(expire_date__lt=now).delete()[0]
