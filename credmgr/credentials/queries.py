"""Reads registrations together with their credentials: the list, its export, one application's credentials.

The list costs the same number of queries for any number of rows.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db.models import F, QuerySet

from credmgr.accounts.models import User
from credmgr.audit.queries import last_sign_ins
from credmgr.credentials import application_filters as filters
from credmgr.credentials import status_order, stored_status
from credmgr.credentials.application_search import matching
from credmgr.credentials.dates import dates_of
from credmgr.credentials.lifecycle import (
    STATUSES,
    ApplicationStatus,
    application_status,
    days_between,
    end_of,
    is_live,
)
from credmgr.credentials.models import Certificate, ClientSecret, FederatedCredential
from credmgr.registrations.deleting import restorable_since
from credmgr.registrations.directory_sizes import live_registrations
from credmgr.registrations.models import BUILT_IN, Application, Ownership, Tenant
from credmgr.registrations.visible import owned_in, visible_in

Row = TypeVar("Row")
PAGE_SIZES = (25, 50, 100)
_EXPORT_BATCH = 500
_FEW = 2_000
# The order of one application's secrets: nearest end first, those without a known one last.
BY_END = (F("end_at").asc(nulls_last=True), F("pk").asc())


@dataclass(frozen=True)
class ApplicationRow:
    """One line of the list. owners: shown names. last_sign_in: UTC, None for never.

    days_until_gone: on the Deleted tab, calendar days until it can no longer be restored; None elsewhere.
    """

    application: Application
    status: ApplicationStatus
    secrets: int
    certificates: int
    federated: int
    owners: list[str]
    last_sign_in: datetime | None
    days_until_gone: int | None


@dataclass(frozen=True)
class ApplicationsPage:
    """One page of the list. found: how many match in all. counts: registrations per tab, search aside.

    page counts from 1 and is within 1 to pages; first and last are the positions of its rows, 0 when empty.
    has_external: whether the directory has registrations that live elsewhere.
    """

    rows: list[ApplicationRow]
    found: int
    page: int
    pages: int
    page_size: int
    counts: dict[str, int]
    has_external: bool

    @property
    def first(self) -> int:
        """Position of the first row, from 1."""
        return (self.page - 1) * self.page_size + 1 if self.found else 0

    @property
    def last(self) -> int:
        """Position of the last row."""
        return min(self.page * self.page_size, self.found)


@dataclass(frozen=True)
class ApplicationCredentials:
    """The credentials of one application, most urgent (earliest end) first. federated: how many of those."""

    secrets: list[ClientSecret]
    certificates: list[Certificate]
    federated: int

    @property
    def all(self) -> list[ClientSecret | Certificate]:
        """Secrets and certificates together, earliest end first."""
        rows: list[ClientSecret | Certificate] = [*self.secrets, *self.certificates]
        return sorted(rows, key=end_of)

    def status(self, now: datetime) -> ApplicationStatus:
        """The application's credential status at that moment."""
        return application_status(self.all, now, federated=self.federated)


def applications_page(
    tenant: Tenant,
    *,
    tab: str = filters.ALL,
    search: str = "",
    status: str = "",
    place: str = "",
    sort: str = "name",
    page: int = 1,
    page_size: int = PAGE_SIZES[0],
    user: User | None,
    sees_all: bool = True,
    now: datetime,
) -> ApplicationsPage:
    """One page of registrations.

    What is unknown among tab, status, sort and page_size falls back to the default.

    tab: all, owned, deleted. search: name, any GUID, thumbprint in any spelling, secret hint. status: one of
    lifecycle.STATUSES or "". place: a kind of authority or "". sort: one of SORTS, "-" in front for
    descending. sees_all: False for somebody who may know only of what they own.
    """
    size = page_size if page_size in PAGE_SIZES else PAGE_SIZES[0]
    chosen = _chosen(tenant, tab, search, status, place, sort, user, sees_all, now)
    counts, has_external = _counts(tenant, user, sees_all, now)
    is_filtered = bool(search.strip() or place) or status in STATUSES
    is_whole_tab = not is_filtered and tab in counts
    # Whoever searches finds few as a rule: then one walk finds and counts them.
    few = None if chosen.are_many else _keys(chosen.ordered, _FEW)
    found = len(few) if few is not None else counts[tab] if is_whole_tab else chosen.rows.count()
    pages = max(1, -(-found // size))
    shown = min(max(page, 1), pages)
    part = range(found)[(shown - 1) * size : shown * size]
    if few is not None:
        rows = _in_order_of(few[part.start : part.stop])
    elif found > _FEW and chosen.is_stored and sort in filters.BY_STATUS and status not in STATUSES:
        rows = _in_order_of(
            status_order.keys_at(chosen.rows, tab, part, found, now, backwards=sort == filters.BY_STATUS[1])
        )
    elif filters.asks_for_status(status, sort):  # keys are in an index, whole rows are not
        rows = _in_order_of(_at(chosen.ordered.values_list("pk", flat=True), part, found))
    else:
        rows = _at(chosen.ordered, part, found)
    return ApplicationsPage(_described(rows, now), found, shown, pages, size, counts, has_external)


def export_rows(
    tenant: Tenant,
    *,
    tab: str = filters.ALL,
    search: str = "",
    status: str = "",
    place: str = "",
    sort: str = "name",
    user: User | None,
    sees_all: bool = True,
    now: datetime,
) -> Iterator[ApplicationRow]:
    """Every row of the list as one choice of tab, search, status, place and sort shows it, read in batches.

    At most settings.EXPORT_ROWS rows; the order is the one at the beginning.
    """
    chosen = _chosen(tenant, tab, search, status, place, sort, user, sees_all, now)
    keys = list(chosen.ordered.values_list("pk", flat=True)[: settings.EXPORT_ROWS])
    for start in range(0, len(keys), _EXPORT_BATCH):
        yield from _described(_in_order_of(keys[start : start + _EXPORT_BATCH]), now)


def credentials_of(application: Application) -> ApplicationCredentials:
    """Secrets and certificates of one application, earliest end first. Three queries."""
    return ApplicationCredentials(
        list(ClientSecret.objects.filter(application=application).order_by(*BY_END)),
        list(Certificate.objects.filter(application=application).order_by("end_at", "pk")),
        FederatedCredential.objects.filter(application=application).count(),
    )


def live_runnable_credentials(application: Application, now: datetime) -> list[ClientSecret | Certificate]:
    """Live credentials that a test can run without asking for a value or a key, newest first."""
    rows = credentials_of(application)
    runnable: list[ClientSecret | Certificate] = [
        *(secret for secret in rows.secrets if is_live(secret, now) and not secret.is_verify_only),
        *(
            certificate
            for certificate in rows.certificates
            if is_live(certificate, now) and certificate.has_private_key
        ),
    ]
    return sorted(runnable, key=lambda row: row.created_at, reverse=True)


@dataclass(frozen=True)
class _Chosen:
    """The registrations of a choice, and the same in order. is_stored: whether stored statuses are asked."""

    rows: QuerySet[Application]
    ordered: QuerySet[Application]
    are_many: bool
    is_stored: bool


def _chosen(
    tenant: Tenant,
    tab: str,
    search: str,
    status: str,
    place: str,
    sort: str,
    user: User | None,
    sees_all: bool,
    now: datetime,
) -> _Chosen:
    stored = filters.asks_for_status(status, sort) and stored_status.bring_up_to_date(now)
    matches = matching(filters.on_tab(tenant, tab, user, now, sees_all=sees_all), tenant, search)
    rows = filters.at_place(filters.with_status(matches.rows, status, now, stored=stored), place)
    return _Chosen(rows, filters.in_order(rows, tab, sort, now, stored=stored), matches.are_many, stored)


def _keys(ordered: QuerySet[Application], most: int) -> list[uuid.UUID] | None:
    """Of all rows, in order; None where there are more than so many."""
    found = list(ordered.values_list("pk", flat=True)[: most + 1])
    return found if len(found) <= most else None


def _at(ordered: QuerySet[Application, Row], part: range, found: int) -> list[Row]:
    """What is at these positions of so many, counted from the nearer end."""
    if part.start <= found - part.stop:
        return list(ordered[part.start : part.stop])
    return list(ordered.reverse()[found - part.stop : found - part.start])[::-1]


def _in_order_of(keys: Sequence[uuid.UUID]) -> list[Application]:
    """The rows of these keys, without those purged meanwhile."""
    by_key = Application.objects.in_bulk(keys)
    return [by_key[key] for key in keys if key in by_key]


def _counts(tenant: Tenant, user: User | None, sees_all: bool, now: datetime) -> tuple[dict[str, int], bool]:
    """Registrations per tab, and whether some live elsewhere, deleted ones included.

    Four queries; none reads what it does not count, and all live ones are counted beside the directory.
    """
    visible = visible_in(tenant, user, sees_all=sees_all)
    owned = owned_in(tenant, user).filter(deleted_at=None).count()
    tabs = {
        filters.ALL: live_registrations([tenant.pk])[tenant.pk] if sees_all else owned,
        filters.OWNED: owned,
        filters.DELETED: visible.filter(deleted_at__gte=restorable_since(now)).count(),
    }
    return tabs, visible.exclude(authority_kind=BUILT_IN).exists()


def _described(applications: Sequence[Application], now: datetime) -> list[ApplicationRow]:
    """Adds what the columns show. The same few queries for any number of rows."""
    keys = [application.pk for application in applications]
    dates = dates_of(keys)
    owners: dict[uuid.UUID, list[str]] = {}
    for row in (
        Ownership.objects.filter(application__in=keys).select_related("user").order_by("user__username")
    ):
        owners.setdefault(row.application_id, []).append(row.user.shown_name)
    last = last_sign_ins(keys)
    return [
        ApplicationRow(
            application=application,
            status=dates[application.pk].status(now),
            secrets=len(dates[application.pk].secrets),
            certificates=len(dates[application.pk].certificates),
            federated=dates[application.pk].federated,
            owners=owners.get(application.pk, []),
            last_sign_in=last.get(application.pk),
            days_until_gone=_days_until_gone(application, now),
        )
        for application in applications
    ]


def _days_until_gone(application: Application, now: datetime) -> int | None:
    if application.deleted_at is None:
        return None
    return days_between(now, application.deleted_at + timedelta(days=settings.RESTORE_DAYS))
