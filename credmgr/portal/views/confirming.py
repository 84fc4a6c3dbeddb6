"""The password once more before a download, or before sessions are ended: a link or a lone button cannot ask
for it in a form of its own (L-2).
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from credmgr.accounts.step_up import FIELD, recently_signed_in
from credmgr.portal.acting import form_page, posted
from credmgr.portal.forms.applications import ConfirmedForm

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer", bound=HttpResponseBase)


def after_recent_sign_in(
    view: Callable[Concatenate[HttpRequest, Arguments], Answer],
) -> Callable[Concatenate[HttpRequest, Arguments], Answer | HttpResponse]:
    """Nothing is done, and the password asked for, where it was given too long ago."""

    @wraps(view)
    def asked(
        request: HttpRequest, /, *given: Arguments.args, **named: Arguments.kwargs
    ) -> Answer | HttpResponse:
        if recently_signed_in(request):
            return view(request, *given, **named)
        return redirect(f"{reverse('account_confirm')}?{urlencode({'next': request.get_full_path()})}")

    return asked


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    """Ask for the password, then offer the download that ?next= names, or lead back to the account."""
    goal = request.GET.get("next", "")
    if not goal.startswith("/") or not url_has_allowed_host_and_scheme(goal, allowed_hosts=None):
        return redirect("account")
    form = ConfirmedForm(posted(request), request=request)
    is_done = recently_signed_in(request) if not form.is_bound else form.is_valid()
    is_download = goal != reverse("account")
    if is_done and not is_download:
        messages.success(request, "You are confirmed. No session has ended yet: choose again which one.")
        return redirect(goal)
    if FIELD in form.fields:
        form.fields[FIELD].widget.attrs["autofocus"] = True  # nothing else is typed on this page
    context = {"goal": goal, "is_done": is_done, "is_download": is_download}
    return form_page(request, "account/confirm.html", form, context)
