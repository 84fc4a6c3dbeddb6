"""Compare two runs: choosing them, running two at once, and the lasting page."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from credmgr.accounts.roles import Right
from credmgr.audit.recording import Actor
from credmgr.errors import DomainError
from credmgr.flowtest import testing
from credmgr.flowtest.limits import TooManyTestsError
from credmgr.flowtest.models import FlowRun
from credmgr.flowtest.queries import verdict_tone, verdict_words
from credmgr.flowtest.report import Report
from credmgr.flowtest.scopes import default_scope
from credmgr.flowtest.side_by_side import side_by_side
from credmgr.flowtest.spec import Asked
from credmgr.portal.access import application_or_404, standing_in
from credmgr.portal.acting import form_page, posted
from credmgr.portal.flow_results import shape_view
from credmgr.portal.forms.flow_comparisons import CompareForm, places_beside, two_ids
from credmgr.registrations.models import Application
from credmgr.registrations.queries import parse_guid


@require_safe
def chosen(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """Where the history's button leads: two ticked runs have a page, anything else is told in words."""
    application = application_or_404(request, application_id)
    ids = two_ids(request.GET.getlist("run"))
    if ids is None:
        messages.error(request, "Tick exactly two runs, then compare them.")
        return redirect("portal:tests", application.pk)
    older = FlowRun.objects.filter(application=application, pk__in=ids).order_by("started_at").first()
    first = older.pk if older else ids[0]
    second = ids[1] if first == ids[0] else ids[0]
    return redirect("portal:test_compare", application.pk, first, second)


@require_safe
def compare(
    request: HttpRequest, application_id: uuid.UUID, run_id: uuid.UUID, other_id: uuid.UUID
) -> HttpResponse:
    """The lasting page of two runs of the application."""
    application = application_or_404(request, application_id)
    runs = [FlowRun.objects.filter(application=application, pk=key).first() for key in (run_id, other_id)]
    first, second = runs
    if first is None or second is None:
        raise Http404
    reports = [Report.from_json(run.report) for run in (first, second)]
    sides = []
    for label, run, report in zip(("First", "Second"), (first, second), reports, strict=True):
        view = shape_view(report.decisive)
        sides.append(
            {
                "label": label,
                "run": run,
                "words": verdict_words(run),
                "tone": verdict_tone(run.verdict),
                "client": report.client,
                "client_id": report.aim.client_id,
                "authority": report.authority,
                "headline": report.diagnosis.headline,
                "hops": report.decisive.hops,
                "shape": view.name,
            }
        )
    context = {
        "application": application,
        "sides": sides,
        "tokens": side_by_side(*reports),
        "back": reverse("portal:tests", args=[application.pk]),
    }
    return render(request, "portal/flow_tests/compare.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def compare_new(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """Choose two sides; both are run and recorded like any other test."""
    application = application_or_404(request, application_id)
    # Owning this registration lets nobody know of the others.
    sees_all = standing_in(request).allows(Right.READ, application.tenant_id)
    places = places_beside(application) if sees_all else []
    form = CompareForm(
        posted(request),
        request=request,
        application=application,
        places=places,
        initial=_beginning(request, application),
    )
    refused = 422
    if form.is_bound and form.is_valid():
        done: list[FlowRun] = []
        try:
            for name in ("first", "second"):
                done.append(_run(request, application, form, name))
        except DomainError as error:
            form.refuse(error)
            if done:
                form.add_error(None, "The first test was run and stands among the tests; the second was not.")
            refused = 429 if isinstance(error, TooManyTestsError) else 422
        else:
            return redirect("portal:test_compare", application.pk, done[0].pk, done[1].pk)
    context = {
        "application": application,
        "back": reverse("portal:tests", args=[application.pk]),
    }
    return form_page(request, "portal/flow_tests/compare_new.html", form, context, refused=refused)


def _beginning(request: HttpRequest, application: Application) -> dict[str, str]:
    """What the form begins with: both sides like the run that the address names (`?run=`), if any."""
    scope, credential = default_scope(application), ""
    wanted = parse_guid(request.GET.get("run", ""))
    run = FlowRun.objects.filter(application=application, pk=wanted).first() if wanted else None
    if run is not None:
        scope, credential = run.scope, str(run.credential_id or "")
    return {
        f"{side}_{name}": value
        for side in ("first", "second")
        for name, value in (("scope", scope), ("credential", credential))
    }


def _run(request: HttpRequest, application: Application, form: CompareForm, name: str) -> FlowRun:
    credential, place, scope = form.side(name)
    run, _ = testing.test_credential(
        application,
        credential,
        asked=Asked(scope),
        place=place,
        actor=Actor.from_request(request),
        now=timezone.now(),
    )
    return run
