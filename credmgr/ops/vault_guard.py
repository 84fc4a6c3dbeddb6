"""A page that meets a value it cannot open answers 503 and leaves an audit row (security rule K-7)."""

import logging
from collections.abc import Callable

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from credmgr.accounts import throttling
from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.portal.views.errors import server_error
from credmgr.vault.errors import UnknownKeyError, VaultError

logger = logging.getLogger(__name__)

# One page that is reloaded all day must not fill the audit.
ONCE_A_MINUTE = throttling.Limit("vault-key-unknown", 1, 60)


class VaultGuard:
    """Turns the vault's errors into a plain page, without a traceback and without trying another key."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Errors come to process_exception."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The page for VaultError; None leaves every other error to Django."""
        if not isinstance(exception, VaultError):
            return None
        logger.error("%s %s: %s", type(exception).__name__, request.path, exception)
        if isinstance(exception, UnknownKeyError):
            _record(request, exception.key_id)
        return server_error(request)


def _record(request: HttpRequest, key_id: bytes) -> None:
    now = timezone.now()
    try:
        key = throttling.key_of(ONCE_A_MINUTE.purpose, key_id.hex())
        if throttling.admit(key, ONCE_A_MINUTE, now):
            return
        record_event(
            EventTag.VAULT_KEY_UNKNOWN,
            actor=Actor.from_request(request),
            now=now,
            object_type="vault key",
            object_id=key_id.hex(),
            object_name=key_id.hex(),
            succeeded=False,
        )
    except (DatabaseError, VaultError):
        logger.exception("The unknown key could not be written to the audit.")
