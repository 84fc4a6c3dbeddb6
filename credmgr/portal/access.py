"""The one place that decides who may reach what.

Until roles exist, whoever is signed in administers the directory.
"""

import uuid

from django.http import Http404, HttpRequest

from credmgr.accounts.models import User
from credmgr.registrations.models import Application, Tenant


def application_or_404(request: HttpRequest, application_id: uuid.UUID, deleted: bool = False) -> Application:
    """The registration of the person's own directory, live ones by default, deleted ones on request.

    Raises Http404 for unknown ids, ids of another directory, and when nobody is signed in; all look alike.
    """
    user = getattr(request, "user", None)
    if not isinstance(user, User) or not user.is_active:
        raise Http404
    rows = Application.objects.select_related("tenant").filter(
        tenant__is_default=True, deleted_at__isnull=not deleted
    )
    try:
        return rows.get(pk=application_id)
    except Application.DoesNotExist:
        raise Http404 from None


def directory_of(request: HttpRequest) -> Tenant:
    """The directory that the person works in. Raises Http404 where there is none, or nobody is signed in."""
    user = getattr(request, "user", None)
    found = Tenant.objects.filter(is_default=True).first() if isinstance(user, User) else None
    if found is None:
        raise Http404
    return found
