"""API permissions, Expose an API, app roles."""

from tests.screenshots import steps as do
from tests.screenshots.picture import Picture, page, panel

PICTURES: list[Picture] = [
    page("api-permissions", "portal:api_permissions", "harbor"),
    page("api-permissions-none", "portal:api_permissions", "bare"),
    page("api-permission-new", "portal:api_permission_new", "harbor"),
    page("api-permission-new-error", "portal:api_permission_new", "bare", then=do.send("Add permissions")),
    panel("api-permissions-grant", "portal:api_permissions_grant", "harbor"),
    panel("api-permission-remove", "portal:api_permission_remove", "harbor", "graph", "graph/User.Read.All"),
    panel("api-permission-revoke", "portal:api_permission_revoke", "harbor", "api", "role/Routes.Read.All"),
    page("expose", "portal:application_expose", "route"),
    page("expose-none", "portal:application_expose", "bare"),
    panel("identifier-uri", "portal:application_identifier_uri", "bare"),
    page("app-roles", "portal:application_roles", "route"),
    page("app-roles-none", "portal:application_roles", "bare"),
    panel("app-role-new", "portal:app_role_new", "route"),
    page("app-role-new-error", "portal:app_role_new", "route", then=do.without_required_marks("Create")),
    panel("app-role", "portal:app_role", "route", "role/Routes.Read.All"),
    panel("app-role-disable", "portal:app_role_enable", "route", "role/Routes.Read.All"),
    panel("app-role-enable", "portal:app_role_enable", "route", "role/Shipments.Read.All"),
    panel("app-role-delete", "portal:app_role_delete", "route", "role/Shipments.Read.All"),
    panel("app-role-delete-enabled", "portal:app_role_delete", "route", "role/Routes.Write"),
]
