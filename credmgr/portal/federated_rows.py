"""Federated credentials as their tab lists them, and what breaks when one is deleted."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from credmgr.audit.credential_use import RecentUse, recent_use
from credmgr.audit.queries import last_used
from credmgr.credentials.federated import PER_APPLICATION
from credmgr.credentials.models import FederatedCredential
from credmgr.origins.queries import allowed_origins, is_allowed
from credmgr.portal.credential_impact import Impact, impact_on_callers
from credmgr.portal.credential_lists import RECENT
from credmgr.portal.origin_rows import adding_address
from credmgr.registrations.models import Application


@dataclass(frozen=True)
class FederatedRow:
    """One credential of the tab. last_used_at: UTC, None when it never got a token; use: the last 24 hours.

    is_listed: this server may call the issuer for its keys.
    """

    record: FederatedCredential
    last_used_at: datetime | None
    use: RecentUse
    is_listed: bool

    @property
    def adding_address(self) -> str:
        """Where its issuer's origin can be put on the list."""
        return adding_address(self.record.issuer)

    @property
    def id(self) -> uuid.UUID:
        """The credential's id."""
        return self.record.pk


def federated_rows(application: Application, now: datetime) -> list[FederatedRow]:
    """Every federated credential by name, in a constant number of statements."""
    return rows_of(application.federated_credentials.order_by("name"), now)


def rows_of(records: Iterable[FederatedCredential], now: datetime) -> list[FederatedRow]:
    """These with their use."""
    found = list(records)
    ids = [record.pk for record in found]
    used, recent = last_used(ids), recent_use(ids, now - RECENT)
    origins = allowed_origins() if found else []
    return [
        FederatedRow(
            record,
            used.get(record.pk),
            recent.get(record.pk, RecentUse()),
            is_allowed(record.issuer, origins),
        )
        for record in found
    ]


def room_in(application: Application) -> int:
    """How many more the application can have."""
    return max(0, PER_APPLICATION - application.federated_credentials.count())


def impact_of_federated(credential: FederatedCredential, now: datetime) -> Impact:
    """Which sign-ins of the last 30 days fail without it, and with which code."""
    others = credential.application.federated_credentials.exclude(pk=credential.pk)
    issuers = list(others.values_list("issuer", "audience"))
    if not issuers:
        code = "AADSTS70025"
    elif all(issuer != credential.issuer for issuer, _ in issuers):
        code = "AADSTS700211"
    else:
        same = (credential.issuer, credential.audience)
        code = "AADSTS700213" if same in issuers else "AADSTS700212"
    return impact_on_callers(credential.pk, code, now)
