"""Rows of the API permissions page: a permission with its state in words."""

from collections.abc import Iterable
from dataclasses import dataclass

from credmgr.registrations.permissions import Permission


@dataclass(frozen=True)
class PermissionRow:
    """A permission for people. words, tone: of its state; is_first: the first row of its API."""

    permission: Permission
    api_name: str
    value: str
    description: str
    words: str
    tone: str
    is_first: bool


def rows_of(permissions: Iterable[Permission], tenant_name: str) -> list[PermissionRow]:
    """One row each, in the order given. tenant_name: the directory that consent is for."""
    rows: list[PermissionRow] = []
    last = None
    for permission in permissions:
        words, tone = _state(permission, tenant_name)
        role = permission.role
        rows.append(
            PermissionRow(
                permission=permission,
                api_name=role.api_name if role else "An API that is not there any more",
                value=role.value if role else str(permission.role_id),
                description=_description(permission),
                words=words,
                tone=tone,
                is_first=(permission.api_client_id, role is None) != last,
            )
        )
        last = (permission.api_client_id, role is None)
    return rows


def _description(permission: Permission) -> str:
    role = permission.role
    if role is None:
        return "The API or its app role was deleted. Remove the permission, or restore the API."
    return role.name or role.description


def _state(permission: Permission, tenant_name: str) -> tuple[str, str]:
    role = permission.role
    if role is None:
        return "No effect", "none"
    if not permission.is_available:
        return f"API not known in {tenant_name}", "none"
    if not role.is_enabled:
        granted = "Granted, but" if permission.granted_at else "Not granted;"
        return f"{granted} the app role is disabled", "none"
    if permission.granted_at:
        return f"Granted for {tenant_name}", "ok"
    return f"Not granted for {tenant_name}", "warn"
