"""Writes the sign-in log: one row per answered token request of a known directory, committed before the
answer.

The one insert stands on the token endpoint's hot path, hence a prepared statement in place of a model
instance. Names come from the model, values are bound.
"""

import logging
import threading
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from django.db import connection, transaction

from credmgr.audit.models import SignIn
from credmgr.audit.token_database import Statement
from credmgr.audit.turns import write

NO_CREDENTIAL = "none"
CLIENT_SECRET = "clientSecret"  # noqa: S105 - a name, not a password
CERTIFICATE = "certificate"
CLIENT_ASSERTION = "clientAssertion"
FEDERATED_CREDENTIAL = "federatedIdentityCredential"

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class SignInRecord:
    """What is known of a token request when it is answered. error_code: 0 for a token, else the AADSTS
    number.

    credential_type: one of the names above. thumbprint: upper-case hex as presented. client_id and resource
    are what the client wrote, cleaned of control characters. token_id: the token's uti. test_switches: names
    of the switches of a test directory that shaped the answer, comma-separated.
    """

    at: datetime
    trace_id: uuid.UUID
    correlation_id: uuid.UUID
    tenant_id: uuid.UUID
    client_id: str
    address: str = ""
    application_id: uuid.UUID | None = None
    service_principal_id: uuid.UUID | None = None
    resource: str = ""
    resource_id: str = ""
    error_code: int = 0
    credential_id: uuid.UUID | None = None
    credential_type: str = NO_CREDENTIAL
    thumbprint: str = ""
    token_id: str = ""
    test_switches: str = ""


_COLUMNS = tuple(SignInRecord.__slots__)
_values = attrgetter(*_COLUMNS)
_TABLE = SignIn._meta.db_table
_ROW = (
    f'INSERT INTO "{_TABLE}" ({", ".join(_COLUMNS)}, fold_key, count) '  # noqa: S608 - the model's own names
    f"VALUES ({', '.join(f'%({name})s' for name in _COLUMNS)}, %(fold_key)s, 1)"
)
_INSERT = Statement(_ROW)
_FOLD = Statement(
    f'{_ROW} ON CONFLICT (fold_key) WHERE fold_key IS NOT NULL DO UPDATE SET count = "{_TABLE}".count + 1'
)


def record_sign_in(record: SignInRecord, *, fold: str = "") -> None:
    """Commit one row, at once or at the end of this thread's turn. Raises django.db.Error, here or there,
    when it cannot be written; then no token may leave.

    fold: rows of one minute with the same fold text are counted in the first of them (floods fill no disk).
    """
    if fold:
        write(_FOLD, (*_values(record), f"{record.at:%Y%m%d%H%M}:{record.error_code}:{fold}"))
    else:
        write(_INSERT, (*_values(record), None))


@transaction.atomic
def record_invented_sign_ins(records: Iterable[SignInRecord]) -> None:
    """Commit the sign-ins of demo registrations, oldest first; thousands at once. They never happened, so
    nothing waits for them.
    """
    _INSERT.run_for_each(connection, ((*_values(record), None) for record in records))


class RefusalCounter:
    """Counts refusals that leave no row: malformed requests and unknown directories. Per process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[int] = Counter()

    def note(self, code: int, address: str) -> None:
        """One log line with the running number, nothing of what was sent."""
        with self._lock:
            self._counts[code] += 1
            number = self._counts[code]
        logger.info(
            "Refused a token request before a client was known.",
            extra={"aadsts": code, "address": address, "number": number},
        )

    def counts(self) -> dict[int, int]:
        """{AADSTS number: refusals since this process began}."""
        with self._lock:
            return dict(self._counts)


refusals_without_row = RefusalCounter()
