"""Sign-ins as the token endpoint writes them, one by one and by the thousand."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from credmgr.audit.models import SignIn
from tests.database import Database

NOW = datetime(2026, 11, 23, 14, 52, 6, tzinfo=UTC)
TENANT = uuid.UUID("9a1f1aa4-ba53-4474-9c4b-39bc906bfc3a")


def unsaved(
    at: datetime,
    *,
    tenant: uuid.UUID = TENANT,
    application: uuid.UUID | None = None,
    credential: uuid.UUID | None = None,
    code: int = 0,
    **given: Any,
) -> SignIn:
    """One that is not stored yet."""
    return SignIn(
        at=at,
        trace_id=uuid.uuid4(),
        correlation_id=uuid.uuid4(),
        tenant_id=tenant,
        client_id=str(application or uuid.uuid4()),
        application_id=application,
        credential_id=credential,
        error_code=code,
        **given,
    )


def sign_in(at: datetime, **given: Any) -> SignIn:
    """A stored one; parameters as of `unsaved`."""
    row = unsaved(at, **given)
    row.save()
    return row


def many(count: int, *, over: timedelta, now: datetime = NOW, **given: Any) -> list[SignIn]:
    """So many, evenly spread over the time before now, one in fifty refused; stored, oldest first."""
    rows = [
        unsaved(
            now - over * ((count - number) / count),
            **{"code": 7000215 if number % 50 == 7 else 0, "address": f"10.24.6.{number % 200}"} | given,
        )
        for number in range(count)
    ]
    return SignIn.objects.bulk_create(rows, batch_size=1000)


def store_in(database: Database, rows: Sequence[SignIn]) -> None:
    """Rows into the database of an installation with a server of its own."""
    fields = [field for field in SignIn._meta.concrete_fields if not field.primary_key]
    names = ", ".join(str(field.column) for field in fields)
    values = [
        [field.get_db_prep_save(getattr(row, str(field.attname)), connection) for field in fields]
        for row in rows
    ]
    with database.connection() as opened:
        opened.cursor().executemany(
            database.text(f"INSERT INTO audit_signin ({names}) VALUES ({', '.join('?' * len(fields))})"),  # noqa: S608
            values,
        )
        opened.commit()
