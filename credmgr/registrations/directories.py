"""The acts on a directory (tenant): create, rename, add and remove a domain, delete.

Each is one transaction together with its audit row. `now` is aware UTC; refusals are RegistrationErrors.
"""

from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor
from credmgr.registrations import naming
from credmgr.registrations.acting import record_directory_act
from credmgr.registrations.deleting import purge_application, restorable_since
from credmgr.registrations.domain_names import clean_domain, clean_initial_domain
from credmgr.registrations.errors import RegistrationError, RegistrationNotFoundError
from credmgr.registrations.models import Application, Tenant, TenantDomain

DIRECTORIES_MAX = 200
DOMAINS_MAX = 100


def ensure_default_tenant(now: datetime) -> Tenant:
    """The default directory; made with its name and domain from the settings when there is none.

    now: aware UTC.

    Two processes may start at once: the constraint lets one of them win, and the other finds its row.
    """
    found = Tenant.objects.filter(is_default=True).first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            tenant = Tenant.objects.create(
                name=settings.DEFAULT_DIRECTORY_NAME, created_at=now, is_default=True
            )
            TenantDomain.objects.create(
                tenant=tenant, name=settings.DEFAULT_DIRECTORY_DOMAIN.lower(), is_initial=True
            )
    except IntegrityError:
        return Tenant.objects.get(is_default=True)
    return tenant


def create_directory(*, name: str, domain: str, actor: Actor, now: datetime) -> Tenant:
    """A new, empty directory. domain: its initial one, or the first part of it.

    Raises RegistrationError for names, a domain that a directory has, and beyond 200 directories.
    """
    tenant = Tenant(name=naming.clean_display_name(name, field="name"), created_at=now)
    initial = clean_initial_domain(domain)
    try:
        with transaction.atomic():
            if Tenant.objects.count() >= DIRECTORIES_MAX:
                raise RegistrationError(
                    "too_many_directories",
                    f"There are {DIRECTORIES_MAX} directories, the most there can be. Delete one first.",
                )
            _refuse_taken(initial)
            tenant.save(force_insert=True)
            TenantDomain.objects.create(tenant=tenant, name=initial, is_initial=True)
            record_directory_act(
                EventTag.DIRECTORY_CREATED,
                tenant,
                actor,
                now,
                {"displayName": [None, tenant.name], "domain": [None, initial]},
            )
    except IntegrityError:
        _refuse_taken(initial)  # a parallel request was faster
        raise
    return tenant


@transaction.atomic
def rename_directory(
    tenant: Tenant, *, name: str, expected_version: int, actor: Actor, now: datetime
) -> Tenant:
    """Give it another name; ids and domains stay. expected_version: the one that the person was shown (C-4).

    Returns the fresh row. No change, no audit row. Raises RegistrationError.
    """
    wanted = naming.clean_display_name(name, field="name")
    fresh = _locked(tenant)
    if fresh.version != expected_version:
        raise RegistrationError(
            "directory_changed_meanwhile",
            f"This directory was changed meanwhile; its name is {fresh.name}. Nothing was saved. Open it "
            "again and repeat your edit.",
        )
    if fresh.name != wanted:
        changes = {"displayName": [fresh.name, wanted]}
        fresh.name = wanted
        fresh.version += 1
        fresh.save(update_fields=["name", "version"])
        record_directory_act(EventTag.DIRECTORY_RENAMED, fresh, actor, now, changes)
    return fresh


def add_domain(tenant: Tenant, *, domain: str, actor: Actor, now: datetime) -> TenantDomain:
    """A further domain name, usable wherever the directory's id is, from the next request on.

    It counts as verified: a name has a meaning for the clients of this authority alone.
    Raises RegistrationError for its form, when a directory has it, and beyond 100.
    """
    name = clean_domain(domain)
    try:
        with transaction.atomic():
            fresh = _locked(tenant)
            if TenantDomain.objects.filter(tenant=fresh).count() >= DOMAINS_MAX:
                raise RegistrationError(
                    "too_many_domains",
                    f"This directory has {DOMAINS_MAX} domains, the most it can have. Remove one first.",
                    field="domain",
                )
            _refuse_taken(name)
            added = TenantDomain.objects.create(tenant=fresh, name=name)
            record_directory_act(EventTag.DOMAIN_ADDED, fresh, actor, now, {"domain": [None, name]})
    except IntegrityError:
        _refuse_taken(name)  # a parallel request was faster
        raise
    return added


@transaction.atomic
def remove_domain(tenant: Tenant, *, domain: TenantDomain, actor: Actor, now: datetime) -> None:
    """Take a domain name away; addresses with it are unknown from the next request on (AADSTS90002).

    Raises RegistrationError for the initial one, and when it is gone.
    """
    fresh = _locked(tenant)
    if domain.is_initial:
        raise RegistrationError(
            "domain_initial", f"{domain.name} is the initial domain of {fresh.name} and stays with it."
        )
    removed, _ = TenantDomain.objects.filter(pk=domain.pk, tenant=fresh).delete()
    if not removed:
        raise RegistrationNotFoundError("domain_gone", f"{domain.name} was removed meanwhile.")
    record_directory_act(EventTag.DOMAIN_REMOVED, fresh, actor, now, {"domain": [domain.name, None]})


@transaction.atomic
def delete_directory(tenant: Tenant, *, actor: Actor, now: datetime) -> None:
    """Delete an empty directory for good, with its domains, service principals and what was granted there.

    Raises RegistrationError for the default directory, and while it has registrations, deleted ones that can
    still be restored included.
    """
    fresh = _locked(tenant)
    if fresh.is_default:
        raise RegistrationError(
            "directory_default", f"{fresh.name} is the default directory. It cannot be deleted."
        )
    rows = Application.objects.filter(tenant=fresh)
    for overdue in rows.filter(deleted_at__lt=restorable_since(now)):
        purge_application(overdue, actor=actor, now=now)
    live, deleted = rows.filter(deleted_at=None).count(), rows.filter(deleted_at__isnull=False).count()
    if live or deleted:
        raise RegistrationError(
            "directory_not_empty",
            f"{fresh.name} still has {_counted(live, deleted)}. Delete them permanently first.",
        )
    record_directory_act(EventTag.DIRECTORY_DELETED, fresh, actor, now, {"displayName": [fresh.name, None]})
    fresh.delete()


def _counted(live: int, deleted: int) -> str:
    words = []
    if live:
        words.append(f"{live} registration{'' if live == 1 else 's'}")
    if deleted:
        words.append(f"{deleted} deleted registration{'' if deleted == 1 else 's'} that can be restored")
    return " and ".join(words)


def _locked(tenant: Tenant) -> Tenant:
    try:
        return Tenant.objects.select_for_update().get(pk=tenant.pk)
    except Tenant.DoesNotExist:
        raise RegistrationNotFoundError(
            "directory_deleted", f"{tenant.name} was deleted meanwhile. Nothing was changed."
        ) from None


def _refuse_taken(domain: str) -> None:
    """The check is for the sentence; the constraint is what holds."""
    holder = TenantDomain.objects.filter(name=domain).select_related("tenant").first()
    if holder is not None:
        raise RegistrationError(
            "domain_taken",
            f"The directory {holder.tenant.name} has the domain {domain} already. Choose another one.",
            field="domain",
        )
