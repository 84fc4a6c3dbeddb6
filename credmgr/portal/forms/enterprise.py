"""Forms of enterprise applications."""

from django import forms

from credmgr.accounts.step_up import StepUpFormMixin
from credmgr.portal.forms.base import PortalForm


class FindApplicationForm(PortalForm):
    """The application (client) ID of a multitenant registration."""

    client_id = forms.CharField(
        label="Application (client) ID",
        max_length=200,
        widget=forms.TextInput(
            attrs={"autofocus": True, "spellcheck": "false", "autocapitalize": "off", "class": "input mono"}
        ),
        help_text="Of a multitenant registration in another directory. It stands on its Overview.",
        error_messages={"required": "Enter an application (client) ID."},
    )


class EnablePrincipalForm(StepUpFormMixin, PortalForm):
    """Says which way, so that a stale page does not do the opposite."""

    enabled = forms.TypedChoiceField(
        choices=[("yes", "yes"), ("no", "no")], coerce=lambda word: word == "yes", widget=forms.HiddenInput
    )
