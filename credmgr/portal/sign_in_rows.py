"""Sign-in rows as people read them: ids replaced by names, the code by its meaning."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from credmgr import aadsts
from credmgr.audit.models import SignIn
from credmgr.credentials.models import Certificate, ClientSecret, FederatedCredential
from credmgr.portal import words
from credmgr.registrations.models import Application

_CREDENTIAL_TYPES = {
    "none": "No credential",
    "clientSecret": "Client secret",
    "certificate": "Certificate",
    "clientAssertion": "Signed assertion",
    "federatedIdentityCredential": "Federated credential",
}
_ICONS = {
    "clientSecret": "key",
    "certificate": "certificate",
    "clientAssertion": "certificate",
    "federatedIdentityCredential": "federated",
}


@dataclass(frozen=True)
class SignInRow:
    """One sign-in for the page. application is None when the id is unknown here, or deleted for good."""

    record: SignIn
    application: Application | None
    credential: str
    credential_type: str
    icon: str
    words: str
    meaning: str
    cure: str

    @property
    def copy_label(self) -> str:
        """What the copy button of the row says."""
        return f"Copy correlation ID of the sign-in of {words.moment(self.record.at, seconds=True)}"

    @property
    def tone(self) -> str:
        """For the status icon."""
        return "bad" if self.record.error_code else "ok"


def describe(records: Iterable[SignIn]) -> list[SignInRow]:
    """Rows with names, in four statements however many rows there are."""
    records = list(records)
    applications = Application.objects.in_bulk({row.application_id for row in records if row.application_id})
    names = _credential_names({row.credential_id for row in records if row.credential_id})
    return [_row(record, applications, names) for record in records]


def _row(
    record: SignIn, applications: dict[uuid.UUID, Application], names: dict[uuid.UUID, str]
) -> SignInRow:
    entry = aadsts.CATALOGUE.get(record.error_code)
    meaning = entry.meaning if entry else ""
    return SignInRow(
        record=record,
        application=applications.get(record.application_id) if record.application_id else None,
        credential=_credential(record, names),
        credential_type=_CREDENTIAL_TYPES.get(record.credential_type, record.credential_type),
        icon=_ICONS.get(record.credential_type, "skip-16"),
        words=f"AADSTS{record.error_code}" if record.error_code else "Success",
        meaning=meaning,
        cure=entry.cure if entry else "",
    )


def _credential(record: SignIn, names: dict[uuid.UUID, str]) -> str:
    if record.credential_id is None:
        return "None matched" if record.error_code else "No credential"
    return names.get(record.credential_id, "Since deleted")


def _credential_names(ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Descriptions of the credentials that still exist; without one the hint or the subject."""
    found = {
        row.pk: row.description or f"{row.hint}{'*' * 6}"
        for row in ClientSecret.objects.filter(pk__in=ids).only("id", "description", "hint")
    }
    for row in Certificate.objects.filter(pk__in=ids).only("id", "description", "subject", "thumbprint_sha1"):
        found[row.pk] = row.description or row.subject or row.thumbprint_sha1
    found |= dict(FederatedCredential.objects.filter(pk__in=ids).values_list("pk", "name"))
    return found
