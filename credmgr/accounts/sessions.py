"""How long a session lasts, and how sessions end. All moments are kept on the server, in the session."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase

from credmgr.accounts.models import Session, User

# Seconds since the epoch, UTC.
SIGNED_IN_AT = "signed_in_at"
SEEN_AT = "seen_at"
CONFIRMED_AT = "confirmed_at"
# Not every request writes: a session may end this many seconds before its idle time is over, never after.
SEEN_EVERY_SECONDS = 20


def start(session: SessionBase, now: datetime) -> None:
    """Note a fresh sign-in, which counts as a confirmation of the password."""
    moment = now.timestamp()
    session[SIGNED_IN_AT] = session[SEEN_AT] = session[CONFIRMED_AT] = moment


def confirm(session: SessionBase, now: datetime) -> None:
    """Note that the password was given again: new session id, and a new moment (L-1, L-2)."""
    session.cycle_key()
    session[CONFIRMED_AT] = now.timestamp()


def confirmed_within(session: SessionBase, seconds: int, now: datetime) -> bool:
    """Whether the password was given in the last so many seconds."""
    moment = session.get(CONFIRMED_AT)
    return isinstance(moment, float) and 0 <= now.timestamp() - moment < seconds


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


def end_sessions(user: User, *, keep: str | None = None) -> int:
    """Delete the person's sessions, `keep` (a session key) excepted; how many there were."""
    rows = Session.objects.filter(user=user)
    if keep:
        rows = rows.exclude(session_key=keep)
    return rows.delete()[0]


def forget_expired(now: datetime) -> int:
    """Delete rows of sessions that ended long ago; how many there were."""
    return Session.objects.filter(expire_date__lt=now).delete()[0]
