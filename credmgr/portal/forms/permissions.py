"""Forms of Expose an API, App roles and API permissions. What a text may hold is decided by the act."""

import uuid
from typing import Any

from django import forms

from credmgr.accounts.step_up import StepUpFormMixin
from credmgr.portal.forms.applications import ConfirmedForm as ConfirmedForm
from credmgr.portal.forms.base import PortalForm
from credmgr.registrations.api_roles import Api
from credmgr.registrations.app_roles import DESCRIPTION_MAX, NAME_MAX, VALUE_MAX
from credmgr.registrations.naming import URI_MAX

# A little more than the limit passes the browser, so that the act can say how long the text is.
_ROOM = 4
_VERSION_MAX = 2**31 - 1


class IdentifierUriForm(PortalForm):
    """The Application ID URI alone. version is what the person was shown (C-4)."""

    identifier_uri = forms.CharField(
        label="Application ID URI",
        required=False,
        max_length=URI_MAX * _ROOM,
        help_text="Clients ask for tokens with it, followed by /.default. Leave it empty to have none; the "
        "client ID always works too.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=_VERSION_MAX)


class ExposureForm(StepUpFormMixin, PortalForm):
    """Who gets tokens for this API, and what they say. version is what the person was shown (C-4)."""

    app_role_assignment_required = forms.BooleanField(
        label="Assignment required",
        required=False,
        help_text="Applications without a granted app role of this one get no token for it: AADSTS501051.",
    )
    includes_idtyp = forms.BooleanField(
        label="Optional claim idtyp",
        required=False,
        help_text='Tokens for this application say idtyp "app", so that an API can tell them from tokens of '
        "people.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=_VERSION_MAX)


class AppRoleForm(StepUpFormMixin, PortalForm):
    """Define an app role."""

    display_name = forms.CharField(
        label="Display name",
        max_length=NAME_MAX * _ROOM,
        strip=False,
        widget=forms.TextInput(attrs={"maxlength": NAME_MAX}),
        help_text="What people see when they grant it.",
        error_messages={"required": "Enter a display name."},
    )
    value = forms.CharField(
        label="Value",
        max_length=VALUE_MAX * _ROOM,
        widget=forms.TextInput(
            attrs={"maxlength": VALUE_MAX, "spellcheck": "false", "autocapitalize": "off"}
        ),
        help_text="What the API reads in the roles claim, such as Orders.Read.All. No spaces.",
        error_messages={"required": "Enter a value."},
    )
    description = forms.CharField(
        label="Description",
        max_length=DESCRIPTION_MAX * _ROOM,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What an application with this role may do.",
        error_messages={"required": "Enter a description."},
    )
    is_enabled = forms.BooleanField(
        label="Enable this app role",
        required=False,
        initial=True,
        help_text="A disabled role cannot be requested and is left out of tokens.",
    )


class AppRoleEditForm(AppRoleForm):
    """Change an app role; enabling and disabling have a question of their own."""

    is_enabled = None  # type: ignore[assignment] # Django's way to leave an inherited field out
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=_VERSION_MAX)


class EnableRoleForm(StepUpFormMixin, PortalForm):
    """Says which way, so that a stale page does not do the opposite."""

    enabled = forms.TypedChoiceField(
        choices=[("yes", "yes"), ("no", "no")], coerce=lambda word: word == "yes", widget=forms.HiddenInput
    )


class RequestPermissionsForm(PortalForm):
    """The roles of one API. roles holds UUIDs when it is valid."""

    roles = forms.TypedMultipleChoiceField(
        label="Permissions",
        coerce=uuid.UUID,
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": "Choose at least one permission.",
            "invalid_choice": "A permission that you chose is not on offer any more. Choose again.",
        },
    )

    def __init__(self, *args: Any, api: Api, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(role.id), role.value) for role in api.roles]
        self.fields["roles"].choices = choices  # type: ignore[attr-defined] # of a choice field
