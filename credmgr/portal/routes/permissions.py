"""Addresses: Expose an API, App roles, API permissions."""

from django.urls import URLPattern, path

from credmgr.portal.views import api_permissions, app_roles, exposing

_ONE = "applications/<uuid:application_id>"
_ROLE = f"{_ONE}/app-roles/<uuid:role_id>"
_PERMISSION = f"{_ONE}/api-permissions/<uuid:api_id>/<uuid:role_id>"

urlpatterns: list[URLPattern] = [
    path(f"{_ONE}/expose-an-api", exposing.application_expose, name="application_expose"),
    path(f"{_ONE}/expose-an-api/uri", exposing.application_identifier_uri, name="application_identifier_uri"),
    path(f"{_ONE}/app-roles", app_roles.application_roles, name="application_roles"),
    path(f"{_ONE}/app-roles/new", app_roles.app_role_new, name="app_role_new"),
    path(_ROLE, app_roles.app_role, name="app_role"),
    path(f"{_ROLE}/enable", app_roles.app_role_enable, name="app_role_enable"),
    path(f"{_ROLE}/delete", app_roles.app_role_delete, name="app_role_delete"),
    path(f"{_ONE}/api-permissions", api_permissions.api_permissions, name="api_permissions"),
    path(f"{_ONE}/api-permissions/new", api_permissions.api_permission_new, name="api_permission_new"),
    path(
        f"{_ONE}/api-permissions/grant", api_permissions.api_permissions_grant, name="api_permissions_grant"
    ),
    path(f"{_PERMISSION}/remove", api_permissions.api_permission_remove, name="api_permission_remove"),
    path(f"{_PERMISSION}/revoke", api_permissions.api_permission_revoke, name="api_permission_revoke"),
]
