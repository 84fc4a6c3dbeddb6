"""What breaks when a credential is deleted, in words, from the sign-ins it made."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from credmgr.audit.credential_use import callers_with
from credmgr.audit.queries import CALLER_ROWS, Caller, Callers, last_used
from credmgr.credentials.lifecycle import end_of, has_ended
from credmgr.credentials.models import Certificate, ClientSecret
from credmgr.portal import words
from credmgr.registrations.models import Application
from credmgr.registrations.places import place_words

MONTH = timedelta(days=30)
WEEK = timedelta(days=7)
# So many callers are named; the rest is a number.
_NAMED = 5


@dataclass(frozen=True)
class Impact:
    """tone: bad (sign-ins will fail), warn (refused ones change), ok (nothing). points: a sentence each."""

    tone: str
    heading: str
    points: list[str]


def impact_of(credential: ClientSecret | Certificate, now: datetime) -> Impact:
    """Which sign-ins of the last 30 days fail without it, or that none will."""
    is_secret = isinstance(credential, ClientSecret)
    code = "AADSTS7000215" if is_secret else "AADSTS700027"
    if credential.application.is_external:
        return _elsewhere(credential.application)
    if has_ended(credential, now):
        return _of_expired(credential, code, now)
    return impact_on_callers(credential.pk, code, now)


def _elsewhere(application: Application) -> Impact:
    """What uses it over there is not known here, and goes on."""
    place = place_words(application)
    return Impact(
        "warn",
        f"Nothing changes at {place}",
        [f"There it works until it is deleted at {place}.", "Here it can no longer be tested or watched."],
    )


def impact_on_callers(credential_id: uuid.UUID, code: str, now: datetime) -> Impact:
    """The same for any credential that still works. code: what its callers are refused with."""
    used_at = last_used([credential_id]).get(credential_id)
    callers = callers_with(credential_id, now - MONTH)
    if callers.all:
        return Impact(
            "bad", f"These sign-ins will fail, with {code}", _of_callers(callers, credential_id, now)
        )
    if used_at is None:
        return Impact("ok", "No sign-in will fail", ["It was never used."])
    return Impact(
        "warn",
        "No sign-in of the last 30 days used it",
        [f"It last got a token on {words.moment(used_at)}. What runs rarely may still need it."],
    )


def _of_callers(found: Callers, credential_id: uuid.UUID, now: datetime) -> list[str]:
    callers = found.all
    total = sum(caller.count for caller in callers)
    of_week = callers_with(credential_id, now - WEEK).all
    week = {(caller.address, caller.resource): caller.count for caller in of_week}
    points = [
        f"From {caller.address or 'an address not known'} to {caller.resource or 'no resource'}: "
        f"{caller.count:,} in 30 days, {week.get((caller.address, caller.resource), 0):,} in 7 days, "
        f"the last {words.relative(caller.last_at, now)}."
        for caller in callers[:_NAMED]
    ]
    points += _others(callers)
    if len(callers) > 1:
        points.append(
            f"In all {words.counted(total, 'sign-in')} in 30 days, {sum(week.values()):,} in 7 days."
        )
    return points + _where_the_look_ended(found)


def _others(callers: list[Caller]) -> list[str]:
    """The number of those that are not named."""
    rest = len(callers) - _NAMED
    return [f"{words.counted(rest, 'other caller')}."] if rest > 0 else []


def _where_the_look_ended(found: Callers) -> list[str]:
    if found.looked_back_to is None:
        return []
    return [f"Only the newest {CALLER_ROWS:,} were looked at, back to {words.moment(found.looked_back_to)}."]


def _of_expired(credential: ClientSecret | Certificate, code: str, now: datetime) -> Impact:
    points = [f"It {words.days_left(end_of(credential), now).lower()}."]
    found = callers_with(credential.pk, now - WEEK, refused=True)
    tried = found.all
    points += [
        f"{caller.address or 'An address not known'} still tries it: "
        f"{words.counted(caller.count, 'request')} refused in 7 days."
        for caller in tried[:_NAMED]
    ]
    points += _others(tried) + _where_the_look_ended(found)
    if not tried:
        return Impact("ok", "No sign-in will fail", points)
    if isinstance(credential, ClientSecret):
        points.append(f"The answer changes from AADSTS7000222 to {code}.")
    return Impact("warn", "No sign-in that works will fail", points)
