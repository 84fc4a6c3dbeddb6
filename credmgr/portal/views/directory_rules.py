"""One directory: whether an assertion works once, whether it is for tests, and what its switches do."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
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
from credmgr.registrations.models import ADMINISTRATORS, EVERYBODY, NOBODY, Tenant
from credmgr.registrations.switches import ALL_OFF, read_switches, switch_problems


@dataclass(frozen=True)
class _Rule:
    """What a directory's administrator turns on or off on a page of its own.

    name: of the form's field and of the act's parameter. set_to: the act. said: what it means from now on.
    leads: the page that the form belongs to.
    """

    form: type[PortalForm]
    name: str
    template: str
    leads: str
    is_on: Callable[[Tenant], bool]
    set_to: Callable[..., object]
    said: Callable[[Tenant, bool], str]


_SINGLE_USE = _Rule(
    SingleUseForm,
    "enabled",
    "assertions",
    "portal:directory",
    lambda directory: directory.single_use_assertions,
    set_single_use_assertions,
    lambda _, is_on: f"Client assertions work {'once from now on' if is_on else 'again until they end'}.",
)
_ASKED_NOW = {
    NOBODY: "In {} the password alone will do.",
    ADMINISTRATORS: "Administrators of {} must have a second factor.",
    EVERYBODY: "Everybody who has a role in {} must have a second factor.",
}
_FOR_TESTS = _Rule(
    TestDirectoryForm,
    "is_test",
    "testing_mark",
    "portal:directory_testing",
    lambda directory: directory.is_test,
    set_directory_testing,
    lambda directory, is_on: (
        f"{directory.name} "
        f"{'is a test directory. Its switches are all off' if is_on else 'is an ordinary directory'}."
    ),
)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def directory_assertions(request: HttpRequest, directory_id: uuid.UUID) -> HttpResponse:
    """Take each client assertion once, or again until it ends."""
    return _turned(request, directory_id, _SINGLE_USE)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def directory_second_factor(request: HttpRequest, directory_id: uuid.UUID) -> HttpResponse:
    """Demand a second factor of everybody, of administrators, or of nobody."""
    directory = any_directory_or_404(request, directory_id)
    initial = {"asked": directory.second_factor_for, "version": directory.version}
    form = SecondFactorRuleForm(posted(request), request=request, initial=initial)

    def act(actor: Actor, now: datetime) -> str:
        asked, version = form.cleaned_data["asked"], form.cleaned_data["version"]
        demand_second_factor(directory, asked=asked, expected_version=version, actor=actor, now=now)
        return _ASKED_NOW[asked].format(directory.name)

    if done := carried_out(request, form, act, "portal:directory", directory.pk):
        return done
    context = {"directory": directory, "back": reverse("portal:directory", args=[directory.pk])}
    return form_page(request, "portal/directories/second_factor.html", form, context)


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
    return _turned(request, directory_id, _FOR_TESTS)


def _turned(request: HttpRequest, directory_id: uuid.UUID, rule: _Rule) -> HttpResponse:
    """The page that offers the other state than the present one, and turns the rule when it is sent."""
    directory = any_directory_or_404(request, directory_id)
    initial = {rule.name: "no" if rule.is_on(directory) else "yes", "version": directory.version}
    form = rule.form(posted(request), request=request, initial=initial)

    def act(actor: Actor, now: datetime) -> str:
        wanted = form.cleaned_data[rule.name]
        version = form.cleaned_data["version"]
        rule.set_to(directory, **{rule.name: wanted}, expected_version=version, actor=actor, now=now)
        return rule.said(directory, wanted)

    if done := carried_out(request, form, act, rule.leads, directory.pk):
        return done
    context = {"directory": directory, "back": reverse(rule.leads, args=[directory.pk])}
    return form_page(request, f"portal/directories/{rule.template}.html", form, context)
