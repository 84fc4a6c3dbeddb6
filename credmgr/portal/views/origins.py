"""Allowed origins: which addresses this server may call; adding one, removing one."""

import uuid
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from credmgr.audit.recording import Actor
from credmgr.errors import NotFoundError
from credmgr.origins.changing import add_origin, remove_origin
from credmgr.origins.models import AllowedOrigin
from credmgr.origins.queries import listed_origins, origin_of_row
from credmgr.portal.access import directory_of
from credmgr.portal.acting import carried_out, form_page, posted
from credmgr.portal.forms.applications import ConfirmedForm
from credmgr.portal.forms.origins import OriginForm
from credmgr.portal.origin_rows import uses_of

_PREFILLED_MAX = 600


@require_safe
def origins(request: HttpRequest) -> HttpResponse:
    """The whole list with the source of each entry."""
    directory_of(request)
    return render(request, "portal/origins/list.html", {"origins": listed_origins()})


@sensitive_post_parameters("current_password", "ca_text")
@require_http_methods(["GET", "HEAD", "POST"])
def origin_new(request: HttpRequest) -> HttpResponse:
    """The form; ?address= fills it in, for pages that met an origin which is not listed."""
    directory_of(request)
    given = request.GET.get("address", "")[:_PREFILLED_MAX]
    form = OriginForm(
        posted(request),
        request.FILES if request.method == "POST" else None,
        request=request,
        initial={"address": given, "is_http": given.startswith("http://")},
    )

    def act(actor: Actor, now: datetime) -> str:
        typed = form.cleaned_data
        made = add_origin(
            address=typed["address"],
            name=typed["name"],
            is_private=typed["is_private"],
            is_http=typed["is_http"],
            ca_text=typed["ca_text"],
            ca_file=form.ca_bytes(),
            actor=actor,
            now=now,
        )
        return f"{origin_of_row(made).address} may be called from now on."

    if done := carried_out(request, form, act, "portal:origins"):
        return done
    context = {"form": form, "back": reverse("portal:origins")}
    return form_page(request, "portal/origins/new.html", form, context)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def origin_remove(request: HttpRequest, origin_id: uuid.UUID) -> HttpResponse:
    """Who is cut off without it; then the removal."""
    directory = directory_of(request)
    row = AllowedOrigin.objects.filter(pk=origin_id).first()
    if row is None:
        raise Http404
    address = origin_of_row(row).address
    form = ConfirmedForm(posted(request), request=request)
    if form.is_bound and form.is_valid():
        try:
            remove_origin(row, actor=Actor.from_request(request), now=timezone.now())
        except NotFoundError as error:
            messages.info(request, error.message)
        else:
            messages.success(request, f"{address} is not called any more.")
        return redirect("portal:origins")
    context = {
        "row": row,
        "address": address,
        "uses": uses_of(row),
        "directory": directory,
        "form": form,
        "back": reverse("portal:origins"),
    }
    return form_page(request, "portal/origins/remove.html", form, context)
