"""The people who administer every directory: the first one, and those that the console makes (P10)."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.views.decorators.debug import sensitive_variables

from credmgr.accounts.models import BY_HAND, RoleAssignment, User
from credmgr.accounts.passwords import require_good_password, save_password
from credmgr.accounts.roles import Role
from credmgr.errors import DomainError

USER_NAME_MAX = 150
FULL_NAME_MAX = 150


class AdministratorError(DomainError):
    """The administrator was not made."""


@dataclass(frozen=True)
class Outcome:
    """created is False when the person existed and got a new password; ended_sessions counts theirs."""

    user: User
    created: bool
    ended_sessions: int = 0


def exists() -> bool:
    """Whether there is anybody, and thereby no further use for a set-up link.

    Who came by single sign-on does not count: somebody has to be able to come in without the provider.
    """
    return User.objects.filter(external_identities=None).exists()


def let_administer_everywhere(user: User, now: datetime, *, by: str) -> None:
    """Give a saved person the role of directory administrator in every directory, those to come included."""
    RoleAssignment.objects.get_or_create(
        user=user,
        tenant_id=None,
        role=Role.DIRECTORY_ADMINISTRATOR,
        source=BY_HAND,
        defaults={"created_at": now, "created_by_name": by},
    )


def is_local_administrator(user: User) -> bool:
    """Whether the person administers every directory by a role that was given here, not by a provider."""
    rows = RoleAssignment.objects.filter(
        user=user, tenant_id=None, role=Role.DIRECTORY_ADMINISTRATOR, source=BY_HAND
    )
    return rows.exists()


def find(user_name: str) -> User | None:
    """The person of that name, whatever its case."""
    return User.objects.filter(username__iexact=_normal(user_name)).first()


def _normal(user_name: str) -> str:
    return unicodedata.normalize("NFKC", user_name.strip())


@sensitive_variables("password")
def new_person(user_name: str, full_name: str, password: str) -> User:
    """A person with a hashed password, judged but not saved. Raises AdministratorError, PasswordError."""
    user = User(username=_normal(user_name), first_name=" ".join(full_name.split()))
    try:
        user.full_clean(exclude=["password"], validate_unique=False)
    except ValidationError as error:
        name, sentences = next(iter(error.message_dict.items()))
        field = {"username": "user_name", "first_name": "full_name"}.get(name)
        raise AdministratorError("bad_name", " ".join(sentences), field=field) from None
    require_good_password(user, password)
    user.set_password(password)
    return user


@sensitive_variables("password")
def set_administrator(
    user_name: str, password: str, *, now: datetime, record: Callable[[Outcome], None]
) -> Outcome:
    """Make an administrator; of one who exists already, reset the password, enable, and end the sessions.

    record is called inside the transaction, to write the audit. Raises AdministratorError, PasswordError;
    nothing is changed then.
    """
    user = find(user_name)
    is_new = user is None
    if user is None:
        user = new_person(user_name, "", password)
    else:
        require_good_password(user, password)
        user.set_password(password)
        user.is_active = True
    try:
        return _save(user, user_name, is_new=is_new, now=now, record=record)
    except IntegrityError:  # a parallel request was faster
        raise _taken() from None


def _save(
    user: User, user_name: str, *, is_new: bool, now: datetime, record: Callable[[Outcome], None]
) -> Outcome:
    with transaction.atomic():
        if is_new and find(user_name):
            raise _taken()
        ended = 0
        if is_new:
            user.save(force_insert=True)
        else:
            user.save(update_fields=["is_active"])
            ended = save_password(user)
        let_administer_everywhere(user, now, by="Command line")
        outcome = Outcome(user, created=is_new, ended_sessions=ended)
        record(outcome)
    return outcome


def _taken() -> AdministratorError:
    return AdministratorError("taken", "A person of this name was made at this moment. Try again.")
