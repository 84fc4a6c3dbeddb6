"""New passwords: judged by the rules, kept as a slow hash, and the end of every other session."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from credmgr.accounts.models import User
from credmgr.accounts.sessions import end_sessions
from credmgr.errors import DomainError


class PasswordError(DomainError):
    """A password that the rules refuse."""


@sensitive_variables("password")
def require_good_password(user: User, password: str, *, field: str = "password1") -> None:
    """Raises PasswordError with the sentences of AUTH_PASSWORD_VALIDATORS."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise PasswordError("weak_password", " ".join(error.messages), field=field) from None


def save_password(user: User, *, keep_session: str | None = None) -> int:
    """Store the hash that `user.set_password` has set and end the person's other sessions; how many ended.

    The hash is made before, by the caller: it takes long, and no transaction waits for that (C-3).
    """
    with transaction.atomic():
        user.save(update_fields=["password"])
        return end_sessions(user, keep=keep_session)
