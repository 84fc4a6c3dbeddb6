"""Directories: what they may be called, which domains they have, when they may go."""

from datetime import timedelta

import pytest

from credmgr.audit.models import AuditEvent
from credmgr.registrations.deleting import delete_application, purge_application
from credmgr.registrations.directories import (
    add_domain,
    create_directory,
    delete_directory,
    ensure_default_tenant,
    remove_domain,
    rename_directory,
)
from credmgr.registrations.errors import RegistrationError
from credmgr.registrations.models import Application, Tenant, TenantDomain
from credmgr.registrations.queries import directory_or_default, find_directory, named_directories
from credmgr.registrations.registering import register_application
from tests.factories import COMMAND, NOW, application

pytestmark = pytest.mark.django_db


def made(name: str = "Contoso", domain: str = "contoso.onmicrosoft.example") -> Tenant:
    """A second directory, beside the default one."""
    ensure_default_tenant(NOW)
    return create_directory(name=name, domain=domain, actor=COMMAND, now=NOW)


def refusal(code: str) -> "pytest.RaisesExc[RegistrationError]":
    """The act is refused with that code."""
    return pytest.raises(RegistrationError, check=lambda error: error.code == code)


def domains_of(tenant: Tenant) -> list[str]:
    return sorted(TenantDomain.objects.filter(tenant=tenant).values_list("name", flat=True))


def test_a_directory_begins_with_one_initial_domain() -> None:
    tenant = made("  Contoso  ", "  Contoso ")
    assert (tenant.name, tenant.is_default, tenant.is_test) == ("Contoso", False, False)
    assert domains_of(tenant) == ["contoso.onmicrosoft.example"]
    assert TenantDomain.objects.get(tenant=tenant).is_initial
    event = AuditEvent.objects.latest("sequence")
    assert (event.tag, event.tenant_id, event.object_id) == ("directory:created", None, str(tenant.pk))


@pytest.mark.parametrize(
    ("domain", "code"),
    [
        ("", "domain_missing"),
        ("   ", "domain_missing"),
        ("contoso.com", "domain_not_initial"),
        (".onmicrosoft.example", "domain_form"),
        ("onmicrosoft.example", "domain_not_initial"),
        ("a.b.onmicrosoft.example", "domain_not_initial"),
        ("-a.onmicrosoft.example", "domain_form"),
        ("a b", "domain_form"),
        ("kärnten", "domain_not_ascii"),
        ("x" * 64, "domain_form"),
        ("https://contoso.onmicrosoft.example", "domain_is_address"),
        ("null\x00.onmicrosoft.example", "domain_form"),
    ],
)
def test_an_initial_domain_that_cannot_be(domain: str, code: str) -> None:
    with refusal(code):
        made(domain=domain)
    assert Tenant.objects.filter(name="Contoso").count() == 0


@pytest.mark.parametrize("name", ["", "  ", "x" * 121, "line\nbreak", "turned\u202eround"])
def test_a_name_that_cannot_be(name: str) -> None:
    with pytest.raises(RegistrationError) as refused:
        made(name)
    assert refused.value.field == "name"
    tenant = made()
    with pytest.raises(RegistrationError):
        rename_directory(tenant, name=name, expected_version=1, actor=COMMAND, now=NOW)


def test_a_domain_belongs_to_one_directory() -> None:
    tenant = made()
    with refusal("domain_taken"):
        made("Another", "CONTOSO")
    add_domain(tenant, domain="Contoso.COM.", actor=COMMAND, now=NOW)
    other = made("Another", "another")
    with refusal("domain_taken"):
        add_domain(other, domain="contoso.com", actor=COMMAND, now=NOW)
    with refusal("domain_taken"):
        add_domain(tenant, domain="contoso.com", actor=COMMAND, now=NOW)
    assert domains_of(tenant) == ["contoso.com", "contoso.onmicrosoft.example"]


@pytest.mark.parametrize(
    "domain", ["localhost", "10.0.0.1", "a..b", "a_b.org", "x.y", "me@contoso.com", "[::1]", "*.contoso.com"]
)
def test_a_domain_that_cannot_be(domain: str) -> None:
    tenant = made()
    with pytest.raises(RegistrationError) as refused:
        add_domain(tenant, domain=domain, actor=COMMAND, now=NOW)
    assert refused.value.field == "domain"
    assert domains_of(tenant) == ["contoso.onmicrosoft.example"]


def test_a_removed_domain_is_free_and_the_initial_one_stays() -> None:
    tenant = made()
    added = add_domain(tenant, domain="contoso.com", actor=COMMAND, now=NOW)
    remove_domain(tenant, domain=added, actor=COMMAND, now=NOW)
    assert AuditEvent.objects.latest("sequence").changes == {"domain": ["contoso.com", None]}
    with refusal("domain_gone"):
        remove_domain(tenant, domain=added, actor=COMMAND, now=NOW)
    add_domain(ensure_default_tenant(NOW), domain="contoso.com", actor=COMMAND, now=NOW)
    with refusal("domain_initial"):
        remove_domain(tenant, domain=TenantDomain.objects.get(tenant=tenant), actor=COMMAND, now=NOW)


def test_a_rename_counts_once_and_notices_others() -> None:
    tenant = made()
    fresh = rename_directory(tenant, name="Fabrikam", expected_version=1, actor=COMMAND, now=NOW)
    assert (fresh.name, fresh.version) == ("Fabrikam", 2)
    before = AuditEvent.objects.count()
    rename_directory(tenant, name="Fabrikam", expected_version=2, actor=COMMAND, now=NOW)
    assert AuditEvent.objects.count() == before
    with refusal("directory_changed_meanwhile"):
        rename_directory(tenant, name="Third", expected_version=1, actor=COMMAND, now=NOW)


def test_only_an_empty_directory_can_be_deleted() -> None:
    tenant = made()
    app = register_application(tenant=tenant, display_name="Harbor", actor=COMMAND, now=NOW)
    with refusal("directory_not_empty"):
        delete_directory(tenant, actor=COMMAND, now=NOW)
    delete_application(app, actor=COMMAND, now=NOW)
    with pytest.raises(RegistrationError, match="1 deleted registration that can be restored"):
        delete_directory(tenant, actor=COMMAND, now=NOW)
    purge_application(app, actor=COMMAND, now=NOW)
    delete_directory(tenant, actor=COMMAND, now=NOW)
    assert not Tenant.objects.filter(pk=tenant.pk).exists()
    event = AuditEvent.objects.latest("sequence")
    assert (event.tag, event.tenant_id, event.object_name) == ("directory:deleted", None, "Contoso")
    with refusal("directory_deleted"):
        rename_directory(tenant, name="Again", expected_version=1, actor=COMMAND, now=NOW)
    with refusal("directory_deleted"):
        register_application(tenant=tenant, display_name="Late", actor=COMMAND, now=NOW)


def test_what_can_no_longer_be_restored_is_no_obstacle() -> None:
    tenant = made()
    app = register_application(tenant=tenant, display_name="Harbor", actor=COMMAND, now=NOW)
    delete_application(app, actor=COMMAND, now=NOW)
    delete_directory(tenant, actor=COMMAND, now=NOW + timedelta(days=31))
    assert not Application.objects.filter(pk=app.pk).exists()


def test_the_default_directory_stays() -> None:
    with refusal("directory_default"):
        delete_directory(ensure_default_tenant(NOW), actor=COMMAND, now=NOW)


def test_found_by_id_or_domain_in_any_case() -> None:
    tenant = made()
    for text in (str(tenant.pk).upper(), "Contoso.onmicrosoft.example "):
        assert find_directory(text) == tenant
    for text in ("", "contoso", str(application().client_id), "unknown.example"):
        with refusal("directory_unknown"):
            find_directory(text)


def test_a_directory_that_is_gone_is_the_default_one_again() -> None:
    tenant = made()
    assert directory_or_default(tenant.pk) == tenant
    delete_directory(tenant, actor=COMMAND, now=NOW)
    assert directory_or_default(tenant.pk) == ensure_default_tenant(NOW) == directory_or_default(None)


def test_the_menu_lists_by_name_and_no_more_than_asked() -> None:
    made("zulu", "zulu")
    made("Alpha", "alpha")
    everything = Tenant.objects.all()
    assert [each.name for each in named_directories(everything, 9)] == ["Alpha", "Default Directory", "zulu"]
    assert [each.domain for each in named_directories(everything, 1)] == ["alpha.onmicrosoft.example"]
