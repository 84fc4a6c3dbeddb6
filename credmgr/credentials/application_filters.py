"""Which registrations are on a list, and in what order: tabs, search, credential status, sort.

Builds SQL only.

Status is the ruling of lifecycle.status_from. As a rule it is read as it is stored with the registrations
(`stored_status`); where too many of those are out of date, it is asked of the credentials, by the same ruling
said once more as conditions on indexes.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import (
    Case,
    DateTimeField,
    Exists,
    F,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.expressions import OrderBy
from django.db.models.functions import Coalesce, Greatest, Least, Lower, NullIf

from credmgr.accounts.models import User
from credmgr.credentials import stored_status
from credmgr.credentials.lifecycle import (
    CURRENT,
    CURRENT_EXPIRED,
    NO_LIVE,
    NONE,
    SOON,
    STATUSES,
    soon_until,
)
from credmgr.credentials.models import Certificate, ClientSecret, FederatedCredential
from credmgr.registrations.deleting import restorable_since
from credmgr.registrations.models import (
    AUTHORITY_KINDS,
    BUILT_IN,
    LONG_AGO,
    NEVER,
    NO_CREDENTIALS,
    NO_LIVE_CREDENTIAL,
    Application,
    Tenant,
)
from credmgr.registrations.visible import OF_LIVE, owned_in, visible_in

ALL, OWNED, DELETED = "all", "owned", "deleted"
TABS = (ALL, OWNED, DELETED)
BY_STATUS = ("status", "-status")
SORTS_BY_STATUS = ("status", "expiry")
SORTS = ("name", "created", *SORTS_BY_STATUS, "deleted")


def on_tab(
    tenant: Tenant, tab: str, user: User | None, now: datetime, *, sees_all: bool = True
) -> QuerySet[Application]:
    """The registrations of a tab; an unknown tab shows all.

    Deleted ones only as long as they can be restored. sees_all: False for people who may know only of those
    that they own.
    """
    rows = owned_in(tenant, user) if tab == OWNED else visible_in(tenant, user, sees_all=sees_all)
    if tab == DELETED:
        return rows.filter(deleted_at__gte=restorable_since(now))
    return rows.filter(deleted_at=None)


def at_place(rows: QuerySet[Application], place: str) -> QuerySet[Application]:
    """Those that live at that kind of authority; an unknown one filters nothing."""
    if place not in dict(AUTHORITY_KINDS):
        return rows
    # The condition of the index of those elsewhere, to the letter.
    rows = rows if place == BUILT_IN else rows.exclude(authority_kind=BUILT_IN)
    return rows.filter(authority_kind=place)


def asks_for_status(status: str, sort: str) -> bool:
    """Whether this choice filters or sorts by the status of credentials."""
    return status in STATUSES or sort.removeprefix("-") in SORTS_BY_STATUS


def with_status(
    rows: QuerySet[Application], status: str, now: datetime, *, stored: bool
) -> QuerySet[Application]:
    """Those in that credential status; an unknown one filters nothing. stored: whether those stored hold."""
    if status not in STATUSES:
        return rows
    return rows.filter((stored_status.conditions(now) if stored else _conditions(now))[status])


def _conditions(now: datetime) -> dict[str, Q]:
    """Each status, as asked of the credentials."""
    live, ends_soon = _any_credential(_live(now)), _any_credential(_live(now) & Q(end_at__lt=soon_until(now)))
    expired, federated = _any_credential(Q(end_at__lte=now)), _any_federated()
    # Federated credentials have no end: they are there and live.
    live, present = live | federated, _any_credential(Q()) | federated
    return {
        NO_LIVE: present & ~live,
        SOON: ends_soon,
        CURRENT_EXPIRED: live & ~ends_soon & expired,
        CURRENT: live & ~ends_soon & ~expired,
        NONE: ~present,
    }


def in_order(
    rows: QuerySet[Application], tab: str, sort: str, now: datetime, *, stored: bool
) -> QuerySet[Application]:
    """Sorted by one of SORTS, a minus in front for the other way round; by name when unknown. tab: that the
    rows are of, as of on_tab. stored: whether the stored statuses hold.

    By status the worst comes first, within a status the nearest end; by expiry the earliest end first, and
    registrations without credentials last. Names compare without case.
    """
    backwards, key = sort.startswith("-"), sort.removeprefix("-")
    by_name: list[F | Lower] = [Lower("display_name"), F("pk")]
    order: list[F | Lower]
    if key == "created":
        order = [F("created_at"), F("pk")]
    elif key == "deleted":
        order = [F("deleted_at"), F("pk")]
    elif key in SORTS_BY_STATUS:
        rows = rows.alias(nearest_end=F("credential_end")) if stored else _with_ends(rows, now)
        order = [F("nearest_end"), *by_name]
        if key == "status":
            rows = rows.alias(status_rank=_stored_rank(now) if stored else _rank(now))
            order = [F("status_rank"), *order]
    else:
        order = by_name
    return rows.order_by(*directed([*head_of_order(tab), *order], backwards=backwards))


def head_of_order(tab: str) -> list[F]:
    """What an order of the registrations of a tab begins with, so that it is that of an index."""
    return [] if tab == DELETED else [OF_LIVE]


def directed(order: Sequence[F | Lower], *, backwards: bool) -> list[OrderBy]:
    """All of it rising, or all of it falling."""
    return [each.desc() if backwards else each.asc() for each in order]


def _live(now: datetime) -> Q:
    """As lifecycle.is_live."""
    return Q(start_at__lte=now) & (Q(end_at__gt=now) | Q(end_at=None))


def _any_credential(condition: Q) -> Q:
    return Q(Exists(ClientSecret.objects.filter(condition, application=OuterRef("pk")))) | Q(
        Exists(Certificate.objects.filter(condition, application=OuterRef("pk")))
    )


def _any_federated() -> Q:
    return Q(Exists(FederatedCredential.objects.filter(application=OuterRef("pk"))))


def _any_endless(now: datetime) -> Q:
    """Something live without an end: a federated credential, or a secret whose end is not known."""
    secrets = ClientSecret.objects.filter(_live(now), application=OuterRef("pk"), end_at=None)
    return _any_federated() | Q(Exists(secrets))


def _with_ends(rows: QuerySet[Application], now: datetime) -> QuerySet[Application]:
    """Adds live_end, last_end and nearest_end, as in lifecycle.ApplicationStatus; NEVER stands for none."""
    live_end = Least(*_ends(_live(now), Min("end_at"), NEVER))
    last_end = Greatest(*_ends(Q(), Max("end_at"), LONG_AGO))
    # Aliases are not selected, and NULLIF computes its subqueries once where CASE would do so twice.
    rows = rows.alias(live_end=live_end, last_end=last_end)
    return rows.alias(
        nearest_end=Coalesce(
            NullIf(F("live_end"), Value(NEVER)),
            Case(When(_any_endless(now), then=Value(NEVER)), output_field=DateTimeField()),
            NullIf(F("last_end"), Value(LONG_AGO)),
            Value(NEVER),
        )
    )


def _ends(condition: Q, function: Min | Max, missing: datetime) -> list[Coalesce]:
    return [
        Coalesce(
            Subquery(
                model.objects.filter(condition, application=OuterRef("pk"))
                .order_by()
                .values("application_id")
                .annotate(found=function)
                .values("found")
            ),
            Value(missing),
        )
        for model in (ClientSecret, Certificate)
    ]


def _rank(now: datetime) -> Case:
    expired = _any_credential(Q(end_at__lte=now))
    return Case(
        When(live_end__lt=soon_until(now), then=Value(STATUSES.index(SOON))),
        When(Q(live_end__lt=NEVER) & expired, then=Value(STATUSES.index(CURRENT_EXPIRED))),
        When(live_end__lt=NEVER, then=Value(STATUSES.index(CURRENT))),
        When(_any_endless(now) & expired, then=Value(STATUSES.index(CURRENT_EXPIRED))),
        When(_any_endless(now), then=Value(STATUSES.index(CURRENT))),
        When(last_end__gt=LONG_AGO, then=Value(STATUSES.index(NO_LIVE))),
        When(_any_credential(Q()), then=Value(STATUSES.index(NO_LIVE))),
        default=Value(STATUSES.index(NONE)),
        output_field=IntegerField(),
    )


def _stored_rank(now: datetime) -> Case:
    """As stored_status.conditions, in as few comparisons as there can be: each row of a directory makes them.

    The stored states stand in the order of STATUSES, in which "soon" comes second.
    """
    return Case(
        When(credential_state=NO_LIVE_CREDENTIAL, then=Value(STATUSES.index(NO_LIVE))),
        When(credential_state=NO_CREDENTIALS, then=Value(STATUSES.index(NONE))),
        When(credential_end__lt=soon_until(now), then=Value(STATUSES.index(SOON))),
        default=F("credential_state") + 1,
        output_field=IntegerField(),
    )
