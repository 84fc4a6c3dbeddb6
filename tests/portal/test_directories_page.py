"""Directories: the list, switching, creating, renaming, domains, deleting."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from credmgr.accounts import sessions
from credmgr.accounts.models import User
from credmgr.audit.models import AuditEvent
from credmgr.audit.recording import Actor
from credmgr.registrations.directories import create_directory, delete_directory
from credmgr.registrations.models import Application, Tenant, TenantDomain
from tests.portal.conftest import BACKEND, PASSWORD, UNKNOWN
from tests.portal.questions import assert_asks_for_sign_in, assert_refuses_methods

pytestmark = pytest.mark.django_db
CURRENT = re.compile(r'<button[^>]*name="directory" value="([^"]+)" aria-current="true">')


@pytest.fixture
def contoso(directory: Tenant) -> Tenant:
    """A second, empty directory."""
    return create_directory(name="Contoso", domain="contoso", actor=Actor.command(), now=timezone.now())


def switch(client: Client, tenant: Tenant) -> Any:
    return client.post("/directories/switch", {"directory": str(tenant.pk)})


def current(client: Client) -> str:
    """The directory that the top bar's menu has checked."""
    found = CURRENT.findall(client.get("/help").content.decode())
    assert len(found) == 1
    return str(found[0])


def make_stale(client: Client) -> None:
    """The password was given too long ago."""
    session = client.session
    session[sessions.CONFIRMED_AT] = (timezone.now() - timedelta(hours=1)).timestamp()
    session.save()


def test_questions_every_page_is_asked(signed_in: Client, contoso: Tenant) -> None:
    one = f"/directories/{contoso.pk}"
    added = TenantDomain.objects.create(tenant=contoso, name="contoso.example")
    pages = [f"{one}/rename", f"{one}/domains/new", f"{one}/domains/{added.pk}/remove", f"{one}/delete"]
    for address in ["/directories", "/directories/new", one, *pages]:
        assert_asks_for_sign_in(address)
        assert signed_in.get(address).status_code == 200
        assert_refuses_methods(signed_in, address, ["PUT", "DELETE"])
        unknown = address.replace(str(contoso.pk), str(UNKNOWN))
        if unknown != address:
            assert signed_in.get(unknown).status_code == 404
    assert_refuses_methods(signed_in, "/directories/switch", ["GET", "PUT"])
    assert Client().post("/directories/switch", {"directory": str(contoso.pk)}).status_code == 302
    assert User.objects.get().last_directory_id is None


def test_one_works_in_the_default_directory_at_first(
    signed_in: Client, contoso: Tenant, directory: Tenant
) -> None:
    assert current(signed_in) == str(directory.pk)


def test_switching_leads_to_the_registrations_there(
    signed_in: Client, contoso: Tenant, directory: Tenant, harbor: Application
) -> None:
    assert b"Harbor Sync Worker" in signed_in.get("/applications").content
    answer = switch(signed_in, contoso)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/applications")
    assert current(signed_in) == str(contoso.pk)
    page = signed_in.get("/applications").content
    assert b"Harbor Sync Worker" not in page
    assert b"No applications yet" in page
    assert signed_in.get(f"/applications/{harbor.pk}").status_code == 404
    switch(signed_in, directory)
    assert signed_in.get(f"/applications/{harbor.pk}").status_code == 200


def test_what_is_registered_belongs_to_the_directory_in_use(signed_in: Client, contoso: Tenant) -> None:
    switch(signed_in, contoso)
    form = {"display_name": "Payroll", "sign_in_audience": "AzureADMyOrg", "directory": str(contoso.pk)}
    assert signed_in.post("/applications/new", form).status_code == 302
    assert Application.objects.get(display_name="Payroll").tenant == contoso
    assert b"Payroll" in signed_in.get("/audit").content
    assert b"Payroll" in signed_in.get("/applications/export").getvalue()


def test_a_form_opened_before_switching_makes_nothing_elsewhere(
    signed_in: Client, contoso: Tenant, directory: Tenant
) -> None:
    opened = signed_in.get("/applications/new").context["form"]["directory"].value()
    switch(signed_in, contoso)
    form = {"display_name": "Payroll", "sign_in_audience": "AzureADMyOrg", "directory": str(opened)}
    answer = signed_in.post("/applications/new", form)
    assert answer.status_code == 422
    assert b"You switched to the directory Contoso since this form was opened." in answer.content
    assert b'value="Payroll"' in answer.content
    assert Application.objects.count() == 0
    again = {**form, "directory": str(answer.context["form"]["directory"].value())}
    assert signed_in.post("/applications/new", again).status_code == 302
    assert Application.objects.get().tenant == contoso


def test_the_directory_is_the_sessions_own_and_remembered_for_the_next(
    signed_in: Client, contoso: Tenant, person: User, directory: Tenant
) -> None:
    other = Client()
    other.force_login(person, backend=BACKEND)
    switch(signed_in, contoso)
    assert current(other) == str(directory.pk), "another browser stays where it is"
    later = Client()
    later.post("/account/login", {"login": "robin", "password": PASSWORD})
    assert current(later) == str(contoso.pk)


def test_a_directory_deleted_meanwhile_is_the_default_one_again(
    signed_in: Client, contoso: Tenant, directory: Tenant
) -> None:
    switch(signed_in, contoso)
    delete_directory(contoso, actor=Actor.command(), now=timezone.now())
    assert current(signed_in) == str(directory.pk)
    assert signed_in.get("/applications").status_code == 200


@pytest.mark.parametrize("wanted", ["", "nonsense", str(UNKNOWN), "\x00"])
def test_switching_to_nothing_changes_nothing(signed_in: Client, directory: Tenant, wanted: str) -> None:
    answer = signed_in.post("/directories/switch", {"directory": wanted}, follow=True)
    assert b"That directory is not there any more." in answer.content
    assert current(signed_in) == str(directory.pk)


def test_the_list_has_what_tells_directories_apart(
    signed_in: Client, contoso: Tenant, harbor: Application, django_assert_max_num_queries: Any
) -> None:
    Tenant.objects.filter(pk=contoso.pk).update(is_test=True)
    rows = {row.tenant.name: row for row in signed_in.get("/directories").context["rows"]}
    assert (rows["Contoso"].primary_domain, rows["Contoso"].registrations) == (
        "contoso.onmicrosoft.example",
        0,
    )
    assert rows["Default Directory"].registrations == 1
    body = signed_in.get("/directories").content.decode()
    assert str(contoso.pk) in body
    assert '<span class="badge badge-warn">Test</span>' in body
    assert f'aria-label="Switch to {contoso.name}"' in body
    assert 'aria-label="Switch to Default Directory"' not in body
    for number in range(60):
        tenant = Tenant.objects.create(name=f"Branch {number:02}", created_at=timezone.now())
        TenantDomain.objects.create(tenant=tenant, name=f"b{number}.onmicrosoft.example", is_initial=True)
    with django_assert_max_num_queries(10):
        first = signed_in.get("/directories")
    assert len(first.context["rows"]) == 50
    second = signed_in.get(first.context["next_address"])
    assert len(second.context["rows"]) == 12
    for nonsense in ("?page=abc", "?page=-1", "?page=99999999999"):
        assert signed_in.get(f"/directories{nonsense}").status_code == 200


def test_a_directory_is_created(signed_in: Client, directory: Tenant) -> None:
    answer = signed_in.post("/directories/new", {"name": "Fabrikam", "domain": "Fabrikam"})
    made = Tenant.objects.get(name="Fabrikam")
    assert answer.headers["Location"] == f"/directories/{made.pk}"
    body = signed_in.get(f"/directories/{made.pk}").content.decode()
    assert "fabrikam.onmicrosoft.example" in body
    assert str(made.pk) in body
    assert current(signed_in) == str(directory.pk), "creating is not switching"
    assert AuditEvent.objects.latest("sequence").actor_name == "Robin Vale"
    assert b"Directory created" in signed_in.get("/audit").content


def test_what_was_typed_is_kept_when_it_is_refused(signed_in: Client, contoso: Tenant) -> None:
    answer = signed_in.post("/directories/new", {"name": "Second", "domain": "contoso"})
    assert answer.status_code == 422
    body = answer.content.decode()
    assert "The directory Contoso has the domain contoso.onmicrosoft.example already." in body
    assert 'value="Second"' in body
    assert 'value="contoso"' in body
    assert Tenant.objects.filter(name="Second").count() == 0


@pytest.mark.parametrize(
    ("page", "form"),
    [
        ("/directories/new", {"name": "Second", "domain": "second"}),
        ("/directories/{}/domains/new", {"domain": "contoso.com"}),
        ("/directories/{}/delete", {}),
    ],
)
def test_sensitive_acts_ask_for_the_password_again(
    signed_in: Client, contoso: Tenant, page: str, form: dict[str, str]
) -> None:
    address = page.format(contoso.pk)
    make_stale(signed_in)
    before = (Tenant.objects.count(), TenantDomain.objects.count())
    refused = signed_in.post(address, form)
    assert refused.status_code == 422
    assert b"Enter your password" in refused.content
    for typed in form.values():
        assert f'value="{typed}"'.encode() in refused.content
    assert (Tenant.objects.count(), TenantDomain.objects.count()) == before
    done = signed_in.post(address, {**form, "current_password": PASSWORD})
    assert done.status_code == 302
    assert (Tenant.objects.count(), TenantDomain.objects.count()) != before


def test_a_directory_is_renamed(signed_in: Client, contoso: Tenant) -> None:
    address = f"/directories/{contoso.pk}/rename"
    assert signed_in.post(address, {"name": "Fabrikam", "version": "1"}).status_code == 302
    assert b"Fabrikam" in signed_in.get("/directories").content
    late = signed_in.post(address, {"name": "Third", "version": "1"})
    assert late.status_code == 422
    assert b"This directory was changed meanwhile" in late.content
    assert b'value="Third"' in late.content
    for version in ("", "x", "-1", "99999999999999"):
        assert signed_in.post(address, {"name": "Third", "version": version}).status_code == 422


def test_domains_come_and_go_but_for_the_initial_one(signed_in: Client, contoso: Tenant) -> None:
    one = f"/directories/{contoso.pk}"
    assert signed_in.post(f"{one}/domains/new", {"domain": "Contoso.com"}).status_code == 302
    added = TenantDomain.objects.get(name="contoso.com")
    initial = TenantDomain.objects.get(tenant=contoso, is_initial=True)
    page = signed_in.get(one).content.decode()
    assert f"{one}/domains/{added.pk}/remove" in page
    assert f"{one}/domains/{initial.pk}/remove" not in page
    assert signed_in.post(f"{one}/domains/{initial.pk}/remove").status_code == 404
    assert signed_in.post(f"{one}/domains/{added.pk}/remove").status_code == 302
    assert signed_in.get(f"{one}/domains/{added.pk}/remove").status_code == 404
    refused = signed_in.post(f"{one}/domains/new", {"domain": "no domain"})
    assert refused.status_code == 422
    assert b'value="no domain"' in refused.content


def test_another_directorys_domain_is_not_removed_here(
    signed_in: Client, contoso: Tenant, directory: Tenant
) -> None:
    theirs = TenantDomain.objects.create(tenant=directory, name="default.example")
    assert signed_in.post(f"/directories/{contoso.pk}/domains/{theirs.pk}/remove").status_code == 404
    assert TenantDomain.objects.filter(pk=theirs.pk).exists()


def test_an_empty_directory_is_deleted_and_others_are_not(
    signed_in: Client, contoso: Tenant, directory: Tenant, foreign: Application
) -> None:
    for tenant, reason in ((directory, b"default directory"), (foreign.tenant, b"It is not empty.")):
        address = f"/directories/{tenant.pk}/delete"
        assert reason in signed_in.get(address).content
        assert b"btn-danger" not in signed_in.get(address).content
        assert signed_in.post(address).status_code == 422
    answer = signed_in.post(f"/directories/{contoso.pk}/delete")
    assert answer.headers["Location"] == "/directories"
    assert not Tenant.objects.filter(pk=contoso.pk).exists()
    assert b"Directory deleted" in signed_in.get("/audit").content


def test_the_navigation_marks_the_directory_in_use_and_others_apart(
    signed_in: Client, contoso: Tenant, directory: Tenant
) -> None:
    marked = r'<a class="nav-item" data-name="([^"]+)"[^>]*aria-current="page"'
    for tenant, entry in ((directory, "directory"), (contoso, "directories")):
        body = signed_in.get(f"/directories/{tenant.pk}").content.decode()
        assert re.findall(marked, body) == [entry]


def test_the_menu_has_the_directory_in_use_however_many_there_are(
    signed_in: Client, directory: Tenant
) -> None:
    for number in range(30):
        tenant = Tenant.objects.create(name=f"A {number:02}", created_at=timezone.now())
    last = Tenant.objects.create(name="Zulu", created_at=timezone.now())
    switch(signed_in, last)
    assert current(signed_in) == str(last.pk)
    assert str(tenant.pk) not in signed_in.get("/help").content.decode()
