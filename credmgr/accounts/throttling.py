"""Counts attempts per key in the database, for all processes, in a sliding window (security rules L-3, C-2).

A window is cut into slices; a row counts the attempts of one key in one slice. An attempt weighs until its
whole slice has left the window, so no window of any position ever holds more than the limit.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.db import connection
from django.db.models import F, QuerySet, Sum
from django.utils.crypto import salted_hmac

from credmgr import measures
from credmgr.accounts.models import ThrottleCounter

# What a full limit is counted under in measures, by its purpose.
REFUSED_ATTEMPTS = "refused-attempts"
SLICES = 15
# Rows older than the longest window that anyone may ask for are of no use to anybody.
LONGEST_WINDOW = timedelta(days=1)
_TABLE = ThrottleCounter._meta.db_table
_COUNT_ONE = (
    f'INSERT INTO "{_TABLE}" ("key", "window_start", "count") VALUES (%s, %s, 1) '  # noqa: S608 - the model's own name
    f'ON CONFLICT ("key", "window_start") DO UPDATE SET "count" = "{_TABLE}"."count" + 1 RETURNING "count"'
)


@dataclass(frozen=True)
class Limit:
    """At most `most` attempts within any `window_seconds`. purpose: short name that starts the keys."""

    purpose: str
    most: int
    window_seconds: int


def key_of(purpose: str, *parts: object) -> str:
    """A key for the counters: the purpose in clear, what identifies the subject as a keyed digest only.

    People type passwords into the field for the name: what was typed is never stored.
    """
    text = "\0".join(str(part) for part in parts)
    return f"{purpose}:{salted_hmac(f'credmgr.throttle.{purpose}', text, algorithm='sha256').hexdigest()}"


@lru_cache(maxsize=1024)
def source_of(address: str) -> str:
    """Whom a limit by address counts: an IPv4 address itself, and for IPv6 the network of 64 bits, because
    whoever has one address there has all of them.
    """
    if ":" not in address:
        return address
    try:
        found = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((found.packed[:8] + bytes(8), 64)))


def hit(key: str, window_seconds: int, now: datetime) -> int:
    """Count one attempt; returns how many the window holds with it, those that came after it left out."""
    start = _slice_start(window_seconds, now)
    prepared = ThrottleCounter._meta.get_field("window_start").get_db_prep_value(start, connection)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_ONE, [key, prepared])
        in_slice: int = cursor.fetchone()[0]
    if in_slice == 1:
        forget_stale(now)
    # Of its own slice the count at its turn: by a later one, those who came after would shut it out.
    others = _rows(key, window_seconds, now).exclude(window_start=start)
    return in_slice + (others.aggregate(total=Sum("count"))["total"] or 0)


def take_back(key: str, window_seconds: int, now: datetime) -> None:
    """Undo a `hit` of the same moment: the attempt turned out to be none."""
    start = _slice_start(window_seconds, now)
    ThrottleCounter.objects.filter(key=key, window_start=start, count__gt=0).update(count=F("count") - 1)


def clear(key: str) -> None:
    """Forget everything counted under the key."""
    ThrottleCounter.objects.filter(key=key).delete()


def too_many(key: str, most: int, window_seconds: int, now: datetime) -> int:
    """Whole seconds until a further attempt would be allowed; 0 when it is now. Counts nothing."""
    excess = _total(key, window_seconds, now) - most
    if excess < 0:
        return 0
    rows = _rows(key, window_seconds, now).order_by("window_start")
    for start, count in rows.values_list("window_start", "count"):
        excess -= count
        if excess < 0:
            leaves = start + timedelta(seconds=window_seconds + window_seconds / SLICES)
            return max(1, int((leaves - now).total_seconds()) + 1)
    return window_seconds  # a limit of 0: nothing is ever allowed


def admit(key: str, limit: Limit, now: datetime) -> int:
    """Count an attempt if the limit has room: 0 when it has, else whole seconds to wait (nothing counted).

    Counting comes before judging, so that parallel attempts cannot pass one free place together.
    """
    if hit(key, limit.window_seconds, now) <= limit.most:
        return 0
    take_back(key, limit.window_seconds, now)
    measures.count(REFUSED_ATTEMPTS, limit.purpose)
    return max(1, too_many(key, limit.most, limit.window_seconds, now))


class Attempt:
    """One try at something, counted before it is judged, under several limits at once."""

    def __init__(self, limits: Sequence[tuple[Limit, str]], now: datetime) -> None:
        """limits: with the key under which each counts; the first is the one that a success forgets."""
        self._limits, self._now = limits, now

    def admit(self) -> int:
        """0, or the seconds to wait; an attempt that has to wait is not counted."""
        for number, (limit, key) in enumerate(self._limits):
            if wait := admit(key, limit, self._now):
                for earlier, counted in self._limits[:number]:
                    take_back(counted, earlier.window_seconds, self._now)
                return wait
        return 0

    def succeeded(self) -> None:
        """It was no failure: the slips under the first key are forgotten, under the others this try is."""
        (_, first), *others = self._limits
        clear(first)
        for limit, key in others:
            take_back(key, limit.window_seconds, self._now)


def forget_stale(now: datetime) -> int:
    """Delete counters that no window reaches any more; how many rows there were."""
    return ThrottleCounter.objects.filter(window_start__lt=now - LONGEST_WINDOW).delete()[0]


def _slice_start(window_seconds: int, now: datetime) -> datetime:
    width = window_seconds / SLICES
    return datetime.fromtimestamp(now.timestamp() // width * width, UTC)


def _rows(key: str, window_seconds: int, now: datetime) -> QuerySet[ThrottleCounter]:
    oldest = _slice_start(window_seconds, now) - timedelta(seconds=window_seconds)
    return ThrottleCounter.objects.filter(key=key, window_start__gte=oldest)


def _total(key: str, window_seconds: int, now: datetime) -> int:
    return _rows(key, window_seconds, now).aggregate(total=Sum("count"))["total"] or 0
