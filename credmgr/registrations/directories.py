"""Making the default directory (tenant)."""

from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from credmgr.registrations.models import Tenant, TenantDomain


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
