"""One directory: whether an assertion works once, whether it is for tests, and what its switches do."""

import uuid
from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from credmgr.audit.recording import Actor
from credmgr.errors import DomainError
from credmgr.membership.second_factor_rule import demand_second_factor
from credmgr.portal import switch_words
from credmgr.portal.access import any_directory_or_404
from credmgr.portal.acting import carried_out, form_page, posted
from credmgr.portal.forms.base import PortalForm
from credmgr.portal.forms.directory_rules import (
    AllOffForm,
    SecondFactorRuleForm,
    SingleUseForm,
    SwitchesForm,
    TestDirectoryForm,
    initial_of,
)
from credmgr.registrations.directory_rules import (
    set_directory_testing,
    set_single_use_assertions,
    set_test_switches,
)
from credmgr.registrations.models import Tenant
from credmgr.registrations.switches import ALL_OFF, read_switches, switch_problems


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def directory_assertions(request: HttpRequest, directory_id: uuid.UUID) -> HttpResponse:
    """Take each client assertion once, or again until it ends."""
    directory = any_directory_or_404(request, directory_id)
    initial = {"enabled": "no" if directory.single_use_assertions else "yes", "version": directory.version}
    form = SingleUseForm(posted(request), request=request, initial=initial)

    def act(actor: Actor, now: datetime) -> str:
        enabled = form.cleaned_data["enabled"]
        set_single_use_assertions(
            directory,
            enabled=enabled,
            expected_version=form.cleaned_data["version"],
            actor=actor,
            now=now,
        )
        said = "once from now on" if enabled else "again until they end"
        return f"Client assertions work {said}."

    if done := carried_out(request, form, act, "portal:directory", directory.pk):
        return done
    return _panel(request, "assertions", directory, form, reverse("portal:directory", args=[directory.pk]))


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def directory_second_factor(request: HttpRequest, directory_id: uuid.UUID) -> HttpResponse:
    """Ask administrators for a second factor, or no longer."""
    directory = any_directory_or_404(request, directory_id)
    is_on = directory.administrators_need_second_factor
    initial = {"enabled": "no" if is_on else "yes", "version": directory.version}
    form = SecondFactorRuleForm(posted(request), request=request, initial=initial)

    def act(actor: Actor, now: datetime) -> str:
        enabled = form.cleaned_data["enabled"]
        demand_second_factor(
            directory,
            enabled=enabled,
            expected_version=form.cleaned_data["version"],
            actor=actor,
            now=now,
        )
        said = "must have a second factor" if enabled else "may have the password alone"
        return f"Administrators of {directory.name} {said}."

    if done := carried_out(request, form, act, "portal:directory", directory.pk):
        return done
    return _panel(request, "second_factor", directory, form, reverse("portal:directory", args=[directory.pk]))


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def directory_testing(request: HttpRequest, directory_id: uuid.UUID) -> HttpResponse:
    """The switches of a test directory; of another one what they are for."""
    directory = any_directory_or_404(request, directory_id)
    now = timezone.now()
    switches = read_switches(directory.test_switches)
    form = SwitchesForm(
        posted(request),
        request=request,
        usual_lifetime=settings.TOKEN_LIFETIME_SECONDS,
        initial=initial_of(switches, directory.version),
    )
    if form.is_bound and form.is_valid():
        for problem in switch_problems(form.switches(), now):
            form.refuse(problem)

    def act(actor: Actor, now: datetime) -> str:
        fresh = set_test_switches(
            directory,
            switches=form.switches(),
            expected_version=form.cleaned_data["version"],
            actor=actor,
            now=now,
        )
        is_on = read_switches(fresh.test_switches).is_on(now)
        return "The switches are set, from the next token request on." if is_on else "All is off."

    if done := carried_out(request, form, act, "portal:directory_testing", directory.pk):
        return done
    context = {
        "directory": directory,
        "form": form,
        "off_form": AllOffForm(initial={"version": directory.version}),
        "effects": switch_words.effects(switches),
        "scope": switch_words.scope(switches),
        "is_on": switches.is_on(now),
        "has_ended": bool(switches.names) and not switches.is_on(now),
    }
    return form_page(request, "portal/directories/testing.html", form, context)


@require_POST
def directory_switches_off(request: HttpRequest, directory_id: uuid.UUID) -> HttpResponse:
    """Everything off at once; from the banner's page with one press."""
    directory = any_directory_or_404(request, directory_id)
    form = AllOffForm(request.POST)
    version = form.cleaned_data["version"] if form.is_valid() else directory.version
    try:
        set_test_switches(
            directory,
            switches=ALL_OFF,
            expected_version=version,
            actor=Actor.from_request(request),
            now=timezone.now(),
        )
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "All switches are off, from the next token request on.")
    return redirect("portal:directory_testing", directory.pk)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def directory_testing_mark(request: HttpRequest, directory_id: uuid.UUID) -> HttpResponse:
    """Mark as a test directory, or take the mark away and with it every switch."""
    directory = any_directory_or_404(request, directory_id)
    initial = {"is_test": "no" if directory.is_test else "yes", "version": directory.version}
    form = TestDirectoryForm(posted(request), request=request, initial=initial)

    def act(actor: Actor, now: datetime) -> str:
        is_test = form.cleaned_data["is_test"]
        set_directory_testing(
            directory,
            is_test=is_test,
            expected_version=form.cleaned_data["version"],
            actor=actor,
            now=now,
        )
        said = "is a test directory. Its switches are all off" if is_test else "is an ordinary directory"
        return f"{directory.name} {said}."

    if done := carried_out(request, form, act, "portal:directory_testing", directory.pk):
        return done
    back = reverse("portal:directory_testing", args=[directory.pk])
    return _panel(request, "testing_mark", directory, form, back)


def _panel(
    request: HttpRequest, template: str, directory: Tenant, form: PortalForm, back: str
) -> HttpResponse:
    return form_page(
        request, f"portal/directories/{template}.html", form, {"directory": directory, "back": back}
    )
