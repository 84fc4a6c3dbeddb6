"""Step-up: the password again before a delicate act, good for ten minutes (rule L-2). A fresh sign-in counts."""

from typing import Any

from django import forms
from django.conf import settings
from django.dispatch import Signal
from django.http import HttpRequest
from django.utils import timezone

from credmgr.accounts import sessions, throttling
from credmgr.accounts.models import User

# Sent with request= when a person confirmed, or failed to confirm, who he is. The audit lives in a higher layer.
confirmed = Signal()
refused = Signal()

WRONG_PASSWORD = "The password does not match. Type the password of your own account."  # noqa: S105 - a sentence
TOO_MANY = "Too many wrong passwords. Wait a few minutes and try again, or sign out and in."
MISSING = "Type your password to go on: your last sign-in is more than {minutes} minutes ago."


def recently_signed_in(request: HttpRequest) -> bool:
    """Whether the person proved who he is within the last settings.STEP_UP_SECONDS."""
    age = timezone.now().timestamp() - float(request.session.get(sessions.CONFIRMED, 0.0))
    return 0 <= age <= settings.STEP_UP_SECONDS


class StepUpFormMixin(forms.Form):
    """Asks for the password inside the form, only when the last proof is too old. Call as Form(..., request=request).

    What else was typed stays when the password is missing or wrong; the password itself is never rendered.
    """

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        self.request = request
        super().__init__(*args, **kwargs)
        if not recently_signed_in(request):
            minutes = settings.STEP_UP_SECONDS // 60
            self.fields["current_password"] = forms.CharField(
                label="Your password",
                strip=False,
                help_text="Asked again because this act is delicate.",
                error_messages={"required": MISSING.format(minutes=minutes)},
                widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "class": "input"}),
            )

    def clean_current_password(self) -> str:
        """Check the password; the proof then holds for the next acts too. Nothing of it is kept."""
        user = self.request.user
        if not isinstance(user, User):
            raise forms.ValidationError("Sign in first.")
        limit = throttling.Limit("step-up", settings.LOGIN_FAILURES_PER_ACCOUNT, 15 * 60)
        now = timezone.now()
        if throttling.hit(limit, str(user.pk), now=now).is_over:
            raise forms.ValidationError(TOO_MANY)
        if not user.check_password(self.cleaned_data["current_password"]):
            refused.send(sender=StepUpFormMixin, request=self.request)
            raise forms.ValidationError(WRONG_PASSWORD)
        throttling.forgive(limit, str(user.pk), now=now)
        self.request.session.cycle_key()
        self.request.session[sessions.CONFIRMED] = now.timestamp()
        confirmed.send(sender=StepUpFormMixin, request=self.request)
        return ""
