"""Which pages stand in the menus: the main one, and that of an application."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """A page that may stand in a menu. name: of its address; also: where else it counts as current."""

    name: str
    label: str
    icon: str
    also: tuple[str, ...] = ()


# Pages under headings; the first group has none.
Menu = tuple[tuple[str, tuple[Page, ...]], ...]

# What the built-in authority does with a registration; one that lives elsewhere has no such pages.
BUILT_IN_ONLY = ("api_permissions", "application_expose", "application_roles", "application_sign_ins")
# Pages of one directory take its id in their address, those of the one in use may do without.
MAIN: Menu = (
    (
        "",
        (
            Page("applications", "App registrations", "apps", ("application_new", "application_import")),
            Page(
                "enterprise_applications",
                "Enterprise applications",
                "app",
                (
                    "enterprise_application",
                    "enterprise_application_enable",
                    "enterprise_application_remove",
                    "enterprise_application_grant",
                    "enterprise_application_revoke",
                    "directory_consent",
                    "directory_consent_review",
                ),
            ),
            Page("sign_ins", "Activity", "activity", ("audit", "sign_in")),
        ),
    ),
    (
        "Directory",
        (
            Page(
                "directory",
                "Overview",
                "building",
                (
                    "directory_rename",
                    "directory_domain_new",
                    "directory_domain_remove",
                    "directory_delete",
                    "directory_assertions",
                    "directory_second_factor",
                ),
            ),
            Page("directory_testing", "Testing", "settings", ("directory_testing_mark",)),
            Page(
                "people",
                "Users",
                "people",
                (
                    "person",
                    "person_add",
                    "person_roles",
                    "person_disable",
                    "person_enable",
                    "person_end_sessions",
                    "person_remove_factors",
                    "invitation_new",
                    "invitation_withdraw",
                ),
            ),
            Page("directories", "Manage directories", "board", ("directory_new",)),
        ),
    ),
    (
        "Tools",
        (
            Page("decode", "Decode token", "code"),
            Page("aadsts", "AADSTS codes", "stethoscope", ("aadsts_code",)),
        ),
    ),
    (
        "Server",
        (
            Page("origins", "Allowed origins", "globe", ("origin_new", "origin_remove")),
            Page(
                "signing_keys",
                "Signing keys",
                "certificate",
                ("signing_key", "signing_key_roll", "signing_key_replace", "signing_key_withdraw"),
            ),
        ),
    ),
)
APPLICATION: Menu = (
    (
        "",
        (
            Page(
                "application",
                "Overview",
                "apps",
                ("application_endpoints", "application_export", "application_delete", "application_disable"),
            ),
            Page("code", "Use it from your code", "code"),
        ),
    ),
    (
        "Manage",
        (
            Page(
                "credentials",
                "Certificates & secrets",
                "key",
                (
                    "secrets",
                    "secret_new",
                    "secret_delete",
                    "secret_stored",
                    "certificates",
                    "certificate_new",
                    "certificate",
                    "certificate_delete",
                    "certificate_forget_key",
                    "federated",
                    "federated_new",
                    "federated_edit",
                    "federated_delete",
                ),
            ),
            Page(
                "api_permissions",
                "API permissions",
                "shield-ok",
                (
                    "api_permission_new",
                    "api_permissions_grant",
                    "api_permission_remove",
                    "api_permission_revoke",
                ),
            ),
            Page("application_expose", "Expose an API", "globe", ("application_identifier_uri",)),
            Page(
                "application_roles",
                "App roles",
                "identify",
                ("app_role_new", "app_role", "app_role_enable", "app_role_delete"),
            ),
            Page("application_properties", "Branding & properties", "tag"),
            Page("application_owners", "Owners", "people", ("application_owner_remove",)),
        ),
    ),
    (
        "Monitor",
        (
            Page("tests", "Token tests", "play", ("test", "test_new", "test_compare", "test_compare_new")),
            Page("application_sign_ins", "Sign-ins", "activity"),
            Page("application_audit", "Audit log", "history"),
        ),
    ),
)
