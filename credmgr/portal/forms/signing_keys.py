"""Forms of the signing keys."""

from django import forms

from credmgr.accounts.step_up import StepUpFormMixin
from credmgr.portal.forms.base import PortalForm

_WITHDRAW, _KEEP = "withdraw", "keep"


class ReplaceForm(StepUpFormMixin, PortalForm):
    """Why a key is replaced at once; nothing is chosen for anybody. withdraws: what the reason comes to."""

    reason = forms.ChoiceField(
        label="What happened",
        choices=[
            (_WITHDRAW, "A private key may be in other hands. Withdraw all older keys"),
            (_KEEP, "The signing key cannot be used any more. Leave older keys to their last token"),
        ],
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose what happened: it decides what becomes of the older keys.",
            "invalid_choice": "Choose one of the two.",
        },
    )

    @property
    def withdraws(self) -> bool:
        """Whether the older keys leave the key set. For a valid form."""
        return bool(self.cleaned_data["reason"] == _WITHDRAW)
