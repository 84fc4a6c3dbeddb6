"""Forms of sign-in, set-up and one's own account."""

from typing import Any

from allauth.account.forms import LoginForm
from django import forms
from django.views.decorators.debug import sensitive_variables

from credmgr.accounts.administrators import FULL_NAME_MAX, USER_NAME_MAX
from credmgr.accounts.models import User
from credmgr.accounts.passwords import require_good_password
from credmgr.accounts.step_up import password_refusal
from credmgr.errors import DomainError
from credmgr.portal.forms.base import PortalForm, dress

PASSWORD_HINT = "At least 12 characters. Not a common password, and not like the user name."  # noqa: S105 - a hint
_CURRENT = {"autocomplete": "current-password"}
_NEW = {"autocomplete": "new-password"}


def _password(label: str, attributes: dict[str, str], **more: Any) -> forms.CharField:
    widget = forms.PasswordInput(render_value=False, attrs=attributes)
    return forms.CharField(label=label, strip=False, widget=widget, **more)


class SignInForm(LoginForm):  # type: ignore[misc] # allauth publishes no types
    """User name and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        login, password = self.fields["login"], self.fields["password"]
        login.label, password.label = "User name", "Password"
        login.error_messages["required"] = "Enter your user name."
        password.error_messages["required"] = "Enter your password."
        password.help_text = ""
        for field in (login, password):
            field.widget.attrs.pop("placeholder", None)
            dress(field)
        login.widget.attrs.update({"autocapitalize": "none", "spellcheck": "false"})
        # After a refusal the name stands; what is asked for is the password.
        has_name = self.is_bound and bool(self.data.get("login", "").strip())
        (password if has_name else login).widget.attrs["autofocus"] = True


class _NewPasswordForm(PortalForm):
    """A new password, typed twice and judged by the rules."""

    def judge(self, user: User) -> None:
        """Compare both and apply the rules; errors go to their fields."""
        first, second = self.cleaned_data.get("password1"), self.cleaned_data.get("password2")
        if first and second and first != second:
            self.add_error("password2", "The two passwords differ. Type the same one twice.")
        elif first and second:
            try:
                require_good_password(user, first)
            except DomainError as error:
                self.refuse(error)


class SetupForm(_NewPasswordForm):
    """The first administrator."""

    user_name = forms.CharField(
        label="User name",
        max_length=USER_NAME_MAX,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "username",
                "autocapitalize": "none",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
        help_text="Letters, digits and @ . + - _",
        error_messages={"required": "Enter a user name."},
    )
    full_name = forms.CharField(
        label="Full name",
        max_length=FULL_NAME_MAX,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        help_text="Shown beside what you do. Optional.",
    )
    password1 = _password(
        "Password", _NEW, help_text=PASSWORD_HINT, error_messages={"required": "Choose a password."}
    )
    password2 = _password(
        "Password again", _NEW, error_messages={"required": "Type the password a second time."}
    )

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        """The password is judged against the name chosen here."""
        cleaned = super().clean() or {}
        self.judge(User(username=cleaned.get("user_name", ""), first_name=cleaned.get("full_name", "")))
        return cleaned


class ChangePasswordForm(_NewPasswordForm):
    """The present password and a new one."""

    current = _password(
        "Current password", _CURRENT, error_messages={"required": "Enter your current password."}
    )
    password1 = _password(
        "New password", _NEW, help_text=PASSWORD_HINT, error_messages={"required": "Choose a new password."}
    )
    password2 = _password(
        "New password again", _NEW, error_messages={"required": "Type the new password a second time."}
    )

    def __init__(self, *args: Any, request: Any, **kwargs: Any) -> None:
        self.request = request
        super().__init__(*args, **kwargs)

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        """The new password first: a slip there must not cost one of the few tries for the present one."""
        cleaned = super().clean() or {}
        self.judge(self.request.user)
        if not self.errors and (refusal := password_refusal(self.request, cleaned["current"])):
            self.add_error("current", refusal)
        return cleaned


class AccountForm(PortalForm):
    """What a person may change of himself."""

    full_name = forms.CharField(
        label="Full name",
        max_length=FULL_NAME_MAX,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        help_text="Shown beside what you do, also in the audit log. Without one your user name is shown.",
    )

    def clean_full_name(self) -> str:
        """Single spaces only."""
        return " ".join(self.cleaned_data["full_name"].split())
