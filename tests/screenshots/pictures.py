"""Every page and state that is pictured, one entry each; and the addresses without a picture, each with why.

page(name, route, *things, ...)   a page: `things` are the arguments of its address, named in furnishing.py
panel(name, route, *things, ...)  a side panel, over the page it belongs to and at its own address
state(name, step, ...)            what no address of the portal's map leads to
"""

from tests.screenshots import steps as do
from tests.screenshots.picture import Picture, Step


def page(
    name: str, route: str, *things: str, query: str = "", person: str = "robin", then: Step | None = None
) -> Picture:
    """A page, after what `then` does on it."""
    return Picture(name, route, things, query, person, then)


def panel(
    name: str, route: str, *things: str, person: str = "robin", then: Step | None = None, over: str = ""
) -> Picture:
    """A panel, after what `then` does in it."""
    return Picture(name, route, things, person=person, then=then, is_panel=True, over=over)


def state(name: str, then: Step, person: str = "stranger") -> Picture:
    """Whatever `then` ends on."""
    return Picture(name, person=person, then=then)


LONG_TEXT = "A description that goes on for longer than anybody would think useful, and then some more of it"
_NO_ROLE = "00000000-0000-0000-0000-000000000000"

ALL = [
    # ------------------------------------------------------------ coming in
    page("login", "account_login", person="stranger"),
    page("login-error", "account_login", person="stranger", then=do.wrong_password(1)),
    page("login-empty", "account_login", person="stranger", then=do.without_required_marks("Sign in")),
    page("login-throttled", "account_login", person="stranger", then=do.wrong_password(6)),
    page("login-session-ended", "portal:applications", person="idle"),
    page("login-nobody-yet", "account_login", person="newcomer"),
    state("setup", do.by_the_setup_link, "newcomer"),
    state(
        "setup-error",
        do.after(
            do.by_the_setup_link,
            do.fill(user_name="robin", password1="short", password2="other"),
            do.send("Create administrator and sign in"),
        ),
        "newcomer",
    ),
    page("setup-unavailable", "account_setup", "not-a-link", person="stranger"),
    page("setup-form-unavailable", "account_setup_form", person="stranger"),
    page("logout", "account_logout"),
    # ------------------------------------------------------------ App registrations
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
    panel("application-restore", "portal:application_restore", "invoice"),
    panel("application-purge", "portal:application_purge", "old"),
    # ------------------------------------------------------------ one application
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
    panel("application-delete-step-up", "portal:application_delete", "harbor", person="stale"),
    # ------------------------------------------------------------ Certificates & secrets
    page("credentials", "portal:credentials", "harbor"),
    page("certificates", "portal:certificates", "harbor"),
    page("certificates-none", "portal:certificates", "bare"),
    page("certificates-expired", "portal:certificates", "route"),
    page("certificates-menu", "portal:certificates", "harbor", then=do.open_menu("More for harbor-sync-old")),
    panel("certificate", "portal:certificate", "harbor", "harbor/harbor-sync-old"),
    panel("certificate-upload", "portal:certificate_new", "bare"),
    panel(
        "certificate-upload-findings",
        "portal:certificate_new",
        "bare",
        then=do.after(do.attach(certificate_file="server.crt"), do.wait(".findings")),
    ),
    panel(
        "certificate-upload-refusal",
        "portal:certificate_new",
        "bare",
        then=do.after(do.attach(certificate_file="server.pem"), do.wait(".findings")),
    ),
    panel(
        "certificate-upload-with-key",
        "portal:certificate_new",
        "bare",
        then=do.after(
            do.fill(keep_private_key="on"),
            do.attach(certificate_file="server.crt", key_file="other.pem"),
            do.wait(".findings"),
        ),
    ),
    page(
        "certificate-upload-error",
        "portal:certificate_new",
        "bare",
        then=do.after(
            do.attach(certificate_file="server.csr"), do.fill(description=LONG_TEXT), do.send("Add")
        ),
    ),
    page("certificate-upload-empty", "portal:certificate_new", "bare", then=do.without_required_marks("Add")),
    panel("certificate-delete", "portal:certificate_delete", "harbor", "harbor/harbor-sync-old"),
    panel(
        "certificate-forget-key",
        "portal:certificate_forget_key",
        "harbor",
        "harbor/harbor-sync-old",
        over="portal:certificates",
    ),
    page("secrets", "portal:secrets", "harbor"),
    page("secrets-none", "portal:secrets", "bare"),
    page("secrets-verify-only", "portal:secrets", "warehouse"),
    page("secrets-long", "portal:secrets", "long"),
    page("secrets-menu", "portal:secrets", "harbor", then=do.open_menu("More for worker-prod")),
    page("secrets-tip", "portal:secrets", "harbor", then=do.open_menu("About values")),
    panel("secret-new", "portal:secret_new", "ledger"),
    panel("secret-new-custom", "portal:secret_new", "ledger", then=do.fill(expires="custom")),
    panel("secret-new-step-up", "portal:secret_new", "ledger", person="stale"),
    page(
        "secret-new-error",
        "portal:secret_new",
        "ledger",
        then=do.after(
            do.fill(expires="custom", start="2020-01-01", end="2035-01-01"), do.without_required_marks("Add")
        ),
    ),
    page(
        "secret-once",
        "portal:secret_new",
        "ledger",
        then=do.after(do.fill(description="worker-prod"), do.send("Add")),
    ),
    page(
        "secret-once-leaving",
        "portal:secret_new",
        "ledger",
        then=do.after(do.fill(description="worker-prod"), do.send("Add"), do.click(".breadcrumb a")),
    ),
    page(
        "secret-once-verify-only",
        "portal:secret_new",
        "ledger",
        then=do.after(do.fill(verify_only="on"), do.send("Add")),
    ),
    panel("secret-delete", "portal:secret_delete", "harbor", "harbor/worker-prod"),
    panel("secret-delete-expired", "portal:secret_delete", "harbor", "harbor/smoke-test"),
    page(
        "secret-unstored",
        "portal:secret_new",
        "ledger",
        then=do.after(
            do.fill(description="unstored"), do.send("Add"), do.without_required_marks("Done, hide the value")
        ),
    ),
    page("federated", "portal:federated", "build"),
    page("federated-none", "portal:federated", "bare"),
    page("federated-new", "portal:federated_new", "bare"),
    page("federated-new-kubernetes", "portal:federated_new", "bare", then=do.fill(scenario="kubernetes")),
    page("federated-new-identity", "portal:federated_new", "bare", then=do.fill(scenario="identity")),
    page("federated-new-other", "portal:federated_new", "bare", then=do.fill(scenario="other")),
    page("federated-new-error", "portal:federated_new", "bare", then=do.send("Add")),
    panel("federated-edit", "portal:federated_edit", "build", "build/deploy-main"),
    panel("federated-delete", "portal:federated_delete", "build", "build/nightly"),
    # ------------------------------------------------------------ API permissions, app roles
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
    # ------------------------------------------------------------ Test acquire token
    page("tests", "portal:tests", "harbor"),
    page("tests-none", "portal:tests", "bare"),
    panel("test-new", "portal:test_new", "harbor"),
    page("test-new-key-file", "portal:test_new", "customs"),
    page("test-new-value", "portal:test_new", "warehouse"),
    page("test-new-nothing", "portal:test_new", "bare"),
    page(
        "test-new-raw-step-up",
        "portal:test_new",
        "ledger",
        person="stale",
        then=do.fill(include_raw_token="on"),
    ),
    page(
        "test-new-error",
        "portal:test_new",
        "customs",
        then=do.after(do.fill(scope="nonsense"), do.send("Test acquire token")),
    ),
    page("test-verified-secret", "portal:test", "harbor", "run/secret"),
    page("test-verified-certificate", "portal:test", "harbor", "run/certificate"),
    page("test-expired-secret", "portal:test", "harbor", "run/expired-secret"),
    page("test-unknown-resource", "portal:test", "harbor", "run/unknown-resource"),
    page("test-wrong-key", "portal:test", "customs", "run/wrong-key"),
    page("test-disabled", "portal:test", "night", "run/disabled"),
    page("test-invalid", "portal:test", "partner", "run/invalid"),
    page("test-unverified", "portal:test", "harbor", "run/unverified"),
    page("test-unreachable", "portal:test", "harbor", "run/unreachable"),
    page(
        "test-raw-token",
        "portal:test_new",
        "ledger",
        then=do.after(do.fill(include_raw_token="on"), do.send("Test acquire token")),
    ),
    page("test-long", "portal:test", "long", "run/long"),
    page("code", "portal:code", "harbor"),
    page("code-curl", "portal:code", "harbor", query="?client=curl"),
    page("code-github", "portal:code", "harbor", query="?client=github"),
    # ------------------------------------------------------------ logs
    page("sign-ins", "portal:sign_ins"),
    page("sign-ins-none", "portal:sign_ins", person="beginner"),
    page("sign-ins-filtered-none", "portal:sign_ins", query="?search=nothing-like-it"),
    page("sign-in-done", "portal:sign_in", "sign-in/done"),
    page("sign-in-refused", "portal:sign_in", "sign-in/refused"),
    page("application-sign-ins", "portal:application_sign_ins", "harbor"),
    page("application-sign-ins-none", "portal:application_sign_ins", "bare"),
    page("audit", "portal:audit"),
    page("audit-filtered-none", "portal:audit", query="?search=nothing-like-it"),
    page("application-audit", "portal:application_audit", "harbor"),
    # ------------------------------------------------------------ tools
    page("decode", "portal:decode"),
    page("decode-verified", "portal:decode", then=do.a_token),
    page("decode-error", "portal:decode", then=do.after(do.fill(token="no token"), do.send("Decode"))),
    page(
        "decode-unknown-issuer",
        "portal:decode",
        then=do.after(do.fill(token=do.FOREIGN_TOKEN), do.send("Decode")),
    ),
    page("aadsts", "portal:aadsts"),
    page("aadsts-none", "portal:aadsts", query="?search=nothing-like-it"),
    page("aadsts-code", "portal:aadsts_code", "7000215"),
    page("aadsts-code-not-answered", "portal:aadsts_code", "53003"),
    page("aadsts-unknown", "portal:aadsts_code", "1"),
    page("help", "portal:help"),
    # ------------------------------------------------------------ one's own account
    page("account", "account"),
    page("password", "account_change_password"),
    page(
        "password-error",
        "account_change_password",
        then=do.after(
            do.fill(current="wrong", password1="short", password2="other"), do.send("Change password")
        ),
    ),
    # ------------------------------------------------------------ errors
    page("error-404", "portal:application", _NO_ROLE),
    page("error-404-stranger", "portal:application", _NO_ROLE, person="stranger"),
    page("error-400", "portal:decode", then=do.after(do.stuff_the_form, do.without_required_marks("Decode"))),
    page("error-csrf", "account", then=do.after(do.forget_the_form, do.send("Save name"))),
    page(
        "error-413",
        "portal:certificate_new",
        "bare",
        then=do.after(do.attach(certificate_file="huge.crt"), do.send("Add")),
    ),
    state("error-403", do.error_page("error-403"), "robin"),
    state("error-500", do.error_page("error-500"), "robin"),
    state("error-503", do.error_page("error-503"), "robin"),
    # ------------------------------------------------------------ the authority's own pages
    state("authority-error", do.at_the_authority("/error?code=7000215")),
    state("authority-error-not-answered", do.at_the_authority("/error?code=53003")),
    state("authority-error-unknown", do.at_the_authority("/error?code=1")),
    state("authority-authorize", do.at_the_authority("/{tenant}/oauth2/v2.0/authorize")),
]
PICTURES = {picture.name: picture for picture in ALL}

# name of an address -> why there is no picture of it
WITHOUT_PICTURE = {
    "portal:home": "leads on to App registrations",
    "portal:applications_export": "a file",
    "portal:certificate_download": "a file",
    "portal:certificate_examine": "answers POST only; its findings are in certificate-upload-findings",
    "portal:secret_stored": "answers POST only; what it says is in secret-unstored",
    "portal:theme": "answers POST only, and leads back",
    "health_live": "for programs",
    "health_ready": "for programs",
    "ca_certificate": "a file",
}
