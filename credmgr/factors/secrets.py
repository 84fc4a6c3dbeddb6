"""Keeps the secrets of second factors sealed, one a person and kind."""

from datetime import datetime, timedelta

from django.views.decorators.debug import sensitive_variables

from credmgr.accounts.models import User
from credmgr.factors.models import FactorSecret, id_of
from credmgr.vault.sealing import open_from, seal_into


@sensitive_variables("secret")
def keep(user: User, kind: str, secret: str, *, now: datetime) -> str:
    """Seal and store, in place of an earlier one of that kind; the id to name it by."""
    row = FactorSecret(id=id_of(user.pk, kind), user=user, kind=kind, created_at=now)
    seal_into(row, "value", secret.encode("ascii"))
    FactorSecret.objects.filter(pk=row.pk).delete()
    row.save(force_insert=True)
    return str(row.pk)


def read(user: User, kind: str) -> str | None:
    """The secret, None where there is none. Raises SealError, UnknownKeyError."""
    row = FactorSecret.objects.filter(pk=id_of(user.pk, kind), user=user).first()
    return open_from(row, "value").decode("ascii") if row else None


def read_young(user: User, kind: str, *, younger_than: timedelta, now: datetime) -> str | None:
    """As read, None also for one that was kept too long ago."""
    row = FactorSecret.objects.filter(pk=id_of(user.pk, kind), user=user).first()
    if row is None or now - row.created_at >= younger_than:
        return None
    return open_from(row, "value").decode("ascii")


def forget(user: User, *kinds: str) -> None:
    """Delete those of the named kinds."""
    FactorSecret.objects.filter(user=user, kind__in=kinds).delete()
