"""Users, their roles, invitations; and what the portal looks like to somebody who may only read."""

from tests.screenshots import steps as do
from tests.screenshots.picture import Picture, page, panel

PICTURES: list[Picture] = [
    page("users", "portal:people"),
    page("users-none-found", "portal:people", query="?search=zzz"),
    page("user", "portal:person", "noor"),
    panel("user-roles", "portal:person_roles", "noor"),
    panel("user-disable", "portal:person_disable", "noor"),
    page("user-enable", "portal:person_enable", "noor"),
    panel("user-end-sessions", "portal:person_end_sessions", "noor"),
    panel("user-remove-factors", "portal:person_remove_factors", "noor"),
    panel("user-add", "portal:person_add"),
    panel("user-invite", "portal:invitation_new"),
    page("user-invite-error", "portal:invitation_new", then=do.without_required_marks("Make invitation")),
    panel("invitation-withdraw", "portal:invitation_withdraw", "invitation"),
    page("invitation-unusable", "account_invitation", "not-a-link", person="stranger"),
    page("invitation-form-unusable", "account_invitation_form", person="stranger"),
    page("reader-applications", "portal:applications", person="noor"),
    page("reader-application", "portal:application", "long", person="noor"),
    page("reader-secrets", "portal:secrets", "long", person="noor"),
    page("reader-certificates", "portal:certificates", "long", person="noor"),
    page("reader-refused", "portal:application_delete", "ledger", person="noor"),
]
