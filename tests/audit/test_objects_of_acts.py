"""The audit row of an act on a registration names the part of it that it is about, and where it counts."""

from dataclasses import dataclass

import pytest

from credmgr.audit.models import AuditEvent
from credmgr.credentials.federated import add_federated_credential
from credmgr.registrations.app_roles import add_app_role
from credmgr.registrations.directories import create_directory
from credmgr.registrations.models import MULTITENANT, Application, Tenant
from credmgr.registrations.ownership import add_owner, remove_owner
from credmgr.registrations.permissions import permissions_of, request_permissions, revoke_permission
from credmgr.registrations.registering import set_disabled
from credmgr.registrations.service_principals import add_service_principal
from tests import factories
from tests.factories import COMMAND, NOW

pytestmark = pytest.mark.django_db


@dataclass
class Rows:
    """The audit rows of one registration."""

    app: Application

    def newest(self) -> tuple[str, str, str]:
        """(kind, id, name) of what the newest is about."""
        row = self._newest()
        return row.object_type, row.object_id, row.object_name

    def directory(self) -> object:
        """Where the newest counts."""
        return self._newest().tenant_id

    def _newest(self) -> AuditEvent:
        return AuditEvent.objects.filter(application_id=self.app.pk).latest("sequence")


@pytest.fixture
def rows() -> Rows:
    """Of a registration that other directories may use."""
    return Rows(factories.application(sign_in_audience=MULTITENANT))


@pytest.fixture
def contoso(rows: Rows) -> Tenant:
    """Another directory."""
    return create_directory(name="Contoso", domain="contoso", actor=COMMAND, now=NOW)


def test_the_registration_itself(rows: Rows) -> None:
    set_disabled(rows.app, disabled=True, actor=COMMAND, now=NOW)
    assert rows.newest() == ("application", str(rows.app.pk), "Harbor Sync Worker")
    assert rows.directory() == rows.app.tenant_id


def test_an_owner(rows: Rows) -> None:
    kim = factories.person("kim")
    for act in (add_owner, remove_owner):
        act(rows.app, user=kim, actor=COMMAND, now=NOW)
        assert rows.newest() == ("owner", str(kim.pk), "Kim Vale")
        assert rows.directory() == rows.app.tenant_id


def test_a_credential(rows: Rows) -> None:
    secret, _ = factories.secret(rows.app, description="worker")
    assert rows.newest() == ("secret", str(secret.pk), "worker")
    trusted = add_federated_credential(
        rows.app, name="main-branch", issuer="https://ci.example", subject="s", actor=COMMAND, now=NOW
    )
    assert rows.newest() == ("federated-credential", str(trusted.pk), "main-branch")


def test_a_role_and_a_permission_in_two_directories(rows: Rows, contoso: Tenant) -> None:
    """What was asked stands at home, what was granted where it was granted."""
    app = rows.app
    role = add_app_role(
        app, display_name="Read orders", value="Orders.Read", description="x", actor=COMMAND, now=NOW
    )
    assert rows.newest() == ("app-role", str(role.pk), "Read orders")
    request_permissions(app, api_client_id=app.client_id, role_ids=[role.pk], actor=COMMAND, now=NOW)
    permission = ("api-permission", str(app.client_id), "Harbor Sync Worker")
    assert (rows.newest(), rows.directory()) == (permission, app.tenant_id)
    principal, granted = add_service_principal(contoso, client_id=str(app.client_id), actor=COMMAND, now=NOW)
    assert granted
    assert (rows.newest(), rows.directory()) == (permission, contoso.pk)
    entered = AuditEvent.objects.filter(object_type="service-principal").get()
    assert (entered.object_id, entered.object_name) == (str(principal.pk), "Harbor Sync Worker")
    assert entered.tenant_id == contoso.pk
    (there,) = permissions_of(app, contoso.pk)
    revoke_permission(app, permission=there, tenant_id=contoso.pk, actor=COMMAND, now=NOW)
    assert (rows.newest(), rows.directory()) == (permission, contoso.pk)
