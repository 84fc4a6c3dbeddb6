"""An application's credentials as the Overview lists them: the most urgent first."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from credmgr.audit.queries import last_used
from credmgr.credentials.lifecycle import CURRENT, SOON, CredentialStatus, end_of, status_at
from credmgr.credentials.models import Certificate, ClientSecret
from credmgr.portal import words
from credmgr.registrations.models import Application


@dataclass(frozen=True)
class CredentialRow:
    """One credential. kind: "secret" or "certificate"; last_used_at: UTC, None when it never got a token."""

    id: uuid.UUID
    kind: str
    name: str
    start_at: datetime
    end_at: datetime | None
    status: CredentialStatus
    last_used_at: datetime | None

    @property
    def kind_words(self) -> str:
        """For the line below the name."""
        return "Client secret" if self.kind == "secret" else "Certificate"

    @property
    def icon(self) -> str:
        """For the icon before the name."""
        return "key" if self.kind == "secret" else "certificate"


@dataclass(frozen=True)
class Banner:
    """The one warning of the Overview. tone: warn or bad; kind: which sort of credential to add."""

    tone: str
    heading: str
    text: str
    kind: str


def credential_rows(application: Application, now: datetime) -> list[CredentialRow]:
    """Every credential, nearest end first among the live ones, expired ones last. Nothing sealed is read."""
    secrets = application.client_secrets.only(
        "id", "application_id", "description", "hint", "start_at", "end_at"
    )
    certificates = application.certificates.only(
        "id", "application_id", "description", "subject", "thumbprint_sha1", "start_at", "end_at"
    )
    found: list[tuple[str, str, ClientSecret | Certificate]] = [
        ("secret", row.description or f"Secret {row.hint}{'*' * 6}", row) for row in secrets
    ]
    found += [
        ("certificate", row.description or row.subject or row.thumbprint_sha1, row) for row in certificates
    ]
    used = last_used([row.pk for _, _, row in found])
    rows = [
        CredentialRow(row.pk, kind, name, row.start_at, row.end_at, status_at(row, now), used.get(row.pk))
        for kind, name, row in found
    ]
    return sorted(rows, key=lambda row: (row.status.kind == "expired", end_of(row)))


def counts_in_words(rows: Sequence[CredentialRow], federated: int = 0) -> str:
    """ "2 certificates, 3 secrets, 1 federated", or what to do when there is none."""
    certificates = sum(row.kind == "certificate" for row in rows)
    secrets = len(rows) - certificates
    parts = [
        words.counted(certificates, "certificate") if certificates else "",
        words.counted(secrets, "secret") if secrets else "",
        f"{federated} federated" if rows and federated else "",
        words.counted(federated, "federated credential") if federated and not rows else "",
    ]
    return ", ".join(part for part in parts if part) or "Add a certificate or secret"


def banner(
    rows: Sequence[CredentialRow], now: datetime, *, federated: int = 0, is_external: bool = False
) -> Banner | None:
    """What is most pressing: nothing live, then an end that is close, then an expired one that lies about.

    is_external: the registration lives elsewhere, so nothing is known of the use of its credentials.
    """
    live = [row for row in rows if row.status.kind in (CURRENT, SOON)]
    expired = [row for row in rows if row.status.kind == "expired"]
    soon = next((row for row in live if row.status.kind == SOON), None)
    if expired and not live and not federated:
        newest = max(expired, key=end_of)
        return Banner(
            "bad",
            "No live credential.",
            f"{newest.name} ended on {words.day(end_of(newest))}, and no token can be acquired since. "
            "Add a new credential.",
            newest.kind,
        )
    if soon:
        use = "" if is_external else _use(soon, now)
        span = f"has {soon.status.words.lower()}" if soon.status.days_left else "ends today"
        return Banner(
            "warn",
            f"{soon.name} {span}{use}.",
            "Add its successor and put it into service before the old one ends.",
            soon.kind,
        )
    if expired:
        newest = max(expired, key=end_of)
        return Banner(
            "warn",
            f"{newest.name} ended on {words.day(end_of(newest))}.",
            "Another credential is live. Delete the old one once nothing uses it.",
            newest.kind,
        )
    return None


def _use(row: CredentialRow, now: datetime) -> str:
    if row.last_used_at is None:
        return " and was never used"
    return f" and was used {words.relative(row.last_used_at, now)}"
