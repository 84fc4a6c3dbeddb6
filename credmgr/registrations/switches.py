"""The switches of a test directory: what its token endpoint does on purpose to other people's code.

Read from the directory's row with every token request, so what is switched counts with the next one. Audit
rows and the sign-in log use the names of the stored object.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from credmgr.aadsts import CATALOGUE
from credmgr.registrations.errors import RegistrationError

CODE, THROTTLE, DELAY, LIFETIME, CLOCK_SHIFT = "code", "throttle", "delay", "lifetime", "clockShift"
EVERY_MAX = 1000
RETRY_AFTER_MAX = 3600
DELAY_MAX_SECONDS = 30.0
LIFETIME_MIN_SECONDS = 60
CLOCK_SHIFT_MAX_SECONDS = 24 * 3600
# Instance discovery answers 50049 and nothing else does; 90055 is the throttle's own, with its Retry-After.
_NOT_FORCED = (50049, 90055)
FORCIBLE_CODES = tuple(
    code for code, entry in CATALOGUE.items() if entry.can_be_emitted and code not in _NOT_FORCED
)
# Stands in the text of every answer that a switch forces, so that nobody looks for the fault elsewhere.
FORCED_SENTENCE = "Forced by a test switch of this directory."
_COUNTER = "test-switch:"


@dataclass(frozen=True, slots=True)
class Switches:
    """What is switched on. A value of 0 or None: off.

    code: AADSTS number that every request is refused with. every: every nth request is answered 429 (1: all),
    with retry_after seconds. delay: seconds that an answer waits. lifetime: of tokens, in seconds.
    clock_shift: seconds by which the directory's clock is ahead, negative: behind. client_id: the only
    client that all this is for, None for all. until: aware UTC, when everything ends by itself.
    """

    code: int = 0
    every: int = 0
    retry_after: int = 0
    delay: float = 0.0
    lifetime: int = 0
    clock_shift: int = 0
    client_id: uuid.UUID | None = None
    until: datetime | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of those that are on, whatever the time is."""
        on = (
            (CODE, self.code),
            (THROTTLE, self.every),
            (DELAY, self.delay),
            (LIFETIME, self.lifetime),
            (CLOCK_SHIFT, self.clock_shift),
        )
        return tuple(name for name, value in on if value)

    def is_on(self, now: datetime) -> bool:
        """Whether any of them does something now. now: aware UTC."""
        return bool(self.names) and (self.until is None or now < self.until)

    def stored(self) -> dict[str, Any]:
        """As the row keeps it: {} when all are off."""
        if not self.names:
            return {}
        values: dict[str, Any] = {
            CODE: self.code,
            "throttleEvery": self.every,
            "retryAfter": self.retry_after,
            DELAY: self.delay,
            LIFETIME: self.lifetime,
            CLOCK_SHIFT: self.clock_shift,
            "clientId": str(self.client_id) if self.client_id else None,
            "until": self.until.isoformat() if self.until else None,
        }
        return {name: value for name, value in values.items() if value}


ALL_OFF = Switches()


def read_switches(stored: Mapping[str, Any]) -> Switches:
    """The switches of a row. It was checked when it was written; what cannot be read is off."""
    if not stored:
        return ALL_OFF
    try:
        client_id, until = stored.get("clientId"), stored.get("until")
        return Switches(
            code=int(stored.get(CODE, 0)),
            every=int(stored.get("throttleEvery", 0)),
            retry_after=int(stored.get("retryAfter", 0)),
            delay=float(stored.get(DELAY, 0)),
            lifetime=int(stored.get(LIFETIME, 0)),
            clock_shift=int(stored.get(CLOCK_SHIFT, 0)),
            client_id=uuid.UUID(str(client_id)) if client_id else None,
            until=datetime.fromisoformat(str(until)).astimezone(UTC) if until else None,
        )
    except (TypeError, ValueError):
        return ALL_OFF


def in_audit(switches: Switches) -> list[str] | None:
    """What audit rows say: "throttleEvery: 3", one text for each that is on; None when all are off."""
    return [f"{name}: {value}" for name, value in switches.stored().items()] or None


def switch_problems(switches: Switches, now: datetime) -> Iterator[RegistrationError]:
    """One refusal for each switch that is out of its limits. now: aware UTC."""
    if switches.code and switches.code not in FORCIBLE_CODES:
        yield _refused("code", "Choose one of the codes that this authority answers with.")
    if not 0 <= switches.every <= EVERY_MAX:
        yield _refused("every", f"Throttle every request (1) to every {EVERY_MAX:,}th; 0 throttles none.")
    if switches.every and not 1 <= switches.retry_after <= RETRY_AFTER_MAX:
        yield _refused("retry_after", f"Retry-After takes 1 to {RETRY_AFTER_MAX:,} seconds.")
    if not 0 <= switches.delay <= DELAY_MAX_SECONDS:
        yield _refused("delay", f"The delay takes 0 to {DELAY_MAX_SECONDS:.0f} seconds.")
    usual = settings.TOKEN_LIFETIME_SECONDS
    if switches.lifetime and not LIFETIME_MIN_SECONDS <= switches.lifetime <= usual:
        yield _refused(
            "lifetime",
            f"The lifetime takes {LIFETIME_MIN_SECONDS} to {usual:,} seconds, the usual one; 0 leaves it so.",
        )
    if abs(switches.clock_shift) > CLOCK_SHIFT_MAX_SECONDS:
        yield _refused(
            "clock_shift",
            f"The clock can be shifted by {CLOCK_SHIFT_MAX_SECONDS:,} seconds (24 hours) at most.",
        )
    if switches.until is not None and switches.until <= now:
        yield _refused("until", "This moment is over. Enter a later one, in UTC, or leave it empty.")


def throttle_counter(tenant_id: uuid.UUID) -> str:
    """Name of the counter that says which requests of a directory are throttled."""
    return f"{_COUNTER}{tenant_id}"


def _refused(field: str, message: str) -> RegistrationError:
    return RegistrationError(f"switch_{field}", message, field=field)
