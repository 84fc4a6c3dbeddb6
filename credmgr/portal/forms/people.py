"""Forms of people, their roles and invitations."""

from typing import Any

from django import forms

from credmgr.accounts.administrators import USER_NAME_MAX
from credmgr.accounts.roles import ROLE_NAMES, ROLE_WORDS, Role
from credmgr.accounts.step_up import StepUpFormMixin
from credmgr.portal.forms.base import PortalForm


def _choices() -> list[tuple[str, str]]:
    return [(role.value, f"{ROLE_NAMES[role]}: {ROLE_WORDS[role]}") for role in Role]


class RolesField(forms.MultipleChoiceField):
    """Boxes to tick, one a role; cleans to a set of roles."""

    def __init__(self, **given: Any) -> None:
        super().__init__(choices=_choices(), widget=forms.CheckboxSelectMultiple, **given)

    def clean(self, value: Any) -> Any:
        """Roles in place of their names."""
        return {Role(name) for name in super().clean(value)}


class RolesForm(StepUpFormMixin, PortalForm):
    """The roles of one person: in this directory, and in every one where the actor may give those."""

    here = RolesField(label="In this directory", required=False)
    everywhere = RolesField(
        label="In every directory",
        required=False,
        help_text="They count in this directory, in all others, and in those that are made later.",
    )

    def __init__(self, *args: Any, may_give_everywhere: bool, **given: Any) -> None:
        super().__init__(*args, **given)
        if not may_give_everywhere:
            del self.fields["everywhere"]


class AddPersonForm(StepUpFormMixin, PortalForm):
    """Somebody who has an account here already."""

    user_name = forms.CharField(
        label="User name",
        max_length=USER_NAME_MAX,
        widget=forms.TextInput(attrs={"autofocus": True, "spellcheck": "false", "autocapitalize": "none"}),
        help_text="Of somebody who has an account on this server. Invite those who have none.",
        error_messages={"required": "Enter a user name."},
    )
    roles = RolesField(label="Roles", error_messages={"required": "Choose at least one role."})


class InviteForm(StepUpFormMixin, PortalForm):
    """Somebody new."""

    name = forms.CharField(
        label="For whom",
        max_length=USER_NAME_MAX,
        widget=forms.TextInput(attrs={"autofocus": True}),
        help_text="A reminder for this list. The person chooses user name and password.",
        error_messages={"required": "Enter whom the invitation is for."},
    )
    roles = RolesField(label="Roles", error_messages={"required": "Choose at least one role."})
