"""App registrations: the list, one of them."""

from tests.screenshots import steps as do
from tests.screenshots.picture import Picture, page, panel

PICTURES: list[Picture] = [
    page("applications", "portal:applications"),
    page("applications-first", "portal:applications", person="beginner"),
    page("applications-owned", "portal:applications", query="?tab=owned"),
    page("applications-owned-none", "portal:applications", query="?tab=owned", person="beginner"),
    page("applications-deleted", "portal:applications", query="?tab=deleted"),
    page("applications-deleted-none", "portal:applications", query="?tab=deleted", person="beginner"),
    page("applications-filtered", "portal:applications", query="?status=soon"),
    page("applications-filtered-none", "portal:applications", query="?search=nothing-like-it&status=soon"),
    page("applications-filter-menu", "portal:applications", then=do.open_menu("Status: All")),
    page("applications-account-menu", "portal:applications", then=do.click("button.account")),
    page("applications-drawer", "portal:applications", then=do.open_the_drawer),
    page("application-new", "portal:application_new"),
    page(
        "application-new-error",
        "portal:application_new",
        then=do.after(do.fill(display_name="Kept name", identifier_uri="nonsense"), do.send("Register")),
    ),
    page("application-import", "portal:application_import"),
    page("application-export", "portal:application_export", "harbor"),
    panel("application-restore", "portal:application_restore", "invoice"),
    panel("application-purge", "portal:application_purge", "old"),
    page("overview", "portal:application", "harbor"),
    page("overview-new", "portal:application", "bare"),
    page("overview-disabled", "portal:application", "night"),
    page("overview-no-live-credential", "portal:application", "legacy"),
    page("overview-current", "portal:application", "route"),
    page("overview-federated", "portal:application", "build"),
    page("overview-long", "portal:application", "long"),
    page(
        "overview-registered",
        "portal:application_new",
        then=do.after(do.fill(display_name="Just registered", start_with="nothing"), do.send("Register")),
    ),
    panel("endpoints", "portal:application_endpoints", "harbor"),
    page("properties", "portal:application_properties", "route"),
    page(
        "properties-error",
        "portal:application_properties",
        "route",
        then=do.after(do.fill(display_name=" ", identifier_uri="nonsense"), do.send("Save")),
    ),
    page("owners", "portal:application_owners", "harbor"),
    page("owners-none", "portal:application_owners", "mail"),
    panel("owner-remove", "portal:application_owner_remove", "harbor", "noor"),
    panel("application-disable", "portal:application_disable", "harbor"),
    panel("application-enable", "portal:application_disable", "night"),
    panel("application-delete", "portal:application_delete", "harbor"),
    panel(
        "application-delete-many-callers", "portal:application_delete", "grown/busiest", person="archivist"
    ),
    panel("application-delete-step-up", "portal:application_delete", "harbor", person="stale"),
]
