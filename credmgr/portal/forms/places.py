"""The fields that say where a registration lives. What they may hold is decided by registrations.places."""

from typing import Any

from django import forms

from credmgr.errors import DomainError
from credmgr.registrations.domain_names import DOMAIN_MAX
from credmgr.registrations.issuers import ISSUER_MAX
from credmgr.registrations.models import BUILT_IN, ENTRA, OIDC
from credmgr.registrations.places import (
    CLIENT_ID_MAX,
    CLOUD_CHOICES,
    HERE,
    Place,
    entra_place,
    oidc_place,
)

PLACES = [
    (BUILT_IN, "The built-in authority: registered here, tokens from here"),
    (ENTRA, "Microsoft Entra ID: registered there already, tested from here"),
    (OIDC, "Another OpenID Connect issuer: registered there already, tested from here"),
]
# A little more than a limit passes the browser, so that the act can say how long the text is.
_ROOM = 4
_FIELDS_OF = {BUILT_IN: (), ENTRA: ("cloud", "tenant", "client_id"), OIDC: ("issuer", "client_id")}
_PLAIN = {"spellcheck": "false", "autocapitalize": "off"}


class PlaceFields(forms.Form):
    """Cloud, directory, issuer, client id. chosen_place: what they say, once the form is valid."""

    cloud = forms.ChoiceField(
        label="Cloud",
        choices=CLOUD_CHOICES,
        required=False,
        help_text="Where its directory is.",
        error_messages={"invalid_choice": "Choose one of the listed clouds."},
    )
    tenant = forms.CharField(
        label="Directory (tenant) ID or domain",
        required=False,
        max_length=DOMAIN_MAX * _ROOM,
        widget=forms.TextInput(attrs=_PLAIN),
        help_text="Such as contoso.onmicrosoft.com.",
    )
    issuer = forms.CharField(
        label="Issuer",
        required=False,
        max_length=ISSUER_MAX * _ROOM,
        strip=False,
        widget=forms.TextInput(attrs=_PLAIN | {"inputmode": "url"}),
        help_text="The issuer of its discovery document, every character of it: a slash at the end counts.",
    )
    client_id = forms.CharField(
        label="Application (client) ID",
        required=False,
        max_length=CLIENT_ID_MAX * _ROOM,
        strip=False,
        widget=forms.TextInput(attrs=_PLAIN),
        help_text="As the authority shows it.",
    )

    chosen_place: Place = HERE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("tenant", "issuer", "client_id"):
            # Marked for the eye alone: whether it is missing depends on the place.
            vars(self.fields[name])["is_needed"] = True

    def read_place(self, kind: str) -> None:
        """Work out chosen_place; what is wrong stands at its field, and other kinds' fields say nothing."""
        typed = {name: self.cleaned_data.get(name, "") for name in _FIELDS_OF[kind]}
        for name in {name for names in _FIELDS_OF.values() for name in names} - typed.keys():
            self.errors.pop(name, None)
        if kind == BUILT_IN or typed.keys() & self.errors.keys():
            return
        try:
            self.chosen_place = entra_place(**typed) if kind == ENTRA else oidc_place(**typed)
        except DomainError as error:
            self.add_error(error.field, error.message)
