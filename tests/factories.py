"""Rows that many tests start from, made by the acts themselves."""

from datetime import UTC, datetime, timedelta
from typing import Any

from credmgr.accounts.models import RoleAssignment, User
from credmgr.accounts.roles import Role
from credmgr.audit.recording import Actor
from credmgr.credentials.client_secrets import add_client_secret
from credmgr.credentials.existing_secrets import add_existing_secret
from credmgr.credentials.models import ClientSecret
from credmgr.registrations.directories import ensure_default_tenant
from credmgr.registrations.models import Application, Tenant
from credmgr.registrations.places import entra_place, oidc_place
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


def elsewhere(display_name: str = "Ledger Export", **given: Any) -> Application:
    """A registration that lives in a tenant of Entra, or at `issuer`."""
    client_id = given.pop("client_id", "6f2f4a6e-9f2c-4d0b-8a51-1c6f3f0a7e11")
    if issuer := given.pop("issuer", ""):
        place = oidc_place(issuer=issuer, client_id=client_id)
    else:
        cloud, tenant = given.pop("cloud", "public"), given.pop("tenant_name", "contoso.onmicrosoft.com")
        place = entra_place(cloud=cloud, tenant=tenant, client_id=client_id)
    return application(display_name, place=place, **given)


PASTED = "p.8Q~canary-of-another-authority_0123456"


def pasted(app: Application, *, days: float | None = None, age: float = 0, **given: Any) -> ClientSecret:
    """A pasted secret that ends `days` from NOW, or nobody knows when; it began `age` days before NOW."""
    end_at = None if days is None else NOW + timedelta(days=days)
    defaults: dict[str, Any] = {
        "value": PASTED,
        "description": "pasted",
        "start_at": NOW - timedelta(days=age),
        "end_at": end_at,
        "allow_past_end": True,
        "actor": COMMAND,
        "now": NOW,
    }
    return add_existing_secret(app, **(defaults | given))


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
