"""Forms of directories. What a name or a domain may be is decided by the act."""

from django import forms

from credmgr.accounts.step_up import StepUpFormMixin
from credmgr.portal.forms.base import PortalForm
from credmgr.registrations.domain_names import DOMAIN_MAX, INITIAL_SUFFIX
from credmgr.registrations.naming import NAME_MAX

# A little more than the limit passes the browser, so that the act can say how long the text is.
_ROOM = 4
_SPELLED = {"spellcheck": "false", "autocapitalize": "off"}


class CreateDirectoryForm(StepUpFormMixin, PortalForm):
    """A new directory."""

    name = forms.CharField(
        label="Name",
        max_length=NAME_MAX * _ROOM,
        strip=False,
        widget=forms.TextInput(attrs={"autofocus": True, "maxlength": NAME_MAX}),
        help_text="What people see in the top bar and in lists. You can change it later.",
        error_messages={"required": "Enter a name."},
    )
    domain = forms.CharField(
        label="Initial domain",
        max_length=DOMAIN_MAX * _ROOM,
        widget=forms.TextInput(attrs={**_SPELLED, "placeholder": f"contoso{INITIAL_SUFFIX}"}),
        help_text=f"something{INITIAL_SUFFIX}, or its first part. It stays with the directory; others can be "
        "added.",
        error_messages={"required": "Enter a domain name."},
    )


class RenameDirectoryForm(PortalForm):
    """Another name. version is what the person was shown (C-4)."""

    name = forms.CharField(
        label="Name",
        max_length=NAME_MAX * _ROOM,
        strip=False,
        widget=forms.TextInput(attrs={"autofocus": True, "maxlength": NAME_MAX}),
        help_text="IDs, domains and addresses stay as they are.",
        error_messages={"required": "Enter a name."},
    )
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)


class AddDomainForm(StepUpFormMixin, PortalForm):
    """A further domain name."""

    domain = forms.CharField(
        label="Domain name",
        max_length=DOMAIN_MAX * _ROOM,
        widget=forms.TextInput(attrs={**_SPELLED, "autofocus": True, "placeholder": "example.org"}),
        help_text="Clients may use it in place of the directory's ID.",
        error_messages={"required": "Enter a domain name."},
    )
