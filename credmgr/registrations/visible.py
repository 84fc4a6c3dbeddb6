"""Which registrations of a directory a person may know of."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Func, QuerySet, UUIDField
from django.db.models.sql.compiler import SQLCompiler

from credmgr.accounts.models import User
from credmgr.registrations.models import Application, Ownership, Tenant

# At the head of an order, among registrations that are not deleted, it changes nothing; it leads PostgreSQL,
# to which IS NULL is no equality, into the indexes that have it before what they are sorted by.
OF_LIVE = F("deleted_at")


class InFoundRows(Func):
    """A column that SQLite compares in the rows it has found by others, and looks up in no index."""

    template = "%(expressions)s"
    arity = 1

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **given: Any) -> Any:
        """A plus in front tells SQLite so. PostgreSQL knows how many rows there are, and needs no telling."""
        return self.as_sql(compiler, connection, template="+%(expressions)s", **given)


def visible_in(tenant: Tenant, user: User | None, *, sees_all: bool) -> QuerySet[Application]:
    """The registrations of a directory that the person may know of: all, or those that they own."""
    return Application.objects.filter(tenant=tenant) if sees_all else owned_in(tenant, user)


def owned_in(tenant: Tenant, user: User | None) -> QuerySet[Application]:
    """Those that the person owns, found by the ownerships: those are few, and a directory may be large."""
    if user is None:
        return Application.objects.none()
    rows = Application.objects.alias(in_directory=InFoundRows(F("tenant_id"), output_field=UUIDField()))
    owned = Ownership.objects.filter(user=user).values("application")
    return rows.filter(pk__in=owned, in_directory=tenant.pk)
