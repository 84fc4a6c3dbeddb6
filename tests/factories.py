"""Rows that many tests start from, made by the acts themselves."""

from datetime import UTC, datetime, timedelta
from typing import Any

from credmgr.accounts.models import RoleAssignment, User
from credmgr.accounts.roles import Role
from credmgr.audit.recording import Actor
from credmgr.credentials.client_secrets import add_client_secret
from credmgr.credentials.models import ClientSecret
from credmgr.registrations.directories import ensure_default_tenant
from credmgr.registrations.models import Application, Tenant
from credmgr.registrations.registering import register_application

NOW = datetime(2026, 11, 23, 14, 52, 6, tzinfo=UTC)
COMMAND = Actor.command()


def person(name: str = "robin", *roles: Role, tenant: Tenant | None = None) -> User:
    """A person with that user name: an administrator of everything, unless roles are given."""
    user = User.objects.create_user(name, first_name=name.capitalize(), last_name="Vale")
    give_roles(user, *(roles or (Role.DIRECTORY_ADMINISTRATOR,)), tenant=tenant)
    return user


def give_roles(user: User, *roles: Role, tenant: Tenant | None = None) -> User:
    """Roles in a directory, or everywhere without one."""
    for role in roles:
        RoleAssignment.objects.create(
            user=user, tenant_id=tenant.pk if tenant else None, role=role, created_at=NOW
        )
    return user


def administrator(user: User) -> User:
    """The same person, administering everything."""
    return give_roles(user, Role.DIRECTORY_ADMINISTRATOR)


def actor(user: User) -> Actor:
    """That person acting."""
    return Actor(user.shown_name, user)


def application(display_name: str = "Harbor Sync Worker", **given: Any) -> Application:
    """A registration in the default directory."""
    defaults: dict[str, Any] = {"actor": COMMAND, "now": NOW, "tenant": ensure_default_tenant(NOW)}
    return register_application(display_name=display_name, **(defaults | given))


def secret(app: Application, *, days: float = 180, age: float = 0, **given: Any) -> tuple[ClientSecret, str]:
    """A client secret that ends `days` from NOW and began `age` days before it (both may be negative)."""
    start_at, end_at = NOW - timedelta(days=age), NOW + timedelta(days=days)
    defaults: dict[str, Any] = {
        "description": "worker",
        "allow_past_end": True,
        "actor": COMMAND,
        "now": NOW,
    }
    return add_client_secret(app, start_at=start_at, end_at=end_at, **(defaults | given))
