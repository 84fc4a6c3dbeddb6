"""The password once more, before acts that make, keep or destroy something (security rule L-2).

Whoever came by single sign-on has none here: they confirm at their provider, and come back to the form.
"""

from typing import Any, NoReturn, cast

from django import forms
from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.http import HttpRequest
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from credmgr.accounts import sessions, throttling
from credmgr.accounts.models import User
from credmgr.accounts.signals import step_up_refused, stepped_up

FIELD = "current_password"


def recently_signed_in(request: HttpRequest) -> bool:
    """Whether the password was given within CREDMGR_STEP_UP_SECONDS; a fresh sign-in counts."""
    return sessions.confirmed_within(request.session, settings.STEP_UP_SECONDS, timezone.now())


@sensitive_variables("password")
def password_refusal(request: HttpRequest, password: str) -> str:
    """Check the signed-in person's password, throttled: empty when it is right, else the sentence to show."""
    user = cast(User, request.user)
    now = timezone.now()
    limit = throttling.Limit("step-up", settings.LOGIN_FAILURES_PER_ACCOUNT, 900)
    key = throttling.key_of(limit.purpose, user.pk, throttling.source_of(request.META.get("REMOTE_ADDR", "")))
    if wait := throttling.admit(key, limit, now):
        minutes = -(-wait // 60)
        return f"Too many wrong passwords. Try again in {minutes} minute{'' if minutes == 1 else 's'}."
    # Without the setter that would renew the stored hash, and with it end this very session.
    if check_password(password, user.password):
        throttling.clear(key)
        return ""
    step_up_refused.send(sender=User, request=request, user=user)
    return "The password is not right. Check it and try again."


def confirms_at_provider(request: HttpRequest) -> bool:
    """Whether the person confirms at the provider that they came from, instead of by a password here."""
    user = cast(User, request.user)
    return bool(settings.SSO_ISSUER) and sessions.is_from_provider(request.session, user)


class ProviderField(forms.Field):
    """Stands where the password would: nothing typed here fulfils it, only the way to the provider."""

    def clean(self, value: Any) -> NoReturn:
        """Refuse. Nobody is asked where a form does without (it takes the field out then)."""
        del value
        raise forms.ValidationError(
            f"Confirm with {settings.SSO_NAME} first. You come back to the empty form: nothing that you "
            "typed is kept on the way."
        )


class StepUpFormMixin(forms.BaseForm):
    """Adds the field `current_password` while the last confirmation is too old.

    Used as Form(request=request, ...). Show it with templates/portal/_step_up.html. When only the password
    was missing or wrong, everything else that was typed stays in the form; a right password is remembered
    even when another field is refused, so it is never asked twice.
    """

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        self.request = request
        super().__init__(*args, **kwargs)
        if recently_signed_in(request):
            return
        minutes = settings.STEP_UP_SECONDS // 60
        if confirms_at_provider(request):
            self.fields[FIELD] = ProviderField(label="Confirm that it is you", widget=forms.HiddenInput)
        else:
            self.fields[FIELD] = forms.CharField(
                label="Your password",
                strip=False,
                help_text=f"Asked because you last gave it more than {minutes} minutes ago.",
                widget=forms.PasswordInput(
                    render_value=False, attrs={"autocomplete": "current-password", "class": "input"}
                ),
                error_messages={
                    "required": "Enter your password to confirm that it is you. What you typed is kept."
                },
            )

    @property
    def asks_password(self) -> bool:
        """Whether the form has to ask for it, by a field or by the way to the provider."""
        return FIELD in self.fields

    @property
    def asks_provider(self) -> str:
        """The provider's name where the confirmation is made there, else nothing."""
        return settings.SSO_NAME if isinstance(self.fields.get(FIELD), ProviderField) else ""

    @sensitive_variables("password")
    def full_clean(self) -> None:
        """Django's own, then the password, even where another field is wrong: it is typed once only."""
        super().full_clean()
        if not self.is_bound or FIELD not in self.fields or FIELD in self.errors:
            return
        password = self.cleaned_data.pop(FIELD, "")
        if refusal := password_refusal(self.request, password):
            self.add_error(FIELD, refusal)
            return
        sessions.confirm(self.request.session, timezone.now())
        stepped_up.send(sender=User, request=self.request, user=self.request.user)
        del self.fields[FIELD]
        self._bound_fields_cache.pop(FIELD, None)  # type: ignore[attr-defined] # missing in the stubs
