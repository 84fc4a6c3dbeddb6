"""Answers the authority's paths before the portal's machinery: no session, no cookie, no CSRF, always JSON.

Clients parse whatever comes as JSON, so every way to fail ends here in an error body, also those of the
database,
the vault and our own mistakes.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.authority.exchange import Exchange
from credmgr.authority.refusals import RefusalError
from credmgr.authority.responses import Answer, error_response
from credmgr.authority.routes import Route, find_route
from credmgr.authority.token_endpoint import answer_token_request, answer_token_request_v1, count_answer
from credmgr.vault.errors import UnknownKeyError, VaultError

logger = logging.getLogger(__name__)


class AuthorityGate:
    """Passes on what is not the authority's. On the plain listener it only says where the authority is."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._vault_alarm = _VaultAlarm()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer or pass on."""
        route = find_route(request.path_info)
        return self.get_response(request) if route is None else self.answer(request, route).to_http_response()

    def answer(self, request: HttpRequest, route: Route) -> Answer:
        """The authority's answer to a request for one of its addresses, whatever happens."""
        exchange = Exchange.of(request)
        try:
            if settings.LISTENER == "portal":
                raise _wrong_listener(request)
            return route.handler(request, route.tenant, exchange)
        except RefusalError as refusal:
            return error_response(refusal, exchange)
        except DatabaseFailure:
            logger.exception("The authority's database failed; no token was issued.")
            return _failed(RefusalError(90033), route, exchange)
        except VaultError as error:
            logger.error("A sealed value could not be opened; no token was issued.", exc_info=error)
            if isinstance(error, UnknownKeyError):
                self._vault_alarm.raise_once(error, exchange.now)
            return _failed(RefusalError(90033), route, exchange)
        except Exception:  # the last line: a traceback page would be read as JSON
            logger.exception("The authority failed.")
            return _failed(RefusalError(90020), route, exchange)


def _failed(refusal: RefusalError, route: Route, exchange: Exchange) -> Answer:
    if route.handler in (answer_token_request, answer_token_request_v1):
        count_answer(refusal.code)
    return error_response(refusal, exchange)


class _VaultAlarm:
    """One audit row a minute and process for sealed values that name a key the ring does not hold (K-7)."""

    EVERY = timedelta(minutes=1)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: datetime | None = None

    def raise_once(self, error: UnknownKeyError, now: datetime) -> None:
        """Record it, unless that was just done. A database that refuses this row too is left to the log."""
        with self._lock:
            if self._last is not None and now - self._last < self.EVERY:
                return
            self._last = now
        try:
            with transaction.atomic():
                record_event(
                    EventTag.VAULT_KEY_UNKNOWN,
                    actor=Actor(name="Token endpoint"),
                    now=now,
                    object_type="vault-key",
                    object_id=error.key_id.hex(),
                    succeeded=False,
                )
        except (DatabaseFailure, VaultError):
            logger.exception("The unknown vault key could not be put on record.")


def _wrong_listener(request: HttpRequest) -> RefusalError:
    """The authority answers on https only: Microsoft's clients refuse anything else."""
    where = f"{settings.AUTHORITY_URL}{request.path_info}"
    reason = f"The authority does not answer on this address. Use {where}"
    return RefusalError(9002313, status=404, reason=reason)
