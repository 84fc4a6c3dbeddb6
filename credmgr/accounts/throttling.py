"""Counts what is limited, in the database, so that the count holds for all processes (rule C-2)."""

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.db import connection

from credmgr.accounts.models import ThrottleCounter

_TABLE = ThrottleCounter._meta.db_table
_HIT = (
    f'INSERT INTO "{_TABLE}" (key, window_start, count) VALUES (%s, %s, 1) '  # noqa: S608 - the model's own name
    f'ON CONFLICT (key, window_start) DO UPDATE SET count = "{_TABLE}".count + 1 RETURNING count'
)


@dataclass(frozen=True)
class Limit:
    """At most `most` hits in a window of `seconds`. kind names what is counted ("sign-in:address")."""

    kind: str
    most: int
    seconds: int


@dataclass(frozen=True)
class Tally:
    """The state after a hit: how many in this window, and in how many seconds the window ends."""

    count: int
    is_over: bool
    retry_after: int


def hit(limit: Limit, subject: str, *, now: datetime) -> Tally:
    """Count one for the subject (an account, an address) in the window that now lies in."""
    start = _window(limit, now)
    prepared = ThrottleCounter._meta.get_field("window_start").get_db_prep_value(start, connection)
    with connection.cursor() as cursor:
        cursor.execute(_HIT, [_key(limit, subject), prepared])
        count: int = cursor.fetchone()[0]
    if count == 1:
        _forget_old(limit, now)
    ends = start + timedelta(seconds=limit.seconds)
    return Tally(count, count > limit.most, max(1, int((ends - now).total_seconds())))


def forgive(limit: Limit, subject: str, *, now: datetime) -> None:
    """Take back all hits of the subject in this window: it turned out to be no failure."""
    ThrottleCounter.objects.filter(key=_key(limit, subject), window_start=_window(limit, now)).delete()


def _window(limit: Limit, now: datetime) -> datetime:
    return datetime.fromtimestamp(now.timestamp() // limit.seconds * limit.seconds, tz=UTC)


def _key(limit: Limit, subject: str) -> str:
    """A keyed digest: what a person typed, perhaps his password in the wrong field, is never stored in clear."""
    digest = hmac.new(settings.SECRET_KEY.encode(), f"{limit.kind}|{subject}".encode(), sha256).hexdigest()
    return f"{limit.kind}:{digest[:40]}"


def _forget_old(limit: Limit, now: datetime) -> None:
    old = now - timedelta(seconds=2 * limit.seconds)
    ThrottleCounter.objects.filter(key__startswith=f"{limit.kind}:", window_start__lt=old).delete()
