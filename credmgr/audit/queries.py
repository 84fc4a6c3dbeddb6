"""Reads the audit and the sign-in log. Everything here is bounded: the log may hold millions of rows."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, models
from django.db.models import Q, QuerySet

from credmgr.audit.models import AuditEvent, SignIn

# So many of the newest rows are looked at for a summary; beyond that the page says that there were more.
SUMMARY_ROWS = 20_000


@dataclass(frozen=True)
class Hour:
    """Sign-ins of one hour that starts at `start` (UTC)."""

    start: datetime
    succeeded: int
    refused: int


@dataclass(frozen=True)
class Caller:
    """Sign-ins that one address made for one resource. last_at: the newest of them, UTC."""

    address: str
    resource: str
    count: int
    last_at: datetime


@dataclass(frozen=True)
class Activity:
    """Sign-ins of 24 hours, oldest hour first. codes: refusals by AADSTS number, most frequent first.

    is_complete is False when there were more rows than a summary looks at.
    """

    hours: list[Hour]
    succeeded: int
    refused: int
    codes: list[tuple[int, int]]
    is_complete: bool

    @property
    def total(self) -> int:
        """All of them."""
        return self.succeeded + self.refused


def sign_ins_of(application_id: uuid.UUID, tenant_id: uuid.UUID | None = None) -> QuerySet[SignIn]:
    """Token requests of one application in one directory, without one in all of them, newest first."""
    rows = SignIn.objects.filter(application_id=application_id)
    return (rows.filter(tenant_id=tenant_id) if tenant_id else rows).order_by("-sequence")


def sign_ins_of_tenant(tenant_id: uuid.UUID) -> QuerySet[SignIn]:
    """Token requests of a directory, newest first."""
    return SignIn.objects.filter(tenant_id=tenant_id).order_by("-sequence")


def events_of(application_id: uuid.UUID, tenant_id: uuid.UUID) -> QuerySet[AuditEvent]:
    """Acts on one application in one directory, newest first: consent elsewhere is the others' business."""
    rows = AuditEvent.objects.filter(application_id=application_id, tenant_id=tenant_id)
    return rows.order_by("-sequence")


def events_of_tenant(tenant_id: uuid.UUID) -> QuerySet[AuditEvent]:
    """Acts in a directory and those that belong to the installation as a whole, newest first."""
    return AuditEvent.objects.filter(Q(tenant_id=tenant_id) | Q(tenant_id=None)).order_by("-sequence")


def recent_callers(application_id: uuid.UUID, since: datetime) -> list[Caller]:
    """Who got tokens as this application since then, in whatever directory, most frequent first: what breaks
    without it.
    """
    rows = sign_ins_of(application_id).filter(at__gte=since, error_code=0)
    seen: dict[tuple[str, str], Caller] = {}
    for address, resource, count, at in rows.values_list("address", "resource", "count", "at")[:SUMMARY_ROWS]:
        known = seen.get((address, resource))
        seen[address, resource] = Caller(
            address, resource, count + (known.count if known else 0), known.last_at if known else at
        )
    return sorted(seen.values(), key=lambda caller: -caller.count)


def last_used(credential_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    """When each credential last got a token, UTC. Credentials that never did are absent."""
    return _newest_success("credential_id", credential_ids)


def last_sign_ins(application_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    """When each application last got a token, UTC. Those that never did are absent."""
    return _newest_success("application_id", application_ids)


def activity(rows: QuerySet[SignIn], now: datetime) -> Activity:
    """What happened within the last 24 hours, by the hour. rows: one of the query sets above."""
    end = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    start = end - timedelta(hours=24)
    found = list(
        rows.filter(at__gte=start)
        .order_by("-sequence")
        .values_list("at", "error_code", "count")[:SUMMARY_ROWS]
    )
    succeeded, refused, codes = [0] * 24, [0] * 24, dict[int, int]()
    for at, code, count in found:
        hour = min(int((at - start).total_seconds() // 3600), 23)
        if code == 0:
            succeeded[hour] += count
        else:
            refused[hour] += count
            codes[code] = codes.get(code, 0) + count
    return Activity(
        hours=[Hour(start + timedelta(hours=i), succeeded[i], refused[i]) for i in range(24)],
        succeeded=sum(succeeded),
        refused=sum(refused),
        codes=sorted(codes.items(), key=lambda item: -item[1]),
        is_complete=len(found) < SUMMARY_ROWS,
    )


def _newest_success(field_name: str, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    """{id: time of the newest successful row}, in two statements however many ids there are.

    One look-up per id at the end of its index; grouping instead would read every sign-in the id ever had. The
    ORM has no VALUES list to hang such look-ups on, hence a statement by hand: names come from the model,
    values are bound.
    """
    if not ids:
        return {}
    table, column, sequence, code = (
        connection.ops.quote_name(name)
        for name in (SignIn._meta.db_table, field_name, "sequence", "error_code")
    )
    wanted = ", ".join(["(%s)"] * len(ids))
    statement = (
        f"WITH wanted (id) AS (VALUES {wanted}) "  # noqa: S608 - only names of the model are written into it
        f"SELECT (SELECT {sequence} FROM {table} WHERE {column} = wanted.id AND {code} = 0 "
        f"ORDER BY {sequence} DESC LIMIT 1) FROM wanted"
    )
    to_database = models.UUIDField().get_db_prep_value
    with connection.cursor() as cursor:
        cursor.execute(statement, [to_database(value, connection) for value in ids])
        sequences = [row[0] for row in cursor.fetchall() if row[0] is not None]
    return dict(SignIn.objects.filter(pk__in=sequences).values_list(field_name, "at"))
