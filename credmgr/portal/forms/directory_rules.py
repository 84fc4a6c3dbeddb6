"""Forms of what a directory demands of token requests, and of its test switches. Limits are the acts'."""

from datetime import datetime
from typing import Any

from django import forms

from credmgr.aadsts import FAMILIES
from credmgr.accounts.step_up import StepUpFormMixin
from credmgr.portal.forms.base import PortalForm
from credmgr.registrations.models import ADMINISTRATORS, EVERYBODY, NOBODY
from credmgr.registrations.queries import parse_guid
from credmgr.registrations.switches import FORCIBLE_CODES, Switches

_NUMBER_MAX = 10**9
_VERSION_MAX = 2**31 - 1


def _version() -> forms.IntegerField:
    return forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=_VERSION_MAX)


def _seconds(label: str, help_text: str, *, least: int = 0) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=least,
        max_value=_NUMBER_MAX,
        help_text=help_text,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        error_messages={"invalid": "Enter a whole number."},
    )


class SingleUseForm(StepUpFormMixin, PortalForm):
    """Says which way, so that a stale page does not do the opposite. version is what was shown (C-4)."""

    enabled = forms.TypedChoiceField(
        choices=[("yes", "yes"), ("no", "no")], coerce=lambda word: word == "yes", widget=forms.HiddenInput
    )
    version = _version()


class SecondFactorRuleForm(StepUpFormMixin, PortalForm):
    """Of whom a second factor is demanded. version is what was shown (C-4)."""

    asked = forms.ChoiceField(
        label="Who must have a second factor",
        choices=[
            (NOBODY, "Nobody: the password alone will do"),
            (ADMINISTRATORS, "Administrators: of the directory and of its applications"),
            (EVERYBODY, "Everybody who has a role in this directory"),
        ],
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose one of the three.",
            "invalid_choice": "Choose one of the three.",
        },
    )
    version = _version()


class TestDirectoryForm(StepUpFormMixin, PortalForm):
    """Mark a directory, or take the mark away."""

    is_test = forms.TypedChoiceField(
        choices=[("yes", "yes"), ("no", "no")], coerce=lambda word: word == "yes", widget=forms.HiddenInput
    )
    version = _version()


class AllOffForm(PortalForm):
    """Switch everything off; it makes nothing less safe, so no password is asked for."""

    version = _version()


class SwitchesForm(StepUpFormMixin, PortalForm):
    """All switches of a test directory. An empty field or 0: off."""

    code = forms.TypedChoiceField(
        label="Refuse every request with",
        required=False,
        coerce=int,
        error_messages={"invalid_choice": "Choose one of the listed codes."},
    )
    every = _seconds(
        "Throttle every nth request",
        "1: every request, 3: every third. They are answered 429.",
    )
    retry_after = _seconds("Retry-After, in seconds", "What throttled clients are told to wait: 1 to 3,600.")
    delay = forms.FloatField(
        label="Let answers wait, in seconds",
        required=False,
        min_value=0,
        max_value=_NUMBER_MAX,
        widget=forms.NumberInput(attrs={"step": "0.1", "inputmode": "decimal"}),
        help_text="0.1 to 30.",
        error_messages={"invalid": "Enter a number of seconds, such as 2 or 0.5."},
    )
    lifetime = _seconds("Lifetime of tokens, in seconds", "")
    clock_shift = _seconds(
        "Shift the clock, in seconds",
        "3600 is an hour ahead, -3600 an hour behind; 24 hours (86400) at most.",
        least=-_NUMBER_MAX,
    )
    client_id = forms.CharField(
        label="Only for application (client) ID",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "off"}),
        help_text="Empty: for every client of this directory.",
    )
    until = forms.DateTimeField(
        label="Switch off at (UTC)",
        required=False,
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
        help_text="Empty: until somebody switches it off.",
        error_messages={"invalid": "Enter a date and time such as 2026-11-23T14:52."},
    )
    version = _version()

    def __init__(self, *args: Any, usual_lifetime: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].choices = [  # type: ignore[attr-defined] # of a choice field
            ("", "No code: judge requests as ever"),
            *_codes(),
        ]
        self.fields["lifetime"].help_text = f"60 to {usual_lifetime:,}, the usual one."

    def clean_client_id(self) -> Any:
        """A GUID, or None."""
        typed = self.cleaned_data["client_id"].strip()
        guid = parse_guid(typed) if typed else None
        if typed and guid is None:
            raise forms.ValidationError(
                "Enter the application (client) ID, such as 12345678-90ab-4cde-8f01-234567890abc."
            )
        return guid

    def switches(self) -> Switches:
        """What was typed. For a valid form. Raises RegistrationError for a moment no clock shows."""
        typed = self.cleaned_data
        until: datetime | None = typed["until"]
        return Switches(
            code=typed["code"] or 0,
            every=typed["every"] or 0,
            retry_after=typed["retry_after"] or 0,
            delay=typed["delay"] or 0.0,
            lifetime=typed["lifetime"] or 0,
            clock_shift=typed["clock_shift"] or 0,
            client_id=typed["client_id"],
            until=until,
        )


def initial_of(switches: Switches, version: int) -> dict[str, Any]:
    """The form as the directory is set; what is off is empty."""
    shown = {name: getattr(switches, name) or "" for name in _SHOWN}
    shown["retry_after"] = switches.retry_after or _USUAL_RETRY_AFTER
    return {**shown, "version": version}


_SHOWN = ("code", "every", "retry_after", "delay", "lifetime", "clock_shift", "client_id", "until")
_USUAL_RETRY_AFTER = 5


def _codes() -> list[tuple[str, list[tuple[int, str]]]]:
    """By family, as the pages of the codes list them."""
    grouped = (
        (heading, [entry for entry in entries if entry.code in FORCIBLE_CODES])
        for heading, entries in FAMILIES
    )
    return [
        (heading, [(entry.code, f"AADSTS{entry.code} ({entry.error}, {entry.status})") for entry in entries])
        for heading, entries in grouped
        if entries
    ]
