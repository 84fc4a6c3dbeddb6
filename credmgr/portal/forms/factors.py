"""Forms of second factors."""

from typing import Any

from django import forms

from credmgr.accounts.step_up import StepUpFormMixin
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


class ConfirmAppForm(StepUpFormMixin, PortalForm):
    """The first code of an app that is being set up."""

    code = _code("Code that the app shows", "Enter the six digits that the app shows.")
