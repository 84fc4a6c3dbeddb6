"""How dates, spans and counts are said. All times are UTC; every function takes its clock as an argument."""

from datetime import UTC, date, datetime

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def day(moment: datetime | date) -> str:
    """23 Nov 2026."""
    value = moment.astimezone(UTC).date() if isinstance(moment, datetime) else moment
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


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


def days_between(now: datetime, end: datetime) -> int:
    """Calendar days from now to end, in UTC; negative when end is past."""
    return (end.astimezone(UTC).date() - now.astimezone(UTC).date()).days


def days_left(end: datetime, now: datetime) -> str:
    """ "23 days left", "Ends today", "Expired today", "Expired 12 days ago"."""
    days = days_between(now, end)
    if end <= now:
        return "Expired today" if days == 0 else f"Expired {counted(-days, 'day')} ago"
    return "Ends today" if days == 0 else f"{counted(days, 'day')} left"


def counted(number: int, noun: str, plural: str = "") -> str:
    """ "1 secret", "2 secrets", "1,284 secrets"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def initials(name: str) -> str:
    """Up to two letters: of the first two words, else of the one."""
    parts = [part for part in "".join(c if c.isalnum() else " " for c in name).split() if part]
    if not parts:
        return "?"
    return (parts[0][0] + parts[1][0] if len(parts) > 1 else parts[0][:2]).upper()
