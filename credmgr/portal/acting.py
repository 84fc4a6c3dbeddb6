"""A form that carries out one act: sent and in order, it acts, says so and leads on; else it is shown."""

from collections.abc import Callable, Mapping
from datetime import datetime

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone

from credmgr.audit.recording import Actor
from credmgr.errors import DomainError
from credmgr.portal.forms.base import PortalForm


def posted(request: HttpRequest) -> QueryDict | None:
    """What was sent, also when it is empty; None where the form is only shown."""
    return request.POST if request.method == "POST" else None


def form_page(
    request: HttpRequest,
    template: str,
    form: BaseForm,
    context: Mapping[str, object],
    *,
    refused: int = 422,
) -> HttpResponse:
    """The page of a form, which it finds as `form`: 200, or the status `refused` where what was sent is.

    refused: another one than 422 where more is to be said of it, such as 429.
    """
    status = refused if form.errors else 200
    return render(request, template, {**context, "form": form}, status=status)


def carried_out(
    request: HttpRequest, form: PortalForm, act: Callable[[Actor, datetime], str], to: str, *args: object
) -> HttpResponse | None:
    """The redirect after the act; None where the page is to be shown, with what is wrong in the form.

    act: takes who acts and the time (aware UTC), and returns what to say of it. A DomainError it raises is
    shown in the form. to, args: where it leads, as django.shortcuts.redirect takes them.
    """
    if not (form.is_bound and form.is_valid()):
        return None
    try:
        said = act(Actor.from_request(request), timezone.now())
    except DomainError as error:
        form.refuse(error)
        return None
    messages.success(request, said)
    return redirect(to, *args)
