"""Forms of registrations. What a field may hold is decided by the act; here only shape and size."""

from typing import Any

from django import forms

from credmgr.accounts.models import User
from credmgr.accounts.step_up import StepUpFormMixin
from credmgr.portal.forms.base import InDirectoryMixin, OncePerFormMixin, PortalForm
from credmgr.portal.forms.places import PLACES, PlaceFields
from credmgr.registrations.models import AUDIENCES, BUILT_IN, ENTRA, SINGLE_TENANT
from credmgr.registrations.naming import NAME_MAX, NOTES_MAX, URI_MAX

# A little more than the limit passes the browser, so that the act can say how long the text is.
_ROOM = 4
START_WITH = [
    ("certificate", "A certificate, recommended: the private key stays with the application"),
    ("secret", "A client secret, simpler to begin with: a string that both sides keep"),
    ("nothing", "Nothing yet: register only, no token can be acquired"),
]
TOKEN_VERSIONS = [("2", "Version 2"), ("1", "Version 1"), ("", "Not set, which means version 1")]


class RegisterForm(OncePerFormMixin, InDirectoryMixin, PlaceFields, PortalForm):
    """Register an application. Fields of the places that were not chosen are left alone."""

    display_name = forms.CharField(
        label="Name",
        max_length=NAME_MAX * _ROOM,
        strip=False,
        widget=forms.TextInput(attrs={"autofocus": True, "maxlength": NAME_MAX}),
        help_text="What people see in lists and logs. You can change it later.",
        error_messages={"required": "Enter a name."},
    )
    place = forms.ChoiceField(
        label="Where it lives",
        choices=PLACES,
        initial=BUILT_IN,
        required=False,
        widget=forms.RadioSelect,
        help_text="Which authority knows it and gives it tokens.",
        error_messages={"invalid_choice": "Choose one of the places."},
    )
    sign_in_audience = forms.ChoiceField(
        label="Supported account types",
        choices=AUDIENCES,
        initial=SINGLE_TENANT,
        widget=forms.RadioSelect,
        help_text="Which directories may hold the accounts and applications that use this one.",
        error_messages={
            "required": "Choose one of the account types.",
            "invalid_choice": "Choose one of the account types.",
        },
    )
    identifier_uri = forms.CharField(
        label="Application ID URI",
        required=False,
        max_length=URI_MAX * _ROOM,
        help_text="Optional. The name under which other applications ask for tokens for this one, "
        "such as api://my-service.",
    )
    start_with = forms.ChoiceField(
        label="Start with",
        choices=START_WITH,
        initial="certificate",
        required=False,
        widget=forms.RadioSelect,
        help_text="How the application will prove who it is. You can add more later.",
    )
    notes = forms.CharField(
        label="Notes",
        required=False,
        max_length=NOTES_MAX * _ROOM,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Optional. Where it runs, who to call. Never put a secret here.",
    )

    def clean(self) -> dict[str, Any]:
        """Where it lives, as `chosen_place`."""
        cleaned = super().clean() or self.cleaned_data
        if "place" in cleaned:
            self.read_place(cleaned["place"] or BUILT_IN)
        return cleaned


class PropertiesForm(PortalForm):
    """Rename and describe a registration. version is what the person was shown (C-4)."""

    display_name = forms.CharField(
        label="Name",
        max_length=NAME_MAX * _ROOM,
        strip=False,
        widget=forms.TextInput(attrs={"maxlength": NAME_MAX}),
        help_text="What people see in lists and logs.",
        error_messages={"required": "Enter a name."},
    )
    identifier_uri = forms.CharField(
        label="Application ID URI",
        required=False,
        max_length=URI_MAX * _ROOM,
        help_text="The name under which other applications ask for tokens for this one. "
        "Changing it breaks those that use the old one.",
    )
    sign_in_audience = forms.ChoiceField(
        label="Supported account types",
        choices=AUDIENCES,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose one of the account types.",
            "invalid_choice": "Choose one of the account types.",
        },
    )
    access_token_version = forms.TypedChoiceField(
        label="Access token version",
        choices=TOKEN_VERSIONS,
        coerce=int,
        empty_value=None,
        required=False,
        help_text="The format of tokens that are made for this application. Clients cannot choose it.",
        error_messages={"invalid_choice": "Choose access token version 1 or 2."},
    )
    notes = forms.CharField(
        label="Notes",
        required=False,
        max_length=NOTES_MAX * _ROOM,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Where it runs, who to call. Never put a secret here.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)


class ExternalPropertiesForm(StepUpFormMixin, PlaceFields, PortalForm):
    """Rename, describe and move a registration that lives elsewhere; its kind of place stays.

    It asks for the password: stored secrets are sent to the place.
    """

    display_name = forms.CharField(
        label="Name",
        max_length=NAME_MAX * _ROOM,
        strip=False,
        widget=forms.TextInput(attrs={"maxlength": NAME_MAX}),
        help_text="What people see in lists and logs.",
        error_messages={"required": "Enter a name."},
    )
    notes = forms.CharField(
        label="Notes",
        required=False,
        max_length=NOTES_MAX * _ROOM,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Where it runs, who to call. Never put a secret here.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    field_order = ["display_name", "cloud", "tenant", "issuer", "client_id", "notes"]

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        for name in ("issuer",) if kind == ENTRA else ("cloud", "tenant"):
            del self.fields[name]

    def clean(self) -> dict[str, Any]:
        """Where it lives, as `chosen_place`."""
        cleaned = super().clean() or self.cleaned_data
        self.read_place(self.kind)
        return cleaned


class DisableForm(PortalForm):
    """Switch sign-in off or on; says which, so that a stale page does not do the opposite."""

    disabled = forms.TypedChoiceField(
        choices=[("yes", "yes"), ("no", "no")], coerce=lambda word: word == "yes", widget=forms.HiddenInput
    )


class ConfirmedForm(StepUpFormMixin, PortalForm):
    """Nothing but the confirmation, with the password where the sign-in is not recent."""


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg] # takes no parameter at run time
    """A person who can sign in, shown with the user name that tells namesakes apart."""

    def label_from_instance(self, obj: User) -> str:
        return f"{obj.shown_name} ({obj.username})"


class AddOwnerForm(StepUpFormMixin, PortalForm):
    """Choose a person of this installation."""

    user = PersonField(
        label="Person",
        queryset=User.objects.filter(is_active=True).order_by("username"),
        empty_label="Choose a person",
        error_messages={
            "required": "Choose a person.",
            "invalid_choice": "This person is not among those who can be chosen. Choose again.",
        },
    )
