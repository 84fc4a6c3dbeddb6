"""The form that runs two tests to compare them."""

import uuid
from typing import Any

from django import forms
from django.db.models.functions import Lower
from django.utils import timezone

from credmgr.accounts.step_up import FIELD as PASSWORD_FIELD
from credmgr.accounts.step_up import StepUpFormMixin
from credmgr.credentials.lifecycle import is_live
from credmgr.credentials.models import Certificate, ClientSecret
from credmgr.credentials.queries import credentials_of
from credmgr.flowtest.material import credential_name, needs_input
from credmgr.flowtest.scopes import SCOPE_MAX
from credmgr.portal.forms.base import PortalForm
from credmgr.portal.forms.flow_credentials import signs_with_kept_key
from credmgr.registrations.models import Application
from credmgr.registrations.visible import OF_LIVE

PLACES_MOST = 200


class CompareForm(StepUpFormMixin, PortalForm):
    """Two credentials or two places; only credentials that need nothing typed are on offer."""

    first_credential = forms.ChoiceField(label="First: credential")
    first_place = forms.ChoiceField(label="First: authority and client ID", required=False)
    first_scope = forms.CharField(label="First: scope", required=False, max_length=SCOPE_MAX)
    second_credential = forms.ChoiceField(label="Second: credential")
    second_place = forms.ChoiceField(label="Second: authority and client ID", required=False)
    second_scope = forms.CharField(label="Second: scope", required=False, max_length=SCOPE_MAX)

    def __init__(self, *args: Any, application: Application, places: list[Application], **given: Any) -> None:
        super().__init__(*args, **given)
        now = timezone.now()
        # Live ones first: the first is chosen at the beginning.
        found = sorted(credentials_of(application).all, key=lambda row: not is_live(row, now))
        self.credentials = {str(row.pk): row for row in found if not needs_input(row)}
        self.places = {str(place.pk): place for place in places}
        named = [(key, credential_name(row)) for key, row in self.credentials.items()]
        offered = [
            ("", "This registration's own"),
            *((key, _place(each)) for key, each in self.places.items()),
        ]
        for name in ("first", "second"):
            self._offer(f"{name}_credential", named)
            self._offer(f"{name}_place", offered)
        if self.asks_password:
            self.fields[PASSWORD_FIELD].required = False  # a need of a kept key, not of every test

    @property
    def uses_kept_key(self) -> bool:
        """Whether one of the two that the form stands on is signed with by a private key kept here."""
        chosen = [self[f"{side}_credential"].value() for side in ("first", "second")]
        return any(signs_with_kept_key(self.credentials.get(str(key))) for key in chosen)

    def full_clean(self) -> None:
        """Using a kept private key is a delicate act (L-2); for others no password is asked or looked at."""
        field = self.fields.get(PASSWORD_FIELD)
        if field is None or self.uses_kept_key:
            if field is not None:
                field.required = True
            super().full_clean()
            return
        del self.fields[PASSWORD_FIELD]
        super().full_clean()
        self.fields[PASSWORD_FIELD] = field

    @property
    def has_credentials(self) -> bool:
        """Whether there is anything to compare with."""
        return bool(self.credentials)

    def side(self, name: str) -> tuple[ClientSecret | Certificate, Application | None, str]:
        """What was chosen for the first or the second: credential, place (None: the own one), scope."""
        given = self.cleaned_data
        credential = self.credentials[given[f"{name}_credential"]]
        return credential, self.places.get(given[f"{name}_place"]), given[f"{name}_scope"]

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = choices


def places_beside(application: Application) -> list[Application]:
    """The other registrations of its directory, by name: each names an authority and a client id."""
    rows = Application.objects.filter(tenant_id=application.tenant_id, deleted_at=None)
    rows = rows.exclude(pk=application.pk).select_related("tenant")
    # The order of an index: any other would sort the whole directory.
    return list(rows.order_by(OF_LIVE, Lower("display_name"), "pk")[:PLACES_MOST])


def _place(application: Application) -> str:
    where = application.authority_url or "built-in authority"
    return f"{application.display_name} ({where}, as {application.shown_client_id})"


def two_ids(chosen: list[str]) -> tuple[uuid.UUID, uuid.UUID] | None:
    """Exactly two different run ids, else None."""
    try:
        found = [uuid.UUID(text) for text in chosen]
    except ValueError:
        return None
    return (found[0], found[1]) if len(found) == 2 and found[0] != found[1] else None
