"""Asks, before any page is made, whether the person may see it: 404 for what one may not know of, 403 for
what one may not do. What the answers are is decided in accounts.roles alone.
"""

import uuid
from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from credmgr.accounts import sessions
from credmgr.accounts.models import User
from credmgr.accounts.public import is_public
from credmgr.accounts.roles import NotAllowedError, Right, Standing
from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.membership.queries import standing_of
from credmgr.membership.second_factor_rule import lacks_demanded_factor
from credmgr.portal.access import directory_in_use, owns, standing_in
from credmgr.portal.needs import need_of
from credmgr.portal.views.errors import forbidden
from credmgr.registrations.models import Application, Tenant

# What somebody without any role can still open: leaving, and how the page looks.
_WITHOUT_ROLE = ("portal:help", "portal:theme")
# Where a rule asks for a second factor that is not there: the pages of the own account (which have no
# namespace) and these.
_WITHOUT_FACTOR = _WITHOUT_ROLE


class AuthorizationMiddleware:
    """Stands behind sign-in: it knows who is there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Put the person's standing beside the person; read once for each request."""
        user = getattr(request, "user", None)
        standing = standing_of(user) if isinstance(user, User) else Standing()
        request.standing = standing  # type: ignore[attr-defined] # beside request.user
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _arguments: list[Any], named: dict[str, Any]
    ) -> HttpResponse | None:
        """Raise Http404 or PermissionDenied, lead to setting up a second factor, or let it pass."""
        match = request.resolver_match
        if match is None or is_public(view) or not isinstance(request.user, User):
            return None
        is_closed = match.namespace and match.view_name not in _WITHOUT_FACTOR
        if (
            is_closed
            and not sessions.provider_gave_factor(request.session, request.user)
            and lacks_demanded_factor(request.user, standing_in(request))
        ):
            return redirect("account_factors")
        if not standing_in(request).roles and match.namespace and match.view_name not in _WITHOUT_ROLE:
            raise PermissionDenied
        right = need_of(match.view_name, request.method or "GET")
        if right is None:
            return None
        # Asked also where the server as a whole is meant: of an unknown directory everybody hears the same.
        asks_directory = right is not Right.OPERATE or "directory_id" in named
        directory_id = _directory(request, named).pk if asks_directory else None
        application_id = named.get("application_id")
        if application_id is not None and directory_id is not None:
            _check_application(request, right, directory_id, application_id)
        elif not standing_in(request).allows(right, directory_id):
            _refuse(request)
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """An act asks once more; what it refuses is a 403 as well, and on record."""
        if not isinstance(exception, NotAllowedError):
            return None
        match = request.resolver_match
        _record_refusal(request, match.kwargs.get("application_id") if match else None)
        return forbidden(request, exception)


def _directory(request: HttpRequest, named: dict[str, Any]) -> Tenant:
    """The directory that a page is about: named in its address, else the one in use."""
    wanted = named.get("directory_id")
    found = Tenant.objects.filter(pk=wanted).first() if wanted else directory_in_use(request)
    if found is None or not standing_in(request).may_enter(found.pk):
        raise Http404
    return found


def _check_application(
    request: HttpRequest, right: Right, directory_id: uuid.UUID, application_id: uuid.UUID
) -> None:
    """Two questions are asked of the database only where the directory's roles do not settle it."""
    standing = standing_in(request)
    if standing.allows(right, directory_id):
        return
    if not Application.objects.filter(pk=application_id, tenant_id=directory_id).exists():
        raise Http404
    owned = owns(request, application_id)
    if not standing.allows(Right.READ, directory_id, owns=owned):
        raise Http404
    if not standing.allows(right, directory_id, owns=owned):
        _refuse(request, application_id)


def _refuse(request: HttpRequest, application_id: uuid.UUID | None = None) -> None:
    _record_refusal(request, application_id)
    raise PermissionDenied


def _record_refusal(request: HttpRequest, application_id: uuid.UUID | None) -> None:
    """A refused permission is on record (D-1): who, and which page."""
    directory = directory_in_use(request)
    record_event(
        EventTag.PERMISSION_REFUSED,
        actor=Actor.from_request(request),
        now=timezone.now(),
        tenant_id=directory.pk if directory else None,
        application_id=application_id,
        object_type="page",
        object_name=request.resolver_match.view_name if request.resolver_match else "",
        succeeded=False,
    )
