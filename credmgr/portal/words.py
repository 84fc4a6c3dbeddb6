"""How dates, spans and counts are said. All times are UTC; every function takes its clock as an argument."""

from collections.abc import Sequence
from datetime import UTC, datetime

from credmgr.credentials.lifecycle import counted, day, days_between

__all__ = ["counted", "day", "days_left", "initials", "listed", "machine_time", "moment", "relative"]


def moment(value: datetime, *, seconds: bool = False) -> str:
    """23 Nov 2026, 14:52 UTC, with seconds on request."""
    utc = value.astimezone(UTC)
    return f"{day(utc)}, {utc.strftime('%H:%M:%S' if seconds else '%H:%M')} UTC"


def relative(value: datetime, now: datetime) -> str:
    """Within a day "4 min ago" or "in 3 h"; beyond that the date."""
    seconds = (now - value).total_seconds()
    distance = abs(seconds)
    if distance >= 86400:
        return day(value)
    if distance < 60:
        return "just now" if seconds >= 0 else "in less than a minute"
    text = f"{int(distance // 60)} min" if distance < 3600 else f"{int(distance // 3600)} h"
    return f"{text} ago" if seconds > 0 else f"in {text}"


def days_left(end: datetime, now: datetime) -> str:
    """ "23 days left", "Ends today", "Expired today", "Expired 12 days ago"."""
    days = days_between(now, end)
    if end <= now:
        return "Expired today" if days == 0 else f"Expired {counted(-days, 'day')} ago"
    return "Ends today" if days == 0 else f"{counted(days, 'day')} left"


def listed(parts: Sequence[str]) -> str:
    """ "2 certificates", "2 certificates and 3 secrets", "1 role, 2 certificates and 3 secrets"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def initials(name: str) -> str:
    """Up to two letters: of the first two words, else of the one."""
    parts = [part for part in "".join(c if c.isalnum() else " " for c in name).split() if part]
    if not parts:
        return "?"
    return (parts[0][0] + parts[1][0] if len(parts) > 1 else parts[0][:2]).upper()


def machine_time(text: str) -> str:
    """A stored ISO time as "23 Nov 2026, 14:52 UTC"; any other text as it is."""
    if len(text) < 19 or text[4:5] != "-" or text[10:11] not in ("T", " "):
        return text
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment(value if value.tzinfo else value.replace(tzinfo=UTC))
