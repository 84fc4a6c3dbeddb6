"""Assertions that work once (security rule A-12; RFC 7523 section 3, "jti"), for directories that are this
strict.

The use is committed together with the sign-in that it leads to: where one of them cannot be written there is
neither, and of many uses at once the constraint lets one through. A refused request uses nothing up.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from django.conf import settings

from credmgr.audit.token_database import Statement
from credmgr.authority.assertions import ClientAssertion, FederatedAssertion
from credmgr.authority.models import UsedAssertion
from credmgr.jose.claims import time_window

_TABLE = UsedAssertion._meta.db_table
_FIND = Statement(
    f'SELECT 1 FROM "{_TABLE}" WHERE client_id = %(client_id)s AND digest = %(digest)s'  # noqa: S608 - the model's own name
)
_USE = Statement(
    f'INSERT INTO "{_TABLE}" (client_id, digest, expires_at) '  # noqa: S608 - the model's own name
    "VALUES (%(client_id)s, %(digest)s, %(expires_at)s) "
    "ON CONFLICT (client_id, digest) DO NOTHING RETURNING 1"
)
_LAST_SECOND = datetime.max.replace(tzinfo=UTC).timestamp() - 86400


@dataclass(frozen=True, slots=True)
class OnlyUse:
    """One assertion of one client, by its digest. expires_at: aware UTC, from when on no clock takes it."""

    client_id: uuid.UUID
    digest: bytes
    expires_at: datetime


def only_use_of(
    assertion: ClientAssertion | FederatedAssertion, client_id: uuid.UUID, *, clock_ahead: timedelta
) -> OnlyUse:
    """What is remembered of a verified assertion. clock_ahead: of the directory that judged it.

    A jti is unique to its issuer. Tokens of outside issuers may have none: then what is signed stands for it.
    """
    token = assertion.token
    jti = token.claims.get("jti")
    known = jti.encode() if isinstance(jti, str) and jti else token.signing_input
    ends = time_window(token.claims).expires + settings.CLOCK_SKEW_SECONDS - clock_ahead.total_seconds()
    digest = sha256(b"\0".join((assertion.issuer.encode(), known))).digest()
    return OnlyUse(client_id, digest, datetime.fromtimestamp(min(ends, _LAST_SECOND), UTC))


def is_used(use: OnlyUse) -> bool:
    """Whether it got a token before. Says nothing of requests that are being answered at this moment."""
    return bool(_FIND.run({"client_id": use.client_id, "digest": use.digest}))


def use_up(use: OnlyUse) -> bool:
    """Take the only use, in the caller's transaction; False where somebody else has it."""
    values = {"client_id": use.client_id, "digest": use.digest, "expires_at": use.expires_at}
    return bool(_USE.run(values))


def forget_ended(now: datetime) -> int:
    """Delete what has run out: nobody can present it any more. now: aware UTC. How many rows there were."""
    return UsedAssertion.objects.filter(expires_at__lt=now).delete()[0]
