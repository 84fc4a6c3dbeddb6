"""Finds what a page is about, in the directory that the person works in: the one chosen in the top bar.

Objects of other directories answer 404 until one switches. What one may do is
asked by `authorization` before.
"""

import uuid

from django.http import Http404, HttpRequest

from credmgr.accounts import sessions
from credmgr.accounts.models import User
from credmgr.accounts.roles import Right, Standing
from credmgr.membership.queries import directories_for, directory_to_enter
from credmgr.registrations.models import Application, Ownership, ServicePrincipal, Tenant

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
    """A directory by its id, the one in use or another that the person may enter."""
    in_use = directory_of(request)
    if in_use.pk == directory_id:
        return in_use
    found = directories_for(standing_in(request)).filter(pk=directory_id).first()
    if found is None:
        raise Http404
    return found


def built_in_application_or_404(request: HttpRequest, application_id: uuid.UUID) -> Application:
    """As application_or_404, for pages of what the built-in authority does with a registration.

    One that lives elsewhere has no such pages.
    """
    application = application_or_404(request, application_id)
    if application.is_external:
        raise Http404
    return application


def person_of(request: HttpRequest) -> User:
    """Who is signed in. The middleware lets nobody else come to such a page."""
    if not isinstance(request.user, User):
        raise TypeError("A page of an account was reached without sign-in.")
    return request.user


def directory_of(request: HttpRequest) -> Tenant:
    """The directory that the person works in. Raises Http404 where there is none, or nobody is signed in."""
    found = directory_in_use(request)
    if found is None:
        raise Http404
    return found


def directory_in_use(request: HttpRequest) -> Tenant | None:
    """As directory_of, with None for what is not there. A chosen directory that was deleted meanwhile, or
    that the person may no longer enter, is the default one again, or the first that they may enter.
    """
    user = getattr(request, "user", None)
    if not isinstance(user, User) or not user.is_active:
        return None
    kept: Tenant | None = getattr(request, _KEPT, None)
    if kept is None:
        kept = directory_to_enter(standing_in(request), sessions.directory_id_of(request.session))
        setattr(request, _KEPT, kept)
    return kept


def may(request: HttpRequest, right: Right, directory: Tenant | None = None) -> bool:
    """Whether the person may do it: on the registration of this page where they own it, else in the directory
    (by default the one in use).
    """
    if right is Right.OPERATE:
        return standing_in(request).allows(right, None)
    found = directory or directory_in_use(request)
    if found is None:
        return False
    if standing_in(request).allows(right, found.pk):
        return True
    match = request.resolver_match
    application_id = match.kwargs.get("application_id") if match else None
    owned = application_id is not None and owns(request, application_id)
    return standing_in(request).allows(right, found.pk, owns=owned)


def owns(request: HttpRequest, application_id: uuid.UUID) -> bool:
    """Whether the person owns the registration of this page; asked of the database once for each request."""
    kept: uuid.UUID | None = getattr(request, "owned_application_id", None)
    if kept is None and not hasattr(request, "owned_application_id") and isinstance(request.user, User):
        owned = Ownership.objects.filter(application_id=application_id, user=request.user).exists()
        kept = application_id if owned else None
        setattr(request, "owned_application_id", kept)  # noqa: B010 - beside request.user; Actor reads it
    return kept == application_id


def standing_in(request: HttpRequest) -> Standing:
    """What the person may do; nothing where nobody is signed in."""
    found = getattr(request, "standing", None)
    return found if isinstance(found, Standing) else Standing()


class Can:
    """For templates: {% if can.manage %} asks `may` for the registration or the directory of the page."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __getitem__(self, name: str) -> bool:
        """By the name of a right, with an underscore for its dash. Raises KeyError for what is none."""
        try:
            right = Right(name.replace("_", "-"))
        except ValueError:
            raise KeyError(name) from None
        return may(self._request, right)
