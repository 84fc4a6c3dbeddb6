"""How long credentials last, in the words that pages and exports use. No ORM here.

Days are calendar days in UTC: a secret that ends at 09:00 tomorrow has one day left all day today.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from django.conf import settings

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Dated(Protocol):
    """Whatever has a start and an end: rows, or light objects.

    Live from start_at, up to but without end_at.
    """

    @property
    def start_at(self) -> datetime:
        """First moment of use, aware UTC."""

    @property
    def end_at(self) -> datetime:
        """First moment it can no longer be used, aware UTC."""


@dataclass(frozen=True)
class CredentialStatus:
    """kind: current, soon, expired, not-yet. days_left: calendar days to the end, None once it has expired.

    tone: ok, warn, bad, none.
    """

    kind: str
    days_left: int | None
    words: str
    tone: str


@dataclass(frozen=True)
class ApplicationStatus:
    """kind: none (never had a credential), no-live, soon, current-expired, current.

    nearest_end: the next end among the live credentials; without a live one the last end there was; None
    where only federated credentials are live, which have no end. tone: ok, warn, bad, none.
    """

    kind: str
    words: str
    tone: str
    nearest_end: datetime | None


def is_live(credential: Dated, now: datetime) -> bool:
    """Whether it can be used at this moment."""
    return credential.start_at <= now < credential.end_at


def soon_until(now: datetime) -> datetime:
    """The first moment that is not soon any more: midnight UTC after the last day of the window."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=settings.EXPIRING_SOON_DAYS + 1)


def status_at(credential: Dated, now: datetime) -> CredentialStatus:
    """The status of one credential at that moment (aware UTC)."""
    days = days_between(now, credential.end_at)
    if credential.end_at <= now:
        return CredentialStatus("expired", None, _expired_words(-days), "bad")
    if credential.start_at > now:
        return CredentialStatus("not-yet", days, f"Not valid until {day(credential.start_at)}", "warn")
    words = "Ends today" if days == 0 else f"{counted(days, 'day')} left"
    if credential.end_at < soon_until(now):
        return CredentialStatus("soon", days, words, "warn")
    return CredentialStatus("current", days, words, "ok")


def application_status(
    credentials: Iterable[Dated], now: datetime, *, federated: int = 0
) -> ApplicationStatus:
    """The status of an application that has these credentials, all kinds together.

    federated: how many federated credentials it has; they are live and have no end.
    """
    rows = list(credentials)
    live = [row.end_at for row in rows if is_live(row, now)]
    expired = [row.end_at for row in rows if row.end_at <= now]
    return status_from(
        count=len(rows),
        nearest_live_end=min(live, default=None),
        expired=len(expired),
        last_end=max((row.end_at for row in rows), default=None),
        federated=federated,
        now=now,
    )


def status_from(
    *,
    count: int,
    nearest_live_end: datetime | None,
    expired: int,
    last_end: datetime | None,
    federated: int = 0,
    now: datetime,
) -> ApplicationStatus:
    """The same from numbers that a query has gathered."""
    if count == 0 and not federated:
        return ApplicationStatus("none", "No credentials", "none", None)
    if nearest_live_end is None and not federated:
        return ApplicationStatus("no-live", "No live credential", "bad", last_end)
    if nearest_live_end is not None and nearest_live_end < soon_until(now):
        days = days_between(now, nearest_live_end)
        words = "Expires today" if days == 0 else f"Expires in {counted(days, 'day')}"
        return ApplicationStatus("soon", words, "warn", nearest_live_end)
    if expired:
        return ApplicationStatus("current-expired", f"Current, {expired:,} expired", "ok", nearest_live_end)
    return ApplicationStatus("current", "Current", "ok", nearest_live_end)


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
