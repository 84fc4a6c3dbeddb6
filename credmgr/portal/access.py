"""The one place that decides who may reach what, and where.

Until roles exist, whoever is signed in administers every directory, and works in one of them at a time: the
one chosen in the top bar. Objects of the others answer 404 until one switches.
"""

import uuid

from django.http import Http404, HttpRequest

from credmgr.accounts import sessions
from credmgr.accounts.models import User
from credmgr.registrations.models import Application, ServicePrincipal, Tenant
from credmgr.registrations.queries import directory_or_default

# Looked up once for each request; the frame around the page asks as well.
_KEPT = "directory_in_use"


def application_or_404(request: HttpRequest, application_id: uuid.UUID, deleted: bool = False) -> Application:
    """The registration of the directory in use, live ones by default, deleted ones on request.

    Raises Http404 for unknown ids, ids of another directory, and when nobody is signed in; all look alike.
    """
    directory = directory_of(request)
    rows = Application.objects.filter(tenant=directory, deleted_at__isnull=not deleted)
    try:
        application = rows.get(pk=application_id)
    except Application.DoesNotExist:
        raise Http404 from None
    application.tenant = directory
    return application


def principal_or_404(request: HttpRequest, principal_id: uuid.UUID) -> ServicePrincipal:
    """The enterprise application of the directory in use, with its application and home directory.

    Raises Http404 as application_or_404 does.
    """
    directory = directory_of(request)
    rows = ServicePrincipal.objects.filter(tenant=directory).select_related("application__tenant")
    principal = rows.filter(pk=principal_id).first()
    if principal is None:
        raise Http404
    principal.tenant = directory
    return principal


def any_directory_or_404(request: HttpRequest, directory_id: uuid.UUID) -> Tenant:
    """A directory by its id, the one in use or not: whoever administers one administers all of them."""
    in_use = directory_of(request)
    found = in_use if in_use.pk == directory_id else Tenant.objects.filter(pk=directory_id).first()
    if found is None:
        raise Http404
    return found


def directory_of(request: HttpRequest) -> Tenant:
    """The directory that the person works in. Raises Http404 where there is none, or nobody is signed in."""
    found = directory_in_use(request)
    if found is None:
        raise Http404
    return found


def directory_in_use(request: HttpRequest) -> Tenant | None:
    """As directory_of, with None for what is not there. A chosen directory that was deleted meanwhile is the
    default one again.
    """
    user = getattr(request, "user", None)
    if not isinstance(user, User) or not user.is_active:
        return None
    kept: Tenant | None = getattr(request, _KEPT, None)
    if kept is None:
        kept = directory_or_default(sessions.directory_id_of(request.session))
        setattr(request, _KEPT, kept)
    return kept
