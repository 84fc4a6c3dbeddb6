"""What the token endpoint must know of a directory and a client: one statement, no model instances.

It stands on the hot path of every token. Nothing is remembered between requests, so a deleted, disabled or
expired thing is refused with the very next one, in every process.
"""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.conf import settings

from credmgr.accounts.models import ThrottleCounter
from credmgr.audit.token_database import Statement, to_time, to_uuid
from credmgr.authority.models import SigningKey
from credmgr.authority.refusals import RefusalError
from credmgr.credentials.models import Certificate, ClientSecret
from credmgr.registrations.models import (
    BUILT_IN,
    MULTITENANT,
    Application,
    AppRoleAssignment,
    ServicePrincipal,
    Tenant,
    TenantDomain,
)
from credmgr.registrations.queries import parse_guid

NIL = uuid.UUID(int=0)
_DOMAIN = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", re.ASCII)
_NOT_FOR_THIS_GRANT = ("common", "consumers")


# Nobody changes one of these, yet they are not declared frozen: making one would take three times as long.
@dataclass(slots=True)
class StoredSecret:
    """The part of a client secret that a comparison needs."""

    id: uuid.UUID
    verifier: bytes
    start_at: datetime
    end_at: datetime


@dataclass(slots=True)
class StoredCertificate:
    """The part of a certificate that checking an assertion needs. der is sealed."""

    id: uuid.UUID
    der: bytes
    thumbprint_sha1: str
    thumbprint_sha256: str
    start_at: datetime
    end_at: datetime


@dataclass(slots=True)
class Client:
    """A registered application. id: object id.

    service_principal_id: of the directory that was asked; None where a multitenant one has none there.
    """

    id: uuid.UUID
    client_id: uuid.UUID
    service_principal_id: uuid.UUID | None
    name: str
    is_disabled: bool


@dataclass(slots=True)
class Findings:
    """The directory, and what is known there of the client that asked. wrong_secrets: counted in this
    window. has_roles: the client was granted an app role there, of whatever resource. test_switches: empty
    but in a directory that is marked as a test directory.
    """

    tenant_id: uuid.UUID
    tenant_name: str
    signing_key_id: uuid.UUID | None
    wrong_secrets: int
    client: Client | None
    single_use_assertions: bool = False
    test_switches: Mapping[str, Any] = field(default_factory=dict)
    has_roles: bool = False
    secrets: tuple[StoredSecret, ...] = ()
    certificates: tuple[StoredCertificate, ...] = ()


@dataclass(slots=True)
class Question:
    """counter and window: the throttle row of wrong secrets. thumbprint: upper-case hex, empty for a
    secret.
    """

    tenant: uuid.UUID | str
    client_id: uuid.UUID | None
    now: datetime
    counter: str
    window: datetime
    thumbprint: str = ""
    is_sha256: bool = False


@lru_cache(maxsize=256)
def tenant_key(text: str, *, error: str = "") -> uuid.UUID | str:
    """The directory of an address: its id, or a domain name in lower case. Raises RefusalError 900021,
    900023.

    error: the OAuth error in place of the catalogue's (discovery says invalid_tenant).
    """
    guid = parse_guid(text)
    if guid == NIL:
        raise RefusalError(900021, tenant=text, error=error)
    if guid:
        return guid
    name = text.lower()
    if not _DOMAIN.fullmatch(name):
        raise RefusalError(900023, tenant=text)
    return name


def concrete_tenant_key(text: str) -> uuid.UUID | str:
    """As tenant_key, for the token endpoint: one directory is needed. Raises RefusalError 9001023, 50059
    too.
    """
    name = text.lower()
    if name in _NOT_FOR_THIS_GRANT:
        raise RefusalError(9001023, tenant=name)
    if name == "organizations":
        raise RefusalError(50059, tenant=name)
    return tenant_key(text)


def find_tenant(text: str, *, error: str) -> uuid.UUID:
    """The id of the directory that an address names. Raises RefusalError 90002, 900021, 900023."""
    key = tenant_key(text, error=error)
    database = settings.TOKENS_DATABASE
    known: uuid.UUID | None
    if isinstance(key, uuid.UUID):
        known = Tenant.objects.using(database).filter(pk=key).values_list("pk", flat=True).first()
    else:
        domains = TenantDomain.objects.using(database).filter(name=key)
        known = domains.values_list("tenant_id", flat=True).first()
    if known is None:
        raise RefusalError(90002, tenant=text, error=error)
    return known


def is_domain_of(tenant_id: uuid.UUID, name: str) -> bool:
    """Whether the directory has this domain name."""
    return (
        TenantDomain.objects.using(settings.TOKENS_DATABASE)
        .filter(tenant_id=tenant_id, name=name.lower())
        .exists()
    )


def look_up(question: Question) -> Findings | None:
    """Everything about the request's directory and client; None for an unknown directory."""
    by_thumbprint = bool(question.thumbprint)
    statement = _STATEMENTS[(by_thumbprint, question.is_sha256, isinstance(question.tenant, str))]
    rows = statement.run(
        {
            "now": question.now,
            "counter": question.counter,
            "window": question.window,
            "client": question.client_id or NIL,
            "thumbprint": question.thumbprint,
            "tenant": question.tenant,
        }
    )
    return _findings(rows, question) if rows else None


def _findings(rows: list[tuple[Any, ...]], question: Question) -> Findings:
    by_thumbprint = bool(question.thumbprint)
    tenant_id, tenant_name, single_use, switches, key_id, wrong = rows[0][:6]
    client = None
    if rows[0][6] is not None and question.client_id is not None:
        client = _client(question.client_id, *rows[0][6:12])
    has_roles = rows[0][12]
    credentials = [row[13:] for row in rows if row[13] is not None]
    return Findings(
        tenant_id=question.tenant if isinstance(question.tenant, uuid.UUID) else to_uuid(tenant_id),
        tenant_name=tenant_name,
        signing_key_id=to_uuid(key_id) if key_id else None,
        wrong_secrets=wrong or 0,
        client=client,
        single_use_assertions=bool(single_use),
        test_switches=_object(switches),
        has_roles=bool(has_roles),
        secrets=() if by_thumbprint else tuple(_secret(*row) for row in credentials),
        certificates=tuple(_certificate(*row) for row in credentials) if by_thumbprint else (),
    )


def _client(
    client_id: uuid.UUID, id_: Any, principal: Any, name: str, disabled: Any, is_home: Any, blocked: Any
) -> Client:
    """principal: of the directory asked, null where there is none. is_home: it is where the client lives."""
    found = to_uuid(principal) if principal else None
    return Client(to_uuid(id_), client_id, found, name, bool(disabled) or (not is_home and bool(blocked)))


def _object(value: Any) -> Mapping[str, Any]:
    """SQLite gives the text of a JSON column, PostgreSQL text or an object."""
    parsed = json.loads(value) if isinstance(value, str) else value
    return parsed if isinstance(parsed, dict) else {}


def _secret(id_: Any, verifier: Any, start_at: Any, end_at: Any) -> StoredSecret:
    return StoredSecret(to_uuid(id_), bytes(verifier), to_time(start_at), to_time(end_at))


def _certificate(id_: Any, der: Any, sha1: str, sha256: str, start_at: Any, end_at: Any) -> StoredCertificate:
    return StoredCertificate(to_uuid(id_), bytes(der), sha1, sha256, to_time(start_at), to_time(end_at))


def _statement(by_thumbprint: bool, is_sha256: bool, is_domain: bool) -> str:
    """The one statement, in its forms. Only names of models are written into it; values are bound.

    A client with 20 secrets gives 20 rows, one without any gives one.
    """
    thumbprint = "thumbprint_sha256" if is_sha256 else "thumbprint_sha1"
    if by_thumbprint:
        table = Certificate._meta.db_table
        columns = "x.id, x.der, x.thumbprint_sha1, x.thumbprint_sha256, x.start_at, x.end_at"
        join = f'"{table}" x ON x.{thumbprint} = %(thumbprint)s AND x.application_id = a.id'
    else:
        columns = "x.id, x.verifier, x.start_at, x.end_at"
        join = f'"{ClientSecret._meta.db_table}" x ON x.application_id = a.id'
    tenant = "%(tenant)s"
    if is_domain:
        tenant = f'(SELECT d.tenant_id FROM "{TenantDomain._meta.db_table}" d WHERE d.name = %(tenant)s)'  # noqa: S608
    return (
        f"SELECT t.id, t.name, t.single_use_assertions, "  # noqa: S608 - only names of models are written into it
        f"CASE WHEN t.is_test THEN t.test_switches END, "
        f'(SELECT k.id FROM "{SigningKey._meta.db_table}" k WHERE k.signs_from <= %(now)s '
        f"AND NOT k.is_withdrawn AND (k.published_until IS NULL OR k.published_until > %(now)s) "
        f"ORDER BY k.signs_from DESC, k.created_at DESC LIMIT 1), "
        f'(SELECT c.count FROM "{ThrottleCounter._meta.db_table}" c '
        f"WHERE c.key = %(counter)s AND c.window_start = %(window)s), "
        f"a.id, CASE WHEN a.tenant_id = t.id THEN a.service_principal_id ELSE p.id END, "
        f"a.display_name, a.is_disabled, a.tenant_id = t.id, NOT p.is_enabled, "
        f'EXISTS (SELECT 1 FROM "{AppRoleAssignment._meta.db_table}" g '
        f"WHERE g.tenant_id = t.id AND g.application_id = a.id), {columns} "
        f'FROM "{Tenant._meta.db_table}" t '
        f'LEFT JOIN "{Application._meta.db_table}" a '
        f"ON a.client_id = %(client)s AND a.deleted_at IS NULL AND a.authority_kind = '{BUILT_IN}' "
        f"AND (a.tenant_id = t.id OR a.sign_in_audience = '{MULTITENANT}') "
        f'LEFT JOIN "{ServicePrincipal._meta.db_table}" p ON p.application_id = a.id AND p.tenant_id = t.id '
        f"LEFT JOIN {join} WHERE t.id = {tenant}"
    )


_STATEMENTS = {
    (by_thumbprint, is_sha256, is_domain): Statement(_statement(by_thumbprint, is_sha256, is_domain))
    for by_thumbprint in (False, True)
    for is_sha256 in (False, True)
    for is_domain in (False, True)
}
