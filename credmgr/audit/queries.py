"""Reads the audit, and single facts of the sign-in log: newest uses, recent callers. Everything here is
bounded: the log may hold millions of rows. Pages and charts of it: audit.sign_in_log, audit.timeline.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, models
from django.db.models import Q, QuerySet

from credmgr.audit.models import AuditEvent, LastUse, SignIn
from credmgr.audit.token_database import to_time, to_uuid

# So many of the newest rows are looked at for a summary; beyond that the page says that there were more.
SUMMARY_ROWS = 20_000
# The same of a summary of callers, whose rows lie apart from each other.
CALLER_ROWS = 2_000


@dataclass(frozen=True)
class Caller:
    """Sign-ins that one address made for one resource. last_at: the newest of them, UTC."""

    address: str
    resource: str
    count: int
    last_at: datetime


@dataclass(frozen=True)
class Callers:
    """Callers, most frequent first. looked_back_to: set where only the newest CALLER_ROWS were looked at."""

    all: list[Caller]
    looked_back_to: datetime | None = None


def events_of(application_id: uuid.UUID, tenant_id: uuid.UUID) -> QuerySet[AuditEvent]:
    """Acts on one application in one directory, newest first: consent elsewhere is the others' business."""
    rows = AuditEvent.objects.filter(application_id=application_id, tenant_id=tenant_id)
    return rows.order_by("-sequence")


def events_of_tenant(tenant_id: uuid.UUID) -> QuerySet[AuditEvent]:
    """Acts in a directory and those that belong to the installation as a whole, newest first."""
    return AuditEvent.objects.filter(Q(tenant_id=tenant_id) | Q(tenant_id=None)).order_by("-sequence")


def recent_callers(application_id: uuid.UUID, since: datetime) -> Callers:
    """Who got tokens as this application since then, in whatever directory: what breaks without it."""
    return callers_of(SignIn.objects.filter(application_id=application_id, at__gte=since, error_code=0))


def callers_of(rows: QuerySet[SignIn]) -> Callers:
    """Who made the newest of these sign-ins, in one statement that hands over a row for each caller."""
    newest = rows.order_by("-at").values_list("address", "resource", "count", "at")[:CALLER_ROWS]
    found = grouped(newest, "address, resource", "SUM(count), MAX(at), COUNT(*), MIN(at)")
    callers = [Caller(row[0], row[1], int(row[2]), to_time(row[3])) for row in found]
    is_cut = sum(row[4] for row in found) >= CALLER_ROWS
    return Callers(
        sorted(callers, key=lambda caller: (-caller.count, caller.address, caller.resource)),
        min(to_time(row[5]) for row in found) if is_cut else None,
    )


def grouped(newest: QuerySet[SignIn, Any], by: str, what: str) -> list[tuple[Any, ...]]:
    """Each group of rows that were limited before, as the database gives it. by, what: columns and sums.
    By hand, because the ORM groups no such rows; those within are its own.
    """
    within, values = newest.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {by}, {what} FROM ({within}) AS newest GROUP BY {by}", values)  # noqa: S608 - see above
        return list(cursor.fetchall())


def last_used(credential_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    """When each credential last got a token, UTC. Credentials that never did are absent."""
    return _newest_success("credential_id", credential_ids)


def last_sign_ins(application_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    """When each application last got a token, UTC. Those that never did are absent."""
    return _newest_success("application_id", application_ids)


def _newest_success(field_name: str, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    """{id: time of the newest token}, in one statement however many ids there are.

    One look-up per id at the end of its index; grouping instead would read every sign-in the id ever had. Of
    uses whose sign-in was purged the time is kept. The ORM has no VALUES list to hang such look-ups on, hence
    a statement by hand: names come from the model, values are bound.
    """
    if not ids:
        return {}
    log, kept, column, code = (
        connection.ops.quote_name(name)
        for name in (SignIn._meta.db_table, LastUse._meta.db_table, field_name, "error_code")
    )
    # PostgreSQL would take an equal id for an invitation to walk the index of times, which for an id that was
    # never used is the whole log; a range leads into the id's own index alone.
    is_id = f"{column} = wanted.id"
    order = "at DESC"
    if connection.vendor == "postgresql":
        is_id, order = f"{column} BETWEEN wanted.id AND wanted.id", f"{column} DESC, at DESC"
    wanted = ", ".join(["(%s)"] * len(ids))
    statement = (
        f"WITH wanted (id) AS (VALUES {wanted}) "  # noqa: S608 - only names of the models are written into it
        f"SELECT id, COALESCE((SELECT at FROM {log} WHERE {is_id} AND {code} = 0 "
        f"ORDER BY {order} LIMIT 1), (SELECT at FROM {kept} WHERE subject_id = wanted.id)) FROM wanted"
    )
    to_database = models.UUIDField().get_db_prep_value
    with connection.cursor() as cursor:
        cursor.execute(statement, [to_database(value, connection) for value in ids])
        return {to_uuid(key): to_time(at) for key, at in cursor.fetchall() if at is not None}
