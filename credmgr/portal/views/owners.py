"""Who owns a registration."""

import uuid
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from credmgr.audit.recording import Actor
from credmgr.portal.access import application_or_404
from credmgr.portal.acting import carried_out, form_page, posted
from credmgr.portal.forms.applications import AddOwnerForm, ConfirmedForm
from credmgr.registrations.ownership import add_owner, remove_owner
from credmgr.registrations.queries import owners_of


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def application_owners(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """The owners, and adding one."""
    application = application_or_404(request, application_id)
    form = AddOwnerForm(posted(request), request=request)

    def act(actor: Actor, now: datetime) -> str:
        person = form.cleaned_data["user"]
        add_owner(application, user=person, actor=actor, now=now)
        return f"{person.shown_name} is now an owner."

    if done := carried_out(request, form, act, "portal:application_owners", application.pk):
        return done
    context = {"application": application, "owners": owners_of(application), "form": form}
    return form_page(request, "portal/applications/owners.html", form, context)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def application_owner_remove(
    request: HttpRequest, application_id: uuid.UUID, user_id: uuid.UUID
) -> HttpResponse:
    """Ask, then take the ownership away."""
    application = application_or_404(request, application_id)
    person = owners_of(application).filter(pk=user_id).first()
    if person is None:
        raise Http404
    form = ConfirmedForm(posted(request), request=request)

    def act(actor: Actor, now: datetime) -> str:
        remove_owner(application, user=person, actor=actor, now=now)
        return f"{person.shown_name} is no longer an owner."

    if done := carried_out(request, form, act, "portal:application_owners", application.pk):
        return done
    context = {
        "application": application,
        "owner": person,
        "is_last": owners_of(application).count() == 1,
        "form": form,
        "back": reverse("portal:application_owners", args=[application.pk]),
    }
    return form_page(request, "portal/applications/owner_remove.html", form, context)
