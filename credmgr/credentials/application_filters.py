"""Which registrations are on a list, and in what order: tabs, search, credential status, sort.

Builds SQL only.

Status is the ruling of lifecycle.status_from. As a rule it is read as it is stored with the registrations
(`stored_status`); where too many of those are out of date, it is asked of the credentials, by the same ruling
said once more as conditions on indexes.
"""

import re
import uuid
from datetime import datetime
from typing import Any

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
from credmgr.credentials.secret_values import HINT_LENGTH
from credmgr.credentials.x509 import thumbprints_in
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
from credmgr.registrations.name_parts import keys_by_name
from credmgr.registrations.visible import owned_in, visible_in

ALL, OWNED, DELETED = "all", "owned", "deleted"
TABS = (ALL, OWNED, DELETED)
BY_STATUS = ("status", "-status")
SORTS_BY_STATUS = ("status", "expiry")
SORTS = ("name", "created", *SORTS_BY_STATUS, "deleted")

_HINT = re.compile(rf"([0-9A-Za-z]{{{HINT_LENGTH}}})\*{{0,18}}", re.ASCII)
# Nothing that can be found is longer; SQLite refuses patterns of 50,000 bytes.
_SEARCH_LENGTH_MOST = 300
# So many registrations are named one by one.
_KEYS_MOST = 1_000
# So many are looked up one by one; more of them are read in the order of the page.
_NAMES_MOST = 2_000
# At least the first group of a GUID; dashes may be missing, as in a database dump or a log line.
_GUID_START = re.compile(r"[0-9a-f]{8}[0-9a-f]{0,24}", re.ASCII)
# Of a GUID, a SHA-1 and a SHA-256 thumbprint; and what may stand between the digits.
_WHOLE_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}", re.ASCII | re.IGNORECASE)
_BETWEEN = re.compile(r"[-:{}\s]")
# Of a registration itself.
_GUIDS = ("id", "client_id", "service_principal_id")


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


def matching(rows: QuerySet[Application], tenant: Tenant, search: str) -> QuerySet[Application]:
    """Those that the search box finds: part of a name, a GUID of any kind, a thumbprint or a secret's hint.
    A whole GUID or thumbprint that something has finds that alone.

    rows: of that directory. Two queries, of those that are found by something else than their name, and of
    those that have it in their name, as long as they are few.

    Those that live elsewhere are found by part of their client ID and authority too. GUIDs may be cut after
    the first group; thumbprints may be in any spelling; a hint is taken to the letter, with or without its
    asterisks.
    """
    term = search.strip().replace("\x00", "").encode("utf-8", "ignore").decode()
    if not term:
        return rows
    if len(term) > _SEARCH_LENGTH_MOST:
        return rows.none()
    others = _found_otherwise(tenant, term)
    keys = list(others.values_list("pk", flat=True)[: _KEYS_MOST + 1])
    by_name = Q(display_name__icontains=term)
    if 0 < len(keys) <= _KEYS_MOST and _is_whole_id(term):
        return _among(Q(pk__in=keys), rows)  # nobody means a name by it
    if len(keys) <= _KEYS_MOST and (named := keys_by_name(term, at_most=_NAMES_MOST)) is not None:
        return _among(Q(pk__in=named) & by_name | Q(pk__in=keys), rows)
    if not keys:
        return rows.filter(by_name)
    # Asked once more where they are too many to be named.
    return rows.filter(by_name | Q(pk__in=keys if len(keys) <= _KEYS_MOST else others))


def _among(keys: Q, rows: QuerySet[Application]) -> QuerySet[Application]:
    """Those of these keys that are among the rows, asked one by one: beside the rows' own conditions,
    the database would walk the whole directory in an index of those.
    """
    return Application.objects.filter(keys, Exists(rows.filter(pk=OuterRef("pk"))))


def _found_otherwise(tenant: Tenant, term: str) -> QuerySet[Any, Any]:
    """Keys of what is found by an index of its own, of any tab: told of the tab, the database would walk that
    one instead.
    """
    elsewhere = Application.objects.filter(tenant=tenant).exclude(authority_kind=BUILT_IN)
    ways: list[QuerySet[Any, Any]] = [
        elsewhere.filter(Q(external_client_id__icontains=term) | Q(authority_url__icontains=term)).values(
            "pk"
        )
    ]
    if (guids := _guid_range(term)) is not None:
        ways += [Application.objects.filter(**{f"{column}__range": guids}).values("pk") for column in _GUIDS]
        ways += [
            model.objects.filter(id__range=guids).values("application_id")
            for model in (ClientSecret, Certificate, FederatedCredential)
        ]
    if thumbprints := thumbprints_in(term):
        certificates = Certificate.objects.values("application_id")
        ways += [
            certificates.filter(thumbprint_sha1__in=thumbprints),
            certificates.filter(thumbprint_sha256__in=thumbprints),
        ]
    if hint := _HINT.fullmatch(term):
        ways.append(ClientSecret.objects.filter(hint=hint[1]).values("application_id"))
    return ways[0].union(*ways[1:]) if ways[1:] else ways[0]


def asks_for_status(status: str, sort: str) -> bool:
    """Whether this choice filters or sorts by the status of credentials."""
    return status in STATUSES or sort.removeprefix("-") in SORTS_BY_STATUS


def with_status(
    rows: QuerySet[Application], status: str, now: datetime, *, stored: bool
) -> QuerySet[Application]:
    """Those in that credential status; an unknown one filters nothing. stored: whether those stored hold."""
    conditions = stored_status.conditions(now) if stored else _conditions(now)
    return rows.filter(conditions[status]) if status in conditions else rows


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


def in_order(rows: QuerySet[Application], sort: str, now: datetime, *, stored: bool) -> QuerySet[Application]:
    """Sorted by one of SORTS, a minus in front for the other way round; by name when unknown. stored: whether
    the stored statuses hold.

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
    return rows.order_by(*(each.desc() if backwards else each.asc() for each in order))


def _guid_range(term: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """The first and last GUID that begin with the term; None when it cannot be the start of one."""
    digits = term.lower().strip("{}").replace("-", "")
    if not _GUID_START.fullmatch(digits):
        return None
    return uuid.UUID(digits.ljust(32, "0")), uuid.UUID(digits.ljust(32, "f"))


def _is_whole_id(term: str) -> bool:
    """Whether it is all of a GUID or of a thumbprint in hex, which cannot be taken for a part of a name."""
    return bool(_WHOLE_ID.fullmatch(_BETWEEN.sub("", term)))


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
