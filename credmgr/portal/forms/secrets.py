"""Forms of client secrets. How long one may last is decided by the act; here only shape and size."""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils.safestring import SafeString

from credmgr.accounts.step_up import StepUpFormMixin
from credmgr.credentials.client_secrets import CHOICES, end_of_choice, latest_end_day
from credmgr.credentials.descriptions import DESCRIPTION_MAX
from credmgr.credentials.existing_secrets import OFFERS_AS_IS, VALUE_LENGTH
from credmgr.errors import DomainError
from credmgr.portal import words
from credmgr.portal.forms.base import OncePerFormMixin, PortalForm

CUSTOM = "custom"
_MONTHS = {90: 3, 180: 6, 365: 12, 545: 18, 730: 24}
_BAD_DATE = "This is not a date. Choose one, or write it as year-month-day, such as 2027-02-28."
_TOO_LONG = f"The value has more than {VALUE_LENGTH[1]:,} characters. Paste the value alone."
_INCOMPLETE = "This form is incomplete, so nothing was made. Open the page again and fill in a fresh one."


@dataclass(frozen=True)
class ExpiryChoice:
    """One choice as the page shows it: the radio button, its words, the end it means."""

    tag: SafeString
    words: str
    hint: str


class SecretForm(StepUpFormMixin, OncePerFormMixin, PortalForm):
    """Add a client secret. There is no field for a value: the server makes it."""

    description = forms.CharField(
        label="Description",
        required=False,
        # A little more than the limit passes, so that the act can say how long the text is.
        max_length=DESCRIPTION_MAX * 4,
        widget=forms.TextInput(attrs={"autofocus": True}),
        help_text="Optional. Say where it will be used, so that a later reader knows what breaks without it.",
    )
    expires = forms.ChoiceField(
        label="Expires",
        choices=[
            *(
                (
                    str(days),
                    f"{'Recommended: ' if days == CHOICES[0] else ''}{days} days ({_MONTHS[days]} months)",
                )
                for days in CHOICES
            ),
            (CUSTOM, "Custom"),
        ],
        initial=str(CHOICES[0]),
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": "Choose one of the listed lifetimes, or Custom."},
    )
    start = forms.DateField(
        label="Start",
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": _BAD_DATE},
    )
    end = forms.DateField(
        label="End",
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        input_formats=["%Y-%m-%d"],
        help_text="Valid through the end of that day, UTC.",
        error_messages={"invalid": _BAD_DATE},
    )
    verify_only = forms.BooleanField(
        label="Verify only",
        required=False,
        help_text="Keeps nothing but a digest of the value; each test then asks you for the value.",
    )

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = now
        # The field's own limit is larger; the browser is told the real one.
        self.fields["description"].widget.attrs["maxlength"] = DESCRIPTION_MAX
        today = now.astimezone(UTC).date()
        self.fields["start"].initial = today
        self.fields["end"].initial = today + timedelta(days=CHOICES[0])
        self.fields["end"].widget.attrs |= {
            "min": today.isoformat(),
            "max": latest_end_day(now + timedelta(days=730)).isoformat(),
        }
        self.fields["form_token"].error_messages |= {"invalid": _INCOMPLETE}

    def expiry_choices(self) -> list[ExpiryChoice]:
        """The lifetimes on offer, each with the day on which it ends."""
        return [
            ExpiryChoice(choice.tag(), str(choice.choice_label), self._hint(str(choice.data["value"])))
            for choice in self["expires"]
        ]

    def clean_form_token(self) -> uuid.UUID:
        """Without its token a form could be sent twice and make two secrets (S-3)."""
        token = self.cleaned_data["form_token"]
        if not isinstance(token, uuid.UUID):
            raise forms.ValidationError(_INCOMPLETE)
        return token

    def clean_expires(self) -> str:
        """A form without a choice means the recommended lifetime."""
        return self.cleaned_data["expires"] or str(CHOICES[0])

    def clean(self) -> dict[str, Any]:
        """Ask for both dates where the lifetime is a custom one."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("expires") == CUSTOM:
            for name, sentence in (("start", "Choose the first day."), ("end", "Choose the last day.")):
                if not cleaned.get(name) and name not in self.errors:
                    self.add_error(name, sentence)
        return cleaned

    def period(self) -> tuple[datetime, datetime]:
        """Start and end, aware UTC. A custom period that starts today starts now."""
        cleaned = self.cleaned_data
        if cleaned["expires"] != CUSTOM:
            return self.now, end_of_choice(int(cleaned["expires"]), self.now)
        start: date = cleaned["start"]
        is_today = start == self.now.astimezone(UTC).date()
        return (
            self.now if is_today else datetime.combine(start, time.min, tzinfo=UTC),
            datetime.combine(cleaned["end"], time(23, 59, 59), tzinfo=UTC),
        )

    def _hint(self, value: str) -> str:
        if value == CUSTOM:
            return "Start and end, at most 24 months apart"
        return words.day(end_of_choice(int(value), self.now))


class ExistingSecretForm(StepUpFormMixin, OncePerFormMixin, PortalForm):
    """Keep a copy of a client secret that another authority made. Its value never comes back in a page."""

    value = forms.CharField(
        label="Value",
        strip=False,
        # A little more than the limit passes, so that the act can say how long the text is.
        max_length=VALUE_LENGTH[1] * 4,
        widget=forms.PasswordInput(
            render_value=False, attrs={"autocomplete": "off", "spellcheck": "false", "autofocus": True}
        ),
        help_text="The value itself, not the Secret ID. It is sealed, used in tests and never shown again.",
        error_messages={"required": "Paste the value of the client secret.", "max_length": _TOO_LONG},
    )
    as_is = forms.BooleanField(
        label="The value is meant exactly so",
        required=False,
        help_text="White space at its ends, or the shape of a GUID, belongs to it.",
    )
    description = forms.CharField(
        label="Description",
        required=False,
        max_length=DESCRIPTION_MAX * 4,
        help_text="Optional. Best what it is called there, so that both can be found.",
    )
    start = forms.DateField(
        label="Start",
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        input_formats=["%Y-%m-%d"],
        help_text="Where you know it.",
        error_messages={"invalid": _BAD_DATE},
    )
    end = forms.DateField(
        label="End",
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        input_formats=["%Y-%m-%d"],
        help_text="Where you know it.",
        error_messages={"invalid": _BAD_DATE},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["description"].widget.attrs["maxlength"] = DESCRIPTION_MAX
        self.offers_as_is = bool(self.is_bound and self.data.get("as_is"))

    def clean_form_token(self) -> uuid.UUID:
        """Without its token a form could be sent twice (S-3)."""
        token = self.cleaned_data["form_token"]
        if not isinstance(token, uuid.UUID):
            raise forms.ValidationError(_INCOMPLETE)
        return token

    def refuse(self, error: DomainError) -> None:
        """With the box that lets an odd value pass, where it may."""
        self.offers_as_is = self.offers_as_is or error.code in OFFERS_AS_IS
        super().refuse(error)

    def period(self) -> tuple[datetime | None, datetime | None]:
        """Start and end, aware UTC, None where nothing was typed. The end is that of its day."""
        start, end = self.cleaned_data["start"], self.cleaned_data["end"]
        return (
            datetime.combine(start, time.min, tzinfo=UTC) if start else None,
            datetime.combine(end, time(23, 59, 59), tzinfo=UTC) if end else None,
        )


class StoredForm(PortalForm):
    """The tick that opens Done. The browser holds the button back; this check is what counts."""

    stored = forms.BooleanField(
        label="I have stored it where the application reads it",
        error_messages={"required": "Tick that you have stored the value."},
    )
