"""All pages of the portal, in one namespace."""

from credmgr.portal.routes import (
    applications,
    credentials,
    directories,
    enterprise,
    flow_tests,
    logs,
    origins,
    people,
    permissions,
    signing_keys,
    tools,
)

app_name = "portal"

urlpatterns = [
    *applications.urlpatterns,
    *credentials.urlpatterns,
    *permissions.urlpatterns,
    *flow_tests.urlpatterns,
    *directories.urlpatterns,
    *enterprise.urlpatterns,
    *logs.urlpatterns,
    *origins.urlpatterns,
    *signing_keys.urlpatterns,
    *people.urlpatterns,
    *tools.urlpatterns,
]
