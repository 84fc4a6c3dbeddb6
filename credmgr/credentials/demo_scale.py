"""Fills a directory with invented registrations by the hundred thousand, their credentials, sign-ins and
audit events: to see how the program behaves when it has grown. In bulk, past the acts; a batch is a
transaction.

Everything is marked: is_demo on registrations, "(demo)" behind invented names.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar

from django.db import transaction

from credmgr.accounts.models import User
from credmgr.audit.chain import append_all
from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor
from credmgr.audit.sign_in_sums import sum_new_sign_ins
from credmgr.audit.sign_ins import record_invented_sign_ins
from credmgr.credentials import demo_rows as rows
from credmgr.credentials.errors import CredentialError
from credmgr.credentials.models import Certificate, ClientSecret, FederatedCredential
from credmgr.credentials.stored_status import bring_all_up_to_date
from credmgr.registrations.acting import record_directory_act
from credmgr.registrations.directories import create_directory
from credmgr.registrations.models import Application, IdentifierUri, Ownership, Tenant, TenantDomain

DIRECTORY_NAME, DIRECTORY_DOMAIN = "Norrvik Freight (demo)", "demoatscale.onmicrosoft.example"
REGISTRATIONS_AT_ONCE, LOG_ROWS_AT_ONCE = 1_000, 10_000
# What the first person owns, as somebody who looks after a few hundred would.
_OWNED_MOST = 200

Row = TypeVar("Row")


@dataclass(frozen=True)
class Amounts:
    """How many rows of each kind."""

    registrations: int
    credentials: int
    sign_ins: int
    audit_rows: int


SMALL = Amounts(registrations=100, credentials=300, sign_ins=5_000, audit_rows=1_000)
SCALE = Amounts(registrations=100_000, credentials=300_000, sign_ins=5_000_000, audit_rows=1_000_000)

# Told of every batch: what it was, how many of these are there now, how many there will be.
Progress = Callable[[str, int, int], None]


def generate_demo(
    amounts: Amounts,
    *,
    directory: Tenant | None = None,
    beside_real_ones: bool = False,
    progress: Progress = lambda _what, _done, _of: None,
    actor: Actor,
    now: datetime,
) -> Tenant:
    """Fill a directory, a new one where none is given; that directory.

    Raises CredentialError where the installation has registrations that are no demo, unless told that they
    may stand beside them, and where a directory of an earlier run is there; RegistrationError.
    """
    if not beside_real_ones and Application.objects.filter(is_demo=False).exists():
        raise CredentialError(
            "not_a_demo",
            "This installation has registrations that are no demo, and audit entries cannot be removed "
            "again. Use another data folder, or say --beside-real-ones. Nothing was changed.",
        )
    tenant = directory or _new_directory(actor, now)
    made = list(_add_registrations(tenant, amounts, progress, now))
    signing = [each for each in made if each.signs_in]
    _add_sign_ins(tenant, signing, amounts.sign_ins, progress, now)
    sum_new_sign_ins()
    _add_audit_rows(tenant, made, amounts.audit_rows, progress, now)
    with transaction.atomic():
        record_directory_act(EventTag.DEMO_LOADED, tenant, actor, now, {"registrations": [None, len(made)]})
    return tenant


def _new_directory(actor: Actor, now: datetime) -> Tenant:
    if TenantDomain.objects.filter(name=DIRECTORY_DOMAIN).exists():
        raise CredentialError(
            "demo_generated",
            f"There is a directory {DIRECTORY_DOMAIN} already. Name a directory to fill with --directory, or "
            "use another data folder. Nothing was changed.",
        )
    return create_directory(name=DIRECTORY_NAME, domain=DIRECTORY_DOMAIN, actor=actor, now=now)


def _add_registrations(
    tenant: Tenant, amounts: Amounts, progress: Progress, now: datetime
) -> Iterator[rows.Made]:
    maker = rows.Maker(tenant, amounts.registrations, amounts.credentials, now)
    owner = User.objects.filter(is_active=True).order_by("date_joined").first()
    done = 0
    for batch in _batches(maker.registrations(), REGISTRATIONS_AT_ONCE):
        with transaction.atomic():
            Application.objects.bulk_create(each.application for each in batch)
            ClientSecret.objects.bulk_create(row for each in batch for row in each.of(ClientSecret))
            Certificate.objects.bulk_create(row for each in batch for row in each.of(Certificate))
            FederatedCredential.objects.bulk_create(
                row for each in batch for row in each.of(FederatedCredential)
            )
            IdentifierUri.objects.bulk_create(row for each in batch for row in each.of(IdentifierUri))
            if owner:
                of_owner = batch[: max(0, _OWNED_MOST - done)]
                Ownership.objects.bulk_create(
                    Ownership(application=each.application, user=owner) for each in of_owner
                )
        bring_all_up_to_date(now)
        yield from (each.remembered() for each in batch)
        done += len(batch)
        progress("registrations", done, amounts.registrations)


def _add_sign_ins(
    tenant: Tenant, signing: list[rows.Made], count: int, progress: Progress, now: datetime
) -> None:
    done = 0
    for batch in _batches(rows.sign_ins(tenant, signing, count, now), LOG_ROWS_AT_ONCE):
        record_invented_sign_ins(batch)
        done += len(batch)
        progress("sign-ins", done, count)


def _add_audit_rows(
    tenant: Tenant, made: list[rows.Made], count: int, progress: Progress, now: datetime
) -> None:
    done = 0
    for batch in _batches(rows.audit_events(tenant, made, count, now), LOG_ROWS_AT_ONCE):
        append_all(batch)
        done += len(batch)
        progress("audit entries", done, count)


def _batches(of: Iterable[Row], size: int) -> Iterator[list[Row]]:
    remaining = iter(of)
    while batch := list(islice(remaining, size)):
        yield batch
