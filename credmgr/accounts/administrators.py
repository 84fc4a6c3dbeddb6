"""Making an administrator, and giving one a new password."""

from dataclasses import dataclass

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.views.decorators.debug import sensitive_variables

from credmgr.accounts.models import User
from credmgr.errors import DomainError


class AccountError(DomainError):
    """A person that cannot be made like this."""


@dataclass(frozen=True)
class MadeAdministrator:
    """The person, and whether the row is new (else the password was reset)."""

    user: User
    is_new: bool


@sensitive_variables("password")
def set_administrator(user_name: str, password: str, *, full_name: str = "") -> MadeAdministrator:
    """Create the administrator, or reset the password and enable the account; all the person's sessions end by that.

    Raises AccountError with field "user_name" or "password". The caller records the audit event in its transaction.
    """
    user = User.objects.filter(username=user_name).first()
    is_new = user is None
    user = user or User(username=user_name, first_name=full_name)
    user.is_superuser = user.is_staff = user.is_active = True
    try:
        user.clean_fields(exclude=["password"])
    except ValidationError as error:
        raise AccountError("invalid_user_name", " ".join(error.messages), field="user_name") from None
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise AccountError("weak_password", " ".join(error.messages), field="password") from None
    user.set_password(password)
    user.save()
    return MadeAdministrator(user, is_new)
