"""Certificates & secrets."""

from tests.screenshots import steps as do
from tests.screenshots.picture import Picture, page, panel

# Of the newest choice: while it is looked at, those of the one before stand there, dimmed.
FOUND = "[data-findings]:not([aria-busy]) .findings"
LONG_TEXT = "A description that goes on for longer than anybody would think useful, and then some more of it"
PICTURES: list[Picture] = [
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
        then=do.after(do.attach(certificate_file="server.crt"), do.wait(FOUND)),
    ),
    panel(
        "certificate-upload-refusal",
        "portal:certificate_new",
        "bare",
        then=do.after(do.attach(certificate_file="server.pem"), do.wait(FOUND)),
    ),
    panel(
        "certificate-upload-with-key",
        "portal:certificate_new",
        "bare",
        then=do.after(
            do.fill(keep_private_key="on"),
            do.attach(certificate_file="server.crt", key_file="other.pem"),
            do.wait(FOUND),
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
]
