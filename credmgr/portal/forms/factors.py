"""Forms of second factors."""

from typing import Any

from django import forms

from credmgr.accounts.step_up import StepUpFormMixin
from credmgr.factors.passkeys import NAME_MAX
from credmgr.portal.forms.base import PortalForm

_ROOM = 64


class _Unseen(forms.TextInput):
    """Shows what is typed, and nothing of it again in an answer."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:  # noqa: ARG002 - Django's
        return super().get_context(name, None, attrs)


def _code(label: str, missing: str, **more: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=_ROOM,
        widget=_Unseen(
            attrs={
                "autocomplete": "one-time-code",
                "autocapitalize": "none",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
        error_messages={"required": missing, "max_length": "A code has 6 digits, a recovery code 12."},
        **more,
    )


class CodeForm(PortalForm):
    """A code of the app, or a recovery code, at sign-in. What was typed is not shown again."""

    code = _code("Code", "Enter a code.")


class _AnswerField(forms.JSONField):
    """What a browser answered: an object of JSON, however odd the rest of it."""

    def to_python(self, value: Any) -> Any:
        """Raises ValidationError for everything else, also for what is nested too deeply to be read."""
        try:
            found = super().to_python(value)
        except RecursionError:
            found = []
        if found is not None and not isinstance(found, dict):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return found


def _answer() -> forms.JSONField:
    return _AnswerField(
        widget=forms.HiddenInput,
        max_length=20_000,
        error_messages={
            "required": "The browser gave no passkey. Try again.",
            "invalid": "The browser gave no passkey. Try again.",
        },
    )


class PasskeyForm(PortalForm):
    """A passkey at sign-in: what the browser answered."""

    credential = _answer()


class AddPasskeyForm(StepUpFormMixin, PortalForm):
    """A new passkey: what the browser made, and what to call it."""

    name = forms.CharField(
        label="Name",
        required=False,
        max_length=NAME_MAX,
        help_text="To tell it from others, such as Laptop or Blue key.",
    )
    credential = _answer()


class ConfirmAppForm(StepUpFormMixin, PortalForm):
    """The first code of an app that is being set up."""

    code = _code("Code that the app shows", "Enter the six digits that the app shows.")
