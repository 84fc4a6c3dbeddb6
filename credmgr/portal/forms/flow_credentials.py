"""The credentials that a test may choose among: what is offered, in which words, and what each asks for."""

from datetime import datetime
from typing import Any

from django import forms

from credmgr.credentials.lifecycle import is_live, status_at
from credmgr.credentials.models import Certificate, ClientSecret, FederatedCredential
from credmgr.flowtest.material import Credential, credential_name, needs_input
from credmgr.registrations.models import Application


class CredentialSelect(forms.Select):
    """Each option says what a test of it has to ask for, so that the page can show just those fields."""

    needs: dict[str, str] = {}
    certificates: frozenset[str] = frozenset()

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Django's option with data-needs ("value", "key" or nothing) and data-kind."""
        option: dict[str, Any] = super().create_option(*args, **kwargs)
        option["attrs"]["data-needs"] = self.needs.get(str(option["value"]), "")
        if str(option["value"]) in self.certificates:
            option["attrs"]["data-kind"] = "certificate"
        return option


def testable_credentials(application: Application) -> dict[str, Credential]:
    """By id, as text: its secrets, certificates and federated credentials, each newest first."""
    rows: list[Credential] = [
        *ClientSecret.objects.filter(application=application).order_by("-created_at"),
        *Certificate.objects.filter(application=application).order_by("-created_at"),
        *FederatedCredential.objects.filter(application=application).order_by("-created_at"),
    ]
    return {str(row.pk): row for row in rows}


def offer_credentials(field: forms.ChoiceField, credentials: dict[str, Credential], now: datetime) -> None:
    """Give the field, shown by CredentialSelect, these choices. now: aware UTC."""
    field.choices = _choices(credentials, now)
    widget = field.widget
    assert isinstance(widget, CredentialSelect)  # noqa: S101 - tells the type checker what the form says
    widget.needs = {key: needs_input(row) for key, row in credentials.items()}
    widget.certificates = frozenset(key for key, row in credentials.items() if isinstance(row, Certificate))


def first_choice(credentials: dict[str, Credential], now: datetime) -> str:
    """The newest live credential that runs without a question, else the newest of all; empty without any."""
    rows = sorted(credentials.values(), key=lambda row: row.created_at, reverse=True)
    rows.sort(key=lambda row: (not _is_usable(row, now), bool(needs_input(row))))
    return str(rows[0].pk) if rows else ""


def signs_with_kept_key(row: Credential | None) -> bool:
    """Whether a test with this credential opens a private key that is kept here."""
    return isinstance(row, Certificate) and row.has_private_key


def _choices(credentials: dict[str, Credential], now: datetime) -> list[Any]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for key, row in credentials.items():
        if isinstance(row, FederatedCredential):
            groups.setdefault("Federated credentials", []).append(
                (key, f"{row.name}, trusts {row.issuer[:80]}")
            )
            continue
        heading = "Client secrets" if isinstance(row, ClientSecret) else "Certificates"
        need = {"value": ", value not kept", "key": ", key not kept"}.get(needs_input(row), "")
        groups.setdefault(heading, []).append(
            (key, f"{credential_name(row)}, {status_at(row, now).words}{need}")
        )
    return list(groups.items())


def _is_usable(row: Credential, now: datetime) -> bool:
    return isinstance(row, FederatedCredential) or is_live(row, now)
