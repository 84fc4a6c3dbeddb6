"""Federated credentials in the portal: the tab, the scenarios, editing, deleting."""

import html
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from credmgr.audit.models import AuditEvent, SignIn
from credmgr.audit.recording import Actor
from credmgr.credentials.federated import DEFAULT_AUDIENCE, PER_APPLICATION, add_federated_credential
from credmgr.credentials.models import FederatedCredential
from credmgr.registrations.models import Application
from tests.portal.conftest import PASSWORD
from tests.portal.credential_forms import age_sign_in, credentials_of
from tests.portal.questions import assert_asks_for_sign_in, assert_hides, assert_refuses_methods

pytestmark = pytest.mark.django_db

GITHUB = "https://token.actions.githubusercontent.com"
PRINCIPAL = "12345678-90ab-4cde-8f01-234567890abc"


def trusted(application: Application, **given: Any) -> FederatedCredential:
    """A credential made by the act itself."""
    values: dict[str, Any] = {
        "name": "main-branch",
        "issuer": GITHUB,
        "subject": "repo:octo-org/octo-repo:ref:refs/heads/main",
        "actor": Actor("Robin Vale", None),
        "now": timezone.now(),
    }
    return add_federated_credential(application, **(values | given))


def form(**typed: str) -> dict[str, str]:
    """The add form for a branch of a repository, as a browser without script sends it."""
    return {
        "scenario": "github",
        "organization": "octo-org",
        "repository": "octo-repo",
        "entity": "branch",
        "entity_value": "main",
        "issuer": "",
        "namespace": "",
        "service_account": "",
        "identity": "",
        "identity_issuer": "",
        "subject": "",
        "audience": DEFAULT_AUDIENCE,
        "name": "main-branch",
        "description": "",
        **typed,
    }


def post(client: Client, application: Application, **typed: str) -> Any:
    """Send the add form."""
    return client.post(credentials_of(application, "/federated/new"), form(**typed))


def text_of(answer: Any) -> str:
    """The page's words."""
    return html.unescape(answer.content.decode())


def test_questions_every_page_is_asked(signed_in: Client, harbor: Application, foreign: Application) -> None:
    row = trusted(harbor)
    for rest in ("/federated", "/federated/new", f"/federated/{row.pk}/edit", f"/federated/{row.pk}/delete"):
        assert_asks_for_sign_in(credentials_of(harbor, rest))
        assert_hides(signed_in, "/applications/{}/credentials" + rest, foreign)
        assert_refuses_methods(signed_in, credentials_of(harbor, rest), ["PUT", "DELETE"])
    for act in ("edit", "delete"):
        unknown = credentials_of(harbor, f"/federated/{uuid.uuid4()}/{act}")
        assert signed_in.get(unknown).status_code == 404


def test_the_tab_counts_and_lists(signed_in: Client, harbor: Application) -> None:
    """Name, subject, issuer, audience, use; the number on the tab."""
    empty = text_of(signed_in.get(credentials_of(harbor, "/federated")))
    assert "No federated credentials" in empty
    assert "Add credential" in empty
    row = trusted(harbor, description="Deploys")
    trusted(harbor, name="cluster", issuer="https://cluster.example.com", subject="system:serviceaccount:a:b")
    SignIn.objects.create(
        at=timezone.now() - timedelta(minutes=5),
        trace_id=uuid.uuid4(),
        correlation_id=uuid.uuid4(),
        tenant_id=harbor.tenant_id,
        client_id=str(harbor.client_id),
        application_id=harbor.pk,
        credential_id=row.pk,
        credential_type="federatedIdentityCredential",
    )
    body = text_of(signed_in.get(credentials_of(harbor, "/federated")))
    for part in ("main-branch", row.subject, GITHUB, DEFAULT_AUDIENCE, "Deploys", "1 in 24 h", "2 federated"):
        assert part in body
    assert re.search(r"Federated credentials <span[^>]*>\(2\)", body)
    assert body.count("Not on the list of allowed origins") == 1  # the cluster's
    log = text_of(signed_in.get(f"/applications/{harbor.pk}/sign-ins"))
    assert "main-branch" in log
    assert "icons.svg#federated" in log


def test_the_tab_asks_the_database_the_same_for_any_number(
    signed_in: Client, harbor: Application, django_assert_max_num_queries: Any
) -> None:
    for number in range(PER_APPLICATION):
        trusted(harbor, name=f"branch-{number}", subject=f"subject-{number}")
    with django_assert_max_num_queries(14):
        body = text_of(signed_in.get(credentials_of(harbor, "/federated")))
    assert "20 federated credentials of 20" in body
    assert "Add credential" not in body
    assert "no room" in text_of(signed_in.get(credentials_of(harbor, "/federated/new")))
    answer = post(signed_in, harbor)
    assert "already has 20 federated credentials" in text_of(answer)
    assert harbor.federated_credentials.count() == PER_APPLICATION


@pytest.mark.parametrize(
    ("typed", "issuer", "subject"),
    [
        ({}, GITHUB, "repo:octo-org/octo-repo:ref:refs/heads/main"),
        (
            {"entity": "environment", "entity_value": "Production West"},
            GITHUB,
            "repo:octo-org/octo-repo:environment:Production West",
        ),
        ({"entity": "tag", "entity_value": "v1"}, GITHUB, "repo:octo-org/octo-repo:ref:refs/tags/v1"),
        ({"entity": "pull_request", "entity_value": ""}, GITHUB, "repo:octo-org/octo-repo:pull_request"),
        ({"subject": "repo:octo-org@1/octo-repo@2:edited"}, GITHUB, "repo:octo-org@1/octo-repo@2:edited"),
        (
            {
                "scenario": "kubernetes",
                "issuer": "https://oidc.cluster.example.com/a/",
                "namespace": "jobs",
                "service_account": "worker",
            },
            "https://oidc.cluster.example.com/a/",
            "system:serviceaccount:jobs:worker",
        ),
        (
            {
                "scenario": "identity",
                "identity_issuer": "https://login.microsoftonline.com/x/v2.0",
                "identity": PRINCIPAL.upper(),
            },
            "https://login.microsoftonline.com/x/v2.0",
            PRINCIPAL,
        ),
        (
            {"scenario": "other", "issuer": "https://gitlab.example.com", "subject": "project_path:a/b"},
            "https://gitlab.example.com",
            "project_path:a/b",
        ),
    ],
)
def test_each_scenario_makes_issuer_and_subject(
    signed_in: Client, harbor: Application, typed: dict[str, str], issuer: str, subject: str
) -> None:
    """Generated where the subject is left empty, as typed otherwise; what other scenarios hold is ignored."""
    answer = post(signed_in, harbor, **typed)
    assert (answer.status_code, answer.headers["Location"]) == (302, credentials_of(harbor, "/federated"))
    row = harbor.federated_credentials.get()
    assert (row.issuer, row.subject, row.audience) == (issuer, subject, DEFAULT_AUDIENCE)
    assert AuditEvent.objects.latest("sequence").tag == "application:federated-credential:added"
    told = text_of(signed_in.get(answer.headers["Location"]))
    is_unlisted = "example.com" in issuer
    assert ("is not on the list of allowed origins" in told) == is_unlisted
    # Once in the message, once in the row.
    assert told.count("/origins/new?address=https%3A%2F%2F") == (2 if is_unlisted else 0)


def test_an_empty_form_is_told_everything_at_once(signed_in: Client, harbor: Application) -> None:
    """Not one field after the other; what the scenario does not need is not asked for."""
    for scenario, missing in (
        ("github", ["organization", "repository", "name"]),
        ("kubernetes", ["issuer", "namespace", "service_account", "name"]),
        ("identity", ["identity_issuer", "identity", "name"]),
    ):
        answer = signed_in.post(
            f"/applications/{harbor.pk}/credentials/federated/new",
            {"scenario": scenario, "entity": "branch", "audience": DEFAULT_AUDIENCE},
        )
        assert sorted(answer.context["form"].errors) == sorted(missing)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"scenario": ""}, "Choose one of the listed scenarios."),
        ({"scenario": "customer-keys"}, "Choose one of the listed scenarios."),
        ({"organization": ""}, "Enter the organization or user"),
        ({"organization": "octo-org/octo-repo"}, "without a slash"),
        ({"repository": ""}, "Enter the repository's own name"),
        ({"entity": "planet"}, "Choose one of the listed entity types."),
        ({"entity_value": ""}, "Enter the name of the branch."),
        ({"entity_value": "refs/heads/main"}, "Enter the name alone"),
        ({"entity_value": "release/*"}, "There are no wildcards"),
        ({"name": "a b"}, "The name takes letters"),
        ({"name": ""}, "It takes 3 to 120"),
        ({"audience": ""}, "Enter the audience."),
        ({"description": "a" * 601}, "Shorten it to 600"),
        ({"scenario": "kubernetes", "namespace": "jobs", "service_account": "worker"}, "Enter the issuer."),
        ({"scenario": "kubernetes", "namespace": "Jobs"}, "Enter the namespace in lower case"),
        (
            {"scenario": "identity", "identity": "worker", "identity_issuer": "https://a.example"},
            "Enter the principal",
        ),
        ({"scenario": "other", "issuer": "https://a.example "}, "begins or ends with a space"),
        ({"scenario": "other", "issuer": "https://a.example"}, "Enter the subject identifier."),
        ({"scenario": "other", "issuer": "a.example", "subject": "x"}, "begins with https://"),
        ({"subject": "\x00"}, ""),
        ({"subject": "x" * 5000}, ""),
    ],
)
def test_bad_input_says_what_to_do_and_keeps_what_was_typed(
    signed_in: Client, harbor: Application, typed: dict[str, str], sentence: str
) -> None:
    answer = post(signed_in, harbor, **{"description": "kept words", **typed})
    body = text_of(answer)
    assert answer.status_code == 422
    assert "No federated credential was added." in body
    assert sentence in body
    assert "kept words" in body or "description" in typed
    assert not harbor.federated_credentials.exists()


def test_the_refusal_stands_at_a_field_that_the_scenario_shows(
    signed_in: Client, harbor: Application
) -> None:
    """A twin of a managed identity is told at its principal, not at a field that is hidden."""
    typed = {"scenario": "identity", "identity": PRINCIPAL, "identity_issuer": "https://a.example/v2.0"}
    post(signed_in, harbor, **typed)
    body = text_of(post(signed_in, harbor, **{**typed, "name": "again"}))
    assert 'href="#id_identity">Principal ID: main-branch already trusts' in body


def test_without_script_the_generated_subject_can_be_looked_at(
    signed_in: Client, harbor: Application
) -> None:
    """The button beside the subject stores nothing and keeps what was typed, never a password."""
    sent = {**form(repository=""), "preview": "1", "current_password": PASSWORD}
    body = text_of(signed_in.post(credentials_of(harbor, "/federated/new"), sent))
    assert "repo:octo-org/{repository}:ref:refs/heads/main</output>" in body
    assert 'value="octo-org"' in body
    assert PASSWORD not in body
    assert "was added" not in body
    assert not harbor.federated_credentials.exists()


def test_the_directorys_own_issuer_is_filled_in(
    signed_in: Client, harbor: Application, settings: Any
) -> None:
    """Managed identity: this directory's v2.0 issuer."""
    body = text_of(signed_in.get(credentials_of(harbor, "/federated/new")))
    assert f'value="{settings.AUTHORITY_URL}/{harbor.tenant_id}/v2.0"' in body
    assert f'value="{DEFAULT_AUDIENCE}"' in body


def test_what_is_typed_is_escaped(signed_in: Client, harbor: Application) -> None:
    nasty = '"><script>alert(1)</script>'
    for sent in (form(organization=nasty), {**form(organization=nasty), "preview": "1"}):
        answer = signed_in.post(credentials_of(harbor, "/federated/new"), sent)
        assert b"<script>alert" not in answer.content
    trusted(harbor, subject=nasty, issuer="https://a.example/'x", description=nasty)
    for rest in ("/federated", f"/federated/{harbor.federated_credentials.get().pk}/edit"):
        assert b"<script>alert" not in signed_in.get(credentials_of(harbor, rest)).content


def test_p9_a_stale_sign_in_asks_for_the_password_and_keeps_the_rest(
    signed_in: Client, harbor: Application
) -> None:
    """P9: adding, editing and deleting."""
    row = trusted(harbor)
    age_sign_in(signed_in)
    body = text_of(post(signed_in, harbor, name="other-name"))
    assert "Enter your password" in body
    assert 'value="other-name"' in body
    for act in ("edit", "delete"):
        address = credentials_of(harbor, f"/federated/{row.pk}/{act}")
        assert "current_password" in text_of(signed_in.get(address))
        signed_in.post(address, edited(row))
    assert [each.description for each in harbor.federated_credentials.all()] == [""]
    sent = {**form(name="other-name", subject="else"), "current_password": PASSWORD}
    assert signed_in.post(credentials_of(harbor, "/federated/new"), sent).status_code == 302


def edited(row: FederatedCredential, **typed: str) -> dict[str, str]:
    """The edit form as it is shown, with changes."""
    return {
        "issuer": row.issuer,
        "subject": row.subject,
        "audience": row.audience,
        "description": "changed",
        "version": str(row.version),
        **typed,
    }


def test_editing_changes_all_but_the_name(signed_in: Client, harbor: Application) -> None:
    row = trusted(harbor)
    address = credentials_of(harbor, f"/federated/{row.pk}/edit")
    body = text_of(signed_in.get(address))
    assert f'value="{row.subject}"' in body
    assert 'name="name"' not in body
    answer = signed_in.post(address, {**edited(row, subject="new-subject"), "name": "other-name"})
    assert answer.status_code == 302
    fresh = harbor.federated_credentials.get()
    assert (fresh.name, fresh.subject, fresh.description) == ("main-branch", "new-subject", "changed")
    body = text_of(signed_in.post(address, edited(row, subject="late")))
    assert "changed meanwhile" in body  # C-4: the version is the old one
    assert "late" in body
    assert harbor.federated_credentials.get().subject == "new-subject"
    body = text_of(signed_in.post(address, edited(fresh, issuer="")))
    assert "Enter the issuer." in body
    assert signed_in.post(address, edited(fresh, version="x")).status_code == 422


def test_deleting_says_what_breaks_and_is_for_good(signed_in: Client, harbor: Application) -> None:
    """E-7; the code that its callers will see depends on what stays."""
    row = trusted(harbor)
    address = credentials_of(harbor, f"/federated/{row.pk}/delete")
    assert "It was never used." in text_of(signed_in.get(address))
    SignIn.objects.create(
        at=timezone.now(),
        trace_id=uuid.uuid4(),
        correlation_id=uuid.uuid4(),
        tenant_id=harbor.tenant_id,
        client_id=str(harbor.client_id),
        application_id=harbor.pk,
        credential_id=row.pk,
        address="203.0.113.9",
    )
    assert "will fail, with AADSTS70025" in text_of(signed_in.get(address))
    trusted(harbor, name="elsewhere", issuer="https://a.example")
    assert "will fail, with AADSTS700211" in text_of(signed_in.get(address))
    trusted(harbor, name="by-audience", subject="else", audience="api://else")
    assert "will fail, with AADSTS700212" in text_of(signed_in.get(address))
    trusted(harbor, name="by-subject", subject="other")
    body = text_of(signed_in.get(address))
    assert "will fail, with AADSTS700213" in body
    assert "203.0.113.9" in body
    assert harbor.federated_credentials.count() == 4
    answer = signed_in.post(address)
    assert (answer.status_code, harbor.federated_credentials.count()) == (302, 3)
    assert "Deleted the federated credential main-branch" in text_of(
        signed_in.get(answer.headers["Location"])
    )
    assert signed_in.post(address).status_code == 404


def test_the_entry_leads_to_this_tab_where_it_is_the_only_kind(
    signed_in: Client, harbor: Application
) -> None:
    trusted(harbor)
    answer = signed_in.get(credentials_of(harbor))
    assert answer.headers["Location"] == credentials_of(harbor, "/federated")


def test_overview_and_list_count_it_as_a_credential(signed_in: Client, harbor: Application) -> None:
    """P4: such an application is current, and not without credentials."""
    trusted(harbor)
    overview = text_of(signed_in.get(f"/applications/{harbor.pk}"))
    assert "1 federated credential" in overview
    assert "Federated credentials only" in overview
    assert "No credentials yet" not in overview
    rows = text_of(signed_in.get("/applications"))
    assert "1 federated" in rows
    assert "No credentials" not in rows.split("<table", 1)[1]
    assert "1 federated credential, " in text_of(signed_in.get(f"/applications/{harbor.pk}/delete"))
    export = b"".join(signed_in.get("/applications/export")).decode()
    assert "Federated credentials" in export.splitlines()[0]
    found = text_of(signed_in.get(f"/applications?search={harbor.federated_credentials.get().pk}"))
    assert "1 application found" in found
