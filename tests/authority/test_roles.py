"""App roles in tokens, the demand for an assignment, idtyp; and what they cost in statements."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from credmgr.audit.recording import Actor
from credmgr.registrations.app_roles import (
    add_app_role,
    delete_app_role,
    set_app_role_enabled,
    update_app_role,
)
from credmgr.registrations.deleting import delete_application, restore_application
from credmgr.registrations.graph_roles import GRAPH_ROLES
from credmgr.registrations.models import Application, AppRole, AppRoleAssignment, Tenant
from credmgr.registrations.permissions import (
    grant_admin_consent,
    permission_of,
    remove_permission,
    request_permissions,
    revoke_permission,
)
from credmgr.registrations.registering import update_application
from credmgr.registrations.resources import GRAPH_CLIENT_ID
from tests.authority.conftest import Directory
from tests.authority.test_secrets_grant import verified
from tests.authority.test_v1_endpoint import ask_v1

ACTOR = Actor.command()
ORDERS = "api://orders/.default"
GRAPH = {role.value: role.id for role in GRAPH_ROLES}


def role_of(directory: Directory, api: Application, value: str) -> AppRole:
    return add_app_role(
        api, display_name=value, value=value, description=value, actor=ACTOR, now=directory.now
    )


def grant(directory: Directory, api_client_id: uuid.UUID, *role_ids: uuid.UUID) -> None:
    """Ask for it and grant it, as the API permissions page does."""
    request_permissions(
        directory.app, api_client_id=api_client_id, role_ids=role_ids, actor=ACTOR, now=directory.now
    )
    grant_admin_consent(directory.app, actor=ACTOR, now=directory.now)


@pytest.fixture
def orders(directory: Directory) -> Application:
    """An API."""
    return directory.register("Orders API", identifier_uri="api://orders")


def claims_for(directory: Directory, secret: str, scope: str = ORDERS) -> dict[str, Any]:
    version = "1.0" if "graph" in scope else "2.0"
    return verified(directory, directory.ask(client_secret=secret, scope=scope).token, version=version)[1]


def test_granted_roles_are_in_v2_tokens_and_only_for_their_api(
    directory: Directory, secret: str, orders: Application
) -> None:
    """Sorted; another API's token has none."""
    roles = [role_of(directory, orders, value) for value in ("Orders.Write", "Orders.Read")]
    other = directory.register("Other API", identifier_uri="api://other")
    grant(directory, orders.client_id, *(role.pk for role in roles))
    assert claims_for(directory, secret)["roles"] == ["Orders.Read", "Orders.Write"]
    assert "roles" not in claims_for(directory, secret, f"{other.client_id}/.default")
    assert "roles" not in claims_for(directory, secret, "https://graph.microsoft.com/.default")


def test_graph_roles_are_in_v1_tokens_of_both_endpoints(directory: Directory, secret: str) -> None:
    grant(directory, GRAPH_CLIENT_ID, GRAPH["User.Read.All"], GRAPH["Mail.Send"])
    assert claims_for(directory, secret, "https://graph.microsoft.com/.default")["roles"] == [
        "Mail.Send",
        "User.Read.All",
    ]
    _, claims = verified(directory, ask_v1(directory, client_secret=secret).token, version="1.0")
    assert claims["roles"] == ["Mail.Send", "User.Read.All"]
    assert "roles" not in claims_for(directory, secret, f"{directory.app.client_id}/.default")


def test_a_request_alone_gives_nothing(directory: Directory, secret: str, orders: Application) -> None:
    role = role_of(directory, orders, "Orders.Read")
    request_permissions(
        directory.app, api_client_id=orders.client_id, role_ids=[role.pk], actor=ACTOR, now=directory.now
    )
    assert "roles" not in claims_for(directory, secret)


def _revoke(directory: Directory, role: AppRole) -> None:
    permission = permission_of(directory.app, role.application.client_id, role.pk)
    assert permission is not None
    revoke_permission(directory.app, permission=permission, actor=ACTOR, now=directory.now)


def _disable(directory: Directory, role: AppRole) -> None:
    set_app_role_enabled(role, enabled=False, actor=ACTOR, now=directory.now)


def _delete(directory: Directory, role: AppRole) -> None:
    _disable(directory, role)
    delete_app_role(role, actor=ACTOR, now=directory.now)


@pytest.mark.parametrize("taken_away", [_revoke, _disable, _delete])
def test_what_is_taken_away_is_missing_from_the_next_token(
    directory: Directory, secret: str, orders: Application, taken_away: Callable[[Directory, AppRole], None]
) -> None:
    """Decision 10: on the very next request."""
    role = role_of(directory, orders, "Orders.Read")
    grant(directory, orders.client_id, role.pk)
    assert claims_for(directory, secret)["roles"] == ["Orders.Read"]
    taken_away(directory, role)
    assert "roles" not in claims_for(directory, secret)


def test_removing_the_request_leaves_the_grant(
    directory: Directory, secret: str, orders: Application
) -> None:
    """As in Entra: consent stays until it is revoked."""
    role = role_of(directory, orders, "Orders.Read")
    grant(directory, orders.client_id, role.pk)
    permission = permission_of(directory.app, orders.client_id, role.pk)
    assert permission is not None
    remove_permission(directory.app, permission=permission, actor=ACTOR, now=directory.now)
    assert claims_for(directory, secret)["roles"] == ["Orders.Read"]


def test_a_changed_value_is_in_the_next_token(directory: Directory, secret: str, orders: Application) -> None:
    role = role_of(directory, orders, "Orders.Read")
    grant(directory, orders.client_id, role.pk)
    update_app_role(
        role,
        display_name="Read",
        value="Orders.Read.All",
        description="x",
        expected_version=1,
        actor=ACTOR,
        now=directory.now,
    )
    assert claims_for(directory, secret)["roles"] == ["Orders.Read.All"]


def test_grants_survive_a_restore_of_the_api(directory: Directory, secret: str, orders: Application) -> None:
    role = role_of(directory, orders, "Orders.Read")
    grant(directory, orders.client_id, role.pk)
    delete_application(orders, actor=ACTOR, now=directory.now)
    directory.ask(client_secret=secret, scope=ORDERS).refused(400, "invalid_resource", 500011)
    restore_application(orders, actor=ACTOR, now=directory.now)
    assert claims_for(directory, secret)["roles"] == ["Orders.Read"]


def test_a_grant_of_another_directory_counts_only_there(
    directory: Directory, secret: str, orders: Application
) -> None:
    """Each directory grants for itself."""
    role = role_of(directory, orders, "Orders.Read")
    other = Tenant.objects.create(name="Elsewhere", created_at=directory.now)
    AppRoleAssignment.objects.create(
        tenant=other,
        application=directory.app,
        resource_client_id=orders.client_id,
        role_id=role.pk,
        created_at=directory.now,
    )
    assert "roles" not in claims_for(directory, secret)


def _expose(directory: Directory, api: Application, **given: Any) -> None:
    api.refresh_from_db()
    update_application(api, expected_version=api.version, actor=ACTOR, now=directory.now, **given)


def test_a_demand_for_assignment(directory: Directory, secret: str, orders: Application) -> None:
    """501051 names both applications; a granted role satisfies it, a disabled one does not."""
    role = role_of(directory, orders, "Orders.Read")
    _expose(directory, orders, app_role_assignment_required=True)
    text = directory.ask(client_secret=secret, scope=ORDERS).refused(400, "invalid_grant", 501051)
    for shown in (directory.app.client_id, "Harbor Sync Worker", orders.client_id, "Orders API"):
        assert f"'{shown}'" in text
    assert directory.last_sign_in().error_code == 501051
    ask_v1(directory, client_secret=secret, resource="api://orders").refused(400, "invalid_grant", 501051)
    grant(directory, orders.client_id, role.pk)
    assert claims_for(directory, secret)["roles"] == ["Orders.Read"]
    _disable(directory, role)
    directory.ask(client_secret=secret, scope=ORDERS).refused(400, "invalid_grant", 501051)
    _expose(directory, orders, app_role_assignment_required=False)
    assert "roles" not in claims_for(directory, secret)


def test_roles_of_another_api_do_not_satisfy_the_demand(
    directory: Directory, secret: str, orders: Application
) -> None:
    _expose(directory, orders, app_role_assignment_required=True)
    grant(directory, GRAPH_CLIENT_ID, GRAPH["User.Read.All"])
    directory.ask(client_secret=secret, scope=ORDERS).refused(400, "invalid_grant", 501051)


def test_the_demand_is_the_last_check(directory: Directory, secret: str, orders: Application) -> None:
    """W1: credential, scope and the resource's state come before it."""
    _expose(directory, orders, app_role_assignment_required=True)
    directory.ask(client_secret="wrong", scope=ORDERS).refused(401, "invalid_client", 7000215)
    directory.ask(client_secret=secret, scope="api://orders").refused(400, "invalid_scope", 1002012)
    type(orders).objects.filter(pk=orders.pk).update(is_disabled=True)
    directory.ask(client_secret=secret, scope=ORDERS).refused(400, "invalid_resource", 500014)


def test_idtyp_is_the_resources_choice(directory: Directory, secret: str, orders: Application) -> None:
    """Optional claims for access tokens are set on the resource."""
    assert "idtyp" not in claims_for(directory, secret)
    _expose(directory, orders, includes_idtyp=True)
    assert claims_for(directory, secret)["idtyp"] == "app"
    assert "idtyp" not in claims_for(directory, secret, "https://graph.microsoft.com/.default")


def _statements(directory: Directory, secret: str, scope: str) -> int:
    directory.ask(client_secret=secret, scope=scope)
    with CaptureQueriesContext(connection) as queries:
        assert directory.ask(client_secret=secret, scope=scope).status == 200
    return len(queries)


def test_statements_a_token_takes(directory: Directory, secret: str, orders: Application) -> None:
    """Two without any grant (look up, record), one more where something was granted; a registration as
    the resource costs one of its own.
    """
    graph = "https://graph.microsoft.com/.default"
    assert (_statements(directory, secret, graph), _statements(directory, secret, ORDERS)) == (2, 3)
    grant(directory, GRAPH_CLIENT_ID, *list(GRAPH.values())[:20])
    assert (_statements(directory, secret, graph), _statements(directory, secret, ORDERS)) == (3, 4)
