"""Sign-in rows as people read them: ids replaced by names, the code by its meaning."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet

from credmgr import aadsts
from credmgr.audit.models import SignIn
from credmgr.audit.sign_ins import FEDERATED_CREDENTIAL
from credmgr.credentials.models import Certificate, ClientSecret, FederatedCredential
from credmgr.flowtest.queries import runs_by_correlation
from credmgr.portal import words
from credmgr.portal.row_addresses import by_id, by_number
from credmgr.portal.switch_words import in_the_log
from credmgr.registrations.models import Application, ServicePrincipal, Tenant

# A test begins at most so long before the requests it makes.
_TEST_LASTS = timedelta(minutes=2)
CREDENTIAL_TYPES = {
    "none": "No credential",
    "clientSecret": "Client secret",
    "certificate": "Certificate",
    "clientAssertion": "Signed assertion",
    FEDERATED_CREDENTIAL: "Federated credential",
}
_ICONS = {
    "clientSecret": "key",
    "certificate": "certificate",
    "clientAssertion": "certificate",
    FEDERATED_CREDENTIAL: "federated",
}


@dataclass(frozen=True)
class SignInRow:
    """One sign-in for the page. application is None when the id is unknown here, or deleted for good.

    is_ours: the application is registered in this directory, so its pages open. test_id: the token test that
    made the request, where one of this directory did. principal_id: the page of an application of another
    directory that was brought into this one. link, application_link, code_link: addresses of the pages of the
    sign-in, the application and the code, empty where there is none.
    """

    record: SignIn
    application: Application | None
    is_ours: bool
    credential: str
    credential_type: str
    icon: str
    words: str
    meaning: str
    cure: str
    test_id: uuid.UUID | None = None
    principal_id: uuid.UUID | None = None
    link: str = ""
    application_link: str = ""
    code_link: str = ""

    @property
    def moment(self) -> str:
        """The time in words, which tells the copy buttons of the rows apart."""
        return words.moment(self.record.at, seconds=True)

    @property
    def application_note(self) -> str:
        """What is to be said of the application, if anything."""
        if self.application is None or (self.is_ours and self.application.deleted_at is None):
            return ""
        return "Deleted" if self.is_ours else "Of another directory"

    @property
    def switch_words(self) -> list[str]:
        """What a test directory did to the request on purpose."""
        return in_the_log(self.record.test_switches)

    @property
    def tone(self) -> str:
        """For the status icon."""
        return "bad" if self.record.error_code else "ok"

    @property
    def key_id(self) -> uuid.UUID | None:
        """Of the secret or certificate."""
        return None if self.is_federated else self.record.credential_id

    @property
    def federated_id(self) -> uuid.UUID | None:
        """Of the federated credential."""
        return self.record.credential_id if self.is_federated else None

    @property
    def is_federated(self) -> bool:
        """Whether the client came with a token of an outside issuer."""
        return self.record.credential_type == FEDERATED_CREDENTIAL

    @property
    def credential_detail(self) -> str:
        """The line below the credential: its type and the start of its id, or of the thumbprint shown."""
        if self.record.credential_id:
            return f"{self.credential_type}, {str(self.record.credential_id)[:8]}…"
        if self.record.thumbprint:
            return f"{self.credential_type}, {self.record.thumbprint[:8]}…"
        return self.credential_type if self.record.credential_type != "none" else ""


def describe(records: Iterable[SignIn], tenant: Tenant, *, with_tests: bool = False) -> list[SignInRow]:
    """Rows with names, in five statements however many rows there are, six with the tests behind them."""
    records = list(records)
    named = Application.objects.only("display_name", "tenant_id", "deleted_at")
    applications = named.in_bulk({row.application_id for row in records if row.application_id})
    names = _credential_names({row.credential_id for row in records if row.credential_id}, tenant)
    principals = set(
        ServicePrincipal.objects.filter(
            tenant=tenant, pk__in={row.service_principal_id for row in records if row.service_principal_id}
        ).values_list("pk", flat=True)
    )
    tests = _tests(records) if with_tests and records else {}
    links = _Links()
    return [_row(record, tenant, applications, principals, names, tests, links) for record in records]


class _Links:
    """Makes the addresses that rows lead to."""

    def __init__(self) -> None:
        self.sign_in = by_number("portal:sign_in")
        self.application = by_id("portal:application")
        self.principal = by_id("portal:enterprise_application")
        self.code = by_number("portal:aadsts_code")


def _row(
    record: SignIn,
    tenant: Tenant,
    applications: dict[uuid.UUID, Application],
    principals: set[uuid.UUID],
    names: dict[uuid.UUID, str],
    tests: dict[uuid.UUID, tuple[uuid.UUID, uuid.UUID]],
    links: _Links,
) -> SignInRow:
    entry = aadsts.CATALOGUE.get(record.error_code) if record.error_code else None
    application = applications.get(record.application_id) if record.application_id else None
    is_ours = application is not None and application.tenant_id == tenant.pk
    test_id, tested = tests.get(record.correlation_id, (None, None))
    principal_id = record.service_principal_id if record.service_principal_id in principals else None
    application_link = ""
    if application is not None and is_ours and application.deleted_at is None:
        application_link = links.application(application.pk)
    elif application is not None and not is_ours and principal_id is not None:
        application_link = links.principal(principal_id)
    return SignInRow(
        record=record,
        application=application,
        is_ours=is_ours,
        credential=_credential(record, names, is_ours=is_ours),
        credential_type=CREDENTIAL_TYPES.get(record.credential_type, record.credential_type),
        icon=_ICONS.get(record.credential_type, "skip-16"),
        words=f"AADSTS{record.error_code}" if record.error_code else "Success",
        meaning=entry.meaning if entry else "",
        cure=entry.cure if entry else "",
        test_id=test_id if is_ours and tested == record.application_id else None,
        principal_id=principal_id,
        link=links.sign_in(record.sequence),
        application_link=application_link,
        code_link=links.code(record.error_code) if entry else "",
    )


def _credential(record: SignIn, names: dict[uuid.UUID, str], *, is_ours: bool) -> str:
    if record.credential_id is None:
        return "None matched" if record.error_code else "No credential"
    known = names.get(record.credential_id)
    if known is not None:
        return known
    return "Since deleted" if is_ours else "Of another directory"


def _credential_names(ids: set[uuid.UUID], tenant: Tenant) -> dict[uuid.UUID, str]:
    """Descriptions of the directory's credentials that still exist; without one the hint or the subject."""
    # Told the directory, the database would walk all its registrations to find these few.
    found = {
        key: description or f"{hint}{'*' * 6}"
        for key, owner, description, hint in _named(ClientSecret, ids, "description", "hint")
        if owner == tenant.pk
    }
    for key, owner, *names in _named(Certificate, ids, "description", "subject", "thumbprint_sha1"):
        if owner == tenant.pk:
            found[key] = next((name for name in names if name), "")
    for key, owner, name in _named(FederatedCredential, ids, "name"):
        if owner == tenant.pk:
            found[key] = name
    return found


def _named(
    model: type[ClientSecret | Certificate | FederatedCredential], ids: set[uuid.UUID], *columns: str
) -> QuerySet[Any, tuple[Any, ...]]:
    """(id, directory, columns) of each."""
    rows = model._default_manager.filter(pk__in=ids)
    return rows.values_list("pk", "application__tenant_id", *columns)


def _tests(records: list[SignIn]) -> dict[uuid.UUID, tuple[uuid.UUID, uuid.UUID]]:
    """{correlation id: (test, its application)} of the token tests that made these requests."""
    return runs_by_correlation(
        application_ids={row.application_id for row in records if row.application_id},
        correlation_ids={row.correlation_id for row in records},
        since=min(row.at for row in records) - _TEST_LASTS,
    )
