"""Limits of the token endpoint. Counters live in the database and hold for all processes; only refusals
write one.

The window is a clock minute. The counter of wrong secrets is read with the directory's statement, so a good
request pays nothing for it.
"""

from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings

from credmgr.accounts.models import ThrottleCounter
from credmgr.accounts.throttling import source_of
from credmgr.audit.token_database import Statement
from credmgr.authority.refusals import RefusalError

WINDOW = timedelta(minutes=1)
# Whoever invents client ids fills so many rows a minute; then one row counts the rest.
UNKNOWN_CLIENTS_PER_MINUTE = 60
_TABLE = ThrottleCounter._meta.db_table
_HIT = Statement(
    f'INSERT INTO "{_TABLE}" (key, window_start, count) VALUES (%(key)s, %(window)s, 1) '  # noqa: S608 - the model's own names
    f'ON CONFLICT (key, window_start) DO UPDATE SET count = "{_TABLE}".count + 1 RETURNING count'
)
_FORGET = Statement(f'DELETE FROM "{_TABLE}" WHERE key LIKE %(prefix)s AND window_start < %(window)s')  # noqa: S608 - the model's own names
_PREFIX = "token:"


def wrong_secret_counter(client_id: str, address: str) -> str:
    """Name of the counter of one client and address; no typed value in clear."""
    return _name("wrong-secret", f"{client_id.lower()}|{source_of(address)}")


def window_of(now: datetime) -> datetime:
    """The minute that a moment lies in."""
    return now.replace(second=0, microsecond=0)


def refuse_if_guessing(wrong_secrets: int, now: datetime) -> None:
    """Raise RefusalError 90055 (429) once a client's wrong secrets of this minute, from one address, reach
    the limit.

    Asked before the comparison: beyond the limit even the right value tells nothing.
    """
    if wrong_secrets >= settings.WRONG_SECRETS_PER_MINUTE:
        raise _too_many("wrong client secrets for this app", now)


def count_wrong_secret(counter: str, now: datetime) -> None:
    """One more. Malformed requests and bad assertions do not count: nothing in them can be guessed."""
    _hit(counter, now)


def count_request(address: str, now: datetime) -> None:
    """Raise RefusalError 90055 (429) above the limit of requests per address, where one is set."""
    limit = settings.TOKEN_REQUESTS_PER_MINUTE
    if limit and _hit(_name("requests", source_of(address)), now) > limit:
        raise _too_many("token requests", now)


def are_many_unknown(address: str, now: datetime) -> bool:
    """Count one more unknown client; whether there were so many that they no longer get rows of their own."""
    return _hit(_name("unknown-client", source_of(address)), now) > UNKNOWN_CLIENTS_PER_MINUTE


def _name(kind: str, subject: str) -> str:
    return f"{_PREFIX}{kind}:{sha256(subject.encode('utf-8', 'replace')).hexdigest()[:40]}"


def _hit(key: str, now: datetime) -> int:
    """Count in this minute. The first hit of a minute clears away what is long over."""
    count: int = _HIT.run({"key": key, "window": window_of(now)})[0][0]
    if count == 1:
        _FORGET.run({"prefix": f"{_PREFIX}%", "window": now - 10 * WINDOW})
    return count


def _too_many(what: str, now: datetime) -> RefusalError:
    seconds = 60 - now.second
    return RefusalError(90055, what=what, seconds=seconds, retry_after=seconds)
