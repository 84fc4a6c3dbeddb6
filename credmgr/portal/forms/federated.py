"""Forms of federated credentials. What may be trusted is decided by the acts; here the scenarios' fields."""

import json
from typing import Any

from django import forms

from credmgr.accounts.step_up import StepUpFormMixin
from credmgr.credentials.errors import FederatedError
from credmgr.credentials.federated import DEFAULT_AUDIENCE
from credmgr.credentials.federated_subjects import (
    GITHUB_ISSUER,
    GITHUB_SUBJECTS,
    KUBERNETES_SUBJECT,
    github_subject,
    kubernetes_subject,
)
from credmgr.credentials.federated_values import DESCRIPTION_MAX, NAME_LENGTH, VALUE_MAX
from credmgr.errors import DomainError
from credmgr.portal.forms.base import PortalForm
from credmgr.registrations.queries import parse_guid

GITHUB, KUBERNETES, IDENTITY, OTHER = "github", "kubernetes", "identity", "other"
SCENARIOS = [
    (GITHUB, "GitHub Actions: a workflow of a repository"),
    (KUBERNETES, "Kubernetes: a service account of a cluster"),
    (IDENTITY, "Managed identity: an identity of an Entra-shaped directory"),
    (OTHER, "Other issuer: any OpenID Connect provider"),
]
ENTITIES = [
    ("environment", "Environment"),
    ("branch", "Branch"),
    ("pull_request", "Pull request"),
    ("tag", "Tag"),
]
# A little more than a limit passes the browser, so that the act can say how long the text is.
_ROOM = 4
_SCENARIO_MISSING = "Choose one of the listed scenarios."


def _text(label: str, help_text: str = "", *, most: int = VALUE_MAX, strip: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, max_length=most * _ROOM, strip=strip, help_text=help_text
    )


class TrustForm(StepUpFormMixin, PortalForm):
    """What every federated credential has. Nothing is trimmed: every character is compared."""

    issuer = _text("Issuer", strip=False)
    subject = _text("Subject identifier", strip=False)
    audience = forms.CharField(
        label="Audience",
        required=False,
        max_length=VALUE_MAX * _ROOM,
        strip=False,
        initial=DEFAULT_AUDIENCE,
        help_text="The 'aud' of the token. Change it only if the issuer cannot write this one.",
    )
    description = forms.CharField(
        label="Description",
        required=False,
        max_length=DESCRIPTION_MAX * _ROOM,
        help_text="Optional. Say what runs there, so that a later reader knows what breaks without it.",
    )


class FederatedForm(TrustForm):
    """Add a federated credential. Fields of the scenarios that were not chosen are left alone."""

    scenario = forms.ChoiceField(
        label="Scenario",
        choices=SCENARIOS,
        initial=GITHUB,
        widget=forms.RadioSelect,
        error_messages={"required": _SCENARIO_MISSING, "invalid_choice": _SCENARIO_MISSING},
    )
    organization = _text("Organization", "The owner of the repository: an organization or a user.")
    repository = _text("Repository", "Its own name, without the organization.")
    entity = forms.ChoiceField(
        label="Entity type",
        help_text="What the workflow runs for.",
        choices=ENTITIES,
        initial="branch",
        required=False,
        error_messages={"invalid_choice": "Choose one of the listed entity types."},
    )
    entity_value = _text("Environment, branch or tag", "Its name alone. Pull requests need none.")
    namespace = _text("Namespace")
    service_account = _text("Service account name")
    identity_issuer = _text(
        "Directory's issuer",
        "Filled in for this directory. For one of Entra: https://login.microsoftonline.com/, its directory "
        "(tenant) ID, /v2.0.",
        strip=False,
    )
    identity = _text(
        "Principal ID",
        "The object ID of the managed identity's service principal, not its client ID.",
    )
    name = forms.CharField(
        label="Name",
        required=False,
        max_length=NAME_LENGTH[1] * _ROOM,
        help_text="3 to 120 letters, digits, hyphens and underscores. It cannot be changed later.",
    )

    def __init__(self, *args: Any, own_issuer: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["identity_issuer"].initial = own_issuer
        for name in _NEEDED:
            # Marked for the eye alone: whether it is missing depends on the scenario.
            vars(self.fields[name])["is_needed"] = True
        self.fields["name"].widget.attrs["maxlength"] = NAME_LENGTH[1]
        self.fields[
            "issuer"
        ].help_text = "The 'iss' of its tokens, every character of it: a slash at the end counts."

    def clean(self) -> dict[str, Any]:
        """Issuer and subject by the scenario: the typed subject, else the generated one."""
        cleaned = super().clean() or self.cleaned_data
        try:
            issuer, subject = self._identity(cleaned)
        except FederatedError as error:
            self.refuse(error)
            self._name_what_else_is_missing(cleaned)
            return cleaned
        return cleaned | {"issuer": issuer, "subject": subject}

    def _name_what_else_is_missing(self, cleaned: dict[str, Any]) -> None:
        """One answer for a form that was sent empty, not one field after the other."""
        for name in (*_NEEDED_BY.get(cleaned.get("scenario", ""), ()), "name", "audience"):
            is_replaced = name in _PARTS and cleaned.get("subject")
            if not cleaned.get(name) and name not in self.errors and not is_replaced:
                label = str(self.fields[name].label)
                self.add_error(name, f"Enter the {label[0].lower()}{label[1:]}.")

    def refuse(self, error: DomainError) -> None:
        """At the field that the chosen scenario shows."""
        shown = {"issuer": "identity_issuer", "subject": "identity"}
        if self.data.get("scenario") == IDENTITY and error.field in shown and not self.data.get("subject"):
            error.field = shown[error.field]
        super().refuse(error)

    def generated(self) -> str:
        """The subject as far as it can be told from what was typed; {parts} stand for what is missing."""
        typed = {name: self[name].value() or f"{{{name}}}" for name in _PARTS}
        return _PATTERNS.get(self._pattern_name(), "").format(**typed)

    def patterns_json(self) -> str:
        """The patterns for the script that shows the subject while somebody types."""
        return json.dumps(_PATTERNS)

    def _pattern_name(self) -> str:
        scenario = self["scenario"].value()
        return str(self["entity"].value()) if scenario == GITHUB else str(scenario)

    def _identity(self, cleaned: dict[str, Any]) -> tuple[str, str]:
        """Raises FederatedError."""

        def given(*names: str) -> dict[str, str]:
            return {name: cleaned.get(name, "") for name in names}

        scenario, typed = cleaned.get("scenario"), cleaned.get("subject", "")
        if scenario == GITHUB:
            parts = given("organization", "repository", "entity", "entity_value")
            return GITHUB_ISSUER, typed or github_subject(**parts)
        if scenario == KUBERNETES:
            parts = given("namespace", "service_account")
            return cleaned.get("issuer", ""), typed or kubernetes_subject(**parts)
        if scenario == IDENTITY:
            return cleaned.get("identity_issuer", ""), typed or _principal(cleaned.get("identity", ""))
        return cleaned.get("issuer", ""), typed


class FederatedEditForm(TrustForm):
    """Change what is trusted. version is what the person was shown (C-4)."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)


_NEEDED = (
    "organization",
    "repository",
    "issuer",
    "namespace",
    "service_account",
    "identity_issuer",
    "identity",
    "name",
    "audience",
)
_NEEDED_BY = {
    GITHUB: ("organization", "repository"),
    KUBERNETES: ("issuer", "namespace", "service_account"),
    IDENTITY: ("identity_issuer", "identity"),
    OTHER: ("issuer", "subject"),
}
# Subjects by the entity type or scenario they belong to.
_PATTERNS = {**GITHUB_SUBJECTS, KUBERNETES: KUBERNETES_SUBJECT, IDENTITY: "{identity}"}
_PARTS = ("organization", "repository", "entity_value", "namespace", "service_account", "identity")


def _principal(typed: str) -> str:
    """Principals are the subjects of such tokens, in lower case."""
    guid = parse_guid(typed)
    if guid is None:
        raise FederatedError(
            "identity_form",
            "Enter the principal ID, such as 12345678-90ab-4cde-8f01-234567890abc.",
            field="identity",
        )
    return str(guid)
