"""The switches of a test directory in words: for the banner, its page and the sign-in log."""

from dataclasses import dataclass
from datetime import datetime

from credmgr.portal import words
from credmgr.registrations.models import Tenant
from credmgr.registrations.switches import (
    CLOCK_SHIFT,
    CODE,
    DELAY,
    LIFETIME,
    THROTTLE,
    Switches,
    read_switches,
)

_IN_THE_LOG = {
    CODE: "Forced by a test switch",
    THROTTLE: "Throttled by a test switch",
    DELAY: "Delayed by a test switch",
    LIFETIME: "Lifetime set by a test switch",
    CLOCK_SHIFT: "Clock shifted by a test switch",
}


@dataclass(frozen=True)
class SwitchBanner:
    """What every page of the directory says while a switch is on. effects: one sentence part each."""

    effects: list[str]
    scope: str


def banner_of(tenant: Tenant, now: datetime) -> SwitchBanner | None:
    """None while nothing is on. now: aware UTC."""
    if not tenant.is_test or not tenant.test_switches:
        return None
    switches = read_switches(tenant.test_switches)
    return SwitchBanner(effects(switches), scope(switches)) if switches.is_on(now) else None


def effects(switches: Switches) -> list[str]:
    """What happens to token requests, in the order in which it does; what never comes to pass is left out."""
    found = []
    if switches.every:
        wait = f"429 and Retry-After {switches.retry_after} s"
        found.append(f"{_which(switches.every)} token request is throttled ({wait})")
    if switches.code and switches.every != 1:
        which = "all others are" if switches.every else "every token request is"
        found.append(f"{which} refused with AADSTS{switches.code}")
    elif switches.every != 1:
        if switches.lifetime:
            found.append(f"tokens live {span(switches.lifetime)}")
        if switches.clock_shift:
            side = "ahead" if switches.clock_shift > 0 else "behind"
            found.append(f"the clock is {span(abs(switches.clock_shift))} {side}")
    if switches.delay:
        found.append(f"answers wait {switches.delay:g} s")
    return found


def scope(switches: Switches) -> str:
    """Who it is for and until when, as a sentence; empty for everybody and without an end."""
    parts = []
    if switches.client_id:
        parts.append(f"for client {switches.client_id} only")
    if switches.until:
        parts.append(f"until {words.moment(switches.until)}")
    text = ", ".join(parts)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def in_the_log(recorded: str) -> list[str]:
    """What a sign-in row says; names of a newer version stand as they are stored."""
    return [_IN_THE_LOG.get(name, name) for name in recorded.split(",") if name]


def span(seconds: int) -> str:
    """ "45 s", "5 min", "1 h 30 min"."""
    minutes, left = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (left, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def _which(every: int) -> str:
    if every == 1:
        return "every"
    tail = every % 100
    ending = "th" if 10 < tail < 20 else {1: "st", 2: "nd", 3: "rd"}.get(every % 10, "th")
    return f"every {every}{ending}"
