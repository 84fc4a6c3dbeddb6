"""What the switches of a test directory do to one token request. Nothing here runs while they are off."""

import uuid
from datetime import datetime
from typing import Any

from credmgr import aadsts
from credmgr.accounts.models import ThrottleCounter
from credmgr.audit.sign_ins import SignInRecord
from credmgr.audit.token_database import Statement
from credmgr.authority.directory import Findings
from credmgr.authority.exchange import Exchange
from credmgr.authority.refusals import RefusalError
from credmgr.authority.token_request import TokenRequest
from credmgr.registrations.switches import (
    CODE,
    THROTTLE,
    Switches,
    read_switches,
    throttle_counter,
)

_TABLE = ThrottleCounter._meta.db_table
_COUNT = Statement(
    f'INSERT INTO "{_TABLE}" (key, window_start, count) VALUES (%(key)s, %(window)s, 1) '  # noqa: S608 - the model's own name
    f'ON CONFLICT (key, window_start) DO UPDATE SET count = "{_TABLE}".count + 1 RETURNING count'
)
_PLACES = frozenset(place for entry in aadsts.CATALOGUE.values() for place in entry.places)
_NOT_SAID = "none"


def switches_for(findings: Findings, client_id: uuid.UUID | None, now: datetime) -> Switches | None:
    """What is on for this client's request; None where nothing is. now: aware UTC."""
    switches = read_switches(findings.test_switches)
    if not switches.is_on(now) or switches.client_id not in (None, client_id):
        return None
    return switches


def obey(
    switches: Switches, record: SignInRecord, asked: TokenRequest, findings: Findings, exchange: Exchange
) -> None:
    """Refuse what a switch refuses, before anything is judged; the record says what was on.

    Raises RefusalError: as like a real one as it can be, with a sentence that says what forced it.
    """
    if switches.every and _is_throttled(switches.every, findings.tenant_id, exchange.now):
        record.test_switches = THROTTLE
        _name_client(record, findings)
        wait = switches.retry_after
        raise RefusalError(90055, is_forced=True, what="token requests", seconds=wait, retry_after=wait)
    if switches.code:
        record.test_switches = CODE
        _name_client(record, findings)
        allow = "POST" if aadsts.CATALOGUE[switches.code].status == 405 else ""
        values = _values(asked, findings, exchange)
        raise RefusalError(switches.code, is_forced=True, allow=allow, **values)
    record.test_switches = ",".join(name for name in switches.names if name != THROTTLE)


def _name_client(record: SignInRecord, findings: Findings) -> None:
    client = findings.client
    if client is not None:
        record.application_id = client.id
        record.service_principal_id = client.service_principal_id
        record.client_id = str(client.client_id)


def _is_throttled(every: int, tenant_id: uuid.UUID, now: datetime) -> bool:
    """Every nth request of the directory, whichever process answers it. The count begins at midnight UTC and
    when the switches are set.
    """
    if every == 1:
        return True
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    count: int = _COUNT.run({"key": throttle_counter(tenant_id), "window": today})[0][0]
    return count % every == 0


def _values(asked: TokenRequest, findings: Findings, exchange: Exchange) -> dict[str, Any]:
    """What the sentences of the catalogue have places for, as far as the request says it."""
    client = findings.client
    stamp = f"{exchange.now:%Y-%m-%dT%H:%M:%SZ}"
    known: dict[str, Any] = {
        "client_id": asked.client_id,
        "client_name": client.name if client else "",
        "tenant": findings.tenant_id,
        "tenant_id": findings.tenant_id,
        "tenant_name": findings.tenant_name,
        "scope": asked.scope,
        "resource": asked.resource or asked.scope,
        "grant_type": "client_credentials",
        "name": "scope",
        "method": "POST",
        "allowed": "POST",
        "reason": "A test switch is on",
        "hint": "",
        "found": "",
        "now": stamp,
        "start": stamp,
        "end": stamp,
    }
    return {place: known.get(place, _NOT_SAID) for place in _PLACES}
