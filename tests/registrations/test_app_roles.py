"""App roles and API permissions: what may be defined, asked for, granted; each act with its audit row."""

import uuid
from typing import Any

import pytest

from credmgr.audit.models import AuditEvent
from credmgr.registrations.api_roles import apis_of
from credmgr.registrations.app_roles import (
    ROLES_MAX,
    add_app_role,
    app_roles_of,
    clean_value,
    delete_app_role,
    set_app_role_enabled,
    update_app_role,
)
from credmgr.registrations.deleting import delete_application, purge_application
from credmgr.registrations.errors import RegistrationError, RegistrationNotFoundError
from credmgr.registrations.graph_roles import GRAPH_ROLES
from credmgr.registrations.models import Application, AppRole, AppRoleAssignment, RequestedPermission
from credmgr.registrations.permissions import (
    REQUESTED_MAX,
    Permission,
    grant_admin_consent,
    permission_of,
    permissions_of,
    remove_permission,
    request_permissions,
    revoke_permission,
)
from credmgr.registrations.resources import GRAPH_CLIENT_ID
from tests.factories import COMMAND, NOW, application

pytestmark = pytest.mark.django_db
BY: dict[str, Any] = {"actor": COMMAND, "now": NOW}
GRAPH = {role.value: role.id for role in GRAPH_ROLES}


def role(api: Application, value: str = "Orders.Read", **given: Any) -> AppRole:
    texts = {"display_name": "Read orders", "description": "Read every order."}
    return add_app_role(api, value=value, **{**texts, **given}, **BY)


def ask(app: Application, *roles: AppRole) -> None:
    for each in roles:
        request_permissions(app, api_client_id=each.application.client_id, role_ids=[each.pk], **BY)


def permission(app: Application, each: AppRole) -> Permission:
    found = permission_of(app, each.application.client_id, each.pk)
    assert found is not None
    return found


def last_event() -> AuditEvent:
    event = AuditEvent.objects.order_by("-sequence").first()
    assert event is not None
    return event


@pytest.mark.parametrize(
    "value", ["a", "Orders.Read.All", "x" * 120, "Ünsinn"[1:], "a:b/c-d_e!#$%&'()*+,;=?@[]^`{|}~"]
)
def test_values_that_may_be(value: str) -> None:
    assert clean_value(f" {value} ") == value


@pytest.mark.parametrize(
    "value",
    ["", "  ", "two words", "a\tb", ".dot", "x" * 121, "ä", 'a"b', "a<b", "a\\b", "a\x00b", "a\u200bb"],
)
def test_values_that_may_not_be(value: str) -> None:
    with pytest.raises(RegistrationError) as refused:
        clean_value(value)
    assert refused.value.field == "value"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("display_name", " "),
        ("display_name", "x" * 101),
        ("display_name", "a\nb"),
        ("display_name", "a\u202eb"),
        ("description", ""),
        ("description", "x" * 1025),
        ("description", "a\x07"),
    ],
)
def test_texts_that_may_not_be(field: str, text: str) -> None:
    with pytest.raises(RegistrationError) as refused:
        role(application(), **{field: text})
    assert refused.value.field == field
    assert not AppRole.objects.exists()


def test_a_value_stands_once_among_enabled_roles() -> None:
    """Also when a disabled one is enabled, or another is given the value."""
    api = application()
    first = role(api)
    with pytest.raises(RegistrationError, match=r"Orders\.Read") as refused:
        role(api)
    assert refused.value.code == "role_value_taken"
    second = role(api, is_enabled=False)
    with pytest.raises(RegistrationError):
        set_app_role_enabled(second, enabled=True, **BY)
    third = role(api, "Orders.Write")
    with pytest.raises(RegistrationError):
        update_app_role(
            third, display_name="x", value="Orders.Read", description="x", expected_version=1, **BY
        )
    set_app_role_enabled(first, enabled=False, **BY)
    assert set_app_role_enabled(second, enabled=True, **BY).is_enabled
    role(application("Other API"))


def test_the_constraint_holds_where_the_check_came_too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """C-1: a parallel request was faster; the person reads the same sentence."""
    api = application()
    role(api)
    monkeypatch.setattr("credmgr.registrations.app_roles._refuse_taken_value", lambda _role: None)
    with pytest.raises(RegistrationError) as refused:
        role(api)
    assert refused.value.code == "role_value_taken"


def test_each_act_leaves_a_row() -> None:
    api = application()
    made = role(api)
    event = last_event()
    assert (event.tag, event.object_id, event.application_id) == (
        "application:app-role:added",
        str(made.pk),
        api.pk,
    )
    changed = update_app_role(
        made, display_name="Read", value="Orders.Read", description="Read.", expected_version=1, **BY
    )
    assert last_event().changes == {
        "displayName": ["Read orders", "Read"],
        "description": ["Read every order.", "Read."],
    }
    update_app_role(
        changed, display_name="Read", value="Orders.Read", description="Read.", expected_version=2, **BY
    )
    assert last_event().tag == "application:app-role:updated", "no change, no row"
    assert AuditEvent.objects.filter(tag="application:app-role:updated").count() == 1
    set_app_role_enabled(changed, enabled=False, **BY)
    set_app_role_enabled(changed, enabled=False, **BY)
    assert AuditEvent.objects.filter(tag="application:app-role:disabled").count() == 1
    delete_app_role(changed, **BY)
    assert last_event().tag == "application:app-role:deleted"
    assert not AppRole.objects.exists()


def test_an_enabled_role_is_not_deleted() -> None:
    made = role(application())
    with pytest.raises(RegistrationError, match="Disable it first"):
        delete_app_role(made, **BY)
    assert AppRole.objects.filter(pk=made.pk).exists()


def test_a_lost_update_is_refused() -> None:
    """C-4."""
    made = role(application())
    texts: dict[str, Any] = {"display_name": "A", "value": "A", "description": "A"}
    update_app_role(made, **texts, expected_version=1, **BY)
    with pytest.raises(RegistrationError) as refused:
        update_app_role(made, **texts, expected_version=1, **BY)
    assert refused.value.code == "role_changed_meanwhile"


def test_acts_on_what_is_gone() -> None:
    api = application()
    made = role(api)
    AppRole.objects.all().delete()
    with pytest.raises(RegistrationNotFoundError):
        set_app_role_enabled(made, enabled=False, **BY)
    delete_application(api, **BY)
    with pytest.raises(RegistrationNotFoundError):
        role(api)


def test_roles_have_a_limit() -> None:
    api = application()
    AppRole.objects.bulk_create(
        AppRole(application=api, display_name="x", value=f"v{number}", description="x", created_at=NOW)
        for number in range(ROLES_MAX)
    )
    with pytest.raises(RegistrationError, match="200"):
        role(api)


def test_graph_ids_are_the_published_ones() -> None:
    """Written down a second time, from Microsoft's permissions reference."""
    assert {str(GRAPH[value]): value for value in ("User.Read.All", "Mail.Send", "Sites.Selected")} == {
        "df021288-bdef-4463-88db-98f22de89214": "User.Read.All",
        "b633e1c5-b582-4048-a93e-9f11b44c7e96": "Mail.Send",
        "883ea226-0bf2-4a8f-9f9d-92c9162a727d": "Sites.Selected",
    }
    assert str(GRAPH["Application.ReadWrite.All"]) == "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9"
    assert str(GRAPH["Application.ReadWrite.OwnedBy"]) == "18a4783c-866b-4cc7-a460-3d5e5662c884"
    assert str(GRAPH["Application.Read.All"]) == "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30"
    assert (
        len({each.id for each in GRAPH_ROLES})
        == len({each.value for each in GRAPH_ROLES})
        == len(GRAPH_ROLES)
    )


def test_the_apis_to_ask_for(django_assert_num_queries: Any) -> None:
    """Microsoft Graph first; registrations with an enabled role; one query."""
    api = application("Orders API")
    role(api)
    role(application("Closed API"), is_enabled=False)
    gone = application("Gone API")
    role(gone)
    delete_application(gone, **BY)
    with django_assert_num_queries(1):
        found = apis_of(api.tenant_id)
    assert [each.name for each in found] == ["Microsoft Graph", "Orders API"]
    assert len(found[0].roles) == len(GRAPH_ROLES)


def test_asking_granting_revoking() -> None:
    """Each step with its row; asking twice is asking once."""
    app, api = application(), application("Orders API")
    made = role(api)
    ask(app, made, made)
    assert AuditEvent.objects.filter(tag="application:permission:requested").count() == 1
    assert RequestedPermission.objects.count() == 1
    assert permission(app, made).can_be_granted
    assert [each.value for each in grant_admin_consent(app, **BY)] == ["Orders.Read"]
    event = last_event()
    assert (event.tag, event.object_name, event.changes) == (
        "application:permission:granted",
        "Orders API",
        {"roles": [None, ["Orders.Read"]]},
    )
    assert grant_admin_consent(app, **BY) == []
    granted = permission(app, made)
    assert (granted.granted_at, granted.granted_by, granted.can_be_granted) == (NOW, COMMAND.name, False)
    remove_permission(app, permission=granted, **BY)
    assert last_event().tag == "application:permission:removed"
    left = permission(app, made)
    assert (left.is_requested, left.granted_at) == (False, NOW)
    revoke_permission(app, permission=left, **BY)
    assert last_event().changes == {"roles": [["Orders.Read"], None]}
    assert permissions_of(app) == []
    for act in (remove_permission, revoke_permission):
        with pytest.raises(RegistrationError):
            act(app, permission=left, **BY)


def test_what_cannot_be_asked_for() -> None:
    """Nothing is stored when one of several is wrong: unknown, disabled, of another API."""
    app, api, other = application(), application("Orders API"), application("Other API")
    good, closed, foreign = role(api), role(api, "Closed", is_enabled=False), role(other)
    for bad in (uuid.uuid4(), closed.pk, foreign.pk, GRAPH["Mail.Send"]):
        with pytest.raises(RegistrationError):
            request_permissions(app, api_client_id=api.client_id, role_ids=[good.pk, bad], **BY)
    with pytest.raises(RegistrationError, match="at least one"):
        request_permissions(app, api_client_id=api.client_id, role_ids=[], **BY)
    assert not RequestedPermission.objects.exists()


def test_permissions_have_a_limit() -> None:
    app = application()
    RequestedPermission.objects.bulk_create(
        RequestedPermission(
            application=app, resource_client_id=uuid.uuid4(), role_id=uuid.uuid4(), created_at=NOW
        )
        for _ in range(REQUESTED_MAX)
    )
    with pytest.raises(RegistrationError, match="400"):
        request_permissions(app, api_client_id=GRAPH_CLIENT_ID, role_ids=[GRAPH["Mail.Send"]], **BY)


def test_disabled_and_vanished_roles_are_left_out_of_consent() -> None:
    app, api, gone = application(), application("Orders API"), application("Gone API")
    disabled, vanished = role(api), role(gone)
    ask(app, disabled, vanished)
    set_app_role_enabled(disabled, enabled=False, **BY)
    delete_application(gone, **BY)
    assert grant_admin_consent(app, **BY) == []
    rows = permissions_of(app)
    assert [each.role is None for each in rows] == [False, True], "what has vanished stands last"


def test_deleting_a_role_takes_its_grants_along() -> None:
    app, api = application(), application("Orders API")
    made, kept = role(api), role(api, "Orders.Write")
    ask(app, made, kept)
    grant_admin_consent(app, **BY)
    assert [each.holders for each in app_roles_of(api)] == [1, 1]
    set_app_role_enabled(made, enabled=False, **BY)
    delete_app_role(made, **BY)
    assert [each.role and each.role.value for each in permissions_of(app)] == ["Orders.Write"]


def test_purging_an_api_takes_its_grants_along() -> None:
    app, api = application(), application("Orders API")
    ask(app, role(api))
    grant_admin_consent(app, **BY)
    delete_application(api, **BY)
    purge_application(api, **BY)
    assert not RequestedPermission.objects.exists()
    assert not AppRoleAssignment.objects.exists()
    assert permissions_of(app) == []
