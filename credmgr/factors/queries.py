"""Reads which second factors people have. Never a secret."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator

from credmgr.accounts.models import User
from credmgr.factors.models import APP, PASSKEY, RECOVERY_CODES

CODES = 10


@dataclass(frozen=True)
class Factor:
    """One authenticator of a person. id: of its row; name: as the person called a passkey."""

    id: int
    kind: str
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True)
class Factors:
    """What a person has beside the password. codes_left: recovery codes that were not used."""

    app: Factor | None = None
    passkeys: list[Factor] = field(default_factory=list)
    codes_made_at: datetime | None = None
    codes_left: int = 0

    @property
    def is_on(self) -> bool:
        """Whether a second factor is asked for. Recovery codes alone are none: they stand in for one."""
        return self.app is not None or bool(self.passkeys)

    @property
    def words(self) -> str:
        """ "Authenticator app, 2 passkeys"; "None" without any."""
        count = len(self.passkeys)
        named = ["Authenticator app"] if self.app else []
        named += [f"{count} passkey{'' if count == 1 else 's'}"] if count else []
        return ", ".join(named) or "None"


def factors_of(user: User) -> Factors:
    """Those of one person."""
    rows = Authenticator.objects.filter(user=user).order_by("created_at", "pk")
    app, codes_made_at, codes_left, passkeys = None, None, 0, []
    for row in rows:
        if row.type == APP:
            app = _factor(row, "Authenticator app")
        elif row.type == PASSKEY:
            passkeys.append(_factor(row, row.data.get("name", "")))
        elif row.type == RECOVERY_CODES:
            codes_made_at = row.created_at
            codes_left = CODES - int(row.data["used_mask"]).bit_count()
    return Factors(app, passkeys, codes_made_at, codes_left)


def has_second_factor(user: User) -> bool:
    """Whether sign-in asks for one."""
    return bool(Authenticator.objects.filter(user=user, type__in=(APP, PASSKEY)).exists())


def without_second_factor(users: Iterable[User]) -> set[Any]:
    """Ids of those people who have none. One query for any number of them."""
    people = {user.pk for user in users}
    rows = Authenticator.objects.filter(user__in=people, type__in=(APP, PASSKEY))
    return people - set(rows.values_list("user_id", flat=True))


def _factor(row: Any, name: str) -> Factor:
    return Factor(row.pk, row.type, name, row.created_at, row.last_used_at)
