"""Keys of outside issuers: fetched by discovery (OpenID Connect Discovery 1.0, section 4) through the one
guarded door, kept for a while (security rules F-2 to F-4).

A process remembers keys only, never a decision: what an application trusts, and which origins may be called,
is read anew for every request. Keys that came from an origin which is no longer on the list are not used.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from credmgr.authority.waiting import WAITING_AT_ONCE, waiting
from credmgr.jose.encoding import parse_object
from credmgr.jose.errors import JoseError, UnknownKeyError
from credmgr.jose.jwk import PublicKey, find_key
from credmgr.origins.queries import allowed_origins
from credmgr.outbound.deadline import Deadline
from credmgr.outbound.errors import OutboundError
from credmgr.outbound.origin import UNLISTED, Origin, is_covered
from credmgr.outbound.session import GuardedSession

KEPT = timedelta(minutes=10)
# A changed key is found within a minute, and a flood of unknown ids makes no flood of requests (F-3).
LOOKS_AGAIN_AFTER = timedelta(minutes=1)
FAILURE_KEPT = timedelta(seconds=10)
# Discovery and key set together. A request thread is held for so long at most (F-4).
FETCH_SECONDS = 5.0
# Of the threads of a worker process: the others go on answering whatever issuers do.
FETCHES_AT_ONCE = WAITING_AT_ONCE
# How long after its begin others wait for a fetch; a later one is not waited for at all.
WAIT_SECONDS = 1.0
ISSUERS_KEPT = 500
_JSON = {"Accept": "application/json"}


class IssuerError(Exception):
    """The issuer cannot be used now. The message is a plain sentence without its full stop."""


@dataclass
class _Known:
    """What is known of one issuer. looked_at: its last fetch, good or bad; failure: empty for a good one.

    keys_address: where the key set came from. began: the running fetch's start on the monotonic clock, in
    seconds; None when none runs.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    key_set: dict[str, Any] | None = None
    keys_address: str = ""
    fetched_at: datetime | None = None
    looked_at: datetime | None = None
    failure: str = ""
    began: float | None = None

    def patience(self) -> float:
        """Seconds that a request may wait for the fetch of another one."""
        began = self.began
        return WAIT_SECONDS if began is None else max(0.0, began + WAIT_SECONDS - time.monotonic())

    def usable(self, origins: Sequence[Origin], now: datetime) -> dict[str, Any] | None:
        """The key set, while it is fresh and may still be fetched from where it came."""
        is_fresh = self.fetched_at is not None and now - self.fetched_at < KEPT
        return self.key_set if is_fresh and is_covered(self.keys_address, origins) else None


class IssuerKeys:
    """The key sets of a process, by issuer. Safe for many threads. origins: gives the list as it is now."""

    def __init__(self, origins: Callable[[], Sequence[Origin]] = allowed_origins) -> None:
        self._origins = origins
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._slots = waiting

    def find(self, issuer: str, kid: str, now: datetime) -> PublicKey:
        """The issuer's public key of that id. now: aware UTC.

        Raises IssuerError (not on the list, cannot be fetched or read), UnknownKeyError (fetched, and not in
        it), KeyFormatError (in it, and not usable).
        """
        origins = self._origins()
        if not is_covered(issuer, origins):
            raise IssuerError(f"Its keys were not fetched: {UNLISTED.removesuffix('.')}")
        known = self._entry(issuer)
        seen = known.looked_at
        key_set = known.usable(origins, now)
        if key_set is not None:
            try:
                return find_key(key_set, kid)
            except UnknownKeyError:
                if seen is not None and now - seen < LOOKS_AGAIN_AFTER:
                    raise
        return find_key(self._fetched(issuer, known, seen, origins, now), kid)

    def forget(self) -> None:
        """Drop everything that is remembered."""
        with self._lock:
            self._known.clear()

    def _entry(self, issuer: str) -> _Known:
        with self._lock:
            known = self._known.setdefault(issuer, _Known())
            self._known.move_to_end(issuer)
            while len(self._known) > ISSUERS_KEPT:
                self._known.popitem(last=False)
            return known

    def _fetched(
        self, issuer: str, known: _Known, seen: datetime | None, origins: Sequence[Origin], now: datetime
    ) -> dict[str, Any]:
        """The key set, by this thread's fetch or by that of another since this one has `seen` the entry."""
        if not known.lock.acquire(timeout=known.patience()):
            raise IssuerError("Its keys are being fetched and have not come yet; try again")
        try:
            if known.looked_at == seen:
                self._look(issuer, known, origins, now)
            key_set = known.usable(origins, now)
            if key_set is None:
                raise IssuerError(known.failure or "Its keys could not be fetched")
            return key_set
        finally:
            known.lock.release()

    def _look(self, issuer: str, known: _Known, origins: Sequence[Origin], now: datetime) -> None:
        """One fetch, unless the last one failed a moment ago. A failure leaves fresh keys as they are."""
        if known.failure and known.looked_at is not None and now - known.looked_at < FAILURE_KEPT:
            return
        if not self._slots.acquire(blocking=False):
            raise IssuerError("Too many issuers are being asked at this moment; try again")
        known.began = time.monotonic()
        try:
            address, key_set = fetch_key_set(issuer, origins)
        except IssuerError as error:
            known.failure, known.looked_at = str(error), now
        else:
            known.key_set, known.keys_address, known.failure = key_set, address, ""
            known.fetched_at = known.looked_at = now
        finally:
            known.began = None
            self._slots.release()


issuer_keys = IssuerKeys()


def fetch_key_set(issuer: str, origins: Sequence[Origin]) -> tuple[str, dict[str, Any]]:
    """Discovery document, then key set with its address, both within FETCH_SECONDS. Raises IssuerError."""
    with Deadline(FETCH_SECONDS) as deadline:
        session = GuardedSession(origins, deadline)
        try:
            # A slash at the issuer's end goes before the well-known part is added (section 4.1).
            address = f"{issuer.removesuffix('/')}/.well-known/openid-configuration"
            document = _object(session, address, "discovery document")
            if document.get("issuer") != issuer:
                raise IssuerError("Its discovery document names another issuer")
            keys_address = document.get("jwks_uri")
            if not isinstance(keys_address, str) or not keys_address:
                raise IssuerError("Its discovery document names no key set (jwks_uri)")
            if issuer.startswith("https://") and not keys_address.startswith("https://"):
                raise IssuerError("Its discovery document leads to a key set without https")
            key_set = _object(session, keys_address, "key set")
        finally:
            session.close()
    if not isinstance(key_set.get("keys"), list):
        raise IssuerError("Its key set is not a list of keys")
    return keys_address, key_set


def _object(session: GuardedSession, address: str, what: str) -> dict[str, Any]:
    try:
        answer = session.send("GET", address, headers=_JSON)
    except OutboundError as error:
        raise IssuerError(f"Its {what} could not be fetched: {error.detail.removesuffix('.')}") from None
    if answer.status_code != 200:
        raise IssuerError(f"Its {what} was answered with HTTP {answer.status_code}")
    try:
        return parse_object(answer.text.encode(), what)
    except JoseError as error:
        raise IssuerError(str(error).removesuffix(".")) from None
