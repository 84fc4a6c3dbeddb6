"""How long credentials last, in the words that pages and exports use. No ORM here.

Days are calendar days in UTC: a secret that ends at 09:00 tomorrow has one day left all day today.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from django.conf import settings

# What an application's credentials say together; the worst first, as lists order them.
NO_LIVE, SOON, CURRENT_EXPIRED, CURRENT, NONE = "no-live", "soon", "current-expired", "current", "none"
STATUSES = (NO_LIVE, SOON, CURRENT_EXPIRED, CURRENT, NONE)

_AT_THE_END_OF_TIME = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Dated(Protocol):
    """Whatever has a start and an end: rows, or light objects.

    Live from start_at, up to but without end_at; where the end is not known, from start_at on.
    """

    @property
    def start_at(self) -> datetime:
        """First moment of use, aware UTC."""

    @property
    def end_at(self) -> datetime | None:
        """First moment it can no longer be used, aware UTC; None where nobody here knows it."""


@dataclass(frozen=True)
class CredentialStatus:
    """kind: CURRENT, SOON, expired, not-yet. days_left: calendar days to the end, None once it has expired or
    where the end is not known: that is current, and never soon.

    tone: ok, warn, bad, none.
    """

    kind: str
    days_left: int | None
    words: str
    tone: str


@dataclass(frozen=True)
class ApplicationStatus:
    """kind: NONE (never had a credential), NO_LIVE, SOON, CURRENT_EXPIRED, CURRENT.

    nearest_end: the next end among the live credentials; without a live one the last end there was; None
    where only credentials are live that have no end, or none that is known. tone: ok, warn, bad, none.
    """

    kind: str
    words: str
    tone: str
    nearest_end: datetime | None


def is_live(credential: Dated, now: datetime) -> bool:
    """Whether it can be used at this moment."""
    return credential.start_at <= now and not has_ended(credential, now)


def has_ended(credential: Dated, now: datetime) -> bool:
    """Whether its end is known and past."""
    return credential.end_at is not None and credential.end_at <= now


def end_of(credential: Dated) -> datetime:
    """Its end; the end of time where none is known, so that it sorts last."""
    return credential.end_at or _AT_THE_END_OF_TIME


def soon_until(now: datetime) -> datetime:
    """The first moment that is not soon any more: midnight UTC after the last day of the window."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=settings.EXPIRING_SOON_DAYS + 1)


def status_at(credential: Dated, now: datetime) -> CredentialStatus:
    """The status of one credential at that moment (aware UTC)."""
    end = credential.end_at
    days = None if end is None else days_between(now, end)
    if credential.start_at > now:
        return CredentialStatus("not-yet", days, f"Not valid until {day(credential.start_at)}", "warn")
    if end is None or days is None:
        return CredentialStatus(CURRENT, None, "No end known", "none")
    if end <= now:
        return CredentialStatus("expired", None, _expired_words(-days), "bad")
    words = "Ends today" if days == 0 else f"{counted(days, 'day')} left"
    if end < soon_until(now):
        return CredentialStatus(SOON, days, words, "warn")
    return CredentialStatus(CURRENT, days, words, "ok")


def application_status(
    credentials: Iterable[Dated], now: datetime, *, federated: int = 0
) -> ApplicationStatus:
    """The status of an application that has these credentials, all kinds together.

    federated: how many federated credentials it has; they are live and have no end.
    """
    rows = list(credentials)
    live = [row.end_at for row in rows if is_live(row, now)]
    return status_from(
        count=len(rows) + federated,
        nearest_live_end=min((end for end in live if end is not None), default=None),
        expired=sum(has_ended(row, now) for row in rows),
        last_end=max((row.end_at for row in rows if row.end_at is not None), default=None),
        endless=federated + live.count(None),
        now=now,
    )


def status_from(
    *,
    count: int,
    nearest_live_end: datetime | None,
    expired: int,
    last_end: datetime | None,
    endless: int = 0,
    now: datetime,
) -> ApplicationStatus:
    """The same from numbers. count: all of them; endless: live ones without an end, or with none known."""
    if count == 0:
        return ApplicationStatus(NONE, "No credentials", "none", None)
    if nearest_live_end is None and not endless:
        return ApplicationStatus(NO_LIVE, "No live credential", "bad", last_end)
    if nearest_live_end is not None and nearest_live_end < soon_until(now):
        days = days_between(now, nearest_live_end)
        words = "Expires today" if days == 0 else f"Expires in {counted(days, 'day')}"
        return ApplicationStatus(SOON, words, "warn", nearest_live_end)
    if expired:
        return ApplicationStatus(CURRENT_EXPIRED, f"Current, {expired:,} expired", "ok", nearest_live_end)
    return ApplicationStatus(CURRENT, "Current", "ok", nearest_live_end)


def days_between(now: datetime, end: datetime) -> int:
    """Calendar days from now to end in UTC; negative when the end is past."""
    return (end.astimezone(UTC).date() - now.astimezone(UTC).date()).days


def day(moment: datetime) -> str:
    """23 Nov 2026, in UTC."""
    value = moment.astimezone(UTC)
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def moment(value: datetime) -> str:
    """23 Nov 2026, 14:52 UTC."""
    return f"{day(value)}, {value.astimezone(UTC):%H:%M} UTC"


def counted(number: int, noun: str) -> str:
    """1 day, 2 days."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _expired_words(days_ago: int) -> str:
    return "Expired today" if days_ago == 0 else f"Expired {counted(days_ago, 'day')} ago"
