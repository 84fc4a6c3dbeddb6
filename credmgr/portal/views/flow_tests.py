"""Test acquire token: the form, the result, the history."""

import uuid
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from credmgr.audit.recording import Actor
from credmgr.errors import DomainError
from credmgr.flowtest import testing
from credmgr.flowtest.limits import TooManyTestsError
from credmgr.flowtest.models import FlowRun
from credmgr.flowtest.queries import runs_of, verdict_tone, verdict_words
from credmgr.flowtest.report import Report
from credmgr.flowtest.scopes import default_scope
from credmgr.portal.access import application_or_404
from credmgr.portal.acting import form_page
from credmgr.portal.flow_patience import patience_view
from credmgr.portal.flow_results import rerun_fields, result_context
from credmgr.portal.forms.flow_tests import FlowTestForm
from credmgr.registrations.models import Application
from credmgr.registrations.queries import parse_guid

RUNS_PER_PAGE = 25
_FROM_ADDRESS = ("credential", "directory", "scope", "resource", "audience", "key_id")


@require_safe
def history(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """All runs of the application, newest first."""
    application = application_or_404(request, application_id)
    page = Paginator(runs_of(application), RUNS_PER_PAGE).get_page(request.GET.get("page"))
    rows = [{"run": run, "words": verdict_words(run), "tone": verdict_tone(run.verdict)} for run in page]
    context = {"application": application, "page": page, "rows": rows}
    return render(request, "portal/flow_tests/history.html", context)


@never_cache
@sensitive_post_parameters("secret_value", "password", "outside_token", "current_password")
@sensitive_variables("form", "cleaned", "raw_token")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """The form; a press runs the test and leads to the result, which has an address of its own."""
    application = application_or_404(request, application_id)
    form = _form(request, application)
    refused = 422
    if request.method == "POST" and form.is_valid():
        cleaned = form.cleaned_data
        try:
            run, raw_token = testing.test_credential(
                application,
                cleaned["credential"],
                asked=form.asked(),
                brought=form.brought(),
                directory=form.asked_directory(),
                include_raw_token=cleaned["include_raw_token"],
                actor=Actor.from_request(request),
                now=timezone.now(),
            )
        except DomainError as error:
            form.refuse(error)
            refused = 429 if isinstance(error, TooManyTestsError) else 422
        else:
            if raw_token is None:
                return redirect("portal:test", application.pk, run.pk)
            return _result(request, application, run, raw_token)
    context = {
        "application": application,
        "back": reverse("portal:tests", args=[application.pk]),
        "deadline": settings.TEST_DEADLINE_SECONDS,
    }
    return form_page(request, "portal/flow_tests/new.html", form, context, refused=refused)


@require_safe
def detail(request: HttpRequest, application_id: uuid.UUID, run_id: uuid.UUID) -> HttpResponse:
    """The lasting page of one run. It never has the raw token."""
    application = application_or_404(request, application_id)
    run = FlowRun.objects.filter(application=application, pk=run_id).first()
    if run is None:
        raise Http404
    return _result(request, application, run, None)


@sensitive_variables("raw_token", "context")
def _result(
    request: HttpRequest, application: Application, run: FlowRun, raw_token: str | None
) -> HttpResponse:
    now = timezone.now()
    context: dict[str, Any] = result_context(application, run, now)
    context["raw_token"] = raw_token
    context["patience"] = patience_view(
        application, run, context["report"], context["credential"], reader=request.user, now=now
    )
    response = render(request, "portal/flow_tests/detail.html", context)
    if raw_token is not None:
        response["Cache-Control"] = "no-store"
    return response


def _of_run(request: HttpRequest, application: Application) -> dict[str, str]:
    """What the run that the address names was given, so that it can be changed and run again."""
    run_id = parse_guid(request.GET.get("run", ""))
    run = FlowRun.objects.filter(application=application, pk=run_id).first() if run_id else None
    return dict(rerun_fields(run, Report.from_json(run.report))) if run else {}


def _form(request: HttpRequest, application: Application) -> FlowTestForm:
    initial = {"scope": default_scope(application)} | _of_run(request, application)
    initial |= {name: request.GET[name][:512] for name in _FROM_ADDRESS if request.GET.get(name)}
    if request.method == "POST":
        return FlowTestForm(
            request.POST, request.FILES, application=application, request=request, initial=initial
        )
    return FlowTestForm(application=application, request=request, initial=initial)
