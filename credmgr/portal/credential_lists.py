"""The tabs of Certificates & secrets: rows with their use and last test, and the one warning above them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from django.db.models import Q

from credmgr.audit.credential_use import RecentUse, recent_use
from credmgr.audit.queries import last_used
from credmgr.credentials.lifecycle import CURRENT, SOON, CredentialStatus, end_of, is_live, status_at
from credmgr.credentials.models import Certificate, ClientSecret
from credmgr.credentials.queries import BY_END
from credmgr.credentials.secret_values import mask
from credmgr.credentials.x509_keys import shown_key
from credmgr.flowtest.queries import LastTest, last_tests
from credmgr.portal import words
from credmgr.registrations.models import Application

# The window of the counts beside "Last used".
RECENT = timedelta(hours=24)

Stored = TypeVar("Stored", ClientSecret, Certificate)


@dataclass(frozen=True)
class ListRow(Generic[Stored]):
    """One credential of a tab. last_used_at: UTC, None when it never got a token; use: the last 24 hours."""

    record: Stored
    name: str
    status: CredentialStatus
    last_used_at: datetime | None
    use: RecentUse
    last_test: LastTest | None

    @property
    def id(self) -> uuid.UUID:
        """The Secret ID or Certificate ID."""
        return self.record.pk

    @property
    def mask(self) -> str:
        """What stays of a secret's value: hint and asterisks. Empty for a certificate."""
        return mask(self.record.hint) if isinstance(self.record, ClientSecret) else ""

    @property
    def short_id(self) -> str:
        """The first eight characters of the id; the copy button beside it has it whole."""
        return f"{str(self.record.pk)[:8]}…"

    @property
    def key_name(self) -> str:
        """ "RSA 2048", "EC P-256"; empty for a secret."""
        return (
            shown_key(self.record.key_type, self.record.key_size)
            if isinstance(self.record, Certificate)
            else ""
        )

    @property
    def test_parts(self) -> tuple[str, str]:
        """The last test's words without and from their code on: ("Failed", "AADSTS700027")."""
        head, _, code = self.last_test.words.partition(", ") if self.last_test else ("", "", "")
        return head, code

    @property
    def tone(self) -> str:
        """Colour of the days left, as the lifetime bar beside it: red for the last week too."""
        days = self.status.days_left
        if self.status.kind == "expired" or (self.status.kind == SOON and days is not None and days < 8):
            return "bad"
        return "warn" if self.status.kind in (SOON, "not-yet") else ""


@dataclass(frozen=True)
class Tab:
    """One of the three kinds with the number of credentials of it."""

    name: str
    label: str
    count: int
    current: bool


@dataclass(frozen=True)
class Notice:
    """The message bar. run_id: the failed test it speaks of, None where the cure is a new credential."""

    tone: str
    heading: str
    text: str
    run_id: uuid.UUID | None = None


def name_of(credential: ClientSecret | Certificate) -> str:
    """What a person calls it: the description, else hint and mask, or the subject, or the thumbprint."""
    if isinstance(credential, ClientSecret):
        return credential.description or f"Secret {credential.hint}{'*' * 6}"
    return credential.description or credential.subject or credential.thumbprint_sha1


def tabs_of(application: Application, current: str) -> list[Tab]:
    """The three tabs with their counts, in three statements."""
    certificates = application.certificates.count()
    secrets = application.client_secrets.count()
    federated = application.federated_credentials.count()
    return [
        Tab("certificates", "Certificates", certificates, current == "certificates"),
        Tab("secrets", "Client secrets", secrets, current == "secrets"),
        Tab("federated", "Federated credentials", federated, current == "federated"),
    ]


def tab_to_open(application: Application, now: datetime) -> str:
    """The tab with the nearest end ahead; without one, the kind there is; else secrets."""
    ends: dict[str, list[datetime | None]] = {
        "secrets": list(application.client_secrets.values_list("end_at", flat=True)),
        "certificates": list(application.certificates.values_list("end_at", flat=True)),
    }
    ahead = [
        (end, name) for name, moments in ends.items() for end in moments if end is not None and end > now
    ]
    if ahead:
        return min(ahead, key=lambda found: found[0])[1]
    if not any(ends.values()) and application.federated_credentials.exists():
        return "federated"
    return "certificates" if ends["certificates"] and not ends["secrets"] else "secrets"


def secret_rows(application: Application, now: datetime) -> list[ListRow[ClientSecret]]:
    """Every client secret, nearest end first, in a constant number of statements."""
    return _rows(list(application.client_secrets.order_by(*BY_END)), now)


def certificate_rows(application: Application, now: datetime) -> list[ListRow[Certificate]]:
    """Every certificate, nearest end first, in a constant number of statements."""
    return _rows(list(application.certificates.defer("der").order_by("end_at", "pk")), now)


def single_row(record: Stored, now: datetime) -> ListRow[Stored]:
    """One credential with its use and last test."""
    return _rows([record], now)[0]


def also_on(certificate: Certificate, tenant_id: uuid.UUID) -> list[Application]:
    """Other registrations of the directory that hold the same certificate."""
    same = Certificate.objects.filter(thumbprint_sha256=certificate.thumbprint_sha256)
    others = same.exclude(application=certificate.application_id).values_list("application_id", flat=True)
    # Told the directory, the database would walk all its registrations to find these few.
    found = Application.objects.in_bulk(list(others)).values()
    here = [row for row in found if row.tenant_id == tenant_id and row.deleted_at is None]
    return sorted(here, key=lambda row: row.display_name)


def notice_for(rows: Sequence[ListRow[Stored]], application: Application, now: datetime) -> Notice | None:
    """The most pressing thing to say about this tab: at most one."""
    if application.is_disabled:
        return Notice(
            "warn",
            "This application is disabled.",
            "None of its credentials gets a token until it is enabled.",
        )
    if not rows:
        return None
    return (
        _nothing_live(rows, application, now)
        or _ends_soon(rows, now)
        or _failed_test(rows)
        or _still_tried(rows)
    )


def _rows(records: list[Stored], now: datetime) -> list[ListRow[Stored]]:
    ids = [record.pk for record in records]
    used, recent, tests = last_used(ids), recent_use(ids, now - RECENT), last_tests(ids)
    return [
        ListRow(
            record=record,
            name=name_of(record),
            status=status_at(record, now),
            last_used_at=used.get(record.pk),
            use=recent.get(record.pk, RecentUse()),
            last_test=tests.get(record.pk),
        )
        for record in records
    ]


def _nothing_live(rows: Sequence[ListRow[Stored]], application: Application, now: datetime) -> Notice | None:
    live = Q(start_at__lte=now) & (Q(end_at__gt=now) | Q(end_at=None))
    kinds = (application.client_secrets, application.certificates)
    if any(kind.filter(live).exists() for kind in kinds) or application.federated_credentials.exists():
        return None
    expired = [row for row in rows if row.status.kind == "expired"]
    if not expired:
        first = min(rows, key=lambda row: row.record.start_at)
        return Notice(
            "bad",
            "No credential is valid yet.",
            f"{first.name} is the first, from {words.moment(first.record.start_at)}.",
        )
    newest = max(expired, key=lambda row: end_of(row.record))
    ago = words.days_left(end_of(newest.record), now).lower()
    return Notice(
        "bad", "No live credential.", f"{newest.name} {ago}, and no token is given since. Add a new one."
    )


def _ends_soon(rows: Sequence[ListRow[Stored]], now: datetime) -> Notice | None:
    """A live one that ends soon and is in use, or that is the last of its kind."""
    live = [row for row in rows if is_live(row.record, now)]
    for row in live:
        is_external = row.record.application.is_external
        is_idle = row.last_used_at is None and not is_external
        if row.status.kind != SOON or (is_idle and len(live) > 1):
            continue
        use = f"was used {words.relative(row.last_used_at, now)}" if row.last_used_at else "was never used"
        span = f"has {row.status.words.lower()}" if row.status.days_left else "ends today"
        return Notice(
            "bad" if row.tone == "bad" else "warn",
            f"{row.name} {span}." if is_external else f"{row.name} {span} and {use}.",
            "Add its successor and put it into service before the old one ends.",
        )
    return None


def _failed_test(rows: Sequence[ListRow[Stored]]) -> Notice | None:
    for row in rows:
        if row.status.kind in (CURRENT, SOON) and row.last_test and row.last_test.tone == "bad":
            return Notice(
                "bad",
                f"The last test of {row.name} brought no verified token.",
                f"{row.last_test.words}.",
                row.last_test.run_id,
            )
    return None


def _still_tried(rows: Sequence[ListRow[Stored]]) -> Notice | None:
    for row in rows:
        if row.status.kind == "expired" and row.use.refused:
            return Notice(
                "warn",
                f"{row.name} has expired and is still used.",
                f"{words.counted(row.use.refused, 'request')} refused in 24 hours. "
                "Give the callers a live credential.",
            )
    return None
